"""One POST to a channel: within a time limit, without redirects, believing no more of the answer than its status.

The address is a secret: messages name the host alone. An answer's body is never read, however long it is.
"""

from __future__ import annotations

import http.client
from contextlib import closing
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from rotator import __version__
from rotator.core.secret import Secret
from rotator.host.network.errors import NotConnected
from rotator.host.network.route import is_loopback_host
from rotator.notify.errors import ChannelDown
from rotator.notify.guard import guarded
from rotator.notify.wire import Request

if TYPE_CHECKING:
    from rotator.host.network.dial import Network

PATIENCE: Final = 5.0
"""Seconds for connecting."""

IN_ALL: Final = 15.0
"""Seconds for the whole request and the head of its answer; below the time for which the right to send lasts."""

LONGEST_REST: Final = 3600.0
"""Seconds that a channel may ask for by `Retry-After`, at most."""

_FOR_GOOD: Final = frozenset({400, 413, 415, 422})
"""The message itself is turned down; any other refusal is about the channel."""


def post(url: Secret, request: Request, network: Network, within: float = IN_ALL) -> None:
    """Post a request.

    Args:
        url: the address.
        request: body and headers.
        network: where connections come from.
        within: seconds for all of it after the connection stands.

    Raises:
        ChannelDown: it was not taken, or nobody knows.
    """
    host, port, tls, path = _parts(url)
    headers = {"Content-Type": "application/json", "User-Agent": f"rotator/{__version__}", **request.headers}
    connection = http.client.HTTPConnection(host, port)
    with closing(connection):
        try:
            wire = network.dial(host, port, tls=tls, timeout=PATIENCE)
            connection.sock = wire
            wire.settimeout(within)
            with guarded(lambda: connection.sock, within):
                connection.request("POST", path, body=request.body, headers=headers)
                answer = connection.getresponse()
                status, wait = answer.status, answer.getheader("Retry-After", "")
                answer.close()
        except NotConnected as error:
            raise ChannelDown(f"posting to {host}: {error.message}", error.remedy) from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            why = "no answer in time" if isinstance(error, TimeoutError) else type(error).__name__
            raise ChannelDown(f"posting to {host}: {why}", "look whether it runs; it is tried again") from None
    if not 200 <= status < 300:
        raise ChannelDown(
            f"posting to {host}: HTTP {status}", _remedy(status), _rest(wait), for_good=status in _FOR_GOOD
        )


def _parts(url: Secret) -> tuple[str, int, bool, str]:
    """Host, port, whether it speaks TLS, and path of an address; nothing of a wrong one is quoted."""
    remedy = "put the https address that the service gave you there, in one line"
    try:
        parts = urlsplit(url.reveal())
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port, parts = "", None, urlsplit("")
    if not host or parts.scheme not in {"http", "https"} or "@" in parts.netloc or port == 0:
        raise ChannelDown("what `url` points to is not the https address of a service", remedy)
    tls = parts.scheme == "https"
    if not tls and not is_loopback_host(host):
        raise ChannelDown(f"plain http to {host} would send an address that is a secret in clear", remedy)
    return host, port or (443 if tls else 80), tls, f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"


def _rest(wait: str) -> float:
    return min(float(wait), LONGEST_REST) if wait.isascii() and wait.isdigit() else 0.0


def _remedy(status: int) -> str:
    if 300 <= status < 400:
        return "it redirects, which is not followed: put the address that it leads to into what `url` points to"
    if status in {401, 403, 404, 410}:
        return "make a new address or key there, and put it into what `url` or `secret` points to"
    if status == 429:
        return "it is tried again when the service wants"
    return "look at that service; messages wait meanwhile"
