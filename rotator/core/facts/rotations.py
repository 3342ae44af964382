"""Facts of a rotation, from its plan to its end, and of a retirement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Final

from rotator.core.credential import Policy, Terms
from rotator.core.facts.base import Kind, OfLife, OfPublication, OfRotation, OfToken, OfValue, What
from rotator.core.ids import NO_REQUEST, NO_TOKEN, NO_VALUE, Fingerprint, RequestId, TokenId
from rotator.core.reasons import OperatorCode


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned(What):
    """A rotation opens with frozen terms; roll and republish name the token, a republish also the value."""

    kind: ClassVar[Kind] = Kind.PLANNED
    terms: Terms
    token_id: TokenId = NO_TOKEN
    fingerprint: Fingerprint = NO_VALUE
    request_id: RequestId = NO_REQUEST


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent(What):
    """A mint is about to be sent under a name that is used once; `why` the answer before it was lost, if one was."""

    kind: ClassVar[Kind] = Kind.INTENT
    attempt: int
    token_name: str
    token_id: TokenId = NO_TOKEN
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
    fingerprint: Fingerprint = NO_VALUE


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
    adopt: TokenId = NO_TOKEN
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
        full: of a mint, whether it was refused because as many tokens exist as may.
    """

    kind: ClassVar[Kind] = Kind.FAILED
    act: str
    why: str = ""
    remedy: str = ""
    code: OperatorCode | None = None
    target: str = ""
    token_id: TokenId = NO_TOKEN
    token_name: str = ""
    attempt: int = 0
    not_written: str | None = None
    full: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishIntent(OfPublication):
    """A write is about to happen on top of that version; `keys`: managed key -> fingerprint of its content."""

    kind: ClassVar[Kind] = Kind.PUBLISH_INTENT
    version: str = ""
    keys: Mapping[str, Fingerprint] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Written(OfPublication):
    """A target holds the value of this publication.

    Attributes:
        old: the token whose value stood there before, or empty.
        marker: what a write-only target showed right after the write.
        keys: managed key -> fingerprint of its content.
    """

    kind: ClassVar[Kind] = Kind.WRITTEN
    old: TokenId = NO_TOKEN
    marker: str = ""
    keys: Mapping[str, Fingerprint] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadBack(OfPublication):
    """It was read back over a new connection, and verified.

    Attributes:
        marker: what a write-only target still showed.
        outage: seconds since the roll that ended the value that stood there before, 0 where none did.
    """

    kind: ClassVar[Kind] = Kind.READ_BACK
    marker: str = ""
    outage: float = 0.0


class Unwritten(OfPublication):
    """A target does not hold it any more."""

    __slots__ = ()
    kind = Kind.UNWRITTEN


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
