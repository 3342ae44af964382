"""The port `Source` over the Cloudflare API: mint, roll, extend, disable, delete, and the reads around them.

Each call with an effect is one request with an effect; reads that it needs first are made before, and fail as
"nothing was sent". No request that disables, deletes or rolls a token is authenticated by that token.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from rotator.core.credential import EVERYTHING, NEVER, Can
from rotator.core.drift import summary
from rotator.core.errors import Barred, OperatorNeeded, OutcomeUnknown, Refused, Unavailable
from rotator.core.ids import NO_TOKEN, TokenId
from rotator.core.plain import Json
from rotator.core.ports.runtime import Priority
from rotator.core.ports.source import ACTIVE, Minted, Shape, TokenState
from rotator.core.reasons import OperatorCode
from rotator.core.secret import Secret
from rotator.sources.cloudflare import outputs as outputs_
from rotator.sources.cloudflare import tokens
from rotator.sources.cloudflare.calls import Call
from rotator.sources.cloudflare.connection import CloudflareConnection
from rotator.sources.cloudflare.errors import NOT_FOUND, CallKind
from rotator.sources.cloudflare.first_use import FirstUse
from rotator.sources.cloudflare.inventory import tokens_path
from rotator.sources.cloudflare.meant import Meant
from rotator.sources.cloudflare.options import ELSEWHERE, CredentialOptions
from rotator.sources.cloudflare.reading import read_token, shown_once
from rotator.sources.cloudflare.shapes import looks_like

JUST_READ: Final = 30.0
"""Seconds for which what `get` read is the body of an update that only disables."""

_NOTHING_READ: Final[tuple[float, str, dict[str, Any]]] = (0.0, "", {})


class CloudflareSource:
    """The source of one credential; safe for threads, keeps no value."""

    def __init__(
        self, connection: CloudflareConnection, options: CredentialOptions, like: Mapping[str, object] | None = None
    ) -> None:
        """Bind a credential's options to its connection; nothing is sent.

        Args:
            connection: asked and told.
            options: whose tokens, and what they may do.
            like: what `like` told of a token: new ones are made like it, whatever the grants say.
        """
        self._connection = connection
        self._calls = connection.calls
        self._options = options
        self._account_id = options.account_id or connection.account_id
        self._path = tokens_path(options.owner, self._account_id)
        self._meant = Meant(options, self._account_id, connection, like)
        self._last_read = _NOTHING_READ
        self._first = FirstUse(connection, options, self._account_id)

    @property
    def principal(self) -> TokenId:
        """Id of the management token, empty until it was verified once."""
        return TokenId(self._connection.principal)

    @property
    def can(self) -> Can:
        """Everything that the protocol knows of."""
        return EVERYTHING

    @property
    def verifies(self) -> bool:
        """Whether values are verified by using them; `verify: get` says that only other hosts may."""
        return self._options.verifies

    @property
    def values(self) -> tuple[str, ...]:
        """Outputs by which a value can be told."""
        return outputs_.VALUES

    # --------------------------------------------------------------------------------------------------- with an effect
    def mint(self, name: str, expires_at: float) -> Minted:
        """Create a token.

        Args:
            name: 1 to 120 characters, unique to this attempt.
            expires_at: provider time in unix seconds, cut to whole ones; `NEVER` for none.

        Raises:
            Refused: a certain no, with the code of `errors.TABLE`, `zone` or `user`.
            RateLimited: not now; nothing was created.
            Unavailable: nothing was sent.
            OutcomeUnknown: a token may exist, and its value is lost.

        Source: POST /user/tokens, POST /accounts/{account_id}/tokens. A kill inside leaves at most one such token.
        """
        doing = "creating a token"
        try:
            body = tokens.new_body(name, self._meant.policies(), self._meant.request_ip(), expires_at, self._begins())
        except ValueError as unfit:
            raise Refused(f"{doing}: {unfit}", "choose a shorter lifetime", code="bad_request") from None
        call = Call(
            operation="create",
            doing=doing,
            method="POST",
            path=self._path,
            kind=CallKind.EFFECT,
            priority=Priority.START,
            body=body,
            secret=True,
        )
        return shown_once(self._calls, call, name=name, token_id=NO_TOKEN, expires_at=expires_at)

    def roll(self, token_id: TokenId) -> Minted:
        """Give a token a new value; the old one dies at once, id and everything else stay.

        Raises:
            Refused: a certain no; `not_found` where there is no such token.
            RateLimited: not now; nothing was rolled.
            Unavailable: nothing was sent.
            OutcomeUnknown: it may have been rolled, and the new value is lost.
            OperatorNeeded: it is the management token itself (`management_token`).

        Source: PUT .../tokens/{token_id}/value. A kill inside leaves the old value alive, or neither known.
        """
        if not self.verifies:
            raise Refused(
                "rolling a token: its values cannot be verified here (verify: get), so a lost one would stay lost",
                "use the strategy recreate",
                code="bad_request",
            )
        bearer = self._actor(token_id, "rolling a token")
        doing = "reading the token that is to be rolled"
        before = read_token(self._calls, self._path, token_id, doing, bearer=bearer)
        if before is None:
            raise Refused("rolling a token: there is no such token", "let it be created anew", code=NOT_FOUND)
        call = Call(
            operation="roll",
            doing="rolling a token",
            method="PUT",
            path=f"{self._path}/{token_id}/value",
            kind=CallKind.EFFECT,
            body={},
            secret=True,
        )
        was = before.state
        return shown_once(self._calls, call, bearer, name=was.name, token_id=token_id, expires_at=was.expires_at)

    def extend(self, token_id: TokenId, expires_at: float) -> None:
        """Move a token's expiry; everything else is sent back as it was shown.

        Raises:
            Refused, RateLimited, Unavailable, OutcomeUnknown: as `mint`.

        Source: PUT .../tokens/{token_id}, which replaces. A kill inside leaves the old or the new expiry.
        """
        shown = self._shown(token_id, self._calls.token(), "reading the token whose expiry is to move")
        if shown is None:
            raise Refused("moving a token's expiry: there is no such token", "let it be created anew", code=NOT_FOUND)
        doing = "moving a token's expiry"
        try:
            moved = {} if expires_at == NEVER else {"expires_on": tokens.api_time(expires_at)}
        except ValueError as unfit:
            raise Refused(f"{doing}: {unfit}", "choose a shorter lifetime", code="bad_request") from None
        call = self._update(token_id, doing, {**shown, "expires_on": None}, moved)
        self._send(call)

    def update(self, token_id: TokenId, name: str) -> None:
        """Make policies, condition and name of a living token what is asked for; times stay, no status is sent.

        Raises:
            Refused, RateLimited, Unavailable, OutcomeUnknown: as `mint`; `not_active` where the token is not alive.

        Source: PUT .../tokens/{token_id}, which replaces; an absent `status` stays. A kill inside leaves the token as
        it was or as it is to be; its value is the same in both.
        """
        doing = "updating a token"
        shown = self._shown(token_id, self._calls.token(), "reading the token that is to be updated")
        if shown is None or shown.get("status") != ACTIVE:
            raise Refused(f"{doing}: it is not active", "it is replaced automatically", code="not_active")
        body = tokens.mended_body(shown, name, self._meant.policies(), self._meant.request_ip())
        self._send(self._put(token_id, doing, body))

    def disable(self, token_id: TokenId) -> None:
        """Disable a token; one that is gone, disabled, expired or revoked already is a success.

        Raises:
            Refused, RateLimited, Unavailable, OutcomeUnknown: as `mint`.
            OperatorNeeded: it is the management token itself (`management_token`).

        Source: PUT .../tokens/{token_id} with `status`. A kill inside leaves it active or disabled.
        """
        bearer = self._actor(token_id, "disabling a token")
        shown = self._just_read(token_id) or self._shown(token_id, bearer, "reading the token that is to be disabled")
        if shown is None or shown.get("status") != ACTIVE:
            return
        call = self._update(token_id, "disabling a token", shown, {"status": "disabled"})
        reply = self._calls.call(call, bearer)
        if reply.says(NOT_FOUND):
            return
        if reply.verdict is not None:
            raise self._calls.failure(call, reply)
        after = reply.envelope.result if reply.envelope else None
        if isinstance(after, dict) and after.get("status") == ACTIVE:
            raise OutcomeUnknown(
                "disabling a token: Cloudflare answered with success but still shows it active",
                "it is tried again automatically",
            )

    def delete(self, token_id: TokenId) -> None:
        """Delete a token; one that is gone already is a success.

        Raises:
            Refused, RateLimited, Unavailable, OutcomeUnknown: as `mint`; `managed` where Cloudflare owns the token.
            OperatorNeeded: it is the management token itself (`management_token`).

        Source: DELETE .../tokens/{token_id}. A kill inside leaves it there or gone.
        """
        bearer = self._actor(token_id, "deleting a token")
        doing, path = "deleting a token", f"{self._path}/{token_id}"
        call = Call(operation="delete", doing=doing, method="DELETE", path=path, kind=CallKind.EFFECT)
        reply = self._calls.call(call, bearer)
        if reply.verdict is not None and not reply.says(NOT_FOUND):
            raise self._calls.failure(call, reply)

    # ------------------------------------------------------------------------------------------------------------ reads
    def get(self, token_id: TokenId) -> TokenState | None:
        """Return a token's state with `equal` filled in, None where the provider says that it does not exist.

        Raises:
            Unavailable: no usable answer, or the grants' names could not be looked up.
            RateLimited: not now.

        Source: GET .../tokens/{token_id}.
        """
        shown = self._shown(token_id, self._calls.token(), "reading a token")
        if shown is not None:
            self._last_read = (time.monotonic(), token_id, shown)
        if shown is None:
            return None
        return tokens.state(shown, compared=True, found=self._meant.differences(shown))

    def compared(self, state: TokenState) -> TokenState:
        """Return a listed state compared with the grants, where its row shows policies; else as it is.

        Raises:
            Unavailable, RateLimited: the grants' names could not be looked up.
        """
        shown = state.shown
        if not isinstance(shown, dict) or not isinstance(shown.get("policies"), list):
            return state
        found = self._meant.differences(shown)
        return replace(state, compared=True, equal=not found, differs=summary(found), differences=found)

    def like(self, state: TokenState) -> Json:
        """Return the policies and the condition of a token; no I/O."""
        return state.shown if isinstance(state.shown, dict) else None

    def verify(self, value: Secret) -> TokenId | None:
        """Return the id of the token if the provider accepts the value now, None if it says no.

        Raises:
            Barred: the address of this host is not allowed to use the token, or (`probes: auto`) a new token cannot do
                what its grants say.
            Unavailable: no usable answer.
            RateLimited: not now.

        Source: GET /user/tokens/verify or /accounts/{account_id}/tokens/verify, by the owner: each knows its own tokens
        only, and says of others that they are invalid.
        """
        try:
            found = self._connection.verify(value, self._path)
        except Barred as barred:
            message = barred.message
        else:
            if found is not None and self._options.proves:
                self._first.demand(value, found, self._read_just_now(found))
            return None if found is None else TokenId(found)
        raise Barred(message, ELSEWHERE)

    def looks_like(self, text: Secret, key: str, *, adopted: bool) -> Shape:
        """Return what a text at a managed key looks like; no I/O."""
        return looks_like(text.reveal(), key, adopted=adopted)

    def control(self) -> bool:
        """Whether the management token is accepted now.

        Raises:
            Unavailable, RateLimited: no usable answer.
        """
        return self._connection.control()

    def tokens(self) -> tuple[TokenState, ...]:
        """Return every token of the owner scope, complete or `Unavailable`; expired ones may be absent."""
        return self._connection.inventory(self._options.owner, self._account_id, Priority.WATCH)

    def outputs(self, token_id: TokenId, value: Secret, expires_at: float) -> Mapping[str, Secret]:
        """Return everything that a target's `keys` may name; no I/O."""
        return outputs_.outputs(
            token_id=token_id,
            value=value,
            expires_at=expires_at,
            owner=self._options.owner,
            account_id=self._account_id,
        )

    def constants(self) -> Mapping[str, Secret]:
        """Return the outputs that are the same for every token; no I/O."""
        return outputs_.constants(self._options.owner, self._account_id)

    # ----------------------------------------------------------------------------------------------------------- inside
    def _begins(self) -> float | None:
        """When a token that is made now begins to be valid, by this machine's clock; None for at once."""
        later = self._options.not_before
        return None if later is None else time.time() + later

    def _read_just_now(self, token_id: str) -> dict[str, Any] | None:
        """What `get` read a moment ago, and may be used again; None where it read another token, or long ago."""
        at, of, shown = self._last_read
        return shown if of == token_id and time.monotonic() - at <= JUST_READ else None

    def _just_read(self, token_id: TokenId) -> dict[str, Any] | None:
        """What `get` read a moment ago, once: whoever disables a token has just looked at it."""
        (at, of, shown), self._last_read = self._last_read, _NOTHING_READ
        return shown if of == token_id and time.monotonic() - at <= JUST_READ else None

    def _shown(self, token_id: TokenId, bearer: Secret, doing: str) -> dict[str, Any] | None:
        found = read_token(self._calls, self._path, token_id, doing, bearer=bearer)
        return None if found is None else found.raw

    def _update(self, token_id: TokenId, doing: str, shown: Mapping[str, Any], changes: Mapping[str, str]) -> Call:
        body = tokens.changed_body(shown, **changes)
        if body is None:
            raise Unavailable(
                f"{doing}: Cloudflare shows it in a way that cannot be sent back unchanged, so nothing was sent",
                "change it in the dashboard, and report it",
            )
        return self._put(token_id, doing, body)

    def _send(self, call: Call) -> None:
        reply = self._calls.call(call)
        if reply.verdict is not None:
            raise self._calls.failure(call, reply)

    def _put(self, token_id: TokenId, doing: str, body: Mapping[str, Any]) -> Call:
        path = f"{self._path}/{token_id}"
        return Call(operation="update", doing=doing, method="PUT", path=path, kind=CallKind.EFFECT, body=body)

    def _actor(self, token_id: TokenId, doing: str) -> Secret:
        """Return the management token that will authenticate, proven not to be the token that it acts upon.

        The same value is sent afterwards, so that a token file that changes in between changes nothing.
        """
        if not tokens.ID.fullmatch(token_id):
            raise Refused(f"{doing}: this is not the id of a token", "report it", code="bad_request")
        bearer = self._calls.token()
        who = self._connection.identity(bearer)
        if who is None:
            raise self._connection.unaccepted(f"{doing}: nothing was sent")
        if who.id == token_id:
            raise OperatorNeeded(
                OperatorCode.MANAGEMENT_TOKEN,
                f"{doing}: it is the management token of connection {self._connection.name} itself",
                "use another management token for this, or renew it in the dashboard; rotator never manages that token",
            )
        return bearer
