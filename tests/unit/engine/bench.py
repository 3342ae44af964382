"""One process over a simulated world that nothing disturbs but what a test asks for: no parking, time moves by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from rotator.core.credential import NEVER, Credential, Strategy, TargetRef
from rotator.core.encoding import draft
from rotator.core.errors import RateLimited, Refused, Unavailable
from rotator.core.facts import Draft, Kind, What
from rotator.core.ports.source import TokenState
from rotator.core.ports.target import Evidence, Publication, Reading, Remark
from rotator.core.protocol.rules import Act, Action, Look, Result, Sight
from rotator.core.protocol.telling import TELLS, of_rotation
from rotator.core.protocol.view import View
from rotator.core.secret import Secret
from rotator.engine.driver import Driver, Pass
from rotator.engine.holding import Stand
from rotator.engine.perform import perform
from rotator.engine.stands import stand
from rotator.engine.work import Bound, Work
from rotator.testing.simulation.door import Door
from rotator.testing.simulation.faults import Faults
from rotator.testing.simulation.journal import SimJournal
from rotator.testing.simulation.ports import SimFleet, SimRuntime, SimSource
from rotator.testing.simulation.provider import Tok
from rotator.testing.simulation.state import Mutation, Scenario
from rotator.testing.simulation.world import TUNING, World

T = TypeVar("T")
NAME = "c0"


class Straight(Door):
    """Passes every call at once, unless the test planned trouble for the operation."""

    trouble: dict[str, list[object]]

    def call(
        self, stream: str, port: str, operation: str, effect: Callable[[], T], special: Callable[[str], T] | None = None
    ) -> T:
        planned = self.trouble.get(operation)
        found = planned.pop(0) if planned else None
        if isinstance(found, BaseException):
            raise found
        if callable(found):
            return found(effect)
        return effect()

    def sleep(self, seconds: float) -> None:
        self.hub.now += seconds


class Machine(SimRuntime):
    """Records what is said; stops when told."""

    def __init__(self, door: Door) -> None:
        super().__init__(door)
        self.said: list[tuple[str, dict[str, object]]] = []
        self.ends = False
        self.points: list[str] = []

    def now(self, connection: str) -> float:
        return self._door.hub.now

    def believed(self, connection: str) -> float:
        return self._door.hub.now

    def event(self, name: str, **fields: object) -> None:
        self.said.append((name, fields))

    def stopping(self) -> bool:
        return self.ends

    def crash(self, point: str) -> None:
        self.points.append(point)


class Few(SimFleet):
    """The world's only fleet, with switches."""

    def __init__(self, door: Door) -> None:
        super().__init__(door)
        self.held, self.mass, self.deaths = "", False, []
        self.gone = False
        self.source: Derived | None = None
        self.targets: dict[str, Any] = {}
        self.served: set[str] = set()
        self.changes: dict[str, Any] = {}

    def bound(self, stream: str, view: View) -> Bound | None:
        if self.gone:
            return None
        found = super().bound(stream, view)
        assert found is not None
        here = {name: t for name, t in {**found.targets, **self.targets}.items() if t is not None}
        source = self.source or found.source
        return replace(found, credential=replace(found.credential, **self.changes), targets=here, source=source)

    def hold(self, credential: Credential) -> str:
        return self.held

    def died(self, credential: Credential, dead: bool) -> None:
        self.deaths.append(dead)

    def serves(self, place: str, by: str = "") -> bool:
        return place in self.served or bool(by)

    def incident(self, connection: str) -> bool:
        return self.mass


@dataclass
class Key:
    """A target of the test's own: any managed keys, one place."""

    keys: Mapping[str, str]
    values: dict[str, str] = field(default_factory=dict)
    version: int = 1
    error: Exception | None = None
    evidence = Evidence.VALUE
    remarks: tuple[Remark, ...] = ()

    def check(self) -> Sequence[Remark]:
        self.read()
        return self.remarks

    def read(self) -> Reading:
        if self.error:
            raise self.error
        return Reading(version=str(self.version), values={k: Secret(v) for k, v in self.values.items()})

    def write(self, publication: Publication) -> None:
        publication.still_mine()
        self.values = {k: v.reveal() for k, v in publication.values.items()}
        self.version += 1

    def close(self) -> None:
        return None


