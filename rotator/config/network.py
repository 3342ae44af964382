"""How a connection is reached: the keys that every kind of connection has, and the network that they describe."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag

from rotator.config.fields import ConfigPath, Stanza, Text, wrong
from rotator.config.secret_ref import SecretRef
from rotator.core.secret import Secret
from rotator.host.network.route import no_proxy_entry, parse_proxy

if TYPE_CHECKING:
    from rotator.host.network.dial import Network

_INSTEAD = "write for example http://proxy.internal:3128"


def _proxy_url(value: str) -> str:
    try:
        found = parse_proxy(value)
    except ValueError as error:
        raise wrong(
            f"this is not the address of a proxy: {error}", "expected http:// or https:// and a host", _INSTEAD
        ) from None
    if found.authorization is not None or "@" in urlsplit(value).netloc:
        raise wrong(
            "the proxy's address holds a login",
            "expected where to read such an address from",
            "write `url: {file: …}`, and the address with its login into that file",
        )
    return value


def _entry(value: str) -> str:
    try:
        return no_proxy_entry(value)
    except ValueError:
        raise wrong(
            "this names no host",
            "expected a name, an address or a block of addresses, each an entry of its own",
            "write for example [internal.example, 10.0.0.0/8, vault.example:8200]",
        ) from None


def _text_or_reference(value: object) -> str:
    return "reference" if isinstance(value, dict | SecretRef) else "text"


def _not_only_a_url(value: object) -> object:
    if isinstance(value, str):
        raise wrong("the proxy is a text", "expected a mapping", "write for example {url: http://proxy.internal:3128}")
    return value


class Proxy(Stanza):
    """An HTTP proxy that leads to the service. Loopback is never reached through it.

    Attributes:
        url: `http://host:port`, or `https://…` for TLS to the proxy itself; where it holds a login, where to read it.
        no_proxy: hosts that are reached without it: names (with everything below), addresses, blocks; `:port` limits.
        ca_file: certificates to trust for the proxy's own TLS, by default those of the connection.
    """

    url: Annotated[
        Annotated[Text, AfterValidator(_proxy_url), Tag("text")] | Annotated[SecretRef, Tag("reference")],
        Discriminator(_text_or_reference),
    ]
    no_proxy: tuple[Annotated[Text, AfterValidator(_entry)], ...] = ()
    ca_file: ConfigPath | None = None

    def reader(self) -> Callable[[], Secret]:
        """Return what reads the address, login included."""
        url = self.url
        return url.read if isinstance(url, SecretRef) else lambda: Secret(url)


class Reachable(Stanza):
    """What every connection may say about the way to its service."""

    ca_file: ConfigPath | None = Field(
        default=None, description="Certificates to trust instead of those of the system's trust store."
    )
    proxy: Annotated[Proxy, BeforeValidator(_not_only_a_url)] | None = Field(
        default=None, description="The HTTP proxy that leads there; proxies of the environment are ignored."
    )

    def network(self, service: str = "") -> Network:
        """Return the network of this connection to `service` (its name in messages); nothing is read or sent yet."""
        from rotator.host.network.dial import Network  # loads ssl, which `--help` and `status` must not pay for

        if self.proxy is None:
            return Network(service=service, ca_file=self.ca_file)
        return Network(
            service=service,
            proxy=self.proxy.reader(),
            no_proxy=self.proxy.no_proxy,
            ca_file=self.ca_file,
            proxy_ca_file=self.proxy.ca_file,
        )
