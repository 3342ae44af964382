"""`page` of the configuration: where the page listens, whose browser may look, and who may do what.

The rules between its keys stand here, so that a page that would be open to everybody is refused before it listens.
"""

from __future__ import annotations

import fnmatch
import ipaddress
import re
from collections.abc import Iterable
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from rotator.config.fields import Listen, ServiceUrl, Stanza, Text, wrong
from rotator.config.secret_ref import SecretRef
from rotator.host.network.route import is_loopback_host

Act = Literal["rotate", "pause", "resume", "resolve", "revoke"]

WIDEST: Final = 256
"""Addresses of a network from which a proxy is believed when it names who acts: a /24, or a /120 of IPv6."""

_HEADER: Final = r"^[A-Za-z][A-Za-z0-9-]{0,63}$"


def _network(value: object) -> str:
    try:
        return str(ipaddress.ip_network(str(value)))
    except ValueError:
        raise wrong(
            "this is not a network", "expected a block of addresses", "write for example 10.1.2.0/24 or 10.1.2.3/32"
        ) from None


def _header(value: str) -> str:
    if re.fullmatch(_HEADER[1:-1], value):
        return value
    raise wrong("this is not the name of a header", "expected letters, digits and dashes", "write X-Forwarded-User")


def _origin(value: str) -> str:
    if urlsplit(value).path:
        raise wrong("the address has a path", "expected where the page itself is", "write https://rotator.example.com")
    return value


Network = Annotated[
    str, BeforeValidator(_network), WithJsonSchema({"type": "string", "description": "A block of addresses."})
]
Header = Annotated[Text, AfterValidator(_header)]
BaseUrl = Annotated[ServiceUrl, AfterValidator(_origin), WithJsonSchema({"type": "string", "format": "uri"})]


class ProxyUsers(Stanza):
    """A proxy in front names the user in a header."""

    header: Header = Field("X-Forwarded-User", description="The header that names the user; its only one.")
    from_: Annotated[tuple[Network, ...], Field(min_length=1)] = Field(
        alias="from", description="Networks of the proxy; from elsewhere the header is not believed."
    )
    secret: SecretRef | None = Field(None, description="What the proxy sends beside it; obligatory with acts.")
    secret_header: Header = Field("X-Rotator-Proxy", description="The header with that secret.")


class BearerUser(Stanza):
    """Somebody who shows a token."""

    name: Text = Field(max_length=128, description="Who acts, as the history shows it.")
    token: SecretRef


class OidcUsers(Stanza):
    """A provider of OpenID Connect says who it is."""

    issuer: ServiceUrl
    client_id: Text
    client_secret: SecretRef
    claim: Text = Field("email", description="The claim that names the user; `email` counts only where it is verified.")
    scopes: tuple[Text, ...] = Field(("openid", "email"), description="What is asked for; `openid` is always among it.")


class Users(Stanza):
    """How the page knows who looks: exactly one of `proxy`, `bearer` and `oidc`."""

    proxy: ProxyUsers | None = None
    bearer: Annotated[tuple[BearerUser, ...], Field(min_length=1)] | None = None
    oidc: OidcUsers | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Users:
        if sum(getattr(self, key) is not None for key in ("proxy", "bearer", "oidc")) != 1:
            raise wrong(
                "the page knows its users in exactly one way", "expected one of proxy, bearer, oidc", "keep one"
            )
        names = [one.name for one in self.bearer or ()]
        if len(set(names)) < len(names):
            raise wrong("two bearers have one name", "expected a name for each", "give each its own")
        return self


class Page(Stanza):
    """A page for people, with a listener of its own; it is off where this is absent."""

    listen: Listen = Field("127.0.0.1:9854", description="HOST:PORT.")
    base_url: BaseUrl | None = Field(None, description="Where browsers find it, e.g. https://rotator.example.com.")
    users: Users | None = Field(None, description="Who looks; without it everybody on this machine may.")
    acts: dict[Text, tuple[Act, ...]] = Field({}, description="Who may do what: USER or GLOB -> acts.")

    @model_validator(mode="after")
    def _safe(self) -> Page:
        local = is_loopback_host(self.listen.rpartition(":")[0])
        if not local and self.users is None:
            raise wrong(
                "everybody in the network could read the page",
                "expected `users` where `listen` is not loopback",
                "write `users`, or listen on 127.0.0.1:9854",
            )
        if not local and self.base_url is None:
            raise wrong(
                "nobody knows by which name browsers find the page",
                "expected `base_url` where `listen` is not loopback",
                "write for example base_url: https://rotator.example.com",
            )
        if self.acts and self.users is None:
            raise wrong("acts are for users that have names", "expected `users` beside `acts`", "write `users`")
        if self.users and self.users.oidc and self.base_url is None:
            raise wrong(
                "the provider must know where to send people back to",
                "expected `base_url` beside `users.oidc`",
                "write for example base_url: https://rotator.example.com",
            )
        if self.acts and self.users and self.users.proxy:
            _believed(self.users.proxy)
        return self

    def may(self, user: str) -> frozenset[str]:
        """Return the acts that a user may do: those of every entry that fits the name; case counts."""
        return frozenset(act for who, acts in self.acts.items() if fnmatch.fnmatchcase(user, who) for act in acts)


def _believed(proxy: ProxyUsers) -> None:
    """Raise unless a proxy that names who acts is known well enough."""
    if any(network.num_addresses > WIDEST for network in map(ipaddress.ip_network, proxy.from_)):
        raise wrong(
            "anybody in so wide a network could act under any name",
            "expected networks of at most 256 addresses in `from` as soon as there are acts",
            "write the proxy's own addresses, for example 10.1.2.3/32",
        )
    if proxy.secret is None:
        raise wrong(
            "anybody at the proxy's address could act under any name",
            "expected `secret` in `users.proxy` as soon as there are acts",
            "write secret: {file: …}, and let the proxy send it in X-Rotator-Proxy",
        )


def secrets_of(page: Page) -> Iterable[SecretRef]:
    """Every secret that the page reads."""
    users = page.users
    if users is None:
        return ()
    found = [one.token for one in users.bearer or ()]
    found += [users.proxy.secret] if users.proxy and users.proxy.secret else []
    return [*found, users.oidc.client_secret] if users.oidc else found
