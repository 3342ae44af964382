"""Through a proxy: CONNECT on a connection to it, and TLS, also inside of the proxy's own TLS.

RFC 9110 section 9.3.6. A CONNECT that fails has carried nothing of the request.
"""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import time
from typing import TYPE_CHECKING, Any, Final

from rotator.host.network.errors import Cause, NotConnected, no_tls
from rotator.host.network.route import ProxyServer, authority

if TYPE_CHECKING:
    from urllib3.util.ssltransport import SSLTransport

    Wire = socket.socket | SSLTransport

LONGEST: Final = 16384
"""Bytes of the head of a proxy's answer."""


def open_tunnel(wire: socket.socket, proxy: ProxyServer, host: str, port: int, ends: float) -> None:
    """Ask the proxy at the other end of `wire` for a connection to `host`.

    Args:
        wire: connected to the proxy, its TLS included.
        proxy: whose login goes along.
        host: name or address; the proxy looks it up.
        port: of the host.
        ends: monotonic time at which it is given up.

    Raises:
        NotConnected: there is no tunnel.
    """
    where = authority(host, port)
    lines = [f"CONNECT {where} HTTP/1.1", f"Host: {where}"]
    if proxy.authorization is not None:
        lines.append(f"Proxy-Authorization: {proxy.authorization.reveal()}")
    try:
        wire.settimeout(_left(ends))
        wire.sendall("\r\n".join([*lines, "", ""]).encode())
        head = _head(wire, ends)
    except TimeoutError:
        raise NotConnected(Cause.PROXY_SILENT, f"{proxy.name} did not open a tunnel to {where} in time") from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it hung up, or its answer is not HTTP"
        raise NotConnected(Cause.PROXY_SILENT, f"{proxy.name} did not open a tunnel to {where}: {why}") from None
    status = re.match(rb"HTTP/1\.[01] (\d{3})\b", head)
    code = int(status[1]) if status else 0
    if 200 <= code < 300:
        return
    if code == 407:
        asked = "does not accept the login" if proxy.authorization is not None else "wants a login"
        raise NotConnected(Cause.PROXY_LOGIN, f"{proxy.name} {asked} (HTTP 407)")
    if code in (502, 503, 504):
        raise NotConnected(
            Cause.UNREACHABLE,
            f"{proxy.name} does not reach {where} (HTTP {code})",
            "is that host up? See the proxy's log",
        )
    said = f"HTTP {code}" if code else "its answer is not HTTP"
    raise NotConnected(
        Cause.PROXY_REFUSED if code else Cause.PROXY_SILENT, f"{proxy.name} opens no tunnel to {where} ({said})"
    )


def secured(wire: Wire, context: ssl.SSLContext, name: str, ends: float, *, proxy: bool) -> Wire:
    """Return the wire with TLS on it, also where it has TLS already; the old one belongs to the new one.

    Args:
        wire: connected.
        context: whom to trust.
        name: of the peer, as its certificate must have it.
        ends: monotonic time at which it is given up.
        proxy: whether the peer is the proxy, for the error.

    Raises:
        NotConnected: no handshake, or a certificate that is not trusted.
    """
    try:
        wire.settimeout(_left(ends))
        if type(wire) is socket.socket:
            return context.wrap_socket(wire, server_hostname=name)
        from urllib3.util.ssltransport import SSLTransport

        bounded = _Bounded(wire, ends)
        inner = SSLTransport(bounded, context, server_hostname=name)  # type: ignore[arg-type]  # all it uses is there
        bounded.ends = None
        return inner
    except (OSError, ValueError) as error:  # `ssl.SSLError` and timeouts are the first; a name that is none the second
        raise no_tls(error, f"the proxy {name}" if proxy else name, proxy=proxy) from None


class _Bounded:
    """A socket whose reads end in time altogether: TLS over memory reads it piece by piece, and a piece may drip."""

    def __init__(self, inner: Wire, ends: float) -> None:
        self._inner: Any = inner
        self.ends: float | None = ends

    def recv(self, size: int, flags: int = 0) -> bytes:
        if self.ends is not None:
            self._inner.settimeout(_left(self.ends))
        received: bytes = self._inner.recv(size, flags) if flags else self._inner.recv(size)
        return received

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def _head(wire: socket.socket, ends: float) -> bytes:
    """Everything up to the empty line and not a byte more: what follows belongs to the tunnel."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        wire.settimeout(_left(ends))
        piece = wire.recv(1)
        if not piece or len(head) > LONGEST:
            raise ValueError
        head += piece
    return head


def _left(ends: float) -> float:
    left = ends - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def close(wire: Wire) -> None:
    """Close a wire, whatever state it is in."""
    with contextlib.suppress(OSError):
        wire.close()
