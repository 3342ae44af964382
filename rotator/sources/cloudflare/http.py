"""The one HTTP client of a connection, and the only home of httpx. It sends a request exactly once and says what came.

What it guarantees, and why the stock transport is not enough:
- one request on the wire per call: no retry, no redirect, nothing from the environment;
- a *total* deadline: a server that drips a byte every few seconds never trips a per-read timeout;
- it *knows* whether nothing of the request left this host (`NotSent`) or a byte of it did (`AnswerLost`): the stream
  notes the first write, so the answer rests on what happened and not on the name of an exception;
- its wires come from the connection's `Network` (proxies, trust, addresses); what fails there is `NotSent`;
- requests with an effect never reuse a connection that the server may have closed meanwhile;
- a bounded body, whatever its coding.

It does not know what a request means. Importing it loads httpx, so it is imported where a client is opened.
"""

from __future__ import annotations

import json
import logging
import select
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode

import httpcore
import httpx

from rotator import __version__
from rotator.host.network.dial import Network
from rotator.host.network.errors import NotConnected
from rotator.sources.cloudflare.answers import Answer
from rotator.sources.cloudflare.bearers import Bearer, headers_of

if TYPE_CHECKING:
    from rotator.host.network.tunnel import Wire

DEADLINE: Final = 15.0
"""Seconds from the call to the last byte of the body; well below the settle time of 60 s."""
CONNECT: Final = 5.0
BODY_CAP: Final = 4 * 1024 * 1024
READERS: Final = 20
"""Kept-alive connections for reads; with `ACTORS` 32 in all, as many as the daemon has workers."""
ACTORS: Final = 12
USER_AGENT: Final = f"rotator/{__version__} (secrets rotation daemon; rotatord)"
"""Recorded in Cloudflare's audit log (`raw.user_agent`), so that a rotation can be told from a person."""
HEADERS: Final = (
    (b"User-Agent", USER_AGENT.encode()),
    (b"Accept", b"application/json"),
    (b"Accept-Encoding", b"identity"),
    (b"Connection", b"keep-alive"),
)
_PORTS: Final = {"https": 443, "http": 80}


class NotSent(Exception):
    """Not one byte of the request left this host; its text holds no secret. `remedy` is empty where none is known."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy


class AnswerLost(Exception):
    """The request, or a part of it, was sent and no complete answer came; its text holds no secret."""


@dataclass(slots=True)
class _Flight:
    """The request that the present thread has under way."""

    ends: float
    sent: bool = False

    def left(self, timeout: float | None, expired: type[Exception]) -> float:
        left = self.ends - time.monotonic()
        if left <= 0:
            raise expired("the deadline of the whole request is over")
        return left if timeout is None else min(left, timeout)


class _Flights(threading.local):
    now: _Flight | None = None

    def connect(self, timeout: float | None) -> float:
        """Seconds that are left for making a connection."""
        limit = CONNECT if timeout is None else timeout
        return self.now.left(limit, httpcore.ConnectTimeout) if self.now else limit


class _Stream(httpcore.NetworkStream):
    """A wire that obeys the flight's deadline and notes the first write of a request."""

    def __init__(self, wire: Wire, network: Network, flights: _Flights) -> None:
        self._wire: Any = wire
        self._network = network
        self._flights = flights

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        flight = self._flights.now
        with _told(httpcore.ReadTimeout, httpcore.ReadError):
            self._wire.settimeout(flight.left(timeout, httpcore.ReadTimeout) if flight else timeout)
            received: bytes = self._wire.recv(max_bytes)
            return received

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if not buffer:
            return
        flight = self._flights.now
        if flight:
            timeout = flight.left(timeout, httpcore.WriteTimeout)
            flight.sent = True
        with _told(httpcore.WriteTimeout, httpcore.WriteError):
            self._wire.settimeout(timeout)
            self._wire.sendall(buffer)

    def close(self) -> None:
        self._wire.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = self._flights.connect(timeout)
        return _Stream(self._network.secure(self._wire, server_hostname or "", left), self._network, self._flights)

    def get_extra_info(self, info: str) -> Any:
        if info != "is_readable":  # whether the server has closed a kept connection, or says something unasked
            return None
        poll = select.poll()
        poll.register(self._wire.fileno(), select.POLLIN)
        return bool(poll.poll(0))


@contextmanager
def _told(timeout: type[Exception], broken: type[Exception]) -> Iterator[None]:
    """Say what a socket says in httpcore's words, which its connection pool understands."""
    try:
        yield
    except TimeoutError:
        raise timeout from None
    except OSError as error:
        raise broken(error.strerror or "") from None


