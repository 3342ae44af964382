"""The port `Keeper` over the Cloudflare API: the two management tokens of a connection.

Each request is authenticated by the value that it is given: the partner's. Source: PUT .../tokens/{id}, which replaces,
and PUT .../tokens/{id}/value, after which the old value is dead.
"""

from __future__ import annotations

from collections.abc import Mapping

from rotator.core.errors import Refused, Unavailable
from rotator.core.ids import TokenId
from rotator.core.ports.keeper import MemberState, Place
from rotator.core.ports.runtime import Priority
from rotator.core.ports.source import Minted
from rotator.core.secret import Secret
from rotator.sources.cloudflare import tokens
from rotator.sources.cloudflare.calls import Call
from rotator.sources.cloudflare.connection import CloudflareConnection
from rotator.sources.cloudflare.errors import NOT_FOUND, CallKind
from rotator.sources.cloudflare.inventory import tokens_path
from rotator.sources.cloudflare.management import WRITE
from rotator.sources.cloudflare.reading import Shown, read_token, shown_once


class CloudflareKeeper:
    """The pair of one connection; safe for threads, keeps no value."""

    def __init__(self, connection: CloudflareConnection, places: Mapping[str, Place]) -> None:
        """`places` by role; nothing is read or sent."""
        self._connection, self._calls = connection, connection.calls
        self._places = places
        self._owners: dict[TokenId, str] = {}

    @property
    def places(self) -> Mapping[str, Place]:
        """Role -> its place."""
        return self._places

    def who(self, value: Secret) -> TokenId | None:
        """Return whose value it is, asked anew, None if the provider does not accept it.

        Raises:
            Unavailable, RateLimited: no usable answer.
        """
        found = self._connection.identity(value, acting=False, anew=True)
        self._connection.candidates.note(value, found is not None)
        if found is None:
            return None
        self._owners[TokenId(found.id)] = found.owner
        return TokenId(found.id)

    def read(self, token_id: TokenId, actor: Secret) -> MemberState | None:
        """Return what the provider shows of one of the two; `who` must have told it before.

        Raises:
            Refused: the actor may not read it.
            Unavailable, RateLimited: no usable answer.
        """
        shown = self._read(token_id, actor, "reading a management token")
        if shown is None:
            return None
        state = shown.state
        return MemberState(
            id=token_id,
            active=state.active,
            able=WRITE[self._owner(token_id)] in tokens.groups_of(shown.raw),
            born=state.issued_at,
            expires_at=state.expires_at,
        )

    def extend(self, token_id: TokenId, expires_at: float, actor: Secret) -> None:
        """Move the end of one of the two; all else is sent back as it was shown, without a status.

        Raises:
            Refused: a certain no.
            RateLimited: not now.
            Unavailable: nothing was sent.
            OutcomeUnknown: it may have been done.

        A kill inside leaves the old or the new end.
        """
        doing = "moving the end of a management token"
        shown = self._read(token_id, actor, f"{doing}: reading it")
        body = None if shown is None else tokens.changed_body(shown.raw, expires_on=tokens.api_time(expires_at))
        if body is None:
            raise Refused(
                f"{doing}: Cloudflare does not show it in a way that can be sent back unchanged, so nothing was sent",
                "move its end in the dashboard",
                code=NOT_FOUND,
            )
        self._send(self._put(token_id, doing, "update", "", body), actor)

    def roll(self, token_id: TokenId, actor: Secret) -> Minted:
        """Give one of the two a new value; the old one dies at once.

        Raises:
            Refused: a certain no.
            RateLimited: not now; nothing was rolled.
            Unavailable: nothing was sent.
            OutcomeUnknown: it may have been rolled, and the new value is lost.

        A kill inside leaves the old value alive, or neither known.
        """
        before = self._read(token_id, actor, "reading the management token that is to be rolled")
        if before is None:
            raise Refused("rolling a management token: there is no such token", "make another one", code=NOT_FOUND)
        call = self._put(token_id, "rolling a management token", "roll", "/value", {}, secret=True)
        was = before.state
        return shown_once(self._calls, call, actor, name=was.name, token_id=token_id, expires_at=was.expires_at)

    # ----------------------------------------------------------------------------------------------------------- inside

    def _owner(self, token_id: TokenId) -> str:
        """Whose token it is; one whose value is dead since before this process began is its partner's owner's."""
        found = self._owners.get(token_id) or next(iter(self._owners.values()), None)
        if found is None:
            raise Unavailable("a management token that was not verified yet", "it is tried again automatically")
        return found

    def _path(self, token_id: TokenId) -> str:
        return tokens_path(self._owner(token_id), self._connection.account_id)

    def _read(self, token_id: TokenId, actor: Secret, doing: str) -> Shown | None:
        path = self._path(token_id)
        return read_token(self._calls, path, token_id, doing, bearer=actor, priority=Priority.WATCH)

    def _put(
        self, token_id: TokenId, doing: str, operation: str, below: str, body: object, *, secret: bool = False
    ) -> Call:
        return Call(
            operation=operation,
            doing=doing,
            method="PUT",
            path=f"{self._path(token_id)}/{token_id}{below}",
            kind=CallKind.EFFECT,
            body=body,
            secret=secret,
        )

    def _send(self, call: Call, actor: Secret) -> None:
        reply = self._calls.call(call, actor)
        if reply.verdict is not None:
            raise self._calls.failure(call, reply)
