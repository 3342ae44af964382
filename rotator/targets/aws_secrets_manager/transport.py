"""How the SDK's requests travel: over connections of our `Network`, whatever the environment says.

botocore asks whoever listens for `before-send` to send a request instead of itself; its own HTTP session, with the
proxies, bundles and addresses that it takes from the environment, is never used. Importing this loads botocore.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urlsplit

from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError, HTTPClientError, ReadTimeoutError
from urllib3 import PoolManager, Timeout
from urllib3.exceptions import HTTPError, ProtocolError
from urllib3.exceptions import ReadTimeoutError as NoAnswerInTime

from rotator.host.network.dial import Network
from rotator.host.network.errors import NotConnected
from rotator.host.network.pools import pool_manager

CONNECT_TIMEOUT: Final = 3.0
ANSWER_TIMEOUT: Final = 10.0


class Transport:
    """Sends prepared requests, each once: to try again is the SDK's decision. Safe for threads."""

    def __init__(self, network: Network) -> None:
        """Nothing is sent."""
        self._network = network
        self._thread = threading.local()

    @contextmanager
    def connections(self) -> Iterator[None]:
        """What this thread sends meanwhile shares connections that nobody used before; they are closed at the end."""
        pools = self._pools()
        self._thread.pools = pools
        try:
            yield
        finally:
            self._thread.pools = None
            pools.clear()

    def send(self, request: Any, **_: object) -> Any:
        """Send one request; a handler of `before-send`.

        Raises:
            NotConnected: nothing was sent, and trying again at once is of no use.
            EndpointConnectionError: nothing was sent; its cause is the `NotConnected`.
            HTTPClientError: it was sent, or a part of it, and there is no complete answer.
        """
        pools = getattr(self._thread, "pools", None) or self._pools()
        parts = urlsplit(request.url)
        try:
            answer = pools.connection_from_url(request.url).urlopen(
                method=request.method,
                url=(parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
                body=request.body,
                headers=request.headers,
                retries=False,
                redirect=False,
                assert_same_host=False,
                preload_content=False,
                decode_content=False,
            )
            headers: Any = answer.headers
            response = AWSResponse(request.url, answer.status, headers, answer)
            response.content  # noqa: B018 (read now, so that what breaks breaks here)
            return response
        except NotConnected as error:
            if error.lasting:
                raise
            raise EndpointConnectionError(endpoint_url=request.url) from error
        except NoAnswerInTime as error:
            raise ReadTimeoutError(endpoint_url=request.url, error=error) from None
        except ProtocolError as error:
            raise ConnectionClosedError(endpoint_url=request.url, request=request, error=error) from None
        except (HTTPError, OSError) as error:
            raise HTTPClientError(error=error) from None

    def _pools(self) -> PoolManager:
        timeout = Timeout(connect=CONNECT_TIMEOUT, read=ANSWER_TIMEOUT)
        return pool_manager(self._network, CONNECT_TIMEOUT, timeout=timeout)