class _Backend(httpcore.NetworkBackend):
    """Wires of the network. Only the name look-up cannot be interrupted; nothing is sent after it is late."""

    def __init__(self, network: Network, flights: _Flights) -> None:
        self._network = network
        self._flights = flights

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        wire = self._network.connect(host, port, self._flights.connect(timeout))
        return _Stream(wire, self._network, self._flights)


class _Wires:
    """Connections to one origin: reads keep theirs, requests with an effect get a fresh one each.

    No pool of httpcore's: that looks at every connection at every request, which cost a quarter of its time.
    """

    def __init__(self, base: httpx.URL, network: Network, flights: _Flights) -> None:
        self._make = partial(
            httpcore.HTTPConnection,
            origin=httpcore.Origin(base.raw_scheme, base.raw_host, base.port or _PORTS[base.scheme]),
            ssl_context=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),  # unused; httpcore would load one each time
            keepalive_expiry=30.0,
            network_backend=_Backend(network, flights),
        )
        self._room = {False: threading.BoundedSemaphore(READERS), True: threading.BoundedSemaphore(ACTORS)}
        self._lock = threading.Lock()
        self._kept: list[httpcore.HTTPConnection] = []
        self._out: set[httpcore.HTTPConnection] = set()

    @contextmanager
    def lend(self, effect: bool) -> Iterator[httpcore.HTTPConnection]:
        """Lend a connection for one request and its whole answer; `httpcore.PoolTimeout` when all are busy."""
        if not self._room[effect].acquire(timeout=CONNECT):
            raise httpcore.PoolTimeout
        try:
            connection = self._fresh() if effect else self._reused()
            try:
                yield connection
            finally:
                self._take_back(connection, keep=not effect and connection.is_idle())
        finally:
            self._room[effect].release()

    def _reused(self) -> httpcore.HTTPConnection:
        while True:
            with self._lock:
                if not self._kept:
                    break
                connection = self._kept.pop()
                self._out.add(connection)
            if not connection.has_expired():
                return connection
            self._take_back(connection, keep=False)
        return self._fresh()

    def _fresh(self) -> httpcore.HTTPConnection:
        connection = self._make()
        with self._lock:
            self._out.add(connection)
        return connection

    def _take_back(self, connection: httpcore.HTTPConnection, keep: bool) -> None:
        with self._lock:
            known = connection in self._out  # else everything was closed meanwhile
            self._out.discard(connection)
            done = [] if keep and known else [connection]
            if keep and known:
                self._kept.append(connection)
                # the last one kept is lent first, so after a busy hour the first ones are never lent again
                while self._kept[0].has_expired():
                    done.append(self._kept.pop(0))
                    if not self._kept:
                        break
        for one in done:
            one.close()

    def close(self) -> None:
        with self._lock:
            open_ones = [*self._kept, *self._out]
            self._kept.clear()
            self._out.clear()
        for connection in open_ones:
            connection.close()


