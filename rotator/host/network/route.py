"""Which way leads to a host: straight, or through the proxy of the connection. Pure; it reads no environment."""

from __future__ import annotations

import ipaddress
import re
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote, urlsplit

from rotator.core.secret import Secret

PORTS: Final = {"http": 80, "https": 443}
_LABELS: Final = re.compile(r"(?=.{1,253}\.?\Z)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ProxyServer:
    """An HTTP proxy: `http` or `https` (TLS to the proxy itself), where it is, and the login it wants.

    `authorization` is the whole content of the header, base64 included, because it holds the password.
    """

    scheme: str
    host: str
    port: int
    authorization: Secret | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """Host and port, for messages."""
        return f"the proxy {_bracketed(self.host)}:{self.port}"


def parse_proxy(url: str) -> ProxyServer:
    """Return the proxy that an address names: `http[s]://[user[:password]@]host[:port]`.

    Raises:
        ValueError: it is none; the text says why and does not repeat it.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError("not a URL") from None
    if parts.scheme not in PORTS:
        raise ValueError("the scheme is neither http nor https")
    if not host or port == 0 or not (_LABELS.fullmatch(host) or _address(host)):
        raise ValueError("there is no host in it")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError("something follows the host")
    authorization = None
    if parts.username is not None or parts.password is not None:
        pair = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
        authorization = Secret(f"Basic {b64encode(pair.encode()).decode()}")
    return ProxyServer(parts.scheme, host, port or PORTS[parts.scheme], authorization)


def is_loopback_host(host: str) -> bool:
    """Whether a host, as it stands in a URL, is this machine: `localhost`, `*.localhost`, 127.0.0.0/8, ::1."""
    plain = host.strip("[]").rstrip(".").lower()
    if plain == "localhost" or plain.endswith(".localhost"):
        return True
    address = _address(plain)
    if address is None:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


def bypasses(host: str, port: int, entries: Iterable[str]) -> bool:
    """Whether `host` is reached without the proxy: loopback always, else where an entry of `no_proxy` names it.

    An entry is a name (with everything below it; a leading `.` or `*.` changes nothing), an address, or a block of
    addresses in CIDR notation; `:port` behind a name or address limits it to that port. Names are not looked up.
    """
    if is_loopback_host(host):
        return True
    plain, address = host.strip("[]").rstrip(".").lower(), _address(host.strip("[]"))
    return any(_names(entry.lower(), plain, address, port) for entry in entries)


def no_proxy_entry(entry: str) -> str:
    """Return an entry of `no_proxy` as it is.

    Raises:
        ValueError: nothing could ever match it.
    """
    wanted, limit = _without_port(entry.lower())
    if limit is not None and not 0 < limit < 65536:
        raise ValueError("no such port")
    if "/" in wanted:
        ipaddress.ip_network(wanted, strict=False)
    elif _address(wanted) is None and not _LABELS.fullmatch(_bare(wanted)):
        raise ValueError("not a host")
    return entry


def _names(entry: str, host: str, address: _Address | None, port: int) -> bool:
    wanted, limit = _without_port(entry)
    if limit is not None and limit != port:
        return False
    if address is None:
        name = _bare(wanted).rstrip(".")
        return bool(name) and (host == name or host.endswith(f".{name}"))
    try:
        block = ipaddress.ip_network(wanted, strict=False)
    except ValueError:
        return False
    return address.version == block.version and address in block


def _bare(entry: str) -> str:
    return entry.removeprefix("*").removeprefix(".")


def _without_port(entry: str) -> tuple[str, int | None]:
    """`name:8200`, `10.0.0.1:8200` and `[fd00::1]:8200` have a port; `fd00::1` and `10.0.0.0/8` have none."""
    found = re.fullmatch(r"(?:\[(?P<six>[^\]]*)\]|(?P<other>[^:]*)):(?P<port>\d{1,5})", entry)
    if found is None:
        return entry.strip("[]"), None
    return found["six"] or found["other"] or "", int(found["port"])


_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def _address(host: str) -> _Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def authority(host: str, port: int) -> str:
    """Return `host:port` as CONNECT wants it, an IPv6 address in brackets."""
    return f"{_bracketed(host.strip('[]'))}:{port}"
