"""The simulated ports: each method parks its greenlet, may meet a fault, and then acts on the world."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TypeVar

from rotator.core.credential import NEVER, Credential
from rotator.core.errors import (
    Conflict,
    Fenced,
    JournalUnsafe,
    OutcomeUnknown,
    RateLimited,
    Refused,
    RotatorError,
    Unavailable,
)
from rotator.core.facts import Draft
from rotator.core.ports.journal import Due, Lease
from rotator.core.ports.source import Minted, TokenState
from rotator.core.ports.target import Publication, Reading
from rotator.core.protocol.view import View
from rotator.core.schedule.agenda import CLOCK_SUSPECT
from rotator.core.secret import Secret
from rotator.engine.provider_time import ProviderTime
from rotator.engine.work import Bound
from rotator.testing.simulation.hub import Hub, Killed, Process

if TYPE_CHECKING:
    from rotator.testing.simulation.world import World

T = TypeVar("T")
SETTLE = 60.0
TIMEOUT = 10.0
"""Seconds after which a request without an answer is given up."""

MUTATING = frozenset({"mint", "roll", "extend", "disable", "delete", "put", "stage", "move"})


class Door:
    """What all ports of one incarnation of one process share: parking and faults."""

    def __init__(self, world: World, process: Process) -> None:
        self.world, self.process, self.incarnation = world, process, process.incarnation
        self.me = process.me
        self.time = ProviderTime(lambda: world.hub.now, lambda: world.hub.now, SETTLE)

    @property
    def hub(self) -> Hub:
        """The loop of virtual time."""
        return self.world.hub

    def sleep(self, seconds: float) -> None:
        """Park this greenlet."""
        self.hub.sleep(self.process, self.incarnation, seconds)

    def call(
        self, stream: str, port: str, operation: str, effect: Callable[[], T], special: Callable[[str], T] | None = None
    ) -> T:
        """Pass a port: meet this call's fault, or simply do it."""
        world = self.world
        if self.process.incarnation != self.incarnation:
            raise Killed
        hit = world.faults.at(self.process.name, stream, port, operation)
        world.calls += 1
        if world.trace is not None:
            world.note(self.process.name, stream, port, operation, hit[0] if hit else "")
        kind, seconds = hit or ("", 0.0)
        if kind == "kill":
            world.kill(self.process)
            raise Killed
        if kind == "stop":
            world.stop(self.process, seconds)
            kind = ""
        if port in ("journal", "file", "wait"):
            return self._local(kind, seconds, effect)
        return self._remote(port, operation, kind, seconds, effect, special)

    def _local(self, kind: str, seconds: float, effect: Callable[[], T]) -> T:
        """The journal and files: no network, but a commit may be unknown."""
        if kind == "fail":
            self.sleep(1.0)
            raise JournalUnsafe("the commit failed")
        if kind == "late_commit":
            self.hub.at(seconds, lambda: self._loose(effect))
            self.sleep(0.5)
            raise JournalUnsafe("the commit's outcome is unknown")
        if kind == "ambiguous":
            self._loose(effect)
            self.sleep(0.5)
            raise JournalUnsafe("the commit's outcome is unknown")
        self.sleep(0.005)
        result = effect()
        self._after(kind, seconds)
        self.sleep(0.005)
        return result

    def _remote(
        self,
        port: str,
        operation: str,
        kind: str,
        seconds: float,
        effect: Callable[[], T],
        special: Callable[[str], T] | None,
    ) -> T:
        """Provider and targets: requests and answers get lost, come late, come twice."""
        unknown: type[RotatorError] = OutcomeUnknown if operation in MUTATING else Unavailable
        if kind == "lose_request":
            self.sleep(TIMEOUT)
            raise unknown(f"{operation}: no answer")
        if kind == "reject":
            self.sleep(0.3)
            raise Refused(f"{operation}: no")
        if kind == "limit":
            self.sleep(0.3)
            raise RateLimited(f"{operation}: too many requests", 300.0)
        latency = self.world.chance.choice([0.2, 0.2, 0.5, 2.0])
        if kind == "late":
            self.hub.at(seconds, lambda: self._loose(effect))
            self.sleep(TIMEOUT)
            raise unknown(f"{operation}: no answer")
        if kind == "lose_answer":
            self.hub.at(latency, lambda: self._loose(effect))
            self.sleep(TIMEOUT)
            raise unknown(f"{operation}: no answer")
        if kind == "duplicate":
            self.hub.at(seconds, lambda: self._loose(effect))
        self.sleep(latency)
        if port == "source":
            self.time.observe(float(int(self.hub.now + self.world.skew)))
        result = special(kind) if special and kind in ("twin", "wrong_grants", "spurious") else effect()
        self._after(kind, seconds)
        self.sleep(0.1)
        return result

    def _after(self, kind: str, seconds: float) -> None:
        """The process ends, or is stopped, with the effect done and the answer not yet seen."""
        if kind == "kill_after":
            self.world.kill(self.process)
            raise Killed
        if kind == "stop_after":
            self.world.stop(self.process, seconds)

    @staticmethod
    def _loose(effect: Callable[[], object]) -> None:
        """An effect whose answer nobody sees."""
        with suppress(RotatorError):
            effect()


