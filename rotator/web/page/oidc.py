"""A login by OpenID Connect: the code flow with PKCE, state and nonce, and a session that a signed cookie holds.

The provider is reached like every other service (`host.network`), once per step, without redirects. Its answers are
believed only as far as the standard says: the issuer must be the configured one, the id token signed by a key of it,
for this client, for this very login, and not over. The only home of joserfc.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Any, Final
from urllib.parse import urlencode

from rotator.config.fields import is_loopback
from rotator.config.page import OidcUsers
from rotator.core.errors import RotatorError
from rotator.core.secret import Secret
from rotator.web.page.users import Denied, named

LOGIN_FOR: Final = 600.0
"""Seconds for which somebody may be at the provider."""

SESSION_FOR: Final = 8 * 3600.0
"""Seconds after which somebody logs in again."""

LEEWAY: Final = 60
"""Seconds by which the provider's clock may differ."""

WITHIN: Final = 5.0
LARGEST: Final = 256 * 1024
ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
"""Signatures that need a key of the provider; never `none`, and nothing that our own secret could sign."""

SESSION, LOGIN = "rotator_session", "rotator_login"


class Sealed:
    """Small documents that only this program can have written: what a cookie holds. They are readable, not secret."""

    def __init__(self, key: bytes, clock: Callable[[], float] = time.time) -> None:
        """`key`: 32 bytes that nobody else knows."""
        self._key, self._clock = key, clock

    def write(self, purpose: str, lasts: float, **told: str) -> str:
        """Return a document for one purpose that is good for so many seconds."""
        text = json.dumps({**told, "until": self._clock() + lasts}).encode()
        body = base64.urlsafe_b64encode(text).decode()
        return f"{body}.{self._sign(purpose, body)}"

    def read(self, purpose: str, sealed: str) -> dict[str, Any] | None:
        """Return what such a document says, None for one that is not ours, for another purpose, or over."""
        body, _, signature = sealed.partition(".")
        if not hmac.compare_digest(signature.encode(), self._sign(purpose, body).encode()):
            return None
        found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body))
        return found if self._clock() < found["until"] else None

    def _sign(self, purpose: str, body: str) -> str:
        return hmac.new(self._key, f"{purpose}\0{body}".encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True)
class Step:
    """Where a browser goes next, and the cookies that it takes along: name -> value and seconds."""

    location: str
    cookies: Mapping[str, tuple[str, float]]


class Login:
    """The code flow of one page."""

    def __init__(self, key: bytes, clock: Callable[[], float] = time.time) -> None:
        """`key`: seals cookies; the same for all daemons on one journal."""
        self._sealed = Sealed(key, clock)

    def user(self, headers: Sequence[tuple[bytes, bytes]]) -> str | None:
        """Return who is logged in, None for nobody."""
        found = self._cookie(headers, SESSION)
        return str(found["user"]) if found else None

    def begin(self, oidc: OidcUsers, base_url: str, to: str) -> Step:
        """Return the way to the provider; `to` is the path to come back to.

        Raises:
            Denied: 503, the provider gave no usable answer.
        """
        about = discovered(oidc)
        verifier, state, nonce = (secrets.token_urlsafe(32) for _ in range(3))
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "response_type": "code",
            "client_id": oidc.client_id,
            "redirect_uri": f"{base_url}/callback",
            "scope": " ".join(dict.fromkeys(["openid", *oidc.scopes])),
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        cookie = self._sealed.write(LOGIN, LOGIN_FOR, state=state, nonce=nonce, verifier=verifier, to=_local(to))
        return Step(f"{about['authorization_endpoint']}?{urlencode(query)}", {LOGIN: (cookie, LOGIN_FOR)})

    def finish(
        self,
        oidc: OidcUsers,
        secret: Secret,
        base_url: str,
        query: Mapping[str, str],
        headers: Sequence[tuple[bytes, bytes]],
    ) -> Step:
        """Return the way back into the page, with a session.

        Raises:
            Denied: 401, this is not the end of a login that began in this browser; 403, the provider names nobody
                that can be believed; 503, it gave no usable answer.
        """
        if "error" in query:
            raise Denied("the provider did not let you in", status=403)
        login = self._cookie(headers, LOGIN)
        state = query.get("state", "")
        if login is None or not hmac.compare_digest(str(login["state"]).encode(), state.encode()):
            raise Denied("this login did not begin in this browser, or too long ago: begin again")
        if not query.get("code"):
            raise Denied("the provider sent no code", status=403)
        about = discovered(oidc)
        form = {
            "grant_type": "authorization_code",
            "code": query["code"],
            "redirect_uri": f"{base_url}/callback",
            "client_id": oidc.client_id,
            "client_secret": secret.reveal(),
            "code_verifier": str(login["verifier"]),
        }
        token = _asked("POST", about["token_endpoint"], form).get("id_token")
        keys = _asked("GET", about["jwks_uri"])
        user = believed(oidc, str(token), keys, str(login["nonce"]))
        session = self._sealed.write(SESSION, SESSION_FOR, user=user)
        return Step(str(login["to"]), {SESSION: (session, SESSION_FOR), LOGIN: ("", 0.0)})

    def _cookie(self, headers: Sequence[tuple[bytes, bytes]], name: str) -> dict[str, Any] | None:
        try:
            cookies = SimpleCookie("; ".join(value.decode("latin-1") for key, value in headers if key == b"cookie"))
        except CookieError:
            return None
        return self._sealed.read(name, cookies[name].value) if name in cookies else None


