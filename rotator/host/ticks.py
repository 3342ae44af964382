"""What is done again and again: each tick in a thread of its own, counted by a clock that nobody can set.

A tick that is still running when its time comes again is skipped; one that is late is one tick, not several. Intervals
are asked for each time, so a configuration that is loaded anew changes them at once. What a tick does, and what becomes
of its errors, is the caller's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rotator.host.latch import Latch, wait_for_any
from rotator.host.workers import OnError, Workers


@dataclass(frozen=True, slots=True)
class Tick:
    """One thing that is done again and again.

    Attributes:
        call: what is done; runs in a thread of its own.
        every: seconds between two beginnings.
    """

    call: Callable[[], object]
    every: Callable[[], float]


class Ticks:
    """A handful of ticks. `run` belongs to one thread; `hurry` may come from a signal handler."""

    def __init__(
        self, ticks: Mapping[str, Tick], on_error: OnError, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """`on_error(name, exception)` is called in the tick's thread."""
        self._ticks, self._monotonic = dict(ticks), monotonic
        self._last = dict.fromkeys(ticks, monotonic())
        self._hurried: set[str] = set()
        self._bell = Latch()
        self._workers = Workers(len(ticks), on_error, "tick")

    def prepare(self) -> None:
        """Start the threads.

        Raises:
            Exhausted: the system allows no more of them.
        """
        self._workers.prepare(len(self._ticks))

    def hurry(self, name: str) -> None:
        """Let one tick come at once."""
        self._hurried.add(name)
        self._bell.set()

    def run(self, stop: Latch) -> None:
        """Tick until `stop` is set; the first time of each is one interval from now."""
        self._last = dict.fromkeys(self._ticks, self._monotonic())
        while not stop.is_set():
            wait_for_any(self._left(), stop, self._bell)
            if self._bell.is_set():
                self._bell = Latch()  # before the look at who hurries: a later call rings the new one
            if not stop.is_set():
                self.tick()
        self._workers.close()

    def tick(self) -> None:
        """Begin whatever is due."""
        now = self._monotonic()
        for name, tick in self._ticks.items():
            hurried = name in self._hurried
            if hurried or now - self._last[name] >= tick.every():
                self._hurried.discard(name)
                self._last[name] = now
                self._workers.submit(name, tick.call)

    def _left(self) -> float:
        now = self._monotonic()
        return max(0.0, min(self._last[name] + tick.every() - now for name, tick in self._ticks.items()))