class SimJournal:
    """The journal port over the simulated store."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._store = door.world.store

    @property
    def instance(self) -> str:
        """The id of this journal; a lost journal gets a new one."""
        return self._door.world.instance

    def _do(self, stream: str, operation: str, effect: Callable[[], T]) -> T:
        return self._door.call(stream, "journal", operation, effect)

    def claim(self, stream: str) -> Lease | None:
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

    def _fence(self, lease: Lease) -> None:
        self._store.room(self._door.hub.now)
        self._store.fence(lease.stream, self._door.me, lease.epoch)
        self._store.leases[lease.stream].until = self._door.hub.now + 30

    def check(self, lease: Lease) -> None:
        """See the port."""
        self._do(lease.stream, "check", lambda: self._fence(lease))

    def view(self, stream: str) -> View:
        """See the port; reading parks nobody."""
        self._store.room(self._door.hub.now)
        return self._store.stream(stream).view

    def append(self, lease: Lease, draft: Draft, value: Secret | None = None) -> View:
        """See the port."""

        def effect() -> View:
            self._store.room(self._door.hub.now)
            plain = value.reveal() if value else None
            view = self._store.append(lease.stream, draft, plain, self._door.me, lease.epoch)
            self._door.world.appended(lease.stream, draft)
            return view

        return self._do(lease.stream, draft.kind.value, effect)

    def note(self, stream: str, draft: Draft) -> View:
        """See the port."""
        return self._store.put(stream, draft, None, 0)

    def spool(self, stream: str, draft: Draft, value: Secret) -> None:
        """See the port."""

        def effect() -> None:
            self._store.room(self._door.hub.now)
            if "no_spool" not in self._door.world.mutants:
                self._store.spools.setdefault(self._door.me, []).append((stream, draft, value.reveal()))

        self._do(stream, "spool", effect)

    def capture(self, stream: str, draft: Draft, value: Secret) -> View:
        """See the port."""

        def effect() -> View:
            self._store.room(self._door.hub.now)
            epoch = self._store.leases[stream].epoch
            if "capture_fenced" in self._door.world.mutants and self._store.leases[stream].holder != self._door.me:
                raise Fenced("captures are fenced in this mutant")
            view = self._store.put(stream, draft, value.reveal(), epoch)
            self._store.spools.pop(self._door.me, None)
            self._door.world.appended(stream, draft)
            return view

        return self._do(stream, "capture", effect)

    def reveal(self, stream: str, fingerprint: str) -> Secret:
        """See the port."""
        held = self._store.leases.get(stream)
        if "epoch_in_aad" in self._store.mutants and held and self._store.sealed_at[fingerprint] != held.epoch:
            raise JournalUnsafe("opening a value: it does not decrypt")
        return Secret(self._store.values[fingerprint])

    def fingerprint(self, value: Secret) -> str:
        """A name for a value; the simulation has nothing to hide."""
        return "f" + value.reveal()

    def canary(self) -> None:
        """See the port."""
        self._do("", "canary", lambda: self._store.room(self._door.hub.now))

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

    def destroy(self, stream: str, token_id: str) -> None:
        """See the port; kept here, for the judge."""

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

    def wake(self, streams: Sequence[str], at: float = 0.0) -> None:
        """See the port."""
        for name in streams:
            found = self._store.stream(name)
            found.next_at = min(found.next_at, at)


class SimSource:
    """The source port over the simulated provider."""

    principal = "management"

    def __init__(self, door: Door, credential: str) -> None:
        self._door, self._credential = door, credential

    def _do(self, operation: str, effect: Callable[[], T], special: Callable[[str], T] | None = None) -> T:
        return self._door.call(self._credential, "source", operation, effect, special)

    def mint(self, name: str, expires_at: float) -> Minted:
        """See the port."""
        world = self._door.world

        def make(kind: str = "") -> Minted:
            tok = world.minted(self._credential, name)
            tok.equal = kind != "wrong_grants"
            if kind == "twin":
                world.minted(self._credential, name)
            if "publish_first" in world.mutants:
                for place in world.required:
                    data = {**world.places[place].data, self._credential: tok.value}
                    world.store_place(place, data, self._credential)
            return Minted(
                token_id=tok.id, value=Secret(tok.value), name=name, issued_at=tok.born, expires_at=tok.expires
            )

        return self._do("mint", make, make)

    def roll(self, token_id: str) -> Minted:
        """See the port."""
        sent = self._door.hub.now
        return self._do("roll", lambda: self._door.world.roll(token_id, sent))

    def extend(self, token_id: str, expires_at: float) -> None:
        """See the port."""
        self._do("extend", lambda: self._door.world.extend(token_id, expires_at))

    def disable(self, token_id: str) -> None:
        """See the port."""
        seen = self._door.world.hub.now
        world = self._door.world

        def effect() -> None:
            world.destroy(token_id, "disable", seen)
            if "condemn_by_name" in world.mutants:
                for twin in [
                    t for t in world.provider.tokens.values() if t.name == world.provider.tokens[token_id].name
                ]:
                    world.destroy(twin.id, "disable", seen)

        self._do("disable", effect)

    def delete(self, token_id: str) -> None:
        """See the port."""
        seen = self._door.world.hub.now
        self._do("delete", lambda: self._door.world.destroy(token_id, "delete", seen))

    def get(self, token_id: str) -> TokenState | None:
        """See the port."""
        return self._do("get", lambda: self._door.world.state(token_id))

    def verify(self, value: Secret) -> str | None:
        """See the port."""
        return self._do("verify", lambda: self._door.world.verify(value.reveal()), lambda kind: None)

    def control(self) -> bool:
        """See the port."""
        return True

    def tokens(self) -> tuple[TokenState, ...]:
        """See the port."""
        return self._do("list", self._door.world.listed)

    def outputs(self, token_id: str, value: Secret, expires_at: float) -> Mapping[str, Secret]:
        """See the port."""
        return {"token.value": value}


class SimTarget:
    """The target port over a simulated place: a compare-and-set store, a staged store, or a file."""

    def __init__(self, door: Door, credential: str, place: str) -> None:
        self._door, self._credential, self._name = door, credential, place

    @property
    def keys(self) -> Mapping[str, str]:
        """One key per credential."""
        return {self._credential: "token.value"}

    def _do(self, operation: str, effect: Callable[[], T]) -> T:
        place = self._door.world.places[self._name]

        def reached() -> T:
            if place.down > self._door.hub.now:
                raise (OutcomeUnknown if operation in MUTATING else Unavailable)(f"{self._name}: no answer")
            return effect()

        if place.kind != "file":
            return self._door.call(self._credential, "target", operation, reached)
        try:
            return self._door.call(self._credential, "file", operation, reached)
        except JournalUnsafe as error:
            raise Unavailable(f"{self._name}: {error.message}") from error

    def check(self) -> None:
        """See the port."""
        self._do("check", lambda: None)

    def read(self) -> Reading:
        """See the port."""
        place = self._door.world.places[self._name]

        def effect() -> Reading:
            found = place.data.get(self._credential)
            return Reading(version=str(place.version), values={self._credential: Secret(found)} if found else {})

        return self._do("read", effect)

    def write(self, publication: Publication) -> None:
        """See the port: the protocol of each kind of place, as the real adapters have it."""
        kind = self._door.world.places[self._name].kind
        mine = publication.values[self._credential].reveal()
        had = publication.expected.values.get(self._credential)
        before = had.reveal() if had else None
        if before == mine:
            return  # the same publication twice is one write
        getattr(self, f"_{kind}")(publication, mine, before)

    def _merge(self, mine: str) -> dict[str, str]:
        return {**self._door.world.places[self._name].data, self._credential: mine}

    def _cas(self, publication: Publication, mine: str, before: str | None) -> None:
        world, place, new = self._door.world, self._door.world.places[self._name], self._merge(mine)
        expected = publication.expected.version
        publication.still_mine()

        def put() -> None:
            if not world.mutants & {"blind_write", "reread_version"} and str(place.version) != expected:
                raise Conflict(f"{self._name}: the version moved")
            world.store_place(self._name, new, self._credential)

        self._do("put", put)

    def _staged(self, publication: Publication, mine: str, before: str | None) -> None:
        world, place, new = self._door.world, self._door.world.places[self._name], self._merge(mine)
        expected = publication.expected.version
        token = f"{publication.rid}.{self._name}.{sorted(new.items())}"
        self._do("stage", lambda: place.staged.__setitem__(token, new))
        publication.still_mine()

        def move() -> None:
            if not world.mutants & {"blind_write", "reread_version"} and str(place.version) != expected:
                raise Conflict(f"{self._name}: AWSCURRENT moved")
            world.store_place(self._name, place.staged[token], self._credential)

        self._do("move", move)

    def _file(self, publication: Publication, mine: str, before: str | None) -> None:
        world, place = self._door.world, self._door.world.places[self._name]
        publication.still_mine()
        read = self._do("reread", lambda: dict(place.data))
        if read.get(self._credential) != before:
            raise Conflict(f"{self._name}: the managed key changed")
        new = {**read, self._credential: mine}

        def exchange(data: dict[str, str]) -> dict[str, str]:
            displaced = dict(place.data)
            world.store_place(self._name, data, self._credential)
            return displaced

        displaced = self._do("exchange", lambda: exchange(new))
        if displaced.get(self._credential) != before and "no_exchange_back" not in world.mutants:
            self._do("exchange_back", lambda: exchange(displaced))
            raise Conflict(f"{self._name}: a foreign value was displaced")

    def close(self) -> None:
        """Nothing to give back."""


class SimRuntime:
    """The runtime port: virtual time, seeded chance, no threads."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def now(self, connection: str) -> float:
        """Provider time as the real code keeps it: from whole seconds in answers, some of which are wrong."""
        return self._door.time.now()

    def steady(self, connection: str) -> bool:
        """See the port."""
        return self._door.time.steady

    def token_hex(self, size: int) -> str:
        """See the port."""
        return f"{self._door.world.chance.getrandbits(8 * size):0{2 * size}x}"

    def sleep(self, seconds: float) -> None:
        """See the port."""
        self._door.sleep(seconds)

    def stopping(self) -> bool:
        """See the port."""
        return False

    def parallel(self, calls: Sequence[Callable[[], None]]) -> None:
        """One after the other, in an order of this seed: a port call of one never overlaps one of another."""
        order = list(calls)
        self._door.world.chance.shuffle(order)
        for call in order:
            call()

    def event(self, name: str, **fields: object) -> None:
        """See the port."""
        self._door.world.event(name, fields)

    def crash(self, point: str) -> None:
        """See the port; the simulation kills at port calls."""


class SimFleet:
    """All credentials of the world, with the configuration of now."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def bound(self, stream: str, view: View) -> Bound | None:
        """See the port."""
        world = self._door.world
        targets = {name: SimTarget(self._door, stream, name) for name in world.places}
        return Bound(credential=world.credential(stream), source=SimSource(self._door, stream), targets=targets)

    def tokens(self, credential: Credential, source: SimSource, fresh: float) -> tuple[TokenState, ...]:
        """See the port."""
        return source.tokens()

    def hold(self, credential: Credential, view: View) -> str:
        """See the port."""
        return "" if self._door.time.steady else CLOCK_SUSPECT

    def died(self, credential: Credential, dead: bool) -> None:
        """See the port."""

    def incident(self, connection: str) -> bool:
        """See the port."""
        return False


__all__ = ["NEVER", "Door", "SimFleet", "SimJournal", "SimRuntime", "SimSource", "SimTarget"]
