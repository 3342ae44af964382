"""A place of the simulation, seen from the outside: what the engine is proven against keeps the contract itself."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import TypeVar

from rotator.core.ids import CredentialId
from rotator.testing.simulation.door import Door
from rotator.testing.simulation.faults import Faults
from rotator.testing.simulation.ports import SimTarget
from rotator.testing.simulation.state import Mutation, Scenario
from rotator.testing.simulation.world import World

T = TypeVar("T")
NAME = CredentialId("c0")
EFFECTS = frozenset({"put", "stage", "move", "exchange"})


class Straight(Door):
    """Passes every call at once, and each effect between two crash points."""

    def __init__(self, world: World, crash: Callable[[str], None]) -> None:
        super().__init__(world.happenings, world.processes[0])
        self._crash = crash

    def call(
        self, stream: str, port: str, operation: str, effect: Callable[[], T], special: Callable[[str], T] | None = None
    ) -> T:
        if operation not in EFFECTS:
            return effect()
        self._crash(f"before_{operation}")
        done = effect()
        self._crash(f"after_{operation}")
        return done


class SimulatedPlace:
    """One place of a quiet world: `vault` compares and sets, `aws` stages, `env` is a file, `blind` is write-only."""

    def __init__(self, name: str) -> None:
        what = Scenario(adopted=False, lags=False, rate=0.0, blind=True)
        self.world = World(1, what, Faults(random.Random(1), 0.0, None), Mutation())
        self.world.hub.now = 1000.0
        self.keys: Mapping[str, str] = {NAME: "token.value"}
        self._name = name

    def open(self, crash: Callable[[str], None], keys: Mapping[str, str] | None = None) -> SimTarget:
        return SimTarget(Straight(self.world, crash), NAME, self._name)

    def look(self) -> Mapping[str, str]:
        return self.world.places[self._name].data

    def overwrite(self, values: Mapping[str, str]) -> None:
        self.world.store_place(self._name, dict(values), None)

    def deny(self) -> None:
        self.world.places[self._name].frozen = float("inf")

    def cut(self) -> None:
        self.world.places[self._name].down = float("inf")

    def later(self, seconds: float) -> None:
        self.world.hub.now += seconds
