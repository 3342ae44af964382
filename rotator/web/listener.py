"""The listener of metrics and health, and that of the page: a bounded HTTP server in a thread of its own.

Whatever clients do (a storm of scrapes, connections that send nothing or read nothing), they get a bounded number of
connections, each for a bounded time, and never a thread that rotates. It must not know what is answered.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import re
import socket
import threading
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from rotator.core.errors import ConfigError, RotatorError
from rotator.host.threads import Exhausted, start_thread
from rotator.web.answers import ANSWER_WITHIN, Check, Render, application

if TYPE_CHECKING:
    import uvicorn
    from starlette.types import ASGIApp

CONNECTIONS: Final = 64
"""Open connections at a time; one more is closed at once."""

REQUEST_WITHIN: Final = 10.0
"""Seconds from the first moment of a connection, or the end of the last answer, to the end of the next answer."""

START_WITHIN: Final = 10.0
STOP_WITHIN: Final = 2.0
LONGEST_REQUEST: Final = 16 * 1024

OVERRIDDEN: Final = {"http.listen": " or ROTATOR_HTTP_LISTEN"}
"""What overrides a key of the configuration, for messages."""


class Listener:
    """A running listener."""

    def __init__(
        self, thread: threading.Thread, bound: socket.socket, stop: Callable[[], None], close: Callable[[], None]
    ) -> None:
        """Made by `serve` and `listening`."""
        self._thread, self._stop, self._close = thread, stop, close
        host, port = bound.getsockname()[:2]
        self.host: str = host
        self.port: int = port

    @property
    def address(self) -> str:
        """`HOST:PORT` as it was bound, with the real port."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def alive(self) -> bool:
        """Whether it still answers."""
        return self._thread.is_alive()

    def stop(self, timeout: float = STOP_WITHIN) -> None:
        """Close the port and end the thread, waiting at most `timeout` seconds; harmless to repeat."""
        self._close()
        self._stop()
        self._thread.join(timeout)


def serve(
    listen: str,
    metrics_render: Render,
    health: Check,
    ready: Check,
    *,
    connections: int = CONNECTIONS,
    request_within: float = REQUEST_WITHIN,
    answer_within: float = ANSWER_WITHIN,
) -> Listener:
    """Bind `listen` and answer /metrics, /healthz and /readyz from a daemon thread until `Listener.stop`.

    Args:
        listen: `HOST:PORT`, `[::1]:PORT`; port 0 picks a free one.
        metrics_render: the metrics page.
        health: whether the loop is alive, with details.
        ready: whether journal and configuration are in order, with details.
        connections: open connections at a time.
        request_within: seconds that one request may take on the wire, waiting for it included.
        answer_within: seconds that a callable may take before the answer is 503.

    Raises:
        ConfigError: the address is none, or not one of this machine.
        RotatorError: the port is taken, or the server did not start.
        Exhausted: the system allows no thread for it.
    """
    made = application(metrics_render, health, ready, answer_within)
    return listening(listen, made, connections=connections, request_within=request_within)


def listening(
    listen: str,
    made: ASGIApp,
    *,
    setting: str = "http.listen",
    close: Callable[[], None] = lambda: None,
    connections: int = CONNECTIONS,
    request_within: float = REQUEST_WITHIN,
) -> Listener:
    """Bind `listen` and answer with an application from a daemon thread until `Listener.stop`.

    Args:
        listen: as in `serve`.
        made: the application.
        setting: the key of the configuration that `listen` comes from, for messages.
        close: called at the end, so that answers which do not end by themselves do.
        connections: open connections at a time.
        request_within: seconds that one request may take on the wire, waiting for it included.

    Raises:
        ConfigError, RotatorError, Exhausted: as `serve`.
    """
    import uvicorn

    bound = _bind(listen, setting)
    config = uvicorn.Config(
        made,
        http=_patient_protocol(connections, request_within),
        loop="asyncio",
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        backlog=connections,
        proxy_headers=False,
        timeout_keep_alive=max(1, int(request_within)),
        timeout_graceful_shutdown=1,
        h11_max_incomplete_event_size=LONGEST_REQUEST,
    )
    server = _quiet_server(config)
    try:
        thread = start_thread(partial(server.run, [bound]), "web")
    except Exhausted:
        bound.close()
        raise
    server.up.wait(START_WITHIN)
    if not server.started:
        bound.close()
        raise RotatorError(f"the listener on {listen} did not start", "read the log")
    return Listener(thread, bound, server.stop, close)