@dataclass
class Sink:
    """A write-only target of the test's own: it shows when it was written, never what."""

    bench: Any
    keys: Mapping[str, str] = field(default_factory=lambda: {"A": "token.value"})
    content: str = ""
    at: float = -1.0
    writes: int = 0
    errors: list[Exception | None] = field(default_factory=list)
    evidence = Evidence.MARKER

    def check(self) -> Sequence[Remark]:
        return ()

    def read(self) -> Reading:
        if not self.content:
            return Reading(version="")
        return Reading(version=str(int(self.at)), marker=str(int(self.at)), age=self.bench.now - int(self.at))

    def save(self, content: str) -> None:
        """Something is written, by whomever."""
        self.content, self.at = content, self.bench.now

    def write(self, publication: Publication) -> None:
        publication.still_mine()
        self.writes += 1
        error = self.errors.pop(0) if self.errors else None
        if not isinstance(error, Refused):
            self.save(publication.values["A"].reveal())
        if error is not None:
            raise error

    def close(self) -> None:
        return None


class Derived(SimSource):
    """A source that also offers a secret derived from the value, the token's id and an id that never changes."""

    values = ("token.value", "r2.secret_access_key")

    def outputs(self, token_id: str, value: Secret, expires_at: float) -> Mapping[str, Secret]:
        derived = Secret("hash-of-" + value.reveal())
        found = {"token.value": value, "token.id": Secret(token_id), "r2.secret_access_key": derived}
        return {**found, **self.constants()}

    def constants(self) -> Mapping[str, Secret]:
        return {"account.id": Secret("our-account")}


