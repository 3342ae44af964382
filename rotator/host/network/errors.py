"""Why there is no connection. Whatever is told here happened before a byte of the request left this host."""

from __future__ import annotations

import ssl
from enum import Enum, auto
from typing import Final


class Cause(Enum):
    """What kept a connection from being made."""

    NAME = auto()
    UNREACHABLE = auto()
    SILENT = auto()
    UNTRUSTED = auto()
    OUT_OF_DATE = auto()
    ANOTHER_NAME = auto()
    TLS = auto()
    PROXY_NAME = auto()
    PROXY_UNREACHABLE = auto()
    PROXY_SILENT = auto()
    PROXY_UNTRUSTED = auto()
    PROXY_TLS = auto()
    PROXY_LOGIN = auto()
    PROXY_REFUSED = auto()
    SETTINGS = auto()


REMEDIES: Final[dict[Cause, str]] = {
    Cause.NAME: "look at the name and at DNS; where only a proxy knows names from outside, set `proxy`",
    Cause.UNREACHABLE: "is it up, and reachable from here? It is tried again by itself",
    Cause.SILENT: "look for a firewall on the way; where only a proxy leads outside, set `proxy`",
    Cause.UNTRUSTED: "set `ca_file` to the authority that signed it, or add that to the system's trust store",
    Cause.OUT_OF_DATE: "renew that certificate, or set this machine's clock",
    Cause.ANOTHER_NAME: "write the address with a name that stands in the certificate",
    Cause.TLS: "the server must speak TLS 1.2 or newer on that port; look at scheme and port of the address",
    Cause.PROXY_NAME: "look at the name in `proxy.url` and at DNS",
    Cause.PROXY_UNREACHABLE: "is the proxy of `proxy.url` up, and reachable from here? It is tried again by itself",
    Cause.PROXY_SILENT: "look whether host and port of `proxy.url` are those of an HTTP proxy, and at the proxy's log",
    Cause.PROXY_UNTRUSTED: "set `proxy.ca_file` to the authority that signed it, or correct `proxy.url`",
    Cause.PROXY_TLS: "look whether the proxy of `proxy.url` speaks TLS 1.2 or newer; most want http://",
    Cause.PROXY_LOGIN: "put user and password of the proxy where `proxy.url` points (http://user:password@host:port)",
    Cause.PROXY_REFUSED: "let the proxy allow CONNECT to that host and port, or add the host to `proxy.no_proxy`",
    Cause.SETTINGS: "correct the connection's settings",
}

LASTING: Final = frozenset(Cause) - {
    Cause.NAME,
    Cause.UNREACHABLE,
    Cause.SILENT,
    Cause.PROXY_NAME,
    Cause.PROXY_UNREACHABLE,
    Cause.PROXY_SILENT,
}
"""Causes that trying again at once does not change."""


class NotConnected(Exception):
    """There is no connection, so not one byte of a request was sent. Its texts hold no secret.

    Attributes:
        cause: of the closed list.
        message: what went wrong, without a subject in front.
        remedy: what to do, by the cause.
    """

    def __init__(self, cause: Cause, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.cause = cause
        self.message = message
        self.remedy = remedy or REMEDIES[cause]

    @property
    def lasting(self) -> bool:
        """Whether the next try will fail, too, unless somebody changes something."""
        return self.cause in LASTING


_OUT_OF_DATE: Final = frozenset({9, 10})
_ANOTHER_NAME: Final = frozenset({62, 64})
"""X509_V_ERR_* of OpenSSL: not yet valid, expired; the host name or the address is not in the certificate."""


def no_tls(error: Exception, peer: str, *, proxy: bool) -> NotConnected:
    """The error of a TLS handshake that failed, by what OpenSSL says of it.

    Args:
        error: what the handshake raised.
        peer: whom it was made with, for the message.
        proxy: whether that is the proxy.
    """
    if isinstance(error, ssl.SSLCertVerificationError):
        cause = Cause.UNTRUSTED
        if error.verify_code in _OUT_OF_DATE:
            cause = Cause.OUT_OF_DATE
        elif error.verify_code in _ANOTHER_NAME:
            cause = Cause.ANOTHER_NAME
        said = f"the certificate of {peer} is not trusted: {error.verify_message or error.reason}"
        return NotConnected(Cause.PROXY_UNTRUSTED if proxy else cause, said)
    if isinstance(error, TimeoutError):
        said = f"no TLS answer of {peer} in time"
        if proxy:
            return NotConnected(Cause.PROXY_SILENT, said)
        return NotConnected(
            Cause.SILENT, said, "does that port speak TLS? Look at scheme and port of the address, then for a firewall"
        )
    reason = error.reason if isinstance(error, ssl.SSLError) else None
    words = str(reason).replace("_", " ").lower() if reason else getattr(error, "strerror", None) or "it hung up"
    return NotConnected(Cause.PROXY_TLS if proxy else Cause.TLS, f"no TLS connection to {peer}: {words}")
