"""Virtual time and greenlets: the engine is plain blocking code, and a call of a port, its only door, parks it.

Every greenlet's parent is the hub. A killed process raises `Killed` at this and every later port call, so that
`finally` and `except` have no effect outside.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from contextlib import suppress

import greenlet


class Killed(BaseException):
    """SIGKILL. Not an `Exception`, so that nothing swallows it."""


class Process:
    """One simulated process: its incarnation grows with each restart, `until` is the end of a SIGSTOP."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.incarnation = 0
        self.until = 0.0

    @property
    def me(self) -> tuple[str, int]:
        """Identity of this incarnation."""
        return self.name, self.incarnation


class Hub:
    """The loop of virtual time."""

    def __init__(self) -> None:
        self.now = 0.0
        self._loop = greenlet.getcurrent()
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._tasks: list[greenlet.greenlet] = []

    def at(self, delay: float, call: Callable[[], None]) -> None:
        """Run a call after `delay` seconds of virtual time, outside every process."""
        heapq.heappush(self._queue, (self.now + max(delay, 0.0), next(self._order), call))

    def spawn(self, process: Process, body: Callable[[], None], delay: float = 0.0) -> None:
        """Start a thread of the process's present incarnation."""
        incarnation = process.incarnation

        def guarded() -> None:
            with suppress(Killed):
                body()

        task = greenlet.greenlet(guarded, self._loop)
        self._tasks.append(task)
        self.at(delay, lambda: self._resume(task, process, incarnation))

    def _resume(self, task: greenlet.greenlet, process: Process, incarnation: int) -> None:
        if process.incarnation == incarnation and self.now < process.until:
            self.at(process.until - self.now, lambda: self._resume(task, process, incarnation))
            return
        if not task and process.incarnation != incarnation:
            return
        task.switch()

    def sleep(self, process: Process, incarnation: int, seconds: float) -> None:
        """Park the calling greenlet; raises `Killed` when its incarnation has ended meanwhile."""
        if process.incarnation != incarnation:
            raise Killed
        task = greenlet.getcurrent()
        self.at(seconds, lambda: self._resume(task, process, incarnation))
        self._loop.switch()
        if process.incarnation != incarnation:
            raise Killed

    def run(self, until: float, stop: Callable[[], bool]) -> None:
        """Run until virtual time `until`, the end of all work, or `stop()`."""
        self._loop = greenlet.getcurrent()
        try:
            self._run(until, stop)
        finally:
            self._end()

    def _end(self) -> None:
        """Unwind every parked greenlet: an abandoned one would keep its whole world in memory."""
        for task in self._tasks:
            if task:
                task.throw(greenlet.GreenletExit)
        self._tasks.clear()
        self._queue.clear()

    def _run(self, until: float, stop: Callable[[], bool]) -> None:
        while self._queue and not stop():
            at, _, call = heapq.heappop(self._queue)
            if at > until:
                return
            self.now = at
            call()
