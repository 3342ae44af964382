"""Which faults exist at which port, how often they come, and how one run's faults are recorded and replayed."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "wait": ("kill", "stop"),
    "journal": ("kill", "stop", "fail", "ambiguous", "late_commit", "kill_after", "stop_after"),
    "file": ("kill", "stop", "fail", "kill_after", "stop_after"),
    "target": (
        "kill",
        "stop",
        "lose_request",
        "lose_answer",
        "late",
        "duplicate",
        "reject",
        "slow",
        "kill_after",
        "stop_after",
    ),
    "source": (
        "kill",
        "stop",
        "lose_request",
        "lose_answer",
        "late",
        "duplicate",
        "reject",
        "slow",
        "limit",
        "kill_after",
        "stop_after",
    ),
}
"""Port -> faults that any of its calls may meet."""

MORE: Final[Mapping[str, tuple[str, ...]]] = {
    "mint": ("twin", "wrong_grants"),
    "verify": ("spurious",),
    "put": ("lie", "forget"),
    "move": ("lie", "forget"),
}
"""Operation -> further faults. Only plans have `paste`: an operator does it right now, and the process is stopped."""

RATE: Final[Mapping[str, float]] = {
    "kill": 0.003,
    "stop": 0.002,
    "kill_after": 0.004,
    "stop_after": 0.003,
    "lose_request": 0.012,
    "lose_answer": 0.02,
    "late": 0.012,
    "duplicate": 0.012,
    "reject": 0.01,
    "limit": 0.004,
    "twin": 0.08,
    "wrong_grants": 0.06,
    "spurious": 0.05,
    "slow": 0.008,
    "lie": 0.05,
    "forget": 0.03,
    "fail": 0.006,
    "ambiguous": 0.008,
    "late_commit": 0.006,
}
"""Probability per call, before the seed's own swarm weights."""

Site = tuple[str, str, str, int]
"""Process, stream, operation, how many of that before it."""

Hit = tuple[str, float]
"""Kind of fault and its parameter in seconds."""


def kinds(port: str, operation: str) -> tuple[str, ...]:
    """Every fault that a call of that port and operation may meet."""
    return KINDS[port] + MORE.get(operation, ())


@dataclass(slots=True)
class Faults:
    """Decides the fault of each port call: random by seed, or exactly a plan; records what it did.

    Attributes:
        chance: random source of its own, so that a fault does not change the rest of the run.
        rate: overall weight, 0 for none.
        plan: site -> fault; None for random ones.
        hits: what happened, in order.
        calls: every site that was passed, with its port and the facts so far (only when `listing`).
    """

    chance: random.Random
    rate: float = 1.0
    plan: Mapping[Site, Hit] | None = None
    listing: bool = False
    quiet: bool = False
    hits: list[tuple[Site, Hit]] = field(default_factory=list)
    calls: list[tuple[Site, str, int]] = field(default_factory=list)
    count: Counter[str] = field(default_factory=Counter)
    _passed: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    _weights: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._weights = {kind: rate * self.rate * self.chance.choice([0, 0.3, 1, 1, 3]) for kind, rate in RATE.items()}

    def at(self, process: str, stream: str, port: str, operation: str, facts: int = 0) -> Hit | None:
        """Return the fault of this call, if it meets one; `facts` tells how far its stream is."""
        key = (process, stream, operation)
        self._passed[key] += 1
        site = (*key, self._passed[key])
        if self.listing:
            self.calls.append((site, port, facts))
        hit = self.plan.get(site) if self.plan is not None else self._random(port, operation)
        if hit:
            self.hits.append((site, hit))
            self.count[hit[0]] += 1
        return hit

    def _random(self, port: str, operation: str) -> Hit | None:
        if self.quiet:
            return None
        left = self.chance.random()
        for kind in kinds(port, operation):
            left -= self._weights[kind]
            if left < 0:
                return kind, self.parameter(kind)
        return None

    def parameter(self, kind: str) -> float:
        """Return seconds for a fault: lengths of pauses, delays of late requests."""
        if kind in ("stop", "stop_after"):
            return self.chance.choice([20.0, 50.0, 200.0, 700.0])
        if kind in ("late", "duplicate"):
            return self.chance.uniform(11, 50)
        return self.chance.uniform(0.5, 5)
