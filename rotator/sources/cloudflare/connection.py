"""A named login at Cloudflare: who its management token is, what names mean there, which tokens exist.

It owns the requests (`calls`) and keeps what may be kept: the management token's id per value, zone ids for an hour.
It decides nothing about rotations, and knows no credential.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rotator.core.errors import ConfigError, Refused, Unavailable
from rotator.core.ids import TokenId
from rotator.core.instants import unix
from rotator.core.ports.runtime import Budget, Priority
from rotator.core.ports.source import TokenState
from rotator.core.secret import Secret
from rotator.sources.cloudflare import tokens
from rotator.sources.cloudflare.bearers import VALUE, GlobalKey
from rotator.sources.cloudflare.calls import Call, Calls, Observer
from rotator.sources.cloudflare.candidates import Candidates
from rotator.sources.cloudflare.errors import CallKind, unaccepted
from rotator.sources.cloudflare.inventory import list_tokens, tokens_path
from rotator.sources.cloudflare.lookup import Lookup
from rotator.sources.cloudflare.options import ConnectionOptions
from rotator.sources.cloudflare.pasted import refuse
from rotator.sources.cloudflare.reading import read_token

if TYPE_CHECKING:
    from rotator.host.network.dial import Network

_OWN_PREFIX: Final = {"cfut_": "user", "cfat_": "account"}


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a management token is: its own id, and the owner whose verification endpoint knows it."""

    id: str
    owner: str


