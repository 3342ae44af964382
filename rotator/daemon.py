"""The daemon: ticks, signals, a graceful end. The only home of the scheduler library, which ticks and nothing else.

The journal is the truth: every tick asks it what is due. A hung call never delays another credential or the exit,
because work runs in daemon threads.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import FrameType
from typing import Any, Final

from rotator.core.errors import RotatorError
from rotator.core.events import Event
from rotator.core.ports.journal import Journal
from rotator.engine.driver import Driver, End
from rotator.host.workers import Workers

BATCH: Final = 1000
"""Due streams taken from the journal in one tick, per connection."""

WORKERS: Final = 32
"""Credentials that are worked on at once; as many as the requests that one process sends at a time to a provider."""

DRAIN: Final = 25.0
"""Seconds that work under way gets when the process was asked to end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticks:
    """What the scheduler calls, and how often (seconds).

    Attributes:
        evaluate: what is due.
        watch: connections are looked at.
        heartbeat: the process says that it lives.
        reload: the configuration file is hashed.
    """

    evaluate: float
    watch: float
    heartbeat: float = 10.0
    reload: float = 5.0


class Daemon:
    """Runs until it is asked to stop."""

    def __init__(
        self,
        *,
        journal: Journal,
        driver: Driver,
        now: Callable[[str], float],
        steady: Callable[[str], bool],
        connections: Callable[[], list[str]],
        tended: Callable[[], list[str]],
        care: Callable[[str], None],
        heartbeat: Callable[[], None],
        reload: Callable[[], None],
        named: Callable[[str], str],
        say: Callable[..., None],
        ticked: Callable[[], None],
        announced: Callable[[], None],
        stop: threading.Event,
        ticks: Ticks,
    ) -> None:
        """Wire it.

        Args:
            journal: asked what is due.
            driver: runs a pass over one credential.
            now: provider time of a connection.
            steady: whether its clock can be believed; while not, it is asked at every tick.
            connections: names of the connections that mint, as configured now.
            tended: names of all connections that want to be looked at, those of targets included.
            care: looks at one connection (management token, quota, reachability).
            heartbeat: says that the process lives.
            reload: takes a changed configuration.
            named: the name of the credential with that stream.
            say: the log's `event`.
            ticked: notes that the scheduler ticked.
            announced: says that the daemon is ready; from then on it heeds signals.
            stop: set when the process was asked to end.
            ticks: cadences.
        """
        self._journal, self._driver, self._now, self._steady = journal, driver, now, steady
        self._connections, self._tended, self._care = connections, tended, care
        self._heartbeat, self._reload, self._named, self._say, self._ticked = heartbeat, reload, named, say, ticked
        self._announced, self._stop, self._ticks = announced, stop, ticks
        self._workers = Workers(WORKERS, self._failed, "credential")
        self._carers = Workers(4, self._untended, "connection")
        self._again: dict[str, float] = {}

    def run(self) -> None:
        """Tick until SIGTERM or SIGINT, then let what is under way finish.

        Crash: like SIGKILL at any moment; everything durable is in the journal.
        """
        from apscheduler.schedulers.background import BackgroundScheduler

        scheduler: Any = BackgroundScheduler(
            timezone="UTC", job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
        )
        jobs: Mapping[str, tuple[Callable[[], None], float]] = {
            "evaluate": (self.evaluate, self._ticks.evaluate),
            "watch": (self.watch, self._ticks.watch),
            "heartbeat": (self._heartbeat, self._ticks.heartbeat),
            "reload": (self._reload, self._ticks.reload),
        }
        for name, (call, seconds) in jobs.items():
            scheduler.add_job(self._guarded(name, call), "interval", seconds=seconds, id=name)
        self._signals()
        self._announced()
        self.watch()
        self._guarded("evaluate", self.evaluate)()
        scheduler.start()
        try:
            while not self._stop.wait(3600):
                pass
        finally:
            self._say(Event.DAEMON_STOPPING.value)
            scheduler.shutdown(wait=False)
            self._workers.close()
            self._carers.close()
            self._workers.drain(DRAIN)

    def evaluate(self) -> None:
        """Hand every credential that is due to a worker."""
        self._ticked()
        boot = time.monotonic()
        for connection in self._connections():
            if not self._steady(connection):
                self._tend(connection)
            for due in self._journal.due(connection, self._now(connection), BATCH):
                if self._again.get(due.stream, 0.0) <= boot:
                    self._workers.submit(due.stream, self._pass(due.stream))

    def _pass(self, stream: str) -> Callable[[], None]:
        def job() -> None:
            ended = self._driver.run(stream)
            # somebody else holds it, or the journal cannot be trusted: not at every tick
            pause = 2.0 if ended.end is End.BUSY else 10.0 if ended.end is End.FAILED else 0.0
            if pause:
                self._again[stream] = time.monotonic() + min(pause, 5 * self._ticks.evaluate)
            else:
                self._again.pop(stream, None)

        return job

    def watch(self) -> None:
        """Look at every connection; each in its own thread, so that a hanging one delays none."""
        for connection in self._tended():
            self._tend(connection)

    def _tend(self, connection: str) -> None:
        self._carers.submit(connection, partial(self._care, connection))

    def wake(self) -> None:
        """Reload and evaluate at once (SIGHUP)."""
        self._carers.submit("reload", self._guarded("reload", self._reload))

    def _signals(self) -> None:
        def stop(number: int, frame: FrameType | None) -> None:
            self._stop.set()

        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, stop)
            signal.signal(signal.SIGINT, stop)
            signal.signal(signal.SIGHUP, lambda number, frame: self.wake())

    def _guarded(self, name: str, call: Callable[[], None]) -> Callable[[], None]:
        def tick() -> None:
            try:
                call()
            except RotatorError as error:
                self._say(Event.TICK_FAILED.value, tick=name, reason=error.message)
            except Exception as error:  # noqa: BLE001 - the scheduler is the boundary: a tick must not end the daemon
                self._say(Event.TICK_FAILED.value, tick=name, exc_info=error)

        return tick

    def _failed(self, stream: str, error: BaseException) -> None:
        self._again[stream] = time.monotonic() + 60.0
        self._say(Event.INTERNAL_ERROR.value, credential=self._named(stream), exc_info=error)

    def _untended(self, connection: str, error: BaseException) -> None:
        self._say(Event.INTERNAL_ERROR.value, connection=connection, exc_info=error)
