"""The vocabulary of the journal: every kind of durable fact, each a type with its own fields.

A fact is append-only and says something that is durably true; state is the fold of the facts (`protocol.fold`). What
is told (`What`) is one of the types below; a `Draft` adds when, in which rotation and by whom; a `Fact` its place in
the journal. How they stand in rows is `encoding`. This file must not know which fact may follow which: that is
`protocol.steps`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, Final

from rotator.core.credential import Policy, Strategy, Terms
from rotator.core.plain import NEVER, Json
from rotator.core.reasons import OperatorCode

MACHINE: Final = 2
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
    # steps of a retirement
    RETIREMENT = "retirement"
    SUPERSEDED = "superseded"
    CONDEMNED = "condemned"
    DISABLED = "disabled"
    DELETED = "deleted"
    RETIRED = "retired"
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
    # acts of an operator, or the configuration
    CONFIGURED = "configured"
    REQUEST = "request"
    PAUSED = "paused"
    RESUMED = "resumed"
    RESOLVED = "resolved"
    # of a newer version; never written
    UNKNOWN = "unknown"


UNFENCED: Final = frozenset({Kind.CAPTURED, Kind.REQUEST, Kind.PAUSED, Kind.RESUMED, Kind.RESOLVED, Kind.HELD})
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

    token_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OfTarget(What):
    """About one target."""

    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OfRotation(What):
    """About the token and the attempt of the open rotation; `generation` of its publication, 0 before one."""

    token_id: str = ""
    token_name: str = ""
    attempt: int = 0
    generation: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class OfPublication(What):
    """About one target in the publication that is under way."""

    target: str
    token_id: str
    generation: int
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OfLife(What):
    """About a token as the provider shows it; times in provider time.

    `attempt_name` is the name of the attempt of ours that minted it, or empty.
    """

    token_id: str
    token_name: str = ""
    born: float = 0.0
    expires_at: float = NEVER
    attempt_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfValue(OfLife):
    """About a value of a token; the journal may fill in the fingerprint when it seals the value."""

    fingerprint: str = ""


# -------------------------------------------------------------------------------------------------- steps of a rotation
@dataclass(frozen=True, slots=True, kw_only=True)
class Planned(What):
    """A rotation opens with frozen terms; roll and republish name the token, a republish also the value."""

    kind: ClassVar[Kind] = Kind.PLANNED
    terms: Terms
    token_id: str = ""
    fingerprint: str = ""
    request_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent(What):
    """A mint is about to be sent under a name that is used once; `why` the answer before it was lost, if one was."""

    kind: ClassVar[Kind] = Kind.INTENT
    attempt: int
    token_name: str
    token_id: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Captured(OfValue):
    """A minted value is durable."""

    kind: ClassVar[Kind] = Kind.CAPTURED
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Abandoned(OfRotation):
    """An attempt is given up; `rejected`: its captured token was turned down."""

    kind: ClassVar[Kind] = Kind.ABANDONED
    rejected: bool = False
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified(OfRotation):
    """The captured value is what was asked for, or one that was captured before is the answer that was lost."""

    kind: ClassVar[Kind] = Kind.VERIFIED
    fingerprint: str = ""


class Publishing(OfRotation):
    """A publication begins and takes the next generation."""

    __slots__ = ()
    kind = Kind.PUBLISHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmed(OfRotation):
    """The published value is the current one.

    Attributes:
        adopt: the token that the credential was configured to take over, or empty.
        left: targets that were left alone because an operator said so.
    """

    kind: ClassVar[Kind] = Kind.CONFIRMED
    adopt: str = ""
    left: tuple[str, ...] = ()


class Done(OfRotation):
    """A roll is over."""

    __slots__ = ()
    kind = Kind.DONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Displaced(OfRotation):
    """The rotation closes before it was confirmed.

    Attributes:
        why: for people.
        closed: for good, no successor is wanted.
        dead: its token was found dead.
        yields: it lets a republish pass.
    """

    kind: ClassVar[Kind] = Kind.DISPLACED
    why: str = ""
    closed: bool = False
    dead: bool = False
    yields: bool = False


# ----------------------------------------------------------------------------------------------------- beside its steps
class Extended(OfLife):
    """The expiry was moved ahead of a roll, and proven."""

    __slots__ = ()
    kind = Kind.EXTENDED


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed(What):
    """An act failed for certain, or its outcome is not known.

    Attributes:
        act: what was tried.
        why: for people.
        remedy: what to do, for people.
        code: where only a person can help.
        target: of an act on one.
        token_id: of a retirement, or of a write.
        token_name: of a mint.
        attempt: of a mint.
        not_written: the version of the target on top of which certainly nothing was written; None where that is open.
    """

    kind: ClassVar[Kind] = Kind.FAILED
    act: str
    why: str = ""
    remedy: str = ""
    code: OperatorCode | None = None
    target: str = ""
    token_id: str = ""
    token_name: str = ""
    attempt: int = 0
    not_written: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishIntent(OfPublication):
    """A write is about to happen on top of that version; `keys`: managed key -> fingerprint of its content."""

    kind: ClassVar[Kind] = Kind.PUBLISH_INTENT
    version: str = ""
    keys: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Written(OfPublication):
    """A target holds the value of this publication; `old` is the token whose value stood there before, or empty."""

    kind: ClassVar[Kind] = Kind.WRITTEN
    old: str = ""
    keys: Mapping[str, str] = field(default_factory=dict)


class ReadBack(OfPublication):
    """It was read back over a new connection, and verified."""

    __slots__ = ()
    kind = Kind.READ_BACK


class Unwritten(OfPublication):
    """A target does not hold it any more."""

    __slots__ = ()
    kind = Kind.UNWRITTEN


# ------------------------------------------------------------------------------------------------ steps of a retirement
@dataclass(frozen=True, slots=True, kw_only=True)
class RetirementOpened(OfLife):
    """A token that nothing owned gets its retirement, with frozen timings."""

    kind: ClassVar[Kind] = Kind.RETIREMENT
    policy: Policy = field(default_factory=Policy)


class Superseded(OfToken):
    """An old token is replaced and drained: irrevocable."""

    __slots__ = ()
    kind = Kind.SUPERSEDED


class Condemned(OfToken):
    """A token that was never published is given up: irrevocable."""

    __slots__ = ()
    kind = Kind.CONDEMNED


class Disabled(OfToken):
    """A marked token is disabled at the provider."""

    __slots__ = ()
    kind = Kind.DISABLED


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleted(OfToken):
    """A marked token is deleted at the provider; `undisabled`: at a source that cannot disable one before."""

    kind: ClassVar[Kind] = Kind.DELETED
    undisabled: bool = False


class Retired(OfToken):
    """A retirement is over."""

    __slots__ = ()
    kind = Kind.RETIRED


RETIREMENT_STEPS: Final[Mapping[Kind, type[OfToken]]] = {
    step.kind: step for step in (Superseded, Condemned, Disabled, Deleted, Retired)
}


# ------------------------------------------------------------------------------------------------ what was seen outside
@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline(OfTarget):
    """A target was seen for the first time.

    Attributes:
        token_id: whose value stands there, or empty.
        fingerprint: of what stands there, or empty.
        replace: an earlier version's word for: what stands there may be overwritten.
        free: fingerprints of contents there that may be overwritten.
        strange: managed key -> fingerprint of a stranger's content; None where it was not looked at.
        amiss: managed keys that do not hold what they should and are ours to put right.
        keys: managed key -> fingerprint of a content that is ours from now on.
    """

    kind: ClassVar[Kind] = Kind.BASELINE
    token_id: str = ""
    fingerprint: str = ""
    replace: bool = False
    free: tuple[str, ...] = ()
    strange: Mapping[str, str] | None = None
    amiss: tuple[str, ...] = ()
    keys: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighted(OfTarget):
    """A target holds something else than before.

    Attributes:
        token_id: whose value stands there, or empty.
        fingerprint: of what stands there, or empty.
        old: the token whose value it let go, or empty.
        strange: managed key -> fingerprint of a stranger's content.
        amiss: managed keys that do not hold what they should and are ours to put right.
        keys: managed key -> fingerprint of a content that is ours from now on.
    """

    kind: ClassVar[Kind] = Kind.SEEN
    token_id: str = ""
    fingerprint: str = ""
    old: str = ""
    strange: Mapping[str, str] | None = None
    amiss: tuple[str, ...] = ()
    keys: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known(OfValue):
    """A value that stands at a target belongs to a token of ours; `ahead`: the journal had forgotten that token."""

    kind: ClassVar[Kind] = Kind.KNOWN
    target: str = ""
    ours: bool = False
    ahead: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopted(OfValue):
    """A value that stands at a target becomes the current one.

    Attributes:
        target: where it stands.
        generation: of the publication, 0 where that is not known.
        ours: whether it was minted by us, so that its consumers are known.
        ahead: whether the journal had forgotten that token.
        adopt: the token that the credential was configured to take over, which retires if it is another one.
        policy: timings of the retirements that it opens.
    """

    kind: ClassVar[Kind] = Kind.ADOPTED
    target: str = ""
    generation: int = 0
    ours: bool = False
    ahead: bool = False
    adopt: str = ""
    policy: Policy = field(default_factory=Policy)


@dataclass(frozen=True, slots=True, kw_only=True)
class Overridden(OfTarget):
    """A managed key holds a value that is not ours.

    Attributes:
        fingerprint: of what stands there.
        token_id: whose value it is, where it is another credential's of ours, or empty.
        stream: that credential, or empty.
        keys: managed key -> fingerprint of a stranger's content.
        what: what it looks like, for people.
    """

    kind: ClassVar[Kind] = Kind.OVERRIDDEN
    fingerprint: str = ""
    token_id: str = ""
    stream: str = ""
    keys: Mapping[str, str] = field(default_factory=dict)
    what: str = ""


class OverrideEnded(OfTarget):
    """It does so no more."""

    __slots__ = ()
    kind = Kind.OVERRIDE_ENDED


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetReleased(OfTarget):
    """A target left the configuration, or its place did.

    Attributes:
        stanza: what was configured, kept so that it can still be read.
        of: the target whose place left, where the target itself stays; `target` is then a name for that place.
        place: the place that left, or empty.
    """

    kind: ClassVar[Kind] = Kind.TARGET_RELEASED
    stanza: Json = None
    of: str = ""
    place: str = ""


class TargetAdded(OfTarget):
    """A target came back into the configuration."""

    __slots__ = ()
    kind = Kind.TARGET_ADDED


@dataclass(frozen=True, slots=True, kw_only=True)
class Held(OfTarget):
    """A target of another credential (`by`) holds a value of this one's token, or does so no longer (`ended`)."""

    kind: ClassVar[Kind] = Kind.HELD
    machine: ClassVar[int] = 2
    token_id: str = ""
    by: str = ""
    ended: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead(What):
    """A name of ours was seen that the journal does not know: it was lost or restored."""

    kind: ClassVar[Kind] = Kind.AHEAD
    token_id: str = ""
    token_name: str = ""