def believed(oidc: OidcUsers, token: str, keys: Mapping[str, Any], nonce: str) -> str:
    """Return the user that an id token names.

    Raises:
        Denied: 403, it is not signed by the provider for this client and this login, or names nobody.
    """
    from joserfc import jwt
    from joserfc.errors import JoseError
    from joserfc.jwk import KeySet

    try:
        found = jwt.decode(token, KeySet.import_key_set(keys), algorithms=list(ALGORITHMS))  # type: ignore[arg-type]
        jwt.JWTClaimsRegistry(
            leeway=LEEWAY,
            iss={"essential": True, "value": oidc.issuer},
            aud={"essential": True, "value": oidc.client_id},
            exp={"essential": True},
            nonce={"essential": True, "value": nonce},
        ).validate(found.claims)
    except (JoseError, ValueError, KeyError, TypeError):
        raise Denied("the provider's answer cannot be believed", status=403) from None
    claims = found.claims
    if claims.get("azp", oidc.client_id) != oidc.client_id:
        raise Denied("the provider's answer is for another program", status=403)
    if oidc.claim == "email" and claims.get("email_verified") is not True:
        raise Denied("the provider has not verified your address, so it is not believed", status=403)
    return named(str(claims.get(oidc.claim) or "").encode())


def discovered(oidc: OidcUsers) -> dict[str, str]:
    """Return what a provider says of itself.

    Raises:
        Denied: 503, it gave no usable answer, is another one, or names an address that is not protected.
    """
    about = _asked("GET", f"{oidc.issuer}/.well-known/openid-configuration")
    if str(about.get("issuer", "")).rstrip("/") != oidc.issuer:
        raise Denied("the provider says that it is another one: see `page.users.oidc.issuer`", status=503)
    places = {key: str(about.get(key, "")) for key in ("authorization_endpoint", "token_endpoint", "jwks_uri")}
    if not all(place.startswith("https://") or is_loopback(place) for place in places.values()):
        raise Denied("the provider names an address that is not protected", status=503)
    return places


def _asked(method: str, address: str, form: Mapping[str, str] | None = None) -> dict[str, Any]:
    from rotator.host.network.dial import Network
    from rotator.host.network.pools import pool_manager

    manager = pool_manager(Network(service="the OpenID Connect provider"), WITHIN, retries=False, timeout=WITHIN)
    try:
        body = None if form is None else urlencode(form)
        kind = {"Content-Type": "application/x-www-form-urlencoded"} if form is not None else {}
        headers = {"Accept": "application/json", **kind}
        answer = manager.request(method, address, body=body, headers=headers, redirect=False)
        found = json.loads(answer.data[:LARGEST])
    except (RotatorError, OSError, ValueError) as error:
        raise Denied("the provider gives no usable answer just now", status=503) from error
    except Exception as error:
        raise Denied("the provider cannot be reached just now", status=503) from error
    finally:
        manager.clear()
    if answer.status != 200 or not isinstance(found, dict):
        raise Denied("the provider gives no usable answer just now", status=503)
    return found


def _local(to: str) -> str:
    """A path of this page, `/` for anything that leads elsewhere."""
    return to if to.startswith("/") and not to.startswith(("//", "/\\")) and to.isprintable() else "/"
