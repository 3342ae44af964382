"""What one pass over one credential works with: its lease, the view, its source and targets, and what was seen.

It decides nothing. Everything in `Memory` may be forgotten at any time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from rotator.core.credential import NEVER, Credential
from rotator.core.errors import Barred, RotatorError, Unavailable
from rotator.core.events import Event
from rotator.core.facts import Draft, What
from rotator.core.ids import NO_CREDENTIAL, NO_ROTATION, NO_TOKEN, CredentialId, Fingerprint, RotationId, TokenId
from rotator.core.notes import Trouble
from rotator.core.ports.hook import Hook
from rotator.core.ports.journal import Journal, Lease
from rotator.core.ports.runtime import Runtime
from rotator.core.ports.source import Source, TokenState
from rotator.core.ports.target import Evidence, Remark, Target
from rotator.core.protocol.rules import Case, Look, Seen
from rotator.core.protocol.view import View
from rotator.core.reasons import Reason
from rotator.core.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """A credential with the adapters that serve it.

    Attributes:
        credential: its configuration; `managed=False` when only the journal knows it.
        source: mints and retires its tokens.
        targets: by name; those of the configuration and those that left it less than `grace` ago.
        former: scope that the credential left -> the source that still sees the tokens there.
        hooks: target -> what is done on this machine after it holds a new value.
        markers: names of the write-only targets.
    """

    credential: Credential
    source: Source
    targets: Mapping[str, Target]
    former: Mapping[str, Source] = field(default_factory=dict)
    hooks: Mapping[str, Sequence[Hook]] = field(default_factory=dict)
    markers: frozenset[str] = field(init=False, default=frozenset())

    def __post_init__(self) -> None:
        """Tell the write-only targets once: every decision asks for them."""
        blind = (name for name, target in self.targets.items() if target.evidence is Evidence.MARKER)
        object.__setattr__(self, "markers", frozenset(blind))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """Cadences in seconds.

    Attributes:
        watch: how often targets and tokens are looked at.
        sweep: how often orphans are looked for.
        doubt: over how long a value must be refused three times before it counts as dead.
    """

    watch: float = 300.0
    sweep: float = 300.0
    doubt: float = 120.0


class Fleet(Protocol):
    """All credentials, the world's view of them, and what holds starts back."""

    def bound(self, stream: CredentialId, view: View) -> Bound | None:
        """Return the adapters of a credential, from the configuration or its journaled stanza; None if neither."""

    def tokens(self, credential: Credential, source: Source, fresh: float) -> tuple[TokenState, ...]:
        """Return the owner scope's tokens, listed at most `fresh` seconds ago; raises like `Source.tokens`."""

    def listed(self, credential: Credential) -> float:
        """Return how many seconds ago the newest listing of the owner scope began."""

    def hold(self, credential: Credential) -> Reason | None:
        """Return why no new rotation may start now (`PACING`, `CLOCK_SUSPECT`), or None."""

    def reached(self, credential: Credential, target: str, answered: bool) -> None:
        """Note whether the service behind a target answered just now."""

    def died(self, credential: Credential, dead: bool) -> None:
        """Note whether the credential's published value was just seen dead or alive."""

    def peers(self, credential: Credential) -> Mapping[CredentialId, str]:
        """Return the other configured members of the credential's group: stream -> name."""

    def serves(self, place: str, by: CredentialId = NO_CREDENTIAL) -> bool:
        """Whether a configured target publishes to `place`, of any credential or of that one."""

    def incident(self, connection: str) -> bool:
        """Whether so many of the connection's tokens died at once that it is not believed."""


@dataclass(slots=True)
class Doubt:
    """Refusals of one value in a row: three over two minutes, while a control token passes, prove it dead."""

    times: tuple[float, ...] = ()


@dataclass(slots=True)
class Memory:
    """What a process remembers of one credential between passes.

    Attributes:
        seen: observations with their age.
        doubts: by fingerprint.
        verified: fingerprint -> (provider time of the last acceptance, the token's `modified_at` then).
        used: token id -> last use as the provider last said.
        orphans: token ids of ours that nothing owns, as last seen.
        alarmed: rotation id whose outage over its budget was said already.
        asked: (target, fingerprint) -> when the provider was last asked whose that value is.
        troubles: (target, act) -> why the last write preflight or read of a target failed; for `status`.
        ends: target that will itself delete what stands there -> when; for `status`.
        remarks: target -> what its last write preflight remarked; each is said once.
        compared: token id -> when the provider was last asked for it alone, to compare it.
        alive: token ids that were current, retiring or standing at a target when it was last looked.
        unknown: name of the last attempt whose outcome is not known, and why it is not.
    """

    seen: dict[Look, Seen] = field(default_factory=dict)
    doubts: dict[Fingerprint, Doubt] = field(default_factory=dict)
    verified: dict[Fingerprint, tuple[float, float]] = field(default_factory=dict)
    used: dict[TokenId, float] = field(default_factory=dict)
    orphans: frozenset[TokenId] = frozenset()
    alarmed: RotationId = NO_ROTATION
    asked: dict[tuple[str, Fingerprint], float] = field(default_factory=dict)
    troubles: dict[tuple[str, str], Trouble] = field(default_factory=dict)
    ends: dict[str, float] = field(default_factory=dict)
    remarks: dict[str, frozenset[Remark]] = field(default_factory=dict)
    unknown: tuple[str, str] = ("", "")
    compared: dict[TokenId, float] = field(default_factory=dict)
    alive: frozenset[TokenId] = frozenset()

    def follow(self, view: View) -> None:
        """Forget what was seen of tokens that have ended and stand nowhere, and of their values: nobody asks again.

        Other processes end tokens, too. It is safe beside threads that work on other targets meanwhile.
        """
        alive = {view.current, *view.retirements, *view.last.values()} - {NO_TOKEN}
        ended, self.alive = self.alive - alive, frozenset(alive)
        if not ended:
            return
        gone: set[str] = {*ended, *(value for value, of in view.values.items() if of in ended)}
        for look in [one for one in list(self.seen) if one.of in gone]:
            self.seen.pop(look, None)
        for key in [one for one in list(self.asked) if one[1] in gone]:
            self.asked.pop(key, None)
        for known in (self.doubts, self.verified, self.used, self.compared):
            for one in gone & known.keys():
                known.pop(one, None)  # type: ignore[call-overload]  # ids and fingerprints are text, and never equal


