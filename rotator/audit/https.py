"""HTTPS as a sink: batches of lines, a line break after each, sent by POST until the server takes them.

Certificate and name of the server are checked always, nothing is redirected, and nothing of the answer is believed but
its status: what it says may quote what was sent.
"""

from __future__ import annotations

import http.client
from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from rotator import __version__
from rotator.audit.ports import Found, SinkDown
from rotator.core.errors import RotatorError
from rotator.host.network.errors import NotConnected

if TYPE_CHECKING:
    from rotator.config.secret_ref import SecretRef
    from rotator.host.network.dial import Network

CONNECT_PATIENCE: Final = 5.0
ANSWER_PATIENCE: Final = 15.0
"""Seconds; together they stay below the time for which the right to export lasts."""

_REMEDIES: Final = {
    401: "give it the login that it wants (`token` and `scheme` of the sink)",
    403: "let this login write there (`token` and `scheme` of the sink)",
    404: "look at the path of the sink's `url`",
    405: "the address takes no POST: look at the sink's `url`",
    413: "let it take bodies of a few hundred kB",
    415: "let it take application/x-ndjson",
    429: "it is tried again, more slowly",
}


class HttpsSink:
    """One address."""

    def __init__(self, url: str, network: Network, token: SecretRef | None = None, scheme: str = "Bearer") -> None:
        """Nothing is read or sent yet.

        Args:
            url: where lines are posted.
            network: where connections come from.
            token: the secret of the header `Authorization`; read for each request.
            scheme: what stands before it.
        """
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or 443
        self._tls = parts.scheme == "https"
        self._path = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
        self._network, self._token, self._scheme = network, token, scheme

    def look(self) -> Found:
        """The server is not asked what it holds."""
        return Found.THE_LINE_BEFORE

    def write(self, lines: Sequence[str]) -> None:
        """Post lines as one body; see `Sink.write`."""
        body = "".join(f"{line}\n" for line in lines).encode()
        headers = {"Content-Type": "application/x-ndjson", "User-Agent": f"rotator/{__version__}"}
        try:
            if self._token is not None:
                headers["Authorization"] = f"{self._scheme} {self._token.read().reveal()}"
            status = self._post(body, headers)
        except RotatorError as error:
            raise SinkDown(f"reading the login for {self._host}: {error.message}", error.remedy) from None
        except NotConnected as error:
            raise SinkDown(f"posting to {self._host}: {error.message}", error.remedy) from None
        except (OSError, http.client.HTTPException) as error:
            why = "no answer in time" if isinstance(error, TimeoutError) else type(error).__name__
            remedy = "look whether it runs; what may have arrived is sent again"
            raise SinkDown(f"posting to {self._host}: {why}", remedy) from None
        if not 200 <= status < 300:
            raise SinkDown(f"posting to {self._host}: HTTP {status}", _remedy(status))

    def close(self) -> None:
        """Nothing is kept between requests."""

    def _post(self, body: bytes, headers: dict[str, str]) -> int:
        """Return the status of the answer."""
        connection = http.client.HTTPConnection(self._host, self._port)
        with closing(connection):
            wire = self._network.dial(self._host, self._port, tls=self._tls, timeout=CONNECT_PATIENCE)
            wire.settimeout(ANSWER_PATIENCE)
            connection.sock = wire
            connection.request("POST", self._path, body=body, headers=headers)
            with connection.getresponse() as answer:
                return answer.status


def _remedy(status: int) -> str:
    if 300 <= status < 400:
        return "it redirects, which is not followed: write the address that it leads to into the sink's `url`"
    if status >= 500:
        return "look at that server's log; facts wait in the journal meanwhile"
    return _REMEDIES.get(
        status, "look at the sink's `url` and at that server's log; facts wait in the journal meanwhile"
    )
