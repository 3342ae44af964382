"""Sockets: accept connections, read requests, send what the handler answers. Knows nothing of what is said.

One thread per connection, all of them daemons. A handler that returns None closes the connection without a byte,
which is how faults lose answers.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import sys
import threading
import time
from collections.abc import Callable
from typing import BinaryIO

from rotator.sandbox.message import Request, Response, json_response
from rotator.sandbox.unusable import UnusableError
from rotator.sandbox.wire import BadRequest, encode, read_request

Handler = Callable[[Request], Response | None]


def parse_listen(listen: str) -> tuple[str, int]:
    """Host and port of `HOST:PORT`; the host must be a loopback one, as the sandbox speaks without TLS.

    Raises:
        ValueError: not of that shape, or not loopback.
    """
    host, colon, port = listen.rpartition(":")
    host = host.strip("[]")
    if not colon or not port.isdigit() or int(port) > 65535:
        raise UnusableError(f"cannot listen on {listen!r}", "expected HOST:PORT, like 127.0.0.1:8980")
    if host == "localhost":
        host = "127.0.0.1"
    try:
        good = ipaddress.ip_address(host).is_loopback
    except ValueError:
        good = False
    if not good:
        raise UnusableError(f"cannot listen on {listen!r}", "the sandbox has no TLS and listens on loopback only")
    return host, int(port)


class Server:
    """A listening socket and its threads."""

    def __init__(self, listen: str, handler: Handler) -> None:
        self._host, self._port = parse_listen(listen)
        self._handler = handler
        self._listener: socket.socket | None = None
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._stopped = False
        self._thread: threading.Thread | None = None

    def start(self) -> str:
        """Bind and serve from a background thread; returns `http://HOST:PORT` with the real port.

        Raises:
            OSError: the address is taken or cannot be bound.
        """
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((self._host, self._port))
            listener.listen(512)
        except OSError:
            listener.close()
            raise
        self._listener = listener
        self._thread = threading.Thread(target=self._accept, args=(listener,), name="sandbox-accept", daemon=True)
        self._thread.start()
        port = listener.getsockname()[1]
        return f"http://[{self._host}]:{port}" if family == socket.AF_INET6 else f"http://{self._host}:{port}"

    def stop(self) -> None:
        """Close the listener and every connection; requests at work lose their answer. Safe to call twice."""
        with self._lock:
            self._stopped = True
            connections = list(self._connections)
        if self._listener is not None:
            _close(self._listener)
        for connection in connections:
            _shut(connection)
        if self._thread is not None:
            self._thread.join(5)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, address = listener.accept()
            except OSError:
                if self._stopped:
                    return
                time.sleep(0.01)  # the peer went away again, or no descriptor is free: do not spin on it
                continue
            with self._lock:
                if self._stopped:
                    _close(connection)
                    return
                self._connections.add(connection)
            worker = threading.Thread(target=self._serve, args=(connection, address[0]), daemon=True)
            worker.start()

    def _serve(self, connection: socket.socket, ip: str) -> None:
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with connection.makefile("rb") as stream:
                while self._exchange(stream, connection, ip):
                    pass
        except OSError:
            pass  # the client is gone; there is nobody left to tell
        finally:
            with self._lock:
                self._connections.discard(connection)
            _close(connection)

    def _exchange(self, stream: BinaryIO, connection: socket.socket, ip: str) -> bool:
        """One request and its answer; whether the connection goes on."""
        try:
            found = read_request(stream, connection, ip)
        except BadRequest as bad:
            connection.sendall(encode(json_response(bad.status, {"error": "not a request"}), keep=False))
            return False
        if found is None:
            return False
        request, keep = found
        try:
            response = self._handler(request)
        except Exception as error:  # noqa: BLE001 - a defect in the sandbox must answer, and must not print a value
            sys.stderr.write(f"sandbox: {type(error).__name__} while answering {request.method}\n")
            response = json_response(500, {"error": f"defect in the sandbox: {type(error).__name__}"})
        if response is None:
            return False
        keep = keep and not response.half
        connection.sendall(encode(response, keep=keep, bodiless=request.method == "HEAD"))
        return keep


def _shut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _close(connection: socket.socket) -> None:
    _shut(connection)
    connection.close()