class Bench:
    """One world, one process, one credential."""

    def __init__(
        self,
        strategy: Strategy = Strategy.RECREATE,
        *,
        adopted: bool = False,
        derived: bool = False,
        keys: Mapping[str, str] | None = None,
        **scenario: Any,
    ) -> None:
        """A target `env` of the test's own: `derived` holds only a secret derived from the value; or `keys`."""
        what = Scenario(strategy=strategy, adopted=adopted, lags=False, rate=0.0, quiet=0.0, **scenario)
        import random

        self.world = World(1, what, Faults(random.Random(1), 0.0, None, False), Mutation())
        self.world.hub.now = 1000.0
        self.door = Straight(self.world.happenings, self.world.processes[0])
        self.door.trouble = {}
        self.journal, self.machine, self.fleet = SimJournal(self.door), Machine(self.door), Few(self.door)
        if derived or keys:
            self.fleet.source = Derived(self.door, NAME)
            self.fleet.targets["env"] = Key(keys or {"S": "r2.secret_access_key"})
        self.driver = Driver(self.journal, self.machine, self.fleet, TUNING)
        self._work: Work | None = None

    # --- the world

    def fails(self, operation: str, *answers: object) -> None:
        """The next calls of an operation meet this: an error, or a function of the effect; None lets one pass."""
        self.door.trouble[operation] = list(answers)

    def later(self, seconds: float) -> None:
        """Let time pass."""
        self.world.hub.now += seconds

    @property
    def now(self) -> float:
        """Provider time."""
        return self.world.hub.now

    @property
    def view(self) -> View:
        """What is durable."""
        return self.world.view(NAME)

    def token(self, name: str = "somebody", **more: Any) -> Tok:
        """A token at the provider."""
        tok = self.world.provider.make(NAME, name, more.pop("expires", NEVER))
        for key, value in more.items():
            setattr(tok, key, value)
        return tok

    def rolled(self, token: str) -> Secret:
        """Somebody gives a token a new value; the old one dies."""
        provider = self.world.provider
        tok = provider.tokens[token]
        tok.value, tok.modified = provider.value(), self.now
        provider.by_value[tok.value] = tok.id
        return Secret(tok.value)

    def put(self, place: str, value: str | None) -> None:
        """Somebody saves a value at a target."""
        found = self.world.places[place]
        found.data = {NAME: value} if value else {}
        found.version += 1

    def at(self, place: str) -> str | None:
        """What stands at a target."""
        return self.world.places[place].data.get(NAME)

    def said(self, name: str) -> list[dict[str, object]]:
        """What was said under a name."""
        return [fields for event, fields in self.machine.said if event == name]

    def facts(self, *kinds: Kind) -> list[Draft]:
        """The journal, or the facts of some kinds."""
        return [draft for _, draft in self.world.store.log if not kinds or draft.kind in kinds]

    # --- the process

    def run(self) -> Pass:
        """One pass."""
        return self.driver.run(NAME)

    def settle(self, seconds: float = 4000.0) -> None:
        """Pass after pass until nothing is open any more, or the time is over."""
        end = self.now + seconds
        while self.now < end:
            ended = self.run()
            view = self.view
            if not (view.rotation or view.want or view.retirements) and view.current:
                return
            self.world.hub.now = max(self.now + 0.5, min(ended.until, end))

    def work(self) -> Work:
        """A pass under way, for asking the engine's parts directly."""
        lease = self.journal.claim(NAME)
        assert lease is not None
        bound = self.fleet.bound(NAME, self.view)
        assert bound is not None
        self._work = Work(
            stream=NAME, lease=lease, view=self.view, bound=bound, memory=self.driver.memory(NAME),
            journal=self.journal, runtime=self.machine, fleet=self.fleet, tuning=TUNING,
        )  # fmt: skip
        return self._work

    def do(self, act: Act, target: str = "", **more: Any) -> Work:
        """One act."""
        work = self.work()
        perform(work, Action(act, target=target, **more))
        return work

    def record(self, kind: Kind, **row: Any) -> Work:
        """One fact by the engine's own hand: as the rows tell it, or from these fields of a row."""
        case = self.work().case()
        if kind in TELLS and not row:
            return self.do(Act.RECORD, fact=TELLS[kind](case))
        if self.view.rotation and not row.keys() & {"token_id", "target"}:
            row = of_rotation(case) | row
        return self.do(Act.RECORD, fact=what(kind, row))

    def look(self, sight: Sight, of: str = "") -> Result:
        """One look."""
        return self.seen(sight, of).result

    def seen(self, sight: Sight, of: str = "") -> Any:
        """One look, whole."""
        work = self.do(Act.LOOK, look=Look(sight, of))
        return work.memory.seen[Look(sight, of)]

    def tell(self, kind: Kind, **fields: Any) -> None:
        """A fact that somebody else made durable."""
        work = self.work()
        rid = fields.pop("rid", None)
        work.record(what(kind, fields), rid=rid)

    # --- the way to a rotation

    def baselined(self) -> None:
        """Every target was seen."""
        for name in ("aws", "env", "vault"):
            with suppress(KeyError):
                self.tell(Kind.BASELINE, target=name)

    def planned(self, strategy: Strategy = Strategy.RECREATE) -> None:
        """A rotation is open."""
        self.do(Act.PLAN, strategy=strategy, why="test")

    def captured(self) -> None:
        """A token was minted."""
        self.planned()
        self.do(Act.MINT)

    def publishing(self) -> None:
        """The publication is under way, nothing is written yet."""
        self.baselined()
        self.captured()
        self.record(Kind.VERIFIED)
        self.record(Kind.PUBLISHING)


def what(kind: Kind, row: Mapping[str, Any]) -> What:
    """What a row tells."""
    return draft(kind, at=0.0, **row).what


def published(**more: Any) -> Bench:
    """A first creation went well."""
    bench = Bench(**more)
    bench.settle()
    assert bench.view.current
    return bench


def listed(*tokens: TokenState) -> Callable[[object], Sequence[TokenState]]:
    """A listing."""
    return lambda effect: tokens


__all__ = ["NAME", "Bench", "Derived", "Key", "Sink", "TargetRef", "listed", "published"]


def current(bench: Bench) -> Tok:
    """The token that is published and confirmed, as the provider has it."""
    return bench.world.provider.tokens[bench.view.current]


def stands(bench: Bench, name: str = "env") -> Stand:
    """What stands at a target, journaled as the engine does."""
    return stand(bench.work(), name)


NO = (Refused("m", code="quota"), Unavailable("m"), RateLimited("m", 300.0))
"""Answers after which nothing was applied, for certain."""
