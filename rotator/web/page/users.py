"""Who asks: nobody in particular on loopback, whom a trusted proxy names, or who shows a bearer token.

Anything else is refused. So is a header that stands twice: nobody knows which of the two the proxy has checked.
Secrets are compared in constant time and read anew every minute. A session of OpenID Connect is `oidc`'s.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import ipaddress
import time
from collections.abc import Iterable, Sequence
from typing import Final

from rotator.config.page import Page, ProxyUsers
from rotator.config.secret_ref import SecretRef
from rotator.core.errors import RotatorError
from rotator.core.secret import Secret
from rotator.web.answers import ANSWER_WITHIN, Flight

Headers = Sequence[tuple[bytes, bytes]]
"""Names in lower case, as ASGI has them."""

LONGEST_NAME: Final = 128
KEPT: Final = 60.0
"""Seconds for which a secret that was read serves."""


class Denied(Exception):
    """The asker is not let in. `challenge` goes into WWW-Authenticate; `login`: a login would help."""

    def __init__(self, message: str, challenge: str = "", status: int = 401, *, login: bool = False) -> None:
        super().__init__(message)
        self.message, self.challenge, self.status, self.login = message, challenge, status, login


class Secrets:
    """Reads secrets outside of the event loop and keeps them for a minute. Used within one event loop."""

    def __init__(self, within: float = ANSWER_WITHIN) -> None:
        """`within`: seconds that reading one may take."""
        self._within = within
        self._flights: dict[SecretRef, Flight[Secret]] = {}
        self._kept: dict[SecretRef, tuple[float, Secret]] = {}

    async def read(self, reference: SecretRef) -> Secret:
        """Return a secret.

        Raises:
            Denied: it cannot be read just now; why is said by `check`, not to strangers.
        """
        at, kept = self._kept.get(reference, (0.0, None))
        if kept is not None and time.monotonic() - at < KEPT:
            return kept
        flight = self._flights.setdefault(reference, Flight(reference.read, "secret"))
        try:
            found = await flight.ask(self._within)
        except (RotatorError, TimeoutError):
            raise Denied("nobody can be let in just now: a secret of `page.users` cannot be read", status=503) from None
        self._kept[reference] = (time.monotonic(), found)
        return found


async def asker(page: Page, headers: Headers, peer: str, secrets: Secrets) -> str | None:
    """Return the name of who asks; None where nobody has one, because there are no `users`.

    Args:
        page: of the configuration.
        headers: of the request.
        peer: address of the other end of the connection.
        secrets: reads what is compared.

    Raises:
        Denied: 401, who it is was not shown, or not in a way that can be believed.
    """
    if page.users is None:
        return None
    if page.users.proxy is not None:
        proxy = page.users.proxy
        secret = await secrets.read(proxy.secret) if proxy.secret is not None else None
        return proxied(proxy, headers, peer, secret)
    if page.users.bearer is not None:
        tokens = [(one.name, await secrets.read(one.token)) for one in page.users.bearer]
        return bearer(tokens, headers)
    raise Denied("log in first", login=True)


def proxied(proxy: ProxyUsers, headers: Headers, peer: str, secret: Secret | None) -> str:
    """Return whom a proxy names.

    Raises:
        Denied: the request does not come from the proxy, or names nobody, or more than one.
    """
    if not _from(peer, proxy.from_):
        raise Denied("this page is reached through its proxy only", status=403)
    if secret is not None:
        shown = _only(headers, proxy.secret_header)
        if shown is None or not hmac.compare_digest(shown, secret.reveal().encode()):
            raise Denied("this page is reached through its proxy only", status=403)
    name = _only(headers, proxy.header)
    if name is None:
        raise Denied("the proxy did not say who you are")
    return named(name)


def named(raw: bytes) -> str:
    """Return a user's name as it may be journaled.

    Raises:
        Denied: it is empty, too long, no text, holds what cannot be printed, or a comma, with which some join headers.
    """
    try:
        name = raw.decode("utf-8").strip()
    except UnicodeDecodeError:
        name = ""
    if not name or len(name) > LONGEST_NAME or not name.isprintable() or "," in name:
        raise Denied("the proxy did not say who you are")
    return name


def bearer(users: Iterable[tuple[str, Secret]], headers: Headers) -> str:
    """Return whose token was shown, as a bearer or, for browsers, as the password of that name.

    Raises:
        Denied: none was, or one of nobody.
    """
    challenge = 'Basic realm="rotator", charset="UTF-8", Bearer realm="rotator"'
    shown = _only(headers, "authorization")
    scheme, _, rest = (shown or b"").partition(b" ")
    claimed: bytes | None = None
    if scheme.lower() == b"basic":
        try:
            claimed, _, rest = base64.b64decode(rest.strip(), validate=True).partition(b":")
        except binascii.Error:
            rest = b""
    elif scheme.lower() != b"bearer":
        rest = b""
    rest, found = rest.strip(), None
    for name, token in users:  # all of them, so that time says nothing
        if hmac.compare_digest(rest, token.reveal().encode()) and claimed in (None, name.encode()):
            found = name
    if found is None or not rest:
        raise Denied("show a token of `page.users.bearer`", challenge)
    return found


def _from(peer: str, networks: Iterable[str]) -> bool:
    try:
        address = ipaddress.ip_address(peer.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return any((mapped or address) in ipaddress.ip_network(network) for network in networks)


def _only(headers: Headers, name: str) -> bytes | None:
    """The value of a header that stands there exactly once; a doubled one is as good as none."""
    found = [value for key, value in headers if key.lower() == name.lower().encode()]
    return found[0] if len(found) == 1 else None
