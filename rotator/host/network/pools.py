"""Connections of `Network` for urllib3, on which hvac (by requests) and boto3 stand.

urllib3's own proxies, trust and address order are not used: a connection of these classes asks the network for a wire
that is ready. `NotConnected` passes through urllib3 and requests as it is, so nobody has to guess from their exceptions
whether something was sent. Importing this loads urllib3.
"""

from __future__ import annotations

from typing import Any

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection

from rotator.host.network.dial import Network


def pool_manager(network: Network, connect_timeout: float, **options: Any) -> PoolManager:
    """Return an urllib3 pool manager whose connections are those of `network`.

    Args:
        network: where the wires come from.
        connect_timeout: seconds, as in `Network.dial`.
        options: the pool manager's own.
    """
    manager = PoolManager(**options)
    use(manager, network, connect_timeout)
    return manager


def use(manager: PoolManager, network: Network, connect_timeout: float) -> None:
    """Let a pool manager that somebody else has made take its connections from `network`."""

    class Plain(HTTPConnection):
        def connect(self) -> None:
            self.sock = network.dial(self.host, self.port, tls=False, timeout=connect_timeout)

    class Secure(HTTPSConnection):
        def connect(self) -> None:
            self.sock = network.dial(self.host, self.port, tls=True, timeout=connect_timeout)
            self.is_verified = True  # the network's context verifies always

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    manager.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}
