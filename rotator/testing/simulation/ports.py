"""The simulated source, targets, runtime and fleet: each method passes the door, and then acts on the world."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from rotator.core.credential import Can, Credential
from rotator.core.errors import (
    Conflict,
    JournalUnsafe,
    OutcomeUnknown,
    Refused,
    Unavailable,
)
from rotator.core.ids import CredentialId, TokenId
from rotator.core.ports.source import Minted, TokenState
from rotator.core.ports.target import Evidence, Publication, Reading, Remark
from rotator.core.protocol.view import View
from rotator.core.reasons import Reason
from rotator.core.secret import Secret
from rotator.engine.work import Bound
from rotator.testing.simulation.door import MUTATING, Door
from rotator.testing.simulation.plain import PlainFleet, PlainSource

T = TypeVar("T")
WRITING = frozenset({"put", "stage", "move", "exchange"})


class SimSource(PlainSource):
    """The source port over the simulated provider."""

    def __init__(self, door: Door, credential: CredentialId) -> None:
        self._door, self._credential = door, credential
        self.mutants = door.world.mutants

    @property
    def can(self) -> Can:
        """What this world's provider can do."""
        return self._door.world.scenario.can

    def _do(self, operation: str, effect: Callable[[], T], special: Callable[[str], T] | None = None) -> T:
        can = self.can
        if not {"roll": can.roll, "disable": can.disable, "list": can.list, "extend": can.move_expiry}.get(
            operation, True
        ):
            raise Refused(f"{operation}: this provider cannot do that", code="unsupported")
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

    def roll(self, token_id: TokenId) -> Minted:
        """See the port."""
        sent = self._door.hub.now
        return self._do("roll", lambda: self._door.world.roll(token_id, sent))

    def extend(self, token_id: TokenId, expires_at: float) -> None:
        """See the port."""
        self._do("extend", lambda: self._door.world.extend(token_id, expires_at))

    def update(self, token_id: TokenId, name: str) -> None:
        """See the port."""
        self._do("update", lambda: self._door.world.update(token_id, name))

    def disable(self, token_id: TokenId) -> None:
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

    def delete(self, token_id: TokenId) -> None:
        """See the port."""
        seen = self._door.world.hub.now
        self._do("delete", lambda: self._door.world.destroy(token_id, "delete", seen))

    def get(self, token_id: TokenId) -> TokenState | None:
        """See the port."""
        return self._do("get", lambda: self._door.world.state(token_id))

    def verify(self, value: Secret) -> TokenId | None:
        """See the port."""
        self._door.world.judge.sent(value.reveal())
        return self._do("verify", lambda: self._door.world.verify(value.reveal()), lambda kind: None)

    def control(self) -> bool:
        """See the port; a provider that lists nothing tells its time by nothing else."""
        return True if self.can.list else self._do("control", lambda: True)

    def tokens(self) -> tuple[TokenState, ...]:
        """See the port."""
        return self._do("list", self._door.world.listed)