def _quiet_server(config: uvicorn.Config) -> Any:
    """The server without its ten wake-ups a second: it sleeps until it is told to stop."""
    import uvicorn

    class Quiet(uvicorn.Server):
        def __init__(self) -> None:
            super().__init__(config)
            self.up = threading.Event()
            self._loop: asyncio.AbstractEventLoop | None = None
            self._over: asyncio.Event | None = None

        def run(self, sockets: list[socket.socket] | None = None) -> None:
            try:
                super().run(sockets)
            finally:
                self.up.set()

        async def main_loop(self) -> None:
            self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
            self.up.set()
            await self._over.wait()

        def stop(self) -> None:
            if self._loop is not None and self._over is not None and not self._loop.is_closed():
                with contextlib.suppress(RuntimeError):  # closed in this very moment
                    self._loop.call_soon_threadsafe(self._over.set)

    return Quiet()


def _bind(listen: str, setting: str) -> socket.socket:
    found = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):([0-9]{1,5})", listen)
    if found is None or int(found[2]) > 65535:
        raise ConfigError(f"{listen!r} is not an address to listen on", "write for example 127.0.0.1:9853")
    host, port = found[1].strip("[]"), int(found[2])
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise ConfigError(
            f"the address {listen} of {setting} cannot be resolved", "use an address of this machine"
        ) from error
    bound = socket.socket(family, kind, protocol)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        bound.listen(CONNECTIONS)
        bound.setblocking(False)
    except OSError as error:
        bound.close()
        raise _refused(listen, setting, error) from error
    return bound


def _refused(listen: str, setting: str, error: OSError) -> RotatorError:
    other = setting + OVERRIDDEN.get(setting, "")
    if error.errno == errno.EADDRINUSE:
        return RotatorError(
            f"cannot listen on {listen}: another process has that port",
            f"stop it, or choose another port with {other}",
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return ConfigError(
            f"cannot listen on {listen}: this machine has no such address",
            f"use 127.0.0.1, 0.0.0.0 or an address of this machine in {other}",
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return RotatorError(f"cannot listen on {listen}: this user may not", f"choose a port above 1023 with {setting}")
    return RotatorError(
        f"cannot listen on {listen}: {error.strerror or 'the system refused'}", "choose another address"
    )


def _patient_protocol(connections: int, within: float) -> type[asyncio.Protocol]:
    """The server's HTTP protocol with a cap on connections and one deadline per request.

    uvicorn has neither: its own limit still accepts every connection, and a client that sends half a request, or does
    not read its answer, holds one for ever.
    """
    from uvicorn.protocols.http.h11_impl import H11Protocol

    class Bounded(H11Protocol):
        _deadline: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            if len(self.connections) > connections:
                transport.abort()
                return
            self._restart()

        def connection_lost(self, exc: Exception | None) -> None:
            if self._deadline is not None:
                self._deadline.cancel()
            super().connection_lost(exc)

        def on_response_complete(self) -> None:
            super().on_response_complete()
            if not self.transport.is_closing():
                self._restart()  # also the time in which the client reads what is still buffered

        def _restart(self) -> None:
            if self._deadline is not None:
                self._deadline.cancel()
            self._deadline = self.loop.call_later(within, self.transport.abort)

    return Bounded
