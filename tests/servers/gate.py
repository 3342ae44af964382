"""A gate before an HTTP server: it passes requests on, and on demand loses one, loses an answer, or answers itself.

It stands between a real server and what is tested, so the server's own behaviour stays real.
"""

import http.client
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from urllib.parse import urlsplit

_HOP = {"connection", "transfer-encoding", "content-length", "keep-alive", "server", "date"}


@dataclass
class Trouble:
    """What happens to the next `times` requests whose method and path (with the X-Amz-Target header behind) fit.

    `kind`: `lose_request` (closed, not passed on), `lose_answer` (passed on, then closed), `answer` (not passed on),
    `replace` (passed on, but answered with these).
    """

    kind: str
    method: str = ""
    part: str = ""
    times: int = 1
    status: int = 500
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    def fits(self, method: str, path: str) -> bool:
        return self.times > 0 and self.method in {"", method} and self.part in path


class Gate:
    """Listens on a free loopback port until `close`; `requests` holds (method, path) of all that came."""

    def __init__(self, upstream: str, tls: ssl.SSLContext | None = None) -> None:
        self.upstream = urlsplit(upstream)
        self.requests: list[tuple[str, str]] = []
        self.headers: list[dict[str, str]] = []
        self._troubles: list[Trouble] = []
        self._lock = threading.Lock()
        gate = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # header and body are two writes; without this each answer takes 40 ms

            def handle_any(self) -> None:
                gate.handle(self)

            do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_LIST = handle_any

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = _Silent(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        scheme = "http" if tls is None else "https"
        self.address = f"{scheme}://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def arm(self, kind: str, **what: object) -> None:
        with self._lock:
            self._troubles.append(Trouble(kind, **what))  # type: ignore[arg-type]  # a test's own keywords

    def close(self) -> None:
        """From now on connections are refused. Safe to call twice."""
        self._server.shutdown()
        self._server.server_close()

    def handle(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        with self._lock:
            where = " ".join([request.path, *request.headers.get_all("X-Amz-Target", [])])
            self.requests.append((request.command, where))
            self.headers.append(dict(request.headers.items()))
            trouble = next((one for one in self._troubles if one.fits(request.command, where)), None)
            if trouble is not None:
                trouble.times -= 1
        kind = trouble.kind if trouble is not None else ""
        request.close_connection = True
        if kind == "lose_request":
            return
        if trouble is not None and kind == "answer":
            _answer(request, trouble.status, dict(trouble.headers), trouble.body.encode())
            return
        status, headers, text = self._pass_on(request, body)
        if kind == "lose_answer":
            return
        if trouble is not None and kind == "replace":
            status, headers, text = trouble.status, dict(trouble.headers), trouble.body.encode()
        _answer(request, status, headers, text)

    def _pass_on(self, request: BaseHTTPRequestHandler, body: bytes) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection(self.upstream.hostname or "", self.upstream.port, timeout=30)
        try:
            headers = {name: value for name, value in request.headers.items() if name.lower() not in {"connection"}}
            connection.request(request.command, request.path, body or None, headers)
            found = connection.getresponse()
            kept = {name: value for name, value in found.getheaders() if name.lower() not in _HOP}
            return found.status, kept, found.read()
        finally:
            connection.close()

    def __enter__(self) -> "Gate":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Silent(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away in the middle is what many tests are about; socketserver would print a traceback."""


def _answer(request: BaseHTTPRequestHandler, status: int, headers: Mapping[str, str], body: bytes) -> None:
    request.send_response(status)
    for name, value in headers.items():
        request.send_header(name, value)
    request.send_header("Content-Length", str(len(body)))
    request.send_header("Connection", "close")
    request.end_headers()
    request.wfile.write(body)
