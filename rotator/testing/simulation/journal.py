"""The journal port over the simulated store."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from rotator.core.errors import (
    Fenced,
    JournalUnsafe,
    Unavailable,
)
from rotator.core.facts import Draft
from rotator.core.ids import NO_CREDENTIAL, CredentialId, Fingerprint, RotationId, TokenId
from rotator.core.ports.journal import Due, Lease
from rotator.core.protocol.names import parse
from rotator.core.protocol.view import View
from rotator.core.secret import Secret
from rotator.testing.simulation.door import Door
from rotator.testing.simulation.store import brought

T = TypeVar("T")


class SimJournal:
    """The journal port over the simulated store."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._store = door.world.store

    @property
    def instance(self) -> str:
        """The id of this journal; a lost journal gets a new one."""
        return self._door.world.instance

    def _do(self, stream: CredentialId, operation: str, effect: Callable[[], T]) -> T:
        return self._door.call(stream, "journal", operation, effect)

    def claim(self, stream: CredentialId) -> Lease | None:
        """See the port."""

        def effect() -> Lease | None:
            world = self._door.world
            epoch = self._store.claim(stream, self._door.me, world.hub.now, world.alive())
            return None if epoch is None else Lease(stream, epoch, self._door.process.name)

        return self._do(stream, "claim", effect)

    def release(self, lease: Lease, next_at: float | None, why: str = "") -> None:
        """See the port."""

        def effect() -> None:
            if next_at is not None:
                self._store.stream(lease.stream).next_at = next_at

        self._do(lease.stream, "release", effect)

    def noted(self, stream: CredentialId) -> str:
        """See the port; nobody reads `status` here."""
        return ""

    def _fence(self, lease: Lease) -> None:
        self._store.room(self._door.hub.now)
        self._store.fence(lease.stream, self._door.me, lease.epoch)
        self._store.leases[lease.stream].until = self._door.hub.now + 30

    def check(self, lease: Lease) -> None:
        """See the port."""
        self._do(lease.stream, "check", lambda: self._fence(lease))

    def view(self, stream: CredentialId) -> View:
        """See the port; reading parks nobody."""
        self._store.room(self._door.hub.now)
        return self._store.stream(stream).view

    def append(self, lease: Lease, draft: Draft, value: Secret | None = None) -> View:
        """See the port."""

        def effect() -> View:
            self._store.room(self._door.hub.now)
            plain = value.reveal() if value else None
            view = self._store.append(lease.stream, draft, plain, self._door.me, lease.epoch)
            self._door.happenings.appended(lease.stream, draft)
            return view

        return self._do(lease.stream, draft.kind.value, effect)

    def note(self, stream: CredentialId, draft: Draft) -> View:
        """See the port."""
        return self._store.put(stream, draft, None, 0)

    def spool(self, stream: CredentialId, draft: Draft, value: Secret) -> None:
        """See the port."""

        def effect() -> None:
            self._store.room(self._door.hub.now)
            if "no_spool" not in self._door.world.mutants:
                self._store.spools.setdefault(self._door.me, []).append((stream, draft, value.reveal()))

        self._do(stream, "spool", effect)
        self._door.world.judge.spooled(stream, draft)

    def capture(self, stream: CredentialId, draft: Draft, value: Secret) -> View:
        """See the port."""

        def effect() -> View:
            self._store.room(self._door.hub.now)
            epoch = self._store.leases[stream].epoch
            if "capture_fenced" in self._door.world.mutants and self._store.leases[stream].holder != self._door.me:
                raise Fenced("captures are fenced in this mutant")
            view = self._store.put(stream, draft, value.reveal(), epoch)
            mine = self._store.spools.get(self._door.me, [])
            mine[:] = [kept for kept in mine if brought(kept[1]) != brought(draft)]
            self._door.happenings.appended(stream, draft)
            return view

        return self._do(stream, "capture", effect)

    def reveal(self, stream: CredentialId, fingerprint: Fingerprint) -> Secret:
        """See the port."""
        held = self._store.leases.get(stream)
        if "epoch_in_aad" in self._store.mutants and held and self._store.sealed_at[fingerprint] != held.epoch:
            raise JournalUnsafe("opening a value: it does not decrypt")
        return Secret(self._store.values[fingerprint])

    def fingerprint(self, value: Secret) -> Fingerprint:
        """A name for a value; the simulation has nothing to hide."""
        return Fingerprint("f" + value.reveal())

    def canary(self) -> None:
        """See the port."""
        self._do(NO_CREDENTIAL, "canary", lambda: self._store.room(self._door.hub.now))

    @contextmanager
    def place(self, lease: Lease, place: str) -> Iterator[None]:
        """See the port: a lock that a killed process loses."""
        world, mine = self._door.world, (*self._door.me, lease.stream)
        self._door.call(lease.stream, "file", "lock", lambda: None)
        if "no_place_lock" not in world.mutants:
            owner = world.locks.get(place)
            if owner and owner != mine and owner[:2] in world.alive():
                raise Unavailable(f"{place} is being written")
            world.locks[place] = mine
        try:
            yield
        finally:
            if world.locks.get(place) == mine:
                del world.locks[place]

    def destroy(self, stream: CredentialId, token_id: TokenId) -> None:
        """See the port; kept here, for the judge."""

    def owner_of(self, fingerprint: Fingerprint, but: CredentialId) -> tuple[CredentialId, TokenId, bool] | None:
        """See the port; reading parks nobody, and no credential of a simulated fleet leaves the configuration."""
        others = ((name, s.view.values) for name, s in self._store.streams.items() if name != but)
        return next(((name, values[fingerprint], True) for name, values in others if fingerprint in values), None)

    def stream_of(self, rid: RotationId, *, managed: bool = False) -> CredentialId:
        """See the port; reading parks nobody, and no credential of a simulated fleet leaves the configuration."""
        names = ((stream, parse(name)) for stream, s in self._store.streams.items() for name in s.view.attempts)
        return next((stream for stream, name in names if name and name.rid == rid), NO_CREDENTIAL)

    def raise_epoch(self, lease: Lease, above: int) -> Lease:
        """See the port."""

        def effect() -> Lease:
            self._fence(lease)
            held = self._store.leases[lease.stream]
            held.epoch = max(held.epoch, above + 1)
            return Lease(lease.stream, held.epoch, lease.holder)

        return self._do(lease.stream, "raise_epoch", effect)

    def due(self, connection: str, now: float, limit: int) -> Sequence[Due]:
        """See the port."""
        found = [Due(name, s.next_at) for name, s in self._store.streams.items() if s.next_at <= now]
        return sorted(found, key=lambda d: d.next_at)[:limit]

    def wake(self, streams: Sequence[CredentialId], at: float = 0.0) -> None:
        """See the port."""
        for name in streams:
            found = self._store.stream(name)
            found.next_at = min(found.next_at, at)