class SimTarget:
    """The target port over a simulated place: a compare-and-set store, a staged one, a file, or a write-only one."""

    def __init__(self, door: Door, credential: CredentialId, place: str) -> None:
        self._door, self._credential, self._name = door, credential, place

    @property
    def evidence(self) -> Evidence:
        """A blind place shows when it was written, never what."""
        blind = self._door.world.places[self._name].kind == "blind"
        return Evidence.MARKER if blind else Evidence.VALUE

    @property
    def keys(self) -> Mapping[str, str]:
        """One key per credential."""
        return {self._credential: "token.value"}

    def _do(self, operation: str, effect: Callable[[], T], special: Callable[[str], T] | None = None) -> T:
        place = self._door.world.places[self._name]

        def reached() -> T:
            if place.down > self._door.hub.now:
                raise (OutcomeUnknown if operation in MUTATING else Unavailable)(f"{self._name}: no answer")
            if place.frozen > self._door.hub.now and operation in WRITING:
                raise Refused(f"{self._name}: read-only", "wait")
            return effect()

        if place.kind != "file":
            return self._door.call(self._credential, "target", operation, reached, special)
        try:
            return self._door.call(self._credential, "file", operation, reached)
        except JournalUnsafe as error:
            raise Unavailable(f"{self._name}: {error.message}") from error

    def check(self) -> Sequence[Remark]:
        """See the port."""
        self._do("check", lambda: None)
        return ()

    def read(self) -> Reading:
        """See the port."""
        place = self._door.world.places[self._name]

        def effect() -> Reading:
            found = place.data.get(self._credential)
            if place.kind == "blind":
                return self._shown(found)
            return Reading(version=str(place.version), values={self._credential: Secret(found)} if found else {})

        return self._do("read", effect)

    def _shown(self, found: str | None) -> Reading:
        """The time of the last write, in whole seconds; nothing where nothing stands."""
        at = self._door.world.places[self._name].touched.get(self._credential, 0.0)
        if found is None:
            return Reading(version="")
        return Reading(version=str(int(at)), marker=str(int(at)), age=self._door.hub.now - int(at))

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

    def _lies(self, kind: str, store: Callable[[], None], before: str | None) -> None:
        """A target that says that it stored, and did not (`lie`), or loses what it stored a while later (`forget`)."""
        self._door.world.count[f"{kind} {self._name}"] += 1
        if kind == "lie":
            return
        store()
        world, place = self._door.world, self._door.world.places[self._name]
        kept = place.data.get(self._credential)

        def forget() -> None:
            if kept is not None and place.data.get(self._credential) == kept:
                data = {k: v for k, v in place.data.items() if k != self._credential}
                world.store_place(self._name, data | ({self._credential: before} if before else {}), None)

        within_a_second = 3.0 if place.kind == "blind" else 0.05  # which a time in whole seconds cannot show
        world.hub.at(world.chance.choice([within_a_second, 30.0, 400.0]), forget)

    def _cas(self, publication: Publication, mine: str, before: str | None) -> None:
        world, place, new = self._door.world, self._door.world.places[self._name], self._merge(mine)
        expected = publication.expected.version
        publication.still_mine()
        if "reread_version" in world.mutants:
            expected = str(place.version)

        def put() -> None:
            if place.data.get(self._credential) == mine:
                return  # our own work, found again
            if "blind_write" not in world.mutants and str(place.version) != expected:
                raise Conflict(f"{self._name}: the version moved")
            world.store_place(self._name, new, self._credential)

        self._do("put", put, lambda kind: self._lies(kind, put, before))

    def _blind(self, publication: Publication, mine: str, before: str | None) -> None:
        """Nothing is compared: whatever stands there is replaced, and the time of it is all that can be read."""
        world, place = self._door.world, self._door.world.places[self._name]
        publication.still_mine()

        def put() -> None:
            place.touched[self._credential] = self._door.hub.now
            world.store_place(self._name, self._merge(mine), self._credential)

        had = place.data.get(self._credential)
        self._do("put", put, lambda kind: self._lies(kind, put, had))

    def _staged(self, publication: Publication, mine: str, before: str | None) -> None:
        world, place, new = self._door.world, self._door.world.places[self._name], self._merge(mine)
        expected = publication.expected.version
        token = f"{publication.rid}.{self._name}.{sorted(new.items())}"
        self._do("stage", lambda: place.staged.__setitem__(token, new))
        publication.still_mine()
        if "reread_version" in world.mutants:
            expected = str(place.version)

        def move() -> None:
            if place.data.get(self._credential) == mine:
                return  # our own work, found again
            if "blind_write" not in world.mutants and str(place.version) != expected:
                raise Conflict(f"{self._name}: AWSCURRENT moved")
            world.store_place(self._name, place.staged[token], self._credential)

        self._do("move", move, lambda kind: self._lies(kind, move, before))

    def _file(self, publication: Publication, mine: str, before: str | None) -> None:
        world, place = self._door.world, self._door.world.places[self._name]
        publication.still_mine()
        read = self._do("reread", lambda: dict(place.data))
        if read.get(self._credential) == mine:
            return  # our own work, found again
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


class SimRuntime:
    """The runtime port: virtual time, seeded chance, no threads."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def now(self, connection: str) -> float:
        """Provider time as the real code keeps it: from whole seconds in answers, some of which are wrong."""
        return self._door.time.now()

    def believed(self, connection: str) -> float:
        """See the port."""
        return self._door.time.now() if "stamp_now" in self._door.world.mutants else self._door.time.believed()

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
        self._door.happenings.alarm(name, fields)

    def crash(self, point: str) -> None:
        """See the port; the simulation kills at port calls."""


class SimFleet(PlainFleet):
    """All credentials of the world, with the configuration of now."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def bound(self, stream: CredentialId, view: View) -> Bound | None:
        """See the port."""
        world = self._door.world
        targets = {name: SimTarget(self._door, stream, name) for name in world.places}
        return Bound(credential=world.credential(stream), source=SimSource(self._door, stream), targets=targets)

    def tokens(self, credential: Credential, source: SimSource, fresh: float) -> tuple[TokenState, ...]:
        """See the port."""
        return source.tokens()

    def hold(self, credential: Credential) -> Reason | None:
        """See the port."""
        return None if self._door.time.steady else Reason.CLOCK_SUSPECT