@dataclass(slots=True, kw_only=True)
class Work:
    """One pass of one process over one credential, under its lease."""

    stream: CredentialId
    lease: Lease
    view: View
    bound: Bound
    memory: Memory
    journal: Journal
    runtime: Runtime
    fleet: Fleet
    tuning: Tuning

    @property
    def credential(self) -> Credential:
        """The configuration now."""
        return self.bound.credential

    @property
    def source(self) -> Source:
        """The credential's source."""
        return self.bound.source

    def source_of(self, token_id: TokenId) -> Source:
        """Return the source that sees a token: of the scope in which it was minted.

        Raises:
            Unavailable: that scope can no longer be reached.
        """
        scope = self.view.scope_of(token_id)
        if not scope or scope == self.credential.scope:
            return self.source
        found = self.bound.former.get(scope)
        if found is None:
            raise Unavailable(
                f"asking for a token in {scope}, which the credential has left: its connection is not configured",
                "configure that connection again until the token has ended, or end it at the provider by hand",
            )
        return found

    @property
    def now(self) -> float:
        """Provider time, unix seconds: what deadlines are held against."""
        return self.runtime.now(self.credential.connection)

    @property
    def believed(self) -> float:
        """Provider time, unix seconds: what facts and expiries are written with."""
        return self.runtime.believed(self.credential.connection)

    def case(self) -> Case:
        """What the core is asked about."""
        credential = self.credential
        return Case(
            view=self.view,
            credential=credential,
            now=self.now,
            seen=self.memory.seen,
            watch=self.tuning.watch,
            sweep=self.tuning.sweep,
            start=None if self.view.rotation else self.fleet.hold(credential),
            incident=self.fleet.incident(credential.connection),
            can=self.source.can,
            markers=self.bound.markers,
        )

    def stamped(self, what: What, rid: RotationId | None = None) -> Draft:
        """Return a fact stamped with time and principal; about the open rotation, if one is open, or about `rid`."""
        rotation = self.view.rotation
        return Draft(
            what=what,
            at=self.believed,
            rid=(rotation.rid if rotation else NO_ROTATION) if rid is None else rid,
            principal=self.source.principal,
            owner=self.credential.owner,
        )

    def record(self, what: What, value: Secret | None = None, rid: RotationId | None = None) -> None:
        """Make a fact durable, with the value that it brings, if any."""
        self.append(self.stamped(what, rid), value)

    def append(self, draft: Draft, value: Secret | None = None) -> None:
        """Make a fact durable under the lease; memory follows the journal, never the other way round."""
        before, self.view = self.view, self.journal.append(self.lease, draft, value)
        what = draft.what
        token, target = getattr(what, "token_id", None), getattr(what, "target", None)
        self.say(Event.FACT, kind=what.kind.value, token=token or None, target=target or None)
        for opened in sorted(self.view.retirements.keys() - before.retirements.keys()):
            self.say(Event.RETIREMENT_OPENED, token=opened)
        self.memory.follow(self.view)

    def say(self, event: Event, /, **fields: object) -> None:
        """Say what happened, bound to the credential and the open rotation."""
        rotation = self.view.rotation
        bound: dict[str, object] = {"credential": self.credential.name, "connection": self.credential.connection}
        if rotation:
            bound |= {"rotation": rotation.rid, "step": rotation.step.value, "attempt": rotation.attempt}
        self.runtime.event(event.value, **{**bound, **fields})

    def trouble(self, target: str, act: str, error: RotatorError | None) -> None:
        """Say that a look at a target failed, and remember why for `status`; with None: that it did not."""
        silent = isinstance(error, Unavailable) and not isinstance(error, Barred)
        self.fleet.reached(self.credential, target, not silent)
        if error is None:
            self.memory.troubles.pop((target, act), None)
            return
        self.memory.troubles[target, act] = Trouble(act=act, message=error.message, remedy=error.remedy)
        self.say(Event.TARGET_FAILED, target=target, act=act, reason=error.message, remedy=error.remedy or None)

    def ends(self, target: str, at: float) -> None:
        """Remember when a target will itself delete what stands there; `NEVER` where it will not."""
        if at == NEVER:
            self.memory.ends.pop(target, None)
        else:
            self.memory.ends[target] = at

    def forget(self, look: Look) -> None:
        """Drop an observation that an effect of ours has made stale."""
        self.memory.seen.pop(look, None)


def whole_seconds(at: float) -> float:
    """Return a provider time in whole seconds, as the provider keeps it; `NEVER` stays."""
    return at if at == NEVER else float(int(at))
