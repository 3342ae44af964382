"""The end of a token that is named by its id alone: whoever of a connection's two management tokens may, disables it.

No journal, no credential, no grants. No request that disables a token is authenticated by that token.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from operator import ne
from typing import Final, Literal

from rotator.core.errors import ConfigError, OperatorNeeded, Refused, RotatorError
from rotator.core.ids import TokenId
from rotator.core.ports.source import ACTIVE, Ended
from rotator.core.reasons import OperatorCode
from rotator.sources.cloudflare.connection import CloudflareConnection, Identity
from rotator.sources.cloudflare.errors import NOT_FOUND
from rotator.sources.cloudflare.inventory import tokens_path
from rotator.sources.cloudflare.options import ConnectionOptions, CredentialOptions
from rotator.sources.cloudflare.reading import read_token
from rotator.sources.cloudflare.source import CloudflareSource

ID: Final = re.compile(r"[0-9a-f]{32}")
"""How the provider writes the id of a token; a value, or a name, is none."""

USER_PAGE: Final = "https://dash.cloudflare.com/profile/api-tokens"
ACCOUNT_PAGE: Final = "https://dash.cloudflare.com/?to=/:account/api-tokens"


class CloudflareEmergency:
    """The two logins of one connection; close it after use."""

    def __init__(
        self, name: str, options: ConnectionOptions, login: Callable[[ConnectionOptions], CloudflareConnection]
    ) -> None:
        """Open the connection once for each of its management tokens; nothing is sent.

        Args:
            name: of the connection.
            options: as configured.
            login: opens the connection with these options.
        """
        self._name = name
        self._logins, self._values = {"management": login(options)}, {"management": options.token.read}
        if options.standby_token is not None:
            self._values["standby"] = options.standby_token.read
            swapped = {"token": options.standby_token, "standby_token": options.token}
            self._logins["standby"] = login(options.model_copy(update=swapped))

    def close(self) -> None:
        """Close both connections."""
        for login in self._logins.values():
            login.close()

    def member(self, role: str) -> TokenId:
        """Return the id of the management token in that role.

        Raises:
            ConfigError: the connection has none, or its value cannot be read.
            Refused: the provider does not accept it, so it is dead already or another one.
            Unavailable, RateLimited: no usable answer.
        """
        login = self._logins.get(role)
        if login is None:
            raise ConfigError(f"connection {self._name} has no {role} token", f"its `{role}_token` names none")
        # what stands in its place, and not whichever of the two works just now: that would end the wrong one
        who = login.identity(self._values[role](), acting=False, anew=True)
        if who is None:
            raise Refused(
                f"looking up the {role} token of connection {self._name}: Cloudflare does not accept what stands in its"
                " place, so it is dead already, or another value",
                f"end it by its id: `rotator revoke --token-id ID --connection {self._name}`",
                code="invalid_token",
            )
        return TokenId(who.id)

    def id_of(self, text: str) -> TokenId:
        """Return what a person typed as the id of a token; it is never shown, for it may be a value.

        Raises:
            ConfigError: it cannot be one.
        """
        if not ID.fullmatch(text):
            raise ConfigError("this is not the id of a token", "copy the id of 32 characters out of `rotator status`")
        return TokenId(text)

    def end(self, token_id: TokenId) -> Ended:
        """Disable a token; one that is not active any more is a success.

        Raises:
            OperatorNeeded: only the token itself could do it, or no management token is accepted.
            Refused: no token of that id is there (`not_found`), or a certain no.
            Unavailable, RateLimited, OutcomeUnknown: as `Source.disable`.

        A kill inside leaves it active or disabled.
        """
        failures: list[RotatorError] = []
        answered = False
        for login, who in self._actors(token_id, failures):
            for owner in sorted(("account", "user"), key=partial(ne, who.owner)):  # its own scope first
                if owner == "account" and login.account_id is None:
                    continue
                try:
                    if (found := _end(login, owner, token_id)) is not None:
                        return found
                    answered = answered or owner == who.owner
                except RotatorError as error:
                    failures.append(error)
        if failures and not answered:  # it may not look into the other scope, and need not
            raise failures[0]
        raise Refused(
            f"looking for token {token_id}: connection {self._name} knows none of that id",
            "`rotator discover` lists the tokens of every connection",
            code=NOT_FOUND,
        )

    def _actors(self, victim: TokenId, failures: list[RotatorError]) -> Iterator[tuple[CloudflareConnection, Identity]]:
        """Who may act: each management token that is accepted and is not the victim."""
        acts = False
        for login in self._logins.values():
            try:
                who = login.identity(login.calls.token(), anew=True)
            except RotatorError as error:
                failures.append(error)
                continue
            if who is not None and who.id != victim:
                acts = True
                yield login, who
        if not acts and not failures:
            raise OperatorNeeded(
                OperatorCode.MANAGEMENT_TOKEN,
                f"ending token {victim}: connection {self._name} has no other management token that is accepted",
                f"end it in the dashboard: {USER_PAGE} (a user's token) or {ACCOUNT_PAGE} (an account's)",
            )


def _end(login: CloudflareConnection, owner: str, token_id: TokenId) -> Ended | None:
    """Disable it in one owner scope; None where there is no such token."""
    path, doing = tokens_path(owner, login.account_id), "reading the token that is to be ended"
    shown = read_token(login.calls, path, token_id, doing)
    if shown is None:
        return None
    before = shown.state
    whose: Literal["user", "account"] = "user" if owner == "user" else "account"
    options = CredentialOptions.model_construct(owner=whose, grants=(), verify="value")
    CloudflareSource(login, options).disable(token_id)
    after = before
    with suppress(RotatorError):  # that it was disabled is known by the answer; this only tells how it is now
        again = read_token(login.calls, path, token_id, doing)
        after = before if again is None else again.state
    ended = before.status == ACTIVE or after.status != ACTIVE
    return Ended(token_id=token_id, name=before.name, was=before.status, ended=ended)