class CloudflareConnection:
    """One login; safe for threads. Nothing is sent, and no file is read, before the first call."""

    def __init__(
        self,
        name: str,
        *,
        token: Callable[[], Secret],
        budget: Budget,
        api_url: str,
        account_id: str | None = None,
        user_id: str | None = None,
        standby_token: Callable[[], Secret] | None = None,
        places: Mapping[str, str] | None = None,
        network: Network | None = None,
        observer: Observer | None = None,
        key: GlobalKey | None = None,
        journaled: Callable[[str], Secret | None] | None = None,
    ) -> None:
        """Remember where everything is.

        Args:
            name: the connection's name in the configuration.
            token: reads the management token; called for each request, so that a mounted secret may change.
            budget: counts requests; its `stop` is called when the provider asks to wait.
            api_url: base of the API, with `/client/v4`.
            account_id: account of the account-owned tokens, and of zones and resources.
            user_id: only where it cannot be read from the management token's own policies.
            standby_token: reads a second management token.
            places: role -> where that token is read from, in words ("file /run/secrets/cloudflare").
            network: where connections come from; by default straight ones that trust what the system trusts.
            observer: who is told what the wire says.
            key: who authenticates in place of the management token, where there is none yet.
            journaled: (role) -> the value of that token in the journal, or None.
        """
        self.name = name
        self.account_id = account_id
        self.standby_token = standby_token
        self._places = dict(places or {})
        self._token = token
        kept = journaled or (lambda role: None)
        others: list[Callable[[], Secret | None]] = []
        if standby_token is not None:
            others = [lambda: kept("management"), self._standby, lambda: kept("standby")]
        self.candidates = Candidates(token, others, self._lives)
        self.calls = Calls(
            login=self.login() if key is None else f"the Global API Key of {key.email}",
            token=self.candidates.value,
            doubt=self.candidates.doubt,
            budget=budget,
            api_url=api_url,
            network=network,
            observer=observer,
            key=key,
        )
        self._user_id = user_id
        self._known: tuple[Secret, Identity] | None = None
        self._lookup = Lookup(self.calls)

    @classmethod
    def open(
        cls,
        name: str,
        options: ConnectionOptions,
        *,
        budget: Budget,
        observer: Observer | None = None,
        journaled: Callable[[str], Secret | None] | None = None,
    ) -> CloudflareConnection:
        """Return the connection that a stanza describes; nothing is sent yet."""
        return cls(
            name,
            token=options.token.read,
            standby_token=options.standby_token.read if options.standby_token else None,
            places={"management": options.token.describe()}
            | ({"standby": options.standby_token.describe()} if options.standby_token else {}),
            budget=budget,
            api_url=options.api_url,
            account_id=options.account_id,
            user_id=options.user_id,
            network=options.network(),
            observer=observer,
            journaled=journaled,
        )

    def own(self, role: str) -> Secret:
        """Read one of the two management tokens where it stands, whether it is accepted or not.

        Raises:
            Unavailable: the management token cannot be read, or is certainly no token.
            ConfigError: the same of the standby.
        """
        if role == "standby":
            found = self._standby()
            if found is None:
                raise ValueError(f"connection {self.name} has no standby token")
            return found
        try:
            value = self._token()
            refuse(value, self.login())
        except ConfigError as unreadable:
            trouble = unreadable
        else:
            return value
        raise Unavailable(trouble.message, trouble.remedy)

    def acts(self, bearer: Secret, who: Identity) -> None:
        """Remember who the management token is that acts."""
        self._known = (bearer, who)

    def _standby(self) -> Secret | None:
        if self.standby_token is None:
            return None
        value = self.standby_token()
        refuse(value, self.login("standby"))
        return value

    def _lives(self, value: Secret) -> bool:
        return self.identity(value, acting=False, anew=True) is not None

    def login(self, role: str = "management") -> str:
        """Return a management token in words, with its connection and where it is read from."""
        place = self._places.get(role)
        return f"the {role} token of connection {self.name}" + (f" ({place})" if place else "")

    def unaccepted(self, doing: str, role: str = "management") -> Refused:
        """Return the error of a management token that the provider does not accept."""
        return unaccepted(doing, self.login(role))

    def inventory(
        self, owner: str, account_id: str | None = None, priority: Priority = Priority.SWEEP
    ) -> tuple[TokenState, ...]:
        """Return every token of an owner scope, 50 to a request.

        Args:
            owner: `user` or `account`.
            account_id: instead of the connection's.
            priority: who waits first when the budget is low.

        Raises:
            Unavailable, RateLimited: not known to be complete.
        """
        return list_tokens(self.calls, tokens_path(owner, account_id or self.account_id), priority)

    def close(self) -> None:
        """Close all HTTP connections; safe to call twice."""
        self.calls.close()

    @property
    def principal(self) -> str:
        """Id of the management token as far as it is known, without asking; empty before."""
        known = self._known
        return known[1].id if known else ""

    def identity(self, bearer: Secret, *, acting: bool = True, anew: bool = False) -> Identity | None:
        """Return who a management token is, None if the provider does not accept it; asks once per value.

        A user's token is known at one endpoint and an account's at the other; its prefix says which, and a token
        without one (made before April 2026) is tried at both.

        Args:
            bearer: the value of a management token.
            acting: whether it is the one that acts; then it is remembered and becomes the principal.
            anew: ask even where it is known.

        Raises:
            Unavailable, RateLimited: no usable answer.
        """
        known = self._known
        if known is not None and known[0] == bearer and not anew:
            return known[1]
        value = bearer.reveal()
        told = next((owner for prefix, owner in _OWN_PREFIX.items() if value.startswith(prefix)), None)
        for owner in (told,) if told else ("user", "account"):
            if owner == "account" and self.account_id is None:
                continue
            found = self.verify(bearer, tokens_path(owner, self.account_id))
            if found is not None:
                who = Identity(found, owner)
                if acting:
                    self._known = (bearer, who)
                return who
        if known is not None and known[0] == bearer:
            self._known = None
        if acting:
            self.candidates.doubt(bearer)
        return None

    def verify(self, value: Secret, path: str) -> str | None:
        """Return the id of the token if the provider accepts the value at that endpoint, None if it says no.

        Raises:
            Unavailable, RateLimited: no answer that says either.
        """
        if not VALUE.fullmatch(value.reveal()):
            return None  # it cannot even be sent, so it is nobody's token
        call = Call(
            operation="verify", doing="verifying a token", method="GET", path=f"{path}/verify", kind=CallKind.VERIFY
        )
        reply = self.calls.call(call, value)
        if reply.verdict is not None:
            if reply.verdict.row.dead and not reply.verdict.wait:
                return None
            raise self.calls.failure(call, reply)
        result = reply.envelope.result if reply.envelope else None
        status, token_id = (result.get("status"), result.get("id")) if isinstance(result, dict) else (None, None)
        if not isinstance(status, str) or not isinstance(token_id, str) or not tokens.ID.fullmatch(token_id):
            raise self.calls.failure(call, reply)
        begins = unix(result.get("not_before")) if isinstance(result, dict) else None
        if begins is not None and (reply.date or time.time()) < begins:
            return None  # it is told to be active, and every other request is refused until then
        return token_id if status == "active" else None

    def control(self) -> bool:
        """Whether the management token is accepted now, asked anew.

        Raises:
            Unavailable, RateLimited: no usable answer.
        """
        return self.identity(self.calls.token(), anew=True) is not None

    def zone_id(self, name: str, account_id: str | None) -> str:
        """Return the id of the zone of that name; `lookup.Lookup.zone` says the rest."""
        return self._lookup.zone(name, account_id)

    def some_zone(self, account_id: str | None) -> tuple[str, str] | None:
        """Return (id, name) of any zone of the account, or of any account; None where the management token sees none.

        Raises:
            Unavailable, RateLimited: no usable answer.
        """
        query = {"per_page": "5"} | ({"account.id": account_id} if account_id else {})
        call = Call(operation="zones", doing="looking for a zone", method="GET", path="/zones", query=query)
        reply = self.calls.call(call)
        if reply.verdict is not None:
            return None
        rows = reply.envelope.result if reply.envelope else None
        first = rows[0] if isinstance(rows, list) and rows and isinstance(rows[0], dict) else {}
        return (str(first["id"]), str(first.get("name"))) if "id" in first else None

    def account_named(self, name: str) -> str:
        """Return the id of the account of that name; `lookup.Lookup.account` says the rest."""
        return self._lookup.account(name)

    def user_id(self) -> str:
        """Return the id of the user that owns the user tokens: configured, or from the management token's own policies.

        Raises:
            Refused: it is not to be found (code `user`).
            Unavailable, RateLimited: no usable answer.
        """
        if self._user_id is None:
            bearer = self.calls.token()
            who = self.identity(bearer)
            if who is None:
                raise self.unaccepted("looking up the user")
            doing = "reading the management token's own policies"
            path = tokens_path(who.owner, self.account_id)
            shown = read_token(self.calls, path, TokenId(who.id), doing, bearer=bearer)
            if shown is None:
                raise self.unaccepted("looking up the user")
            self._user_id = tokens.user_of(shown.raw)
        if self._user_id is None:
            raise Refused(
                "looking up the user: the management token's policies name none",
                "write user_id into the connection",
                code="user",
            )
        return self._user_id
