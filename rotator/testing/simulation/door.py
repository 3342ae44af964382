"""What all ports of one process share: each call parks its greenlet, may meet a fault, and then acts on the world."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from rotator.core.errors import (
    JournalUnsafe,
    OutcomeUnknown,
    RateLimited,
    Refused,
    RotatorError,
    Unavailable,
)
from rotator.core.ids import CredentialId
from rotator.engine.provider_time import ProviderTime
from rotator.testing.simulation.happenings import Happenings
from rotator.testing.simulation.hub import Hub, Killed, Process

T = TypeVar("T")
SETTLE = 60.0
TIMEOUT = 10.0
"""Seconds after which a request without an answer is given up."""

SLOW = 9.0
"""Seconds that a slow request, and a slow answer, are under way: just not given up."""

SPECIAL = frozenset({"twin", "wrong_grants", "spurious", "lie", "forget"})
"""Faults that only the port itself knows how to make."""

MUTATING = frozenset({"mint", "roll", "extend", "update", "disable", "delete", "put", "stage", "move"})


class Door:
    """What all ports of one incarnation of one process share: parking and faults."""

    def __init__(self, happenings: Happenings, process: Process) -> None:
        self.world, self.happenings = happenings.world, happenings
        self.process, self.incarnation = process, process.incarnation
        self.me = process.me
        self.time = ProviderTime(lambda: self.hub.now, lambda: self.hub.now, SETTLE)

    @property
    def hub(self) -> Hub:
        """The loop of virtual time."""
        return self.world.hub

    def sleep(self, seconds: float) -> None:
        """Park this greenlet."""
        self.hub.sleep(self.process, self.incarnation, seconds)

    def call(
        self,
        stream: str,
        port: str,
        operation: str,
        effect: Callable[[], T],
        special: Callable[[str], T] | None = None,
    ) -> T:
        """Pass a port: meet this call's fault, or simply do it."""
        world = self.world
        if self.process.incarnation != self.incarnation:
            raise Killed
        hit = world.faults.at(self.process.name, stream, port, operation, world.store.facts)
        world.calls += 1
        if world.trace is not None:
            world.note(self.process.name, stream, port, operation, hit[0] if hit else "")
        kind, seconds = hit or ("", 0.0)
        if kind == "kill":
            world.kill(self.process)
            raise Killed
        if kind == "paste":
            self.happenings.paste(CredentialId(stream))
        if kind in ("stop", "paste"):
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
        self.sleep(SLOW if kind == "slow" else latency)
        if port == "source":
            self.time.observe(float(int(self.hub.now + self.world.skew)))
        result = special(kind) if special and kind in SPECIAL else effect()
        self._after(kind, seconds)
        self.sleep(SLOW if kind == "slow" else 0.1)
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
