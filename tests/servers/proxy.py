"""A small HTTP proxy: it opens tunnels to where the test says that a name leads, and keeps what it was told."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Mapping

Where = tuple[str, int]


class Proxy:
    """Listens on a free loopback port until `close`.

    `heads` are the heads of all requests that came, whatever their method; `answer` is said instead of opening a
    tunnel; `login` is the Proxy-Authorization that it wants; `cut` closes a tunnel before more than that many bytes of
    the server have passed.
    """

    def __init__(self, routes: Mapping[str, Where], tls: ssl.SSLContext | None = None) -> None:
        self.routes = dict(routes)
        self.heads: list[str] = []
        self.answer: bytes | None = None
        self.login = ""
        self.cut: int | None = None
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def __enter__(self) -> "Proxy":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        for held in (self._listener, *self._open):
            with contextlib.suppress(OSError):
                held.shutdown(socket.SHUT_RDWR)
            held.close()
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(client)
            thread = threading.Thread(target=self._serve, args=(client,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError, ssl.SSLError):
            client.settimeout(20)
            if self._tls is not None:
                client = self._tls.wrap_socket(client, server_side=True)
                self._open.append(client)
            with client:
                head = b""
                while b"\r\n\r\n" not in head:
                    piece = client.recv(65536)
                    if not piece:
                        return
                    head += piece
                self.heads.append(head.decode("latin-1"))
                self._tunnel(client, head.decode("latin-1"))

    def _tunnel(self, client: socket.socket, head: str) -> None:
        method, target, _ = head.split("\r\n")[0].split(" ", 2)
        if self.answer is not None:
            client.sendall(self.answer)
        elif self.login and f"Proxy-Authorization: {self.login}" not in head.split("\r\n"):
            client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
        elif method != "CONNECT" or target not in self.routes:
            client.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        else:
            with socket.create_connection(self.routes[target], 20) as server:
                self._open.append(server)
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                back = threading.Thread(target=self._pump, args=(server, client, self.cut), daemon=True)
                back.start()
                self._pump(client, server, None)
                back.join(20)

    @staticmethod
    def _pump(one: socket.socket, other: socket.socket, cut: int | None) -> None:
        with contextlib.suppress(OSError, ValueError):
            passed = 0
            while piece := one.recv(65536):
                if cut is not None and passed + len(piece) > cut:
                    break
                passed += len(piece)
                other.sendall(piece)
        for end in (one, other):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
