"""Whoever may make a management token where there is none yet: a user with e-mail and Global API Key.

One object for one call of `rotator bootstrap`. What can be wrong with the key has a message of its own each, with the
fix. Each call with an effect is one request; a lost answer is told as such and nothing is sent twice.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rotator.core.drift import Difference
from rotator.core.errors import ConfigError, Refused, Unavailable
from rotator.core.ids import NO_TOKEN, TokenId
from rotator.core.ports.runtime import Budget, Priority
from rotator.core.ports.source import Minted, TokenState
from rotator.core.secret import Secret
from rotator.sources.cloudflare import accounts, tokens
from rotator.sources.cloudflare.bearers import GlobalKey
from rotator.sources.cloudflare.calls import Call
from rotator.sources.cloudflare.connection import CloudflareConnection
from rotator.sources.cloudflare.differences import differences
from rotator.sources.cloudflare.errors import NOT_FOUND, PERMISSION, UNACCEPTED, CallKind
from rotator.sources.cloudflare.inventory import tokens_path
from rotator.sources.cloudflare.management import ManagementToken
from rotator.sources.cloudflare.options import ConnectionOptions
from rotator.sources.cloudflare.policies import TokenPolicy
from rotator.sources.cloudflare.reading import read_token, shown_once

FIND: Final = (
    "find it in the dashboard: My Profile, API Tokens, API Keys, Global API Key, `View` (it asks for your password; "
    "accounts that log in by SSO only may have none: use --with dashboard)"
)
_MALFORMED: Final = frozenset({6003, 6103, 6111})


@dataclass(frozen=True, slots=True)
class Person:
    """The user whose key it is; `now` is provider time in unix seconds."""

    id: str
    email: str
    now: float


class Authority:
    """A user who logs in with the Global API Key, for one bootstrap. Nothing is sent before the first call."""

    def __init__(self, name: str, options: ConnectionOptions, key: GlobalKey, budget: Budget) -> None:
        """Args: the connection's name and options, the key, who counts requests."""
        self._key = key
        self.connection = CloudflareConnection(
            name,
            token=options.token.read,
            budget=budget,
            api_url=options.api_url,
            account_id=options.account_id,
            network=options.network(),
            key=key,
        )

    @property
    def login(self) -> str:
        """The key in words."""
        return f"the Global API Key of {self._key.email}"

    def close(self) -> None:
        """Close all HTTP connections."""
        self.connection.close()

    def person(self) -> Person:
        """Return whose key it is.

        Raises:
            Refused: Cloudflare does not accept the key with this e-mail; why, and what to do.
            Unavailable, RateLimited: no usable answer.
        """
        call = Call(operation="user", doing="logging in with the Global API Key", method="GET", path="/user")
        reply = self.connection.calls.call(call)
        if reply.verdict is not None and reply.verdict.row.word in (UNACCEPTED, PERMISSION) and not reply.verdict.wait:
            codes = {entry.code for entry in reply.envelope.errors} if reply.envelope else set()
            raise self._refused(codes, reply.verdict.row.word, reply.verdict.said)
        shown = reply.envelope.result if reply.envelope and reply.verdict is None else None
        if not isinstance(shown, dict) or not tokens.ID.fullmatch(str(shown.get("id"))):
            raise self.connection.calls.failure(call, reply)
        return Person(str(shown["id"]), str(shown.get("email") or self._key.email), reply.date or time.time())

    def _refused(self, codes: set[int], word: str, said: str) -> Refused:
        if codes & _MALFORMED:
            return Refused(
                f"what was given is not a Global API Key: {said}",
                f"copy the whole key and nothing else; {FIND}",
                code="key",
            )
        if word == PERMISSION:
            return Refused(
                f"{self.login} may not use the API: {said}",
                "a Super Administrator can have switched API access off for this member or account: let them switch "
                "it on (Manage Account, Members, API Access), or use --with dashboard",
                code="key",
            )
        return Refused(
            f"Cloudflare does not accept {self.login}: {said}",
            "compare the e-mail with the one of the login that the key belongs to; a key that was changed (revoked) in "
            f"the dashboard is dead: {FIND}",
            code="key",
        )

    def reached(self) -> dict[str, str]:
        """Return the accounts that the user is a member of, id -> name."""
        return accounts.reached(self.connection)

    def check_account(self, account_id: str) -> None:
        """Make sure that the user reaches an account.

        Raises:
            ConfigError: the id is none of an account that the user reaches; what it is instead.
        """
        told = accounts.tell(self.connection, ManagementToken(role="management"), account_id, self.login)
        if not told.reached:
            raise ConfigError(
                f"{account_id} is no account that can be used: {told.wrong or f'{self.login} reaches none'}",
                told.remedy or "compare it with the dashboard: the overview page of any domain shows it",
            )

    def mint(
        self, owner: str, account_id: str | None, name: str, policies: Sequence[TokenPolicy], expires_at: float
    ) -> Minted:
        """Create a token: one request.

        Raises:
            Refused: a certain no.
            RateLimited: not now; nothing was created.
            Unavailable: nothing was sent.
            OutcomeUnknown: a token of that name may exist, and its value is lost.
        """
        call = Call(
            operation="create",
            doing="creating the management token",
            method="POST",
            path=tokens_path(owner, account_id),
            kind=CallKind.EFFECT,
            priority=Priority.START,
            body=tokens.new_body(name, policies, {}, expires_at),
            secret=True,
        )
        try:
            return shown_once(self.connection.calls, call, name=name, token_id=NO_TOKEN, expires_at=expires_at)
        except Refused as error:
            if error.code not in (PERMISSION, UNACCEPTED):
                raise
            message, code = error.message, error.code
        raise Refused(message, self._missing(owner), code=code)

    def _missing(self, owner: str) -> str:
        if owner == "account":
            return (
                "tokens of an account are made by its Super Administrators: let one of them do this, or write "
                "`--owner user` for a management token that you own"
            )
        return "let a Super Administrator of the account do this, or use --with dashboard"

    def differs(
        self, owner: str, account_id: str | None, token_id: str, policies: Sequence[TokenPolicy]
    ) -> tuple[Difference, ...]:
        """Return how a token differs from what was asked for; a permission that was silently left out is named.

        Raises:
            Unavailable, RateLimited: no usable answer.
        """
        doing, path = "reading the token's policies", tokens_path(owner, account_id)
        shown = read_token(self.connection.calls, path, TokenId(token_id), doing)
        if shown is None:
            raise Unavailable(f"{doing}: there is no such token", "make another one")
        return differences(policies, {}, shown.raw)

    def alive(self, owner: str, account_id: str | None, token_id: str) -> bool:
        """Whether Cloudflare shows a token as active; raises as `differs`."""
        path = tokens_path(owner, account_id)
        shown = read_token(self.connection.calls, path, TokenId(token_id), "reading the new token")
        return shown is not None and shown.state.active

    def named(self, owner: str, account_id: str | None, name: str) -> list[TokenState]:
        """Return the tokens of exactly that name; raises as `differs`."""
        return [state for state in self.connection.inventory(owner, account_id) if state.name == name]

    def delete(self, owner: str, account_id: str | None, token_id: str) -> None:
        """Delete a token that was never used; one that is gone already is a success.

        Raises:
            Refused, RateLimited, Unavailable, OutcomeUnknown: it may still be there.
        """
        call = Call(
            operation="delete",
            doing="deleting a token that nobody uses",
            method="DELETE",
            path=f"{tokens_path(owner, account_id)}/{token_id}",
            kind=CallKind.EFFECT,
        )
        reply = self.connection.calls.call(call)
        if reply.verdict is not None and not reply.says(NOT_FOUND):
            raise self.connection.calls.failure(call, reply)