class Http:
    """A client of one API base address. Safe for threads."""

    def __init__(self, base_url: str, network: Network | None = None, deadline: float = DEADLINE) -> None:
        """Nothing is read and nothing is sent.

        Args:
            base_url: https, or http for loopback; checked by the configuration.
            network: where connections come from; by default straight ones that trust what the system trusts.
            deadline: seconds for a whole request.
        """
        # Both libraries log the paths of requests, which hold token ids, below this level.
        for name in ("httpx", "httpcore"):
            logging.getLogger(name).setLevel(logging.WARNING)
        self._deadline = deadline
        self._flights = _Flights()
        base = httpx.URL(base_url.rstrip("/"))
        self._base = httpcore.URL(
            scheme=base.raw_scheme, host=base.raw_host, port=base.port, target=base.raw_path.rstrip(b"/")
        )
        self._host = base.netloc
        self._wires = _Wires(base, network or Network(), self._flights)
        self._timeouts = httpx.Timeout(deadline, connect=CONNECT, pool=CONNECT).as_dict()

    def send(
        self,
        method: str,
        path: str,
        bearer: Bearer | None,
        *,
        query: Mapping[str, str] | None = None,
        body: object = None,
        effect: bool = False,
        on_head: Callable[[Mapping[str, str]], None] | None = None,
    ) -> Answer:
        """Send one request, exactly once, and return its whole answer, whatever its status.

        Args:
            method: HTTP method.
            path: below the base address, with a leading slash.
            bearer: who authenticates it, revealed into the headers only; None for nobody.
            query: query parameters.
            body: sent as JSON unless None.
            effect: whether it changes something; then it gets a connection of its own.
            on_head: called with the headers as soon as they are there, before the body.

        Raises:
            NotSent: nothing left this host.
            AnswerLost: something did, and no complete answer came: reset, deadline, cut off, too large, badly coded.
        """
        flight = _Flight(time.monotonic() + self._deadline)
        self._flights.now = flight
        trouble, remedy = "", ""
        try:
            return self._exchange(method, path, bearer, query, body, effect, on_head)
        except NotConnected as error:
            trouble, remedy = error.message, error.remedy
        # Everything, a bug in a library included: whatever went wrong, either something was sent or nothing was.
        except Exception as error:  # noqa: BLE001
            trouble = _kind(error)
        finally:
            self._flights.now = None
        # Raised outside of the handlers: the library's exception holds the request, and so the token.
        raise AnswerLost(trouble) if flight.sent else NotSent(trouble, remedy)

    def _exchange(
        self,
        method: str,
        path: str,
        bearer: Bearer | None,
        query: Mapping[str, str] | None,
        body: object,
        effect: bool,
        on_head: Callable[[Mapping[str, str]], None] | None,
    ) -> Answer:
        # Past httpx: its cookies, redirects and environment are not wanted, and cost half of a request's time.
        content = b"" if body is None else json.dumps(body, separators=(",", ":"), allow_nan=False).encode()
        target = quote(path, safe="/%") + (f"?{urlencode(query, quote_via=quote)}" if query else "")
        request = httpcore.Request(
            method,
            httpcore.URL(
                scheme=self._base.scheme,
                host=self._base.host,
                port=self._base.port,
                target=self._base.target + target.encode(),
            ),
            headers=self._head(bearer, content, method),
            content=content,
            extensions={"timeout": self._timeouts},
        )
        with self._wires.lend(effect) as connection:
            response = connection.handle_request(request)
            try:
                headers = _headers(response)
                if on_head is not None:
                    on_head(headers)
                return Answer(response.status, headers, _whole(response, headers))
            finally:
                response.close()

    def _head(self, bearer: Bearer | None, content: bytes, method: str) -> list[tuple[bytes, bytes]]:
        who = headers_of(bearer)
        if who is None:
            raise ValueError("the token cannot stand in a header")
        head = [(b"Host", self._host), *HEADERS, *((name.encode(), value.encode()) for name, value in who.items())]
        if content:
            head.append((b"Content-Type", b"application/json"))
        if content or method not in ("GET", "DELETE"):
            head.append((b"Content-Length", b"%d" % len(content)))
        return head

    def close(self) -> None:
        """Close all connections; requests of other threads under way end as `AnswerLost`."""
        self._wires.close()


class _TooLarge(Exception):
    pass


def _headers(response: httpcore.Response) -> dict[str, str]:
    """The headers by their names in lower case; those of one name are joined, as RFC 9110 section 5.3 has it."""
    found: dict[str, str] = {}
    for raw, content in response.headers:
        name, value = raw.decode("latin-1").lower(), content.decode("latin-1")
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def _whole(response: httpcore.Response, headers: Mapping[str, str]) -> bytes:
    """The body, decoded; we ask for none, but a box on the way may compress anyway, and a mint's answer comes once."""
    coded = headers.get("content-encoding", "identity").strip().lower() in ("gzip", "x-gzip", "deflate")
    inflate = zlib.decompressobj(zlib.MAX_WBITS | 32) if coded else None
    whole = bytearray()
    for piece in response.iter_stream():
        whole += inflate.decompress(piece, BODY_CAP + 1 - len(whole)) if inflate else piece
        if len(whole) > BODY_CAP:
            raise _TooLarge
    if inflate is not None and not inflate.eof:
        raise zlib.error
    return bytes(whole)


_WORDS: Final[tuple[tuple[type[Exception], str], ...]] = (
    (httpcore.PoolTimeout, "all connections are busy"),
    (httpcore.ConnectTimeout, "no connection in time"),
    (httpcore.TimeoutException, "no complete answer in time"),
    (httpcore.NetworkError, "the connection broke"),
    (httpcore.RemoteProtocolError, "the connection was closed or cut off, or the answer was not HTTP"),
    (_TooLarge, f"an answer of more than {BODY_CAP // 1024 // 1024} MiB"),
    (zlib.error, "an answer in a broken coding"),
)


def _kind(error: Exception) -> str:
    return next((words for kind, words in _WORDS if isinstance(error, kind)), "the request could not be made")
