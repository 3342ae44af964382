"""A server that answers with exactly the bytes it was given, for everything that no well-behaved server does."""

import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator

Script = Callable[[socket.socket], None]


def http(
    body: bytes | object, status: str = "200 OK", *headers: str, length: int | None = None, kept: bool = False
) -> bytes:
    """An HTTP answer; JSON of anything but bytes.

    It says that the connection is closed after it unless `kept`: a client that keeps one whose server closes it
    unannounced loses its next request to the race between the two, now and then.
    """
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(sent) if length is None else length}"]
    lines += [*headers, *(() if kept else ("Connection: close",)), "", ""]
    return "\r\n".join(lines).encode() + sent


def say(data: bytes) -> Script:
    """Send these bytes and close."""
    return lambda connection: connection.sendall(data)


class RawServer:
    """Every connection gets one request and one script; `requests` are what was received."""

    def __init__(self, script: Script, context: ssl.SSLContext | None = None) -> None:
        self.script = script
        self.requests: list[bytes] = []
        self.connections = 0
        self._context = context
        self._ended = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"{'https' if context else 'http'}://127.0.0.1:{self.port}/client/v4"
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def wait(self, seconds: float) -> bool:
        """Sleep inside a script; True once the test is over."""
        return self._ended.wait(seconds)

    def close(self) -> None:
        self._ended.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        while not self._ended.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            connection.settimeout(20)
            if self._context:
                connection = self._context.wrap_socket(connection, server_side=True)
            with connection:
                received = b""
                while b"\r\n\r\n" not in received:
                    piece = connection.recv(65536)
                    if not piece:
                        return
                    received += piece
                head, _, body = received.partition(b"\r\n\r\n")
                lengths = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")]
                wanted = int(lengths[0].split(b":")[1]) if lengths else 0
                while len(body) < wanted:
                    body += connection.recv(65536)
                self.requests.append(head + b"\r\n\r\n" + body)
                self.script(connection)


@contextlib.contextmanager
def raw_server(script: Script, context: ssl.SSLContext | None = None) -> Iterator[RawServer]:
    server = RawServer(script, context)
    try:
        yield server
    finally:
        server.close()
