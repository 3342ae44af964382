"""The port to the durable truth: streams of facts, sealed values, leases, what is due.

It decides nothing: legality is `protocol.steps`, and the journal refuses what that table does not allow.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from rotator.core.facts import Draft
from rotator.core.ids import CredentialId, Fingerprint, RotationId, TokenId
from rotator.core.protocol.view import View
from rotator.core.secret import Secret


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on one stream, and its fencing number.

    Attributes:
        stream: the credential.
        epoch: grows with every change of hands.
        holder: the process that has it.
    """

    stream: CredentialId
    epoch: int
    holder: str


@dataclass(frozen=True, slots=True)
class Due:
    """A stream whose time has come: its id and the provider time (unix seconds) that was noted for it."""

    stream: CredentialId
    next_at: float


class Journal(Protocol):
    """The durable truth. Every method may raise `JournalUnsafe`: then nothing may be minted or revoked.

    MUST commit with full durability before it returns; an unknown COMMIT is re-read by the fact's own id first.
    MUST check legality and the lease in the inserting transaction. MUST seal every value that it is given.
    """

    @property
    def instance(self) -> str:
        """Random id of this journal; part of every token name that it mints."""

    def claim(self, stream: CredentialId) -> Lease | None:
        """Take or renew the lease; None while a living process holds it.

        Spools of dead processes are imported first, so no decision is made without their captures.
        """

    def release(self, lease: Lease, next_at: float | None, why: str = "") -> None:
        """Give the lease back and note when (provider time) the stream wants the next look; None keeps the note.

        `why` is the driver's last word (`core.notes`) for `status`; a cache like `next_at`, never read by a decision.
        """

    def noted(self, stream: CredentialId) -> str:
        """Return the last word that was noted on release, or an empty string."""

    def check(self, lease: Lease) -> None:
        """Renew the lease, or raise `Fenced`."""

    def view(self, stream: CredentialId) -> View:
        """Return the fold of all facts of the stream, as of now."""

    def append(self, lease: Lease, draft: Draft, value: Secret | None = None) -> View:
        """Make a fact durable, fenced; with `value`, seal it in the same transaction.

        Raises:
            Fenced: the lease is somebody else's; nothing was written.
            IllegalFact: the protocol does not allow it now; nothing was written.
            JournalUnsafe: it is not known to be durable.
        """

    def note(self, stream: CredentialId, draft: Draft) -> View:
        """Append an operator's fact; needs no lease (`facts.UNFENCED`)."""

    def spool(self, stream: CredentialId, draft: Draft, value: Secret) -> None:
        """Make a capture durable, encrypted, in this process's own file: the first statement after a mint."""

    def capture(self, stream: CredentialId, draft: Draft, value: Secret) -> View:
        """Make a capture durable at any epoch; unique by rid, attempt and fingerprint, so repeating it is harmless.

        Drops the spooled copy afterwards.
        """

    def reveal(self, stream: CredentialId, fingerprint: Fingerprint) -> Secret:
        """Open the sealed value with that fingerprint.

        Raises:
            KeyError: no such value, or its key was destroyed.
            JournalUnsafe: it is there and cannot be decrypted.
        """

    def fingerprint(self, value: Secret) -> Fingerprint:
        """Return the HMAC of the value under the instance's sealed key, the only digest of a value that ever exists."""

    def canary(self) -> None:
        """Prove room: write a row, read it back on another connection, decrypt it; preallocate the spool."""

    def place(self, lease: Lease, place: str) -> AbstractContextManager[None]:
        """Hold the lease of a place while writing to it; raises `Unavailable` while somebody else writes there."""

    def destroy(self, stream: CredentialId, token_id: TokenId) -> None:
        """Destroy the keys of the sealed values of a token that is deleted; their fingerprints stay."""

    def owner_of(self, fingerprint: Fingerprint, but: CredentialId) -> tuple[CredentialId, TokenId, bool] | None:
        """Return (stream, token id, whether it is still configured) of a sealed value of another stream than `but`.

        None where no other stream ever sealed it. A value whose key was destroyed is known all the same.
        """

    def stream_of(self, rid: RotationId, *, managed: bool = False) -> CredentialId:
        """Return the stream whose rotation has that id, or an empty string where this journal knows none.

        With `managed`, one that left the configuration counts as none.
        """

    def raise_epoch(self, lease: Lease, above: int) -> Lease:
        """After a restored journal: let epochs go on above one that was seen outside."""

    def due(self, connection: str, now: float, limit: int) -> Sequence[Due]:
        """Return streams of the connection whose noted time is at most `now` (provider time), soonest first."""

    def wake(self, streams: Iterable[CredentialId], at: float = 0.0) -> None:
        """Let streams be due no later than `at`."""
