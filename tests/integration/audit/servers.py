"""Servers that take lines: syslog over UDP, TCP and TLS, and HTTP over TLS. They keep what came."""

from __future__ import annotations

import http.server
import socket
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass, field


@dataclass
class Collected:
    """What came so far; waits are as long as it takes, the runner's own limit ends them."""

    messages: list[bytes] = field(default_factory=list)
    came: threading.Condition = field(default_factory=threading.Condition)

    def add(self, *messages: bytes) -> None:
        with self.came:
            self.messages += messages
            self.came.notify_all()

    def wait(self, count: int) -> list[bytes]:
        with self.came:
            assert self.came.wait_for(lambda: len(self.messages) >= count, timeout=60)
            return list(self.messages)


class Datagrams:
    """A syslog server over UDP."""

    def __init__(self) -> None:
        self.got = Collected()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while message := self.socket.recv(65536):
                self.got.add(message)

    def close(self) -> None:
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


class Frames:
    """A syslog server over TCP, or TLS: RFC 6587 with octet counting, and nothing else."""

    def __init__(self, context: ssl.SSLContext | None = None, port: int = 0) -> None:
        self.got, self.context = Collected(), context
        self.refused: list[bytes] = []
        self.listener = socket.create_server(("127.0.0.1", port))
        self.port = self.listener.getsockname()[1]
        self.open: list[socket.socket] = []
        self.connections = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                wire, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=(wire,), daemon=True).start()

    def _serve(self, wire: socket.socket) -> None:
        self.open.append(wire)
        try:
            if self.context is not None:
                wire = self.context.wrap_socket(wire, server_side=True)
                self.open.append(wire)
            self.connections += 1
            with wire.makefile("rb") as stream:
                while length := self._length(stream):
                    self.got.add(stream.read(length))
        except (OSError, ValueError):
            return

    def _length(self, stream) -> int:
        digits = b""
        while (one := stream.read(1)) not in (b" ", b""):
            digits += one
        if digits and not digits.isdigit():
            self.refused.append(digits)
        return int(digits or b"0")

    def hang_up(self) -> None:
        for wire in self.open:
            with suppress(OSError):
                wire.shutdown(socket.SHUT_RDWR)
            wire.close()
        self.open.clear()

    def close(self) -> None:
        with suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.hang_up()


class Posts:
    """An HTTPS server; `statuses` are answered first, then 200."""

    def __init__(self, context: ssl.SSLContext, statuses: list[int] | None = None) -> None:
        self.got = Collected()
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.statuses = statuses or []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.requests.append((self.path, dict(self.headers)))
                status = outer.statuses.pop(0) if outer.statuses else 200
                if status == 200:
                    outer.got.add(*body.splitlines())
                self.send_response(status)
                if 300 <= status < 400:
                    self.send_header("Location", f"https://127.0.0.1:{outer.port}/elsewhere")
                self.end_headers()

            do_GET = do_POST

            def log_message(self, *args: object) -> None:
                """Be quiet."""

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *args: object) -> None:
                """A client that hung up is what some tests are about."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
