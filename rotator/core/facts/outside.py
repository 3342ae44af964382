"""Facts about what was seen outside, about the configuration, and what operators did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from rotator.core.credential import Policy, Strategy
from rotator.core.drift import Difference
from rotator.core.facts.base import How, Kind, OfLife, OfTarget, OfToken, OfValue, What
from rotator.core.ids import (
    NO_CREDENTIAL,
    NO_REQUEST,
    NO_TOKEN,
    NO_VALUE,
    CredentialId,
    Fingerprint,
    RequestId,
    TokenId,
)
from rotator.core.plain import NEVER, Json


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
    token_id: TokenId = NO_TOKEN
    fingerprint: Fingerprint = NO_VALUE
    replace: bool = False
    free: tuple[Fingerprint, ...] = ()
    strange: Mapping[str, Fingerprint] | None = None
    amiss: tuple[str, ...] = ()
    keys: Mapping[str, Fingerprint] = field(default_factory=dict)


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
        settled: whether a write-only target still showed the same when no write of ours could arrive any more.
    """

    kind: ClassVar[Kind] = Kind.SEEN
    token_id: TokenId = NO_TOKEN
    fingerprint: Fingerprint = NO_VALUE
    old: TokenId = NO_TOKEN
    strange: Mapping[str, Fingerprint] | None = None
    amiss: tuple[str, ...] = ()
    keys: Mapping[str, Fingerprint] = field(default_factory=dict)
    settled: bool = False


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
    adopt: TokenId = NO_TOKEN
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
    fingerprint: Fingerprint = NO_VALUE
    token_id: TokenId = NO_TOKEN
    stream: CredentialId = NO_CREDENTIAL
    keys: Mapping[str, Fingerprint] = field(default_factory=dict)
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
    token_id: TokenId = NO_TOKEN
    by: CredentialId = NO_CREDENTIAL
    ended: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooked(OfTarget):
    """What follows a publication was done at a target, or some of it failed.

    Attributes:
        generation: of the publication.
        failed: names of the hooks that failed and are tried again.
        why: why the first of them failed, for people.
        remedy: what to do, for people.
    """

    kind: ClassVar[Kind] = Kind.HOOKED
    machine: ClassVar[int] = 2
    ignorable: ClassVar[bool] = True
    generation: int
    failed: tuple[str, ...] = ()
    why: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead(What):
    """A name of ours was seen that the journal does not know: it was lost or restored."""

    kind: ClassVar[Kind] = Kind.AHEAD
    token_id: TokenId = NO_TOKEN
    token_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Configured(What):
    """The stanza as it is configured now."""

    kind: ClassVar[Kind] = Kind.CONFIGURED
    spec: Mapping[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Requested(What):
    """An operator asks for a rotation; without `strategy`, or with a budget of 0 s, it is the configured one."""

    kind: ClassVar[Kind] = Kind.REQUEST
    request_id: RequestId
    strategy: Strategy | None = None
    outage_budget: float = 0.0
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revoked(What):
    """Tokens that leaked, or may have: irrevocable, and at once a mark for every transition.

    Attributes:
        request_id: of the act; a second one that joins it has its own.
        tokens: every living token of the credential whose value may have stood anywhere when this was decided.
        without_successor: starts are paused until `resume`, and the credential has no current token.
        exposed: the provider itself ended them, because a value was found in public.
        reason: for people.
        policy: timings of the retirements that it opens.
    """

    kind: ClassVar[Kind] = Kind.REVOKED
    machine: ClassVar[int] = 4
    tokens: tuple[TokenId, ...]
    request_id: RequestId = NO_REQUEST
    without_successor: bool = False
    exposed: bool = False
    reason: str = ""
    policy: Policy = field(default_factory=Policy)


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
class Forgotten(What):
    """An operator ended what the journal keeps of a credential that left the configuration; the last of its facts."""

    kind: ClassVar[Kind] = Kind.FORGOTTEN
    machine: ClassVar[int] = 3
    ignorable: ClassVar[bool] = True
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged(OfTarget):
    """A consumer says which generation it uses of what stands at a target; `reason` for people."""

    kind: ClassVar[Kind] = Kind.ACK
    machine: ClassVar[int] = 2
    ignorable: ClassVar[bool] = True
    generation: int
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared(OfLife):
    """A token was seen to differ from what was asked for, or to differ no more.

    Attributes:
        status: the provider's word for how it is.
        digest: of what the configuration said to the source then.
        differences: in what; empty where it is as it should be.
    """

    kind: ClassVar[Kind] = Kind.COMPARED
    machine: ClassVar[int] = 3
    ignorable: ClassVar[bool] = True
    status: str = ""
    digest: str = ""
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Updating(OfToken):
    """A living token is about to be changed in place; until UPDATED, or for the settle time, it may still arrive."""

    kind: ClassVar[Kind] = Kind.UPDATING
    machine: ClassVar[int] = 3
    digest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Updated(OfToken):
    """The change was answered: nothing of it is under way any more."""

    kind: ClassVar[Kind] = Kind.UPDATED
    machine: ClassVar[int] = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept(OfToken):
    """What somebody made of a token at the provider is right: successors are made like it.

    Attributes:
        token_name: what it is called.
        digest: of what the configuration said to the source then; another one ends it.
        like: what the token is, as its source tells it; opaque.
    """

    kind: ClassVar[Kind] = Kind.KEPT
    machine: ClassVar[int] = 3
    ignorable: ClassVar[bool] = True
    token_name: str = ""
    digest: str = ""
    like: Json = None
