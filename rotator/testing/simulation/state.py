"""What one simulated world consists of, and nothing that happens to it; all parts of the simulation share it."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from rotator.core.credential import EVERYTHING, Can, Credential, Policy, Strategy, TargetRef
from rotator.core.drift import OnDrift
from rotator.core.ids import NO_TOKEN, CredentialId, TokenId
from rotator.core.plain import Json
from rotator.core.protocol.decide import TABLES, Tables
from rotator.core.protocol.steps import GUARDS, Guards
from rotator.core.protocol.view import View
from rotator.engine.driver import Driver
from rotator.testing.laws import Law, Violation
from rotator.testing.simulation.faults import Faults
from rotator.testing.simulation.hub import Hub, Process
from rotator.testing.simulation.provider import Place, Provider
from rotator.testing.simulation.store import Snapshot, Store
from rotator.testing.simulation.timings import GRACE, LIFE, QUIET, RENEW, SETTLE, SOAK

KINDS: Mapping[str, str] = {"vault": "cas", "aws": "staged", "env": "file", "extra": "cas", "blind": "blind"}

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


class State:
    """The state of one run, and what can be read from it."""

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
        self.locks: dict[str, tuple[str, int, str]] = {}
        self.store = Store(self.mutants, mutation.guards)
        self.places = {name: Place(name=name, kind=kind) for name, kind in KINDS.items()}
        names = ("vault", "aws", "env", *(("blind",) if scenario.blind else ()))
        self.required = {name: name not in scenario.optional for name in names}
        self.provider = Provider(self.chance, lambda: self.hub.now, self.hub.at)
        self.provider.lags = scenario.lags
        self.names = [CredentialId(f"c{i}") for i in range(scenario.credentials)]
        self.adopts: dict[CredentialId, TokenId] = {}
        self.snapshots: list[tuple[float, Snapshot]] = []
        self.processes = [Process(name) for name in "AB"]

    def view(self, name: CredentialId) -> View:
        """The fold of a credential's facts."""
        return self.store.stream(name).view

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

    def bad(self, law: Law, text: str) -> None:
        """A law was broken; the run ends."""
        self.violations.append(Violation(round(self.hub.now, 1), law, text))
        self.note("***", "", "VIOLATION", law.name, text)

    def note(self, process: str, stream: str, port: str, operation: str, more: str) -> None:
        """One line of the trace."""
        if self.trace is not None:
            self.trace.append(f"{self.hub.now:9.1f}  {process:3} {stream:3} {port:8} {operation:14} {more}")
