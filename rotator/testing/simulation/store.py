"""The simulated journal store: facts, leases, spools, snapshots. It keeps the same laws as the real one, in memory."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any

from rotator.core.errors import Fenced, IllegalFact, JournalUnsafe
from rotator.core.facts import UNFENCED, Draft, Fact, Kind, OfValue
from rotator.core.ids import CredentialId, FactId
from rotator.core.protocol.fold import fold
from rotator.core.protocol.steps import GUARDS, Guards, legal
from rotator.core.protocol.view import View, blank

TTL = 30.0


@dataclass(slots=True)
class Stream:
    """One stream: its facts are folded at once; snapshots are free because views are immutable."""

    view: View = field(default_factory=blank)
    next_at: float = 0.0


@dataclass(slots=True)
class Held:
    """A lease: who, which epoch, until when."""

    holder: tuple[str, int]
    epoch: int
    until: float


Snapshot = tuple[dict[CredentialId, Stream], dict[CredentialId, Held]]
"""What a backup holds."""


class Store:
    """The durable truth of one simulated world; `mutants` names the laws that this run leaves out."""

    def __init__(self, mutants: frozenset[str], guards: Guards = GUARDS) -> None:
        self.mutants, self.guards = mutants, guards
        self.sealed_at: dict[str, int] = {}
        self.streams: dict[CredentialId, Stream] = {}
        self.values: dict[str, str] = {}
        self.leases: dict[CredentialId, Held] = {}
        self.spools: dict[tuple[str, int], list[tuple[CredentialId, Draft, str]]] = {}
        self.full_until = -1.0
        self.facts = 0
        self.log: list[tuple[CredentialId, Draft]] = []

    def copy(self) -> Store:
        """Another store of which nothing is shared that can be changed; its log begins anew."""
        other = Store(self.mutants, self.guards)
        other.sealed_at, other.values = dict(self.sealed_at), dict(self.values)
        other.streams, other.leases = self.snapshot()
        other.spools = {owner: list(records) for owner, records in self.spools.items()}
        other.full_until, other.facts = self.full_until, self.facts
        return other

    def room(self, now: float) -> None:
        """Raise while the disk is full."""
        if now < self.full_until:
            raise JournalUnsafe("writing the journal: the disk is full")

    def stream(self, name: CredentialId) -> Stream:
        """Return a stream, empty at first."""
        found = self.streams.get(name)
        if found is None:
            found = self.streams[name] = Stream()
        return found

    def claim(self, stream: CredentialId, me: tuple[str, int], now: float, alive: set[tuple[str, int]]) -> int | None:
        """Return the epoch of a lease taken or renewed; None while a living process holds it."""
        self.room(now)
        held = self.leases.get(stream)
        if held and held.holder != me and held.until > now and held.holder in alive:
            return None
        epoch = held.epoch if held and held.holder == me else (held.epoch if held else 0) + 1
        self.leases[stream] = Held(me, epoch, now + TTL)
        if "no_replay" not in self.mutants:
            for dead in [owner for owner in self.spools if owner not in alive]:
                for name, draft, value in self.spools.pop(dead):
                    self.put(name, draft, value, epoch=0)
        return epoch

    def fence(self, stream: CredentialId, me: tuple[str, int], epoch: int) -> None:
        """Raise `Fenced` unless the lease is still this one."""
        held = self.leases.get(stream)
        if held is None or ("no_fence" not in self.mutants and (held.epoch != epoch or held.holder != me)):
            raise Fenced(f"the lease of {stream} is somebody else's")

    def put(self, stream: CredentialId, draft: Draft, value: str | None, epoch: int) -> View:
        """Fold a fact in, if it is legal."""
        found = self.stream(stream)
        if why := self._illegal(found.view, draft):
            raise IllegalFact(why)
        self.facts += 1
        base: dict[str, Any] = {f.name: getattr(draft, f.name) for f in fields(Draft)}
        fact = Fact(
            **base,
            fact_id=FactId(str(self.facts)),
            stream=stream,
            position=found.view.position + 1,
            epoch=epoch,
            writer="",
        )
        if value is not None:
            fingerprint = brought(draft)
            self.values[fingerprint] = value
            self.sealed_at.setdefault(fingerprint, epoch)
        found.view = fold(found.view, fact)
        self.log.append((stream, draft))
        return found.view

    def _illegal(self, view: View, draft: Draft) -> str:
        if draft.kind is Kind.ABANDONED and "abandon_unfenced" in self.mutants:
            return ""
        return legal(view, draft, self.guards)

    def append(self, stream: CredentialId, draft: Draft, value: str | None, me: tuple[str, int], epoch: int) -> View:
        """Append under a lease."""
        loose = draft.kind in UNFENCED or (draft.kind is Kind.ABANDONED and "abandon_unfenced" in self.mutants)
        if not loose or (draft.kind is Kind.CAPTURED and "capture_fenced" in self.mutants):
            self.fence(stream, me, epoch)
        return self.put(stream, draft, value, epoch)

    def snapshot(self) -> Snapshot:
        """Return a copy to restore later."""
        return {k: replace(s) for k, s in self.streams.items()}, {k: replace(h) for k, h in self.leases.items()}


def brought(draft: Draft) -> str:
    """The fingerprint of the value that a fact brings, or an empty string."""
    return draft.what.fingerprint if isinstance(draft.what, OfValue) else ""