def key_of(email: str | None, key: Secret) -> GlobalKey:
    """Return the login, where both halves can be ones.

    Raises:
        ConfigError: what is given is something else, or the e-mail is missing; nothing was sent.
    """
    text = key.reveal()
    if text.startswith(("cfut_", "cfat_")):
        raise ConfigError(
            "what was given is an API token, not the Global API Key",
            "use --with token for a token that may create tokens",
        )
    if text.startswith("v1.0-"):
        raise ConfigError("what was given is an Origin CA key, not the Global API Key", FIND)
    if text[:1] in "\"'`" or text[-1:] in "\"'`":
        raise ConfigError("the Global API Key stands in quotes", "remove the quotes")
    if "=" in text or ":" in text:
        raise ConfigError("what was given is a whole line, not the Global API Key alone", "keep only the key")
    if "@" in text:
        raise ConfigError("what was given as the Global API Key is an e-mail address", f"give it as --email; {FIND}")
    if not email:
        raise ConfigError(
            "the Global API Key needs the e-mail of its login", "--email E, or the variable CLOUDFLARE_EMAIL"
        )
    if "@" not in email.strip("@") or any(blank in email for blank in " \t\r\n"):
        raise ConfigError("what was given as the e-mail is no e-mail address", "--email with the address of the login")
    return GlobalKey(email, key)
