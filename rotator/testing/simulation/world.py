"""One simulated world: processes, provider, places, journal store, operator, outsiders and faults, by one seed."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from rotator.core.credential import EVERYTHING, NEVER, Can, Credential, Policy, Strategy, TargetRef
from rotator.core.drift import OnDrift
from rotator.core.errors import Refused
from rotator.core.facts import Draft, Kind
from rotator.core.ids import NO_TOKEN, CredentialId, TokenId
from rotator.core.plain import Json
from rotator.core.ports.source import Minted, TokenState
from rotator.core.protocol.decide import TABLES, Tables
from rotator.core.protocol.steps import GUARDS, Guards
from rotator.core.protocol.view import View
from rotator.core.secret import Secret
from rotator.engine.driver import Driver, End
from rotator.engine.work import Tuning
from rotator.testing.laws import Law, Violation
from rotator.testing.simulation.door import Door
from rotator.testing.simulation.faults import Faults
from rotator.testing.simulation.happenings import REST, Happenings
from rotator.testing.simulation.hub import Hub, Process
from rotator.testing.simulation.journal import SimJournal
from rotator.testing.simulation.judge import Judge
from rotator.testing.simulation.leaks import Leaks
from rotator.testing.simulation.ports import SimFleet, SimRuntime
from rotator.testing.simulation.provider import Place, Provider, Tok
from rotator.testing.simulation.store import Snapshot, Store
from rotator.testing.simulation.timings import GRACE, LIFE, QUIET, RENEW, SETTLE, SOAK

TUNING = Tuning(watch=200.0, sweep=300.0, doubt=120.0)
KINDS: Mapping[str, str] = {"vault": "cas", "aws": "staged", "env": "file", "extra": "cas", "blind": "blind"}
RUNAWAY = 60_000

Event = tuple[float | str, ...]
"""When, what, and its arguments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Everything about a run that is not chance: what is configured, and what people and machines do to it."""

    strategy: Strategy = Strategy.RECREATE
    credentials: int = 1
    optional: tuple[str, ...] = ()
    adopted: bool = True
    quiet: float = QUIET
    lags: bool = True
    replace: bool = False
    events: tuple[Event, ...] = ()
    horizon: float = 5000.0
    tail: float = 5500.0
    rate: float = 1.0
    busy: float = 60.0
    idle: bool = False
    can: Can = EVERYTHING
    blind: bool = False
    mute: bool = False
    drift: OnDrift = OnDrift.REPORT


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutation:
    """What a mutant leaves out: names of laws in ports and store, and rows of the protocol."""

    names: frozenset[str] = frozenset()
    tables: Tables = TABLES
    guards: Guards = field(default_factory=lambda: GUARDS)
    driver: Callable[..., Driver] = Driver


class World:
    """One run. Make it, `run()` it, read `violations` and `count`."""

    def __init__(
        self, seed: int, scenario: Scenario, faults: Faults, mutation: Mutation, *, trace: bool = False
    ) -> None:
        self.scenario, self.faults, self.mutation = scenario, faults, mutation
        self.mutants = mutation.names
        self.chance = random.Random(seed)
        self.hub = Hub()
        self.calls = 0
        self.count: Counter[str] = Counter()
        self.violations: list[Violation] = []
        self.trace: list[str] | None = [] if trace else None
        self.skew = 0.0
        self.instance = "i1"
        self.calm = False
        self.resting = 0
        self.excused_until = self.stopped_until = self.full_since = 0.0
        self.lost_at = -1.0
        self.awaiting: set[str] = set()
        self.past: dict[str, float] = {}
        self.returned: dict[str, float] = {}
        self.allowed: set[tuple[str, str]] = set()
        self.leaks = Leaks(self)
        self.locks: dict[str, tuple[str, int, str]] = {}
        self.store = Store(self.mutants, mutation.guards)
        self.places = {name: Place(name=name, kind=kind) for name, kind in KINDS.items()}
        names = ("vault", "aws", "env", *(("blind",) if scenario.blind else ()))
        self.required = {name: name not in scenario.optional for name in names}
        self.provider = Provider(self.chance, lambda: self.hub.now, self.hub.at)
        self.provider.lags = scenario.lags
        self.judge = Judge(self)
        self.happenings = Happenings(self)
        self.provider.on_end = self.judge.expired
        self.names = [CredentialId(f"c{i}") for i in range(scenario.credentials)]
        self.adopts: dict[CredentialId, TokenId] = {}
        self.snapshots: list[tuple[float, Snapshot]] = []
        self._people()
        self.processes = [Process(name) for name in "AB"]
        for process in self.processes:
            self._start(process, self.chance.random())
        for when, what, *arguments in sorted(scenario.events, key=str):
            self.hub.at(float(when), self.happenings.happening(str(what), arguments))
        self.hub.at(scenario.horizon, self.happenings.calm)
        self.hub.at(5.0, self.happenings.snapshot)

    def _people(self) -> None:
        """The first state: tokens that exist, values that stand at targets, and tokens of others."""
        if self.scenario.adopted:
            for name in self.names:
                tok = self.provider.make(name, f"{name} base", self.chance.choice([2500.0, 4000.0]))
                tok.accepted_at = tok.listed_at = 0.0
                self.adopts[name] = tok.id
                for place in self.required.keys() - {"blind"}:
                    self.places[place].data[name] = tok.value
        for label in ("team copy", f"{self.names[0]}~i2.rabc.1.1"):
            self.provider.foreign.add(self.provider.make(CredentialId("others"), label, NEVER).id)

    # --- configuration and processes

    def credential(self, name: CredentialId) -> Credential:
        """The configuration now."""
        policy = Policy(
            strategy=self.scenario.strategy,
            lifetime=1e7 if self.calm else LIFE,
            renew_before=RENEW,
            grace=GRACE,
            quiet=self.scenario.quiet,
            quiet_adopted=self.scenario.quiet,
            soak=SOAK,
            outage_budget=SETTLE + 30,
            settle=SETTLE,
        )
        targets = tuple(
            TargetRef(name=place, type="simulated", place=place, required=required, replace=self.scenario.replace)
            for place, required in sorted(self.required.items())
        )
        stanzas: dict[str, Json] = {t.name: {} for t in targets}
        adopt = self.adopts.get(name, NO_TOKEN)
        return Credential(
            id=name,
            name=name,
            connection="sim",
            owner="account",
            policy=policy,
            targets=targets,
            adopt=adopt,
            on_drift=self.scenario.drift,
            spec={"targets": stanzas, "places": {t.name: t.place for t in targets}},
        )

    def alive(self) -> set[tuple[str, int]]:
        """Processes whose owner file is locked."""
        return {process.me for process in self.processes}

    def _start(self, process: Process, delay: float) -> None:
        process.incarnation += 1
        door = Door(self, process)
        driver = self.mutation.driver(SimJournal(door), SimRuntime(door), SimFleet(door), TUNING, self.mutation.tables)

        def body(name: CredentialId) -> Callable[[], None]:
            def loop() -> None:
                while True:
                    ended = driver.run(name)
                    left = ended.until - self.hub.now
                    pause = (
                        self.scenario.busy if ended.end in (End.BUSY, End.FAILED) else min(max(left, 1.0), TUNING.watch)
                    )
                    door.call(name, "wait", "wait", lambda: None)
                    door.sleep(pause)

            return loop

        for name in self.names:
            self.hub.spawn(process, body(name), delay)

    def kill(self, process: Process) -> None:
        """SIGKILL: locks are gone with the process; it is started again later."""
        process.until = 0.0
        self.locks = {place: owner for place, owner in self.locks.items() if owner[:2] != process.me}
        self._start(process, self.chance.choice([1.0, 5.0, 40.0, 90.0]))

    def stop(self, process: Process, seconds: float) -> None:
        """SIGSTOP for that long."""
        process.until = max(process.until, self.hub.now + seconds)
        self.stopped_until = max(self.stopped_until, process.until)
        if seconds > 100:
            self.excused_until = max(self.excused_until, process.until + 300)

    # --- what the ports do

    def minted(self, owner: CredentialId, name: str) -> Tok:
        """Create a token at the provider."""
        self.count["mint"] += 1
        if self.count["mint"] > 200:
            self.bad(Law.RUNAWAY, "more than 200 mints")
        self.judge.minted()
        return self.provider.make(owner, name, float(int(self.hub.now + (1e7 if self.calm else LIFE))))

    def roll(self, token: TokenId, sent: float | None = None) -> Minted:
        """Give a token a new value; the request was sent at `sent`, now by default."""
        tok = self.provider.tokens[token]
        if tok.status != "active":
            raise Refused("roll: the token is not active")
        self.judge.rolled(tok, self.hub.now if sent is None else sent)
        tok.value = self.provider.value()
        tok.modified = self.hub.now
        self.provider.by_value[tok.value] = tok.id
        tok.accepted_at = self.hub.now + (self.chance.choice([0, 0, 2, 8]) if self.provider.lags else 0)
        self.count["mint"] += 1
        if self.count["mint"] > 200:
            self.bad(Law.RUNAWAY, "more than 200 mints")
        self.judge.check_dead(tok.owner)
        return Minted(
            token_id=tok.id, value=Secret(tok.value), name=tok.name, issued_at=tok.born, expires_at=tok.expires
        )

    def extend(self, token: TokenId, expires: float) -> None:
        """Move an expiry."""
        tok = self.provider.tokens[token]
        if tok.status != "active":
            raise Refused("extend: the token is not active")
        tok.expires = expires
        self.provider.expire(tok)

    def update(self, token: TokenId, name: str) -> None:
        """Put the grants and the name right; status, end and value stay."""
        tok = self.provider.tokens[token]
        self.judge.updated(tok)
        if tok.status != "active":
            raise Refused("update: it is not active", code="not_active")
        tok.equal, tok.name, tok.modified = True, name, self.hub.now

    def destroy(self, token: TokenId, act: str, seen: float) -> None:
        """Disable or delete, judged first."""
        tok = self.provider.tokens.get(token)
        if tok is None or tok.status == "deleted":
            return
        self.judge.destroyed(tok, act, seen)
        tok.killed = tok.killed or "us"
        if act == "disable" and tok.status == "active":
            tok.disabled_at, tok.status = self.hub.now, "disabled"
        elif act == "delete":
            tok.status = "deleted"

    def state(self, token: TokenId) -> TokenState | None:
        """GET."""
        tok = self.provider.tokens.get(token)
        if tok is None or tok.status == "deleted":
            return None
        used = self.judge.last_used(tok)
        return TokenState(
            id=tok.id,
            name=tok.name,
            status=tok.status,
            issued_at=tok.born,
            modified_at=tok.modified,
            expires_at=tok.expires,
            last_used_at=None if used == -NEVER or not self.scenario.can.last_use else used,
            compared=True,
            equal=tok.equal,
            exposed=tok.status.startswith("revoked"),
            final=tok.status not in ("active", "disabled"),
        )

    def listed(self) -> tuple[TokenState, ...]:
        """List."""
        seen = [self.state(t.id) for t in self.provider.tokens.values() if t.listed_at <= self.hub.now]
        return tuple(state for state in seen if state is not None)

    def verify(self, value: str) -> TokenId | None:
        """Verify a value as its owner."""
        tok = self.provider.of_value(value)
        if tok is None or not self.provider.live(value) or tok.accepted_at > self.hub.now:
            return None
        tok.used = tok.verified = max(tok.used, self.hub.now)
        return tok.id

    def store_place(self, place: str, data: dict[str, str], writer: str | None) -> None:
        """Change a place: by a target of ours (`writer`), or by people (None)."""
        found = self.places[place]
        before, found.data = found.data, data
        found.version += 1
        for name in self.names:
            if before.get(name) != data.get(name):
                found.touched[name] = self.hub.now
                self.judge.changed(place, name, before.get(name), data.get(name), writer)

    # --- watching

    def view(self, name: CredentialId) -> View:
        """The fold of a credential's facts."""
        return self.store.stream(name).view

    def event(self, name: str, fields: Mapping[str, object]) -> None:
        """The engine said something: an operator answers an alarm after a while."""
        self.count[f"event {name}"] += 1
        credential = str(fields.get("credential", ""))
        if name in ("target_overridden", "operator_needed") and credential not in self.awaiting:
            self.awaiting.add(credential)

            def answer() -> None:
                self.awaiting.discard(credential)
                how = "retry" if self.calm else self.chance.choice(["retry", "retry", "retry", "accept", "abandon"])
                self.happenings.resolve(credential, how)

            self.hub.at(self.chance.choice([300.0, 900.0]), answer)

    def appended(self, stream: CredentialId, draft: Draft) -> None:
        """A fact became durable."""
        self.count[f"fact {draft.kind}"] += 1
        if self.trace is not None:
            told = [getattr(draft.what, name, "") for name in ("token_id", "target", "why", "act")]
            about = " ".join(filter(None, told))
            self.note("", stream, "FACT", draft.kind.value, about)
        self.judge.fact(stream, draft)
        if draft.kind is Kind.CONFIRMED and self.scenario.blind and not self.scenario.mute:
            self.hub.at(400.0, lambda: self.happenings.acknowledge(stream))

    def bad(self, law: Law, text: str) -> None:
        """A law was broken; the run ends."""
        self.violations.append(Violation(round(self.hub.now, 1), law, text))
        self.note("***", "", "VIOLATION", law.name, text)

    def note(self, process: str, stream: str, port: str, operation: str, more: str) -> None:
        """One line of the trace."""
        if self.trace is not None:
            self.trace.append(f"{self.hub.now:9.1f}  {process:3} {stream:3} {port:8} {operation:14} {more}")

    def run(self) -> World:
        """Run to the end, or to the first violation."""
        end = self.scenario.horizon + self.scenario.tail
        self.hub.run(end, lambda: bool(self.violations) or self.calls > RUNAWAY or self.resting > REST / 100)
        if self.calls > RUNAWAY:
            self.bad(Law.RUNAWAY, f"more than {RUNAWAY} port calls")
        if not self.violations:
            self.judge.end()
        return self
