"""What is done again and again: APScheduler ticks, by a clock that nobody can set, each tick in a thread of its own.

A tick that is still running when its time comes again is skipped; one that is late is one tick, not several. Intervals
are asked for each time, so a configuration that is loaded anew changes them at once. What a tick does, and what becomes
of its errors, is the caller's. The only home of the scheduler library.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Final

from rotator.host.latch import Latch, wait_for_any
from rotator.host.workers import OnError, Workers

SHORTEST: Final = 0.001
"""Seconds between two ticks at least."""


@dataclass(frozen=True, slots=True)
class Tick:
    """One thing that is done again and again.

    Attributes:
        call: what is done; runs in a thread of its own.
        every: seconds between two beginnings.
    """

    call: Callable[[], object]
    every: Callable[[], float]


class Steady(tzinfo):
    """A time zone in which it is as late as a monotonic clock says.

    APScheduler asks `datetime.now(timezone)` for the time, and that is the zone's to tell (`fromutc`). So a wall clock
    that is set back stops no tick, and one that is set forward hurries none.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        """`monotonic` counts seconds from any moment."""
        self._monotonic = monotonic

    def fromutc(self, _: datetime) -> datetime:
        """Return the time now, whatever the wall clock says."""
        return datetime.fromtimestamp(0, UTC).replace(tzinfo=self) + timedelta(seconds=self._monotonic())

    def utcoffset(self, _: datetime | None) -> timedelta:
        """There is one such zone."""
        return timedelta(0)

    def dst(self, _: datetime | None) -> timedelta:
        """It has no summer."""
        return timedelta(0)

    def tzname(self, _: datetime | None) -> str:
        """A name for logs."""
        return "steady"


class Ticks:
    """A handful of ticks. `run` belongs to one thread; `hurry` may come from a signal handler."""

    def __init__(
        self, ticks: Mapping[str, Tick], on_error: OnError, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """`on_error(name, exception)` is called in the tick's thread. Imports APScheduler."""
        self._workers = Workers(len(ticks), on_error, "tick")
        self._scheduler = _scheduler(self._workers, Steady(monotonic))
        self._hurried: set[str] = set()
        self._bell = Latch()
        self._names = tuple(ticks)
        for name, tick in ticks.items():
            self._scheduler.add_job(tick.call, _trigger(tick.every), id=name)
        self._scheduler.start()

    def prepare(self) -> None:
        """Start the threads.

        Raises:
            Exhausted: the system allows no more of them.
        """
        self._workers.prepare(len(self._names))

    def hurry(self, name: str) -> None:
        """Let one tick come at once."""
        self._hurried.add(name)
        self._bell.set()

    def run(self, stop: Latch) -> None:
        """Tick until `stop` is set; the first time of each is one interval from now."""
        for job in self._scheduler.get_jobs():
            job.trigger.restart(datetime.now(self._scheduler.timezone))
        left = self._left()
        while not stop.is_set():
            wait_for_any(left, stop, self._bell)
            if self._bell.is_set():
                self._bell = Latch()  # before the look at who hurries: a later call rings the new one
            if not stop.is_set():
                left = self.tick()
        self._scheduler.shutdown(wait=False)
        self._workers.close()

    def tick(self) -> float:
        """Begin whatever is due; return the seconds until something is due again."""
        self._left()
        for name in self._names:
            if name in self._hurried:
                self._hurried.discard(name)
                self._scheduler.modify_job(name, next_run_time=datetime.now(self._scheduler.timezone))
        self._scheduler.process()
        return self._left()

    def _left(self) -> float:
        """Heed intervals that have changed; return the seconds until the next tick."""
        now = datetime.now(self._scheduler.timezone)
        for job in self._scheduler.get_jobs():
            if job.next_run_time != job.trigger.due:
                job.modify(next_run_time=job.trigger.due)
        soonest: datetime = min(job.next_run_time for job in self._scheduler.get_jobs())
        return max(0.0, (soonest - now).total_seconds())


def _trigger(every: Callable[[], float]) -> Any:
    """Return the trigger of APScheduler that asks for its interval anew each time."""
    from apscheduler.triggers.base import BaseTrigger

    class Every(BaseTrigger):  # type: ignore[misc]
        last: datetime

        @property
        def due(self) -> datetime:
            return self.last + timedelta(seconds=max(every(), SHORTEST))

        def restart(self, now: datetime) -> None:
            self.last = now

        def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime:
            self.restart(now)
            return self.due

    return Every()


def _scheduler(workers: Workers, timezone: tzinfo) -> Any:
    """Return a scheduler that does not wait: `process` begins what is due, in threads that never hold up the exit.

    APScheduler's own pool is joined when the interpreter ends, a hanging tick included.
    """
    from apscheduler.executors.base import BaseExecutor
    from apscheduler.schedulers.base import BaseScheduler

    class Threads(BaseExecutor):  # type: ignore[misc]
        def _do_submit_job(self, job: Any, run_times: list[datetime]) -> None:
            def call() -> None:
                try:
                    job.func()
                finally:
                    self._run_job_success(job.id, [])

            workers.submit(job.id, call)

    class Scheduler(BaseScheduler):  # type: ignore[misc]
        def wakeup(self) -> None:
            """Nobody sleeps in here."""

        def shutdown(self, wait: bool = False) -> None:
            """Begin nothing more."""
            super().shutdown(wait)

        def process(self) -> None:
            self._process_jobs()

    defaults = {"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
    return Scheduler(timezone=timezone, executors={"default": Threads()}, job_defaults=defaults)
