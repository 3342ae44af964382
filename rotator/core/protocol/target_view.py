"""What the journal knows of each target, and the same asked by one thing of all targets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from rotator.core.ids import CredentialId, Fingerprint, TokenId
from rotator.core.plain import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """Who said that what stands at a target is to be left alone, and when (provider time)."""

    by: str
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """A value of another credential of ours that stands at a target: its stream, its token, its fingerprint."""

    stream: CredentialId
    token_id: TokenId
    fingerprint: Fingerprint


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What a write-only target showed right after a write of ours.

    Attributes:
        marker: what it showed.
        token_id: the token whose value was written.
        fingerprint: that value.
        at: provider time at which it was noted.
        stood: whether it was seen unchanged when no request of ours could arrive any more.
    """

    marker: str
    token_id: TokenId
    fingerprint: Fingerprint
    at: float
    stood: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What a target that left the configuration was: its stanza, so that it can still be read, and its place."""

    stanza: Json
    place: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooking:
    """How what follows a publication ended at a target.

    Attributes:
        generation: of the publication.
        at: when it ended last, provider time.
        failed: names of the hooks that failed.
        count: failures in a row.
        why: why the first of them failed, for people.
        remedy: what to do, for people.
    """

    generation: int
    at: float
    failed: tuple[str, ...] = ()
    count: int = 0
    why: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetView:
    """What the journal knows of one target.

    Attributes:
        known: its first sight is journaled.
        token_id: whose value was last written to or seen at it, empty for nobody's; None before anything was.
        holds: fingerprint of what last was written to or seen at its value key, empty for nothing; None before.
        amiss: managed keys that did not hold what belongs to the value beside them.
        strange: managed key -> fingerprint of a stranger's content there.
        strange_at: since when it stands there.
        kept: those of `strange` beside a value of ours that an operator told us to leave alone.
        overridden: fingerprint of a value unknown to us that stands there, None where none does.
        overridden_at: since when one stands there.
        what: what that is, in words for people.
        guest: whose it is, where it is a living value of another credential of ours.
        occupied: it stood there at first sight.
        heeded: fingerprint that an operator told us to leave alone until it changes (`resolve --accept`), or None.
        accepted: who told us to leave alone what stands there, and when.
        allowed: fingerprints that may be overwritten.
        released: when it left the configuration, None while it is in it.
        past: what it was then.
        generations: token id -> generation that we last wrote there, or meant to; of tokens that are still ours.
        open_writes: token id -> versions on top of which a write may still happen, one for each intent.
        intents_at: token id -> when the last intent to write it there was noted.
        mark: what a write-only target showed right after our last write.
        ack: highest generation that a consumer said it uses (`rotator ack`), None where none did.
        hooked: how what follows a publication ended there last, None where it never ended.
        dead_since: when the roll was sent that ended what stands there, None once a living value was read back.
        outage: seconds for which the last roll left it without one, from then to the read-back; 0 where none did.
    """

    known: bool = False
    token_id: TokenId | None = None
    holds: Fingerprint | None = None
    amiss: tuple[str, ...] = ()
    strange: Mapping[str, Fingerprint] = field(default_factory=dict)
    strange_at: float = 0.0
    kept: Mapping[str, Fingerprint] = field(default_factory=dict)
    overridden: Fingerprint | None = None
    overridden_at: float = 0.0
    what: str = ""
    guest: Guest | None = None
    occupied: bool = False
    heeded: Fingerprint | None = None
    accepted: Acceptance | None = None
    allowed: frozenset[Fingerprint] = frozenset()
    released: float | None = None
    past: Past | None = None
    generations: Mapping[TokenId, int] = field(default_factory=dict)
    open_writes: Mapping[TokenId, tuple[str, ...]] = field(default_factory=dict)
    intents_at: Mapping[TokenId, float] = field(default_factory=dict)
    mark: Mark | None = None
    ack: int | None = None
    hooked: Hooking | None = None
    dead_since: float | None = None
    outage: float = 0.0

    def outage_by(self, now: float) -> float:
        """Seconds of its last outage by a roll, the one that lasts included; `now` in provider time."""
        ours = self.overridden is None and self.heeded is None
        return self.outage if self.dead_since is None or not ours else max(0.0, now - self.dead_since)

    @property
    def published(self) -> int:
        """The generation that we last wrote there, 0 where something else stands there or nothing is known."""
        return self.generations.get(self.token_id, 0) if self.token_id else 0


UNSEEN: Final = TargetView()
"""A target of which nothing is known."""


class ByTarget:
    """Whoever reads one thing of all targets asks for it by name."""

    __slots__ = ()
    targets: Mapping[str, TargetView]

    def at(self, target: str) -> TargetView:
        """Return what is known of a target."""
        return self.targets.get(target, UNSEEN)

    @property
    def baselines(self) -> frozenset[str]:
        """Targets whose first sight is journaled."""
        return frozenset(name for name, found in self.targets.items() if found.known)

    @property
    def last(self) -> Mapping[str, TokenId]:
        """Target -> token id last written to or seen at it."""
        return {name: found.token_id for name, found in self.targets.items() if found.token_id is not None}

    @property
    def holds(self) -> Mapping[str, Fingerprint]:
        """Target -> fingerprint of what last was written to or seen at its value key."""
        return {name: found.holds for name, found in self.targets.items() if found.holds is not None}

    @property
    def amiss(self) -> Mapping[str, tuple[str, ...]]:
        """Target -> managed keys that did not hold what belongs to the value beside them."""
        return {name: found.amiss for name, found in self.targets.items() if found.amiss}

    @property
    def strange(self) -> Mapping[str, Mapping[str, Fingerprint]]:
        """Target -> managed key -> fingerprint of a stranger's content there."""
        return {name: found.strange for name, found in self.targets.items() if found.strange}

    @property
    def strange_at(self) -> Mapping[str, float]:
        """Since when it stands there."""
        return {name: found.strange_at for name, found in self.targets.items() if found.strange}

    @property
    def kept(self) -> Mapping[str, Mapping[str, Fingerprint]]:
        """Those of `strange` beside a value of ours that an operator told us to leave alone."""
        return {name: found.kept for name, found in self.targets.items() if found.kept}

    @property
    def overridden(self) -> Mapping[str, Fingerprint]:
        """Target -> fingerprint of a value unknown to us that stands there."""
        return {name: found.overridden for name, found in self.targets.items() if found.overridden is not None}

    @property
    def overridden_at(self) -> Mapping[str, float]:
        """Since when one stands at each target of `overridden`."""
        return {name: found.overridden_at for name, found in self.targets.items() if found.overridden is not None}

    @property
    def what(self) -> Mapping[str, str]:
        """Target of `overridden` -> what stands there, in words for people."""
        return {name: found.what for name, found in self.targets.items() if found.what}

    @property
    def guests(self) -> Mapping[str, Guest]:
        """Target that holds a living value of another credential of ours -> whose."""
        return {name: found.guest for name, found in self.targets.items() if found.guest}

    @property
    def occupied(self) -> frozenset[str]:
        """Those of `overridden` that stood there at first sight."""
        return frozenset(name for name, found in self.targets.items() if found.occupied)

    @property
    def heeded(self) -> Mapping[str, Fingerprint]:
        """Target -> fingerprint that an operator told us to leave alone until it changes."""
        return {name: found.heeded for name, found in self.targets.items() if found.heeded is not None}

    @property
    def accepted(self) -> Mapping[str, Acceptance]:
        """Target -> who told us to leave alone what stands there, and when."""
        return {name: found.accepted for name, found in self.targets.items() if found.accepted}

    @property
    def allowed(self) -> frozenset[tuple[str, Fingerprint]]:
        """(target, fingerprint) that may be overwritten."""
        return frozenset((name, piece) for name, found in self.targets.items() for piece in found.allowed)

    @property
    def released(self) -> Mapping[str, float]:
        """Target that left the configuration -> when."""
        return {name: found.released for name, found in self.targets.items() if found.released is not None}

    @property
    def past(self) -> Mapping[str, Json]:
        """Target that left the configuration -> its stanza."""
        return {name: found.past.stanza for name, found in self.targets.items() if found.past}

    @property
    def vacated(self) -> Mapping[str, str]:
        """Target that left the configuration -> its place."""
        return {name: found.past.place for name, found in self.targets.items() if found.past and found.past.place}

    @property
    def generations(self) -> Mapping[tuple[str, TokenId], int]:
        """(target, token id) -> generation that we last wrote there."""
        return {(name, t): n for name, found in self.targets.items() for t, n in found.generations.items()}

    @property
    def open_writes(self) -> Mapping[tuple[str, TokenId], tuple[str, ...]]:
        """(target, token id) -> versions on top of which a write may still happen."""
        return {(name, t): v for name, found in self.targets.items() for t, v in found.open_writes.items()}

    @property
    def intents_at(self) -> Mapping[tuple[str, TokenId], float]:
        """(target, token id) -> when the last intent to write there was noted."""
        return {(name, t): at for name, found in self.targets.items() for t, at in found.intents_at.items()}

    @property
    def marks(self) -> Mapping[str, Mark]:
        """Write-only target -> what it showed right after our last write."""
        return {name: found.mark for name, found in self.targets.items() if found.mark}

    @property
    def acks(self) -> Mapping[str, int]:
        """Target -> highest generation that a consumer said it uses."""
        return {name: found.ack for name, found in self.targets.items() if found.ack is not None}
