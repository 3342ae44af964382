"""One simulated world: processes, provider, places, journal store, operator, outsiders and faults, by one seed."""

from __future__ import annotations

from collections.abc import Callable

from rotator.core.credential import NEVER
from rotator.core.ids import CredentialId
from rotator.engine.driver import End
from rotator.engine.work import Tuning
from rotator.testing.laws import Law
from rotator.testing.simulation.door import Door
from rotator.testing.simulation.faults import Faults
from rotator.testing.simulation.happenings import REST, Happenings
from rotator.testing.simulation.hub import Process
from rotator.testing.simulation.journal import SimJournal
from rotator.testing.simulation.ports import SimFleet, SimRuntime
from rotator.testing.simulation.scene import Scene
from rotator.testing.simulation.state import Mutation, Scenario

TUNING = Tuning(watch=200.0, sweep=300.0, doubt=120.0)
RUNAWAY = 60_000


class World(Scene):
    """One run. Make it, `run()` it, read `violations` and `count`."""

    def __init__(
        self, seed: int, scenario: Scenario, faults: Faults, mutation: Mutation, *, trace: bool = False
    ) -> None:
        super().__init__(seed, scenario, faults, mutation, trace=trace)
        self.happenings = Happenings(self)
        self._people()
        for process in self.processes:
            self.start(process, self.chance.random())
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

    def start(self, process: Process, delay: float) -> None:
        process.incarnation += 1
        door = Door(self.happenings, process)
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

    def run(self) -> World:
        """Run to the end, or to the first violation."""
        end = self.scenario.horizon + self.scenario.tail
        self.hub.run(end, lambda: bool(self.violations) or self.calls > RUNAWAY or self.resting > REST / 100)
        if self.calls > RUNAWAY:
            self.bad(Law.RUNAWAY, f"more than {RUNAWAY} port calls")
        if not self.violations:
            self.judge.end()
        return self
