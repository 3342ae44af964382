"""`Network`: the connections of one stanza under `connections`. Every client of every adapter gets its wires here."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rotator.core.errors import RotatorError
from rotator.core.secret import Secret
from rotator.host.network import race, tunnel
from rotator.host.network.errors import Cause, NotConnected
from rotator.host.network.route import ProxyServer, bypasses, parse_proxy
from rotator.host.network.trust import Trust

if TYPE_CHECKING:
    from rotator.host.network.tunnel import Wire


class Network:
    """The way from here to a service. Safe for threads; it holds no connection itself."""

    def __init__(
        self,
        *,
        service: str = "",
        proxy: Callable[[], Secret] | None = None,
        no_proxy: Sequence[str] = (),
        ca_file: Path | None = None,
        proxy_ca_file: Path | None = None,
        resolve: race.Resolve = race.look_up,
    ) -> None:
        """Nothing is read and nothing is sent.

        Args:
            service: what it is called, for messages; by default by its host alone.
            proxy: reads the proxy's address, with its login if it wants one; asked for each connection.
            no_proxy: hosts that are reached without it (`route.bypasses`); loopback always is.
            ca_file: certificates to trust instead of the system's.
            proxy_ca_file: the same for the proxy's own TLS; by default those of `ca_file`.
            resolve: (name, port) -> addresses.
        """
        self._service = service
        self._proxy = proxy
        self._no_proxy = tuple(no_proxy)
        self._trust = Trust(ca_file)
        self._proxy_trust = Trust(proxy_ca_file) if proxy_ca_file is not None else self._trust
        self._resolve = resolve
        self._good: dict[tuple[str, int], race.Address] = {}

    def dial(self, host: str, port: int, *, tls: bool, timeout: float) -> Wire:
        """Return a wire to a service, ready for the request.

        Args:
            host: name or address.
            port: of the service.
            tls: whether the service speaks TLS.
            timeout: seconds for connecting, again for what follows before the request, and for each later step until
                somebody sets another one.

        Raises:
            NotConnected: nothing of the request was sent.
        """
        wire = self.connect(host, port, timeout)
        if tls:
            wire = self.secure(wire, host, timeout)
        wire.settimeout(timeout)
        return wire

    def connect(self, host: str, port: int, timeout: float) -> Wire:
        """Return a wire to a service, through the proxy where that is the way, before its own TLS.

        Raises:
            NotConnected: nothing of the request was sent.
        """
        if self._proxy is None or bypasses(host, port, self._no_proxy):
            return self._race(host, port, timeout, None)
        proxy = self._read_proxy(self._proxy)
        wire: Wire = self._race(proxy.host, proxy.port, timeout, proxy)
        ends = time.monotonic() + timeout
        try:
            if proxy.scheme == "https":
                wire = tunnel.secured(wire, self._proxy_trust.context(), proxy.host, ends, proxy=True)
            tunnel.open_tunnel(wire, proxy, host, port, ends)  # type: ignore[arg-type]  # a socket, with TLS or without
        except BaseException:
            tunnel.close(wire)
            raise
        return wire

    def secure(self, wire: Wire, host: str, timeout: float) -> Wire:
        """Return the wire with TLS to `host` on it; it is closed where that fails.

        Raises:
            NotConnected: nothing of the request was sent.
        """
        try:
            return tunnel.secured(
                wire, self._trust.context(), host.strip("[]").rstrip("."), time.monotonic() + timeout, proxy=False
            )
        except BaseException:
            tunnel.close(wire)
            raise

    def _race(self, host: str, port: int, timeout: float, proxy: ProxyServer | None) -> socket.socket:
        name = proxy.name if proxy else f"{self._service} at {host}".removeprefix(" at ")
        try:
            found = race.in_turns(self._resolve(host.strip("[]"), port))
            good = self._good.get((host, port))
            if good in found:  # what answered last is tried first
                found = [good, *(address for address in found if address != good)]
            wire, address = race.connect(found, timeout)
        except race.NoName as error:
            cause = Cause.PROXY_NAME if proxy else Cause.NAME
            raise NotConnected(cause, f"the name of {name} does not resolve ({error})") from None
        except race.NoAnswer as error:
            self._good.pop((host, port), None)
            cause = Cause.SILENT if error.silent else Cause.UNREACHABLE
            if proxy:
                cause = Cause.PROXY_UNREACHABLE
            raise NotConnected(cause, f"no connection to {name} ({error})") from None
        self._good[host, port] = address
        return wire

    @staticmethod
    def _read_proxy(read: Callable[[], Secret]) -> ProxyServer:
        try:
            return parse_proxy(read().reveal())
        except RotatorError as error:
            raise NotConnected(Cause.SETTINGS, f"`proxy.url`: {error.message}", error.remedy) from None
        except ValueError as error:
            raise NotConnected(
                Cause.SETTINGS,
                f"what `proxy.url` points to is not the address of a proxy: {error}",
                "write http://user:password@host:port there, `@` and `:` of the password as %40 and %3A",
            ) from None