# ------------------------------------------------------------------------------------ an operator, or the configuration
@dataclass(frozen=True, slots=True, kw_only=True)
class Configured(What):
    """The stanza as it is configured now."""

    kind: ClassVar[Kind] = Kind.CONFIGURED
    spec: Mapping[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Requested(What):
    """An operator asks for a rotation; without `strategy`, or with a budget of 0 s, it is the configured one."""

    kind: ClassVar[Kind] = Kind.REQUEST
    request_id: str
    strategy: Strategy | None = None
    outage_budget: float = 0.0
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Paused(What):
    """An operator stops starts and retirements until a provider time, `NEVER` for open end."""

    kind: ClassVar[Kind] = Kind.PAUSED
    until: float = NEVER
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed(What):
    """The pause ends."""

    kind: ClassVar[Kind] = Kind.RESUMED
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved(What):
    """An operator decided what only a person can."""

    kind: ClassVar[Kind] = Kind.RESOLVED
    how: How | None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown(What):
    """A fact of a newer version: chained as it stands, and folded as nothing where that version allows it."""

    kind: ClassVar[Kind] = Kind.UNKNOWN
    word: str
    passed_over: bool


# ------------------------------------------------------------------------------------------------------------ envelopes
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
    rid: str = ""
    actor: str = "daemon"
    principal: str = ""
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
        stream: id of the credential or connection that it belongs to.
        position: place in the stream, from 1.
        epoch: fencing number of the lease under which it was written.
        writer: the process that wrote it.
        sealed_id: the sealed value that it brought, or empty.
    """

    fact_id: str
    stream: str
    position: int
    epoch: int
    writer: str
    sealed_id: str = ""
