"""What every fact has: its kind, the fields that several kinds share, and its envelope."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Final

from rotator.core.ids import NO_ROTATION, NO_TOKEN, NO_VALUE, CredentialId, FactId, Fingerprint, RotationId, TokenId
from rotator.core.plain import NEVER

MACHINE: Final = 4
"""Version of the state machine; each type of fact says which one knew it first (`What.machine`)."""


class Kind(StrEnum):
    """What a fact says. The value is the word in the journal, in logs and in `history`."""

    # steps of a rotation
    PLANNED = "planned"
    INTENT = "intent"
    CAPTURED = "captured"
    ABANDONED = "abandoned"
    VERIFIED = "verified"
    PUBLISHING = "publishing"
    CONFIRMED = "confirmed"
    DONE = "done"
    DISPLACED = "displaced"
    # beside the steps of a rotation
    EXTENDED = "extended"
    FAILED = "failed"
    PUBLISH_INTENT = "publish_intent"
    WRITTEN = "written"
    READ_BACK = "read_back"
    UNWRITTEN = "unwritten"
    HOOKED = "hooked"
    # steps of a retirement
    RETIREMENT = "retirement"
    SUPERSEDED = "superseded"
    CONDEMNED = "condemned"
    DISABLED = "disabled"
    DELETED = "deleted"
    RETIRED = "retired"
    REVOKED = "revoked"
    # what was seen outside
    BASELINE = "baseline"
    SEEN = "seen"
    KNOWN = "known"
    ADOPTED = "adopted"
    OVERRIDDEN = "overridden"
    OVERRIDE_ENDED = "override_ended"
    TARGET_RELEASED = "target_released"
    TARGET_ADDED = "target_added"
    HELD = "held"
    AHEAD = "ahead"
    COMPARED = "compared"
    # a living token is changed in place
    UPDATING = "updating"
    UPDATED = "updated"
    KEPT = "kept"
    # acts of an operator, or the configuration
    CONFIGURED = "configured"
    REQUEST = "request"
    PAUSED = "paused"
    RESUMED = "resumed"
    RESOLVED = "resolved"
    ACK = "ack"
    FORGOTTEN = "forgotten"
    # a pair of tokens that keep each other alive
    MEMBER = "member"
    EXTENDING = "extending"
    PROLONGED = "prolonged"
    ROLLING = "rolling"
    PLACED = "placed"
    UNKEPT = "unkept"
    # of a newer version; never written
    UNKNOWN = "unknown"


UNFENCED: Final = frozenset(
    {
        *(Kind.CAPTURED, Kind.REQUEST, Kind.PAUSED, Kind.RESUMED, Kind.RESOLVED, Kind.HELD, Kind.ACK, Kind.FORGOTTEN),
        Kind.REVOKED,
    }
)
"""Accepted at any epoch: a stale process may hold the only copy of a value, operators act without a lease, and another
credential's driver says that a value stands at one of its places."""


class How(StrEnum):
    """What an operator decided (`rotator resolve`): do ours, leave what stands there alone, close the open rotation.

    `undo` asks again about what was accepted.
    """

    RETRY = "retry"
    ACCEPT = "accept"
    ABANDON = "abandon"
    UNDO = "undo"


class What:
    """What a fact tells; one subclass for each kind.

    Attributes:
        kind: the word for it.
        machine: the first version of the state machine that knows it.
        ignorable: whether a version that does not know it may pass over it. One that marks, revokes or restricts
            never is: a program that does not know it leaves that stream alone.
    """

    __slots__ = ()
    kind: ClassVar[Kind]
    machine: ClassVar[int] = 1
    ignorable: ClassVar[bool] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OfToken(What):
    """About one token."""

    token_id: TokenId


@dataclass(frozen=True, slots=True, kw_only=True)
class OfTarget(What):
    """About one target."""

    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OfRotation(What):
    """About the token and the attempt of the open rotation; `generation` of its publication, 0 before one."""

    token_id: TokenId = NO_TOKEN
    token_name: str = ""
    attempt: int = 0
    generation: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class OfPublication(What):
    """About one target in the publication that is under way."""

    target: str
    token_id: TokenId
    generation: int
    fingerprint: Fingerprint


@dataclass(frozen=True, slots=True, kw_only=True)
class OfLife(What):
    """About a token as the provider shows it; times in provider time.

    `attempt_name` is the name of the attempt of ours that minted it, or empty.
    """

    token_id: TokenId
    token_name: str = ""
    born: float = 0.0
    expires_at: float = NEVER
    attempt_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfValue(OfLife):
    """About a value of a token; the journal may fill in the fingerprint when it seals the value."""

    fingerprint: Fingerprint = NO_VALUE


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown(What):
    """A fact of a newer version: chained as it stands, and folded as nothing where that version allows it."""

    kind: ClassVar[Kind] = Kind.UNKNOWN
    word: str
    passed_over: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A fact before the journal has accepted it.

    Attributes:
        what: what it tells.
        at: provider time in unix seconds; deadlines count from it.
        rid: rotation id, empty outside a rotation.
        actor: `daemon`, or the operator who asked.
        principal: id of the management token used for the call, or empty.
        owner: owner scope of the token at the provider (`user`, `account`), or empty.
    """

    what: What
    at: float
    rid: RotationId = NO_ROTATION
    actor: str = "daemon"
    principal: TokenId = NO_TOKEN
    owner: str = ""

    @property
    def kind(self) -> Kind:
        """The word for what it tells."""
        return self.what.kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact(Draft):
    """A durable fact: a draft with its place in the journal.

    Attributes:
        fact_id: random id given by the writer, by which an unknown COMMIT is re-read.
        stream: the credential that it belongs to.
        position: place in the stream, from 1.
        epoch: fencing number of the lease under which it was written.
        writer: the process that wrote it.
        sealed_id: the sealed value that it brought, or empty.
    """

    fact_id: FactId
    stream: CredentialId
    position: int
    epoch: int
    writer: str
    sealed_id: str = ""
