"""One pass to quiescence: evaluate, watch, sweep, drive everything that is due as far as it goes, perhaps wait."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import Final

from rotator.app.app import App
from rotator.app.exporting import Exports
from rotator.app.notifying import Notifications
from rotator.app.survey import survey
from rotator.core.credential import NEVER, State
from rotator.core.events import Event
from rotator.core.ids import CredentialId
from rotator.core.protocol.rules import Wait
from rotator.core.reasons import Effect
from rotator.daemon import WORKERS
from rotator.engine.driver import End, Pass
from rotator.host.workers import Workers

BUSY_PATIENCE: Final = 5.0
"""Seconds for which work that somebody else holds is asked for again."""


class Once:
    """Drives the given credentials of an opened writer: for `once`, and for `rotate --wait` without a daemon."""

    def __init__(self, app: App) -> None:
        """`app` must be a writer."""
        self._app = app
        self._workers = Workers(WORKERS, self._failed, "once")
        self._ends: dict[CredentialId, Pass] = {}
        self._lock = threading.Lock()

    def all(self) -> list[CredentialId]:
        """Streams of all credentials, those that left the configuration included."""
        return [s.id for s in self._app.queries.streams()]

    def sweep(self, streams: Iterable[CredentialId]) -> None:
        """Drive each of them once, side by side, as far as it goes now."""
        for stream in streams:
            self._workers.submit(stream, self._job(stream))
        while not self._workers.drain(0.5):
            if self._app.stop.is_set():
                self._workers.drain(25.0)
                return

    def _job(self, stream: CredentialId) -> Callable[[], None]:
        def job() -> None:
            ended = self._app.driver.run(stream)
            with self._lock:
                self._ends[stream] = ended

        return job

    def _failed(self, stream: CredentialId, error: BaseException) -> None:
        self._ends[stream] = Pass(End.FAILED, NEVER)
        self._app.say(Event.INTERNAL_ERROR.value, credential=self._app.queries.named(stream), exc_info=error)

    def run(self, wait: float, streams: Iterable[CredentialId] | None = None) -> int:
        """Drive until nothing is left but future deadlines, waiting at most `wait` seconds for those of open work.

        At the end the audit export takes what is new, for a while, and what is ripe is told.

        Returns:
            0 when nothing is left undone but future deadlines; 1 if a credential fails or someone else holds the work;
            3 if an operator is needed.
        """
        app = self._app
        chosen = list(streams) if streams is not None else self.all()
        for name in app.queries.sources():
            survey(app, name)
        until, busy_until = time.monotonic() + wait, time.monotonic() + max(wait, BUSY_PATIENCE)
        todo = chosen
        while todo and not app.stop.is_set():
            self.sweep(todo)
            todo, pause = self._again(chosen, time.monotonic(), until, busy_until)
            if todo:
                app.stop.wait(pause)
        for name in app.queries.sources():
            survey(app, name)
        exports, notifications = Exports(app), Notifications(app, hurry=True)
        exports.follow()
        notifications.follow()
        notifications.stop()
        exports.stop()
        return self._code(chosen)

    def _again(
        self, chosen: list[CredentialId], clock: float, until: float, busy_until: float
    ) -> tuple[list[CredentialId], float]:
        """Which credentials to drive again, and after how many seconds."""
        soonest: list[tuple[float, CredentialId]] = []
        for stream in chosen:
            ended = self._ends.get(stream)
            if ended is None:
                continue
            if ended.end is End.BUSY and clock < busy_until:
                soonest.append((clock + 0.5, stream))
            elif ended.end is End.FAILED and clock + 1 < until:
                soonest.append((clock + 1.0, stream))
            elif (at := self._deadline(stream, ended)) < NEVER and clock + at <= until:
                soonest.append((clock + at, stream))
        if not soonest:
            return [], 0.0
        first = min(at for at, _ in soonest)
        return [stream for at, stream in soonest if at <= first + 0.2], max(0.05, first - clock)

    def _deadline(self, stream: CredentialId, ended: Pass) -> float:
        """Seconds until the soonest deadline of open work; infinite where only a next due date is left."""
        if ended.step is None:
            return 0.0 if ended.end is End.WAITING else NEVER
        open_work = [
            verdict.until
            for name, verdict in ended.step.why.items()
            if isinstance(verdict, Wait) and verdict.why.effect is not Effect.RESTS
        ]
        if not open_work:
            return NEVER
        connection = next((c.connection for c in self._app.fleet.credentials if c.id == stream), "")
        return max(0.05, min(open_work) - self._app.queries.now(connection))

    def _code(self, chosen: list[CredentialId]) -> int:
        app, code = self._app, 0
        names = {stream.id: stream.name for stream in app.queries.streams()}
        wanted = {names.get(stream) for stream in chosen}
        for status in app.queries.statuses():
            if status.name not in wanted:
                continue
            needs = status.needs_operator
            if needs is not None and needs.code.blocks:
                code = 3
            elif status.state in (State.FAILING, State.UNINITIALIZED) and code != 3:
                reachable = app.fleet.reachable.get(status.connection, True)
                now = app.queries.now(status.connection)
                late = status.rotation_deadline is None or now >= status.rotation_deadline
                if reachable or late or not status.ready:
                    code = 1
                else:
                    app.say(Event.PROVIDER_UNAVAILABLE.value, credential=status.name, connection=status.connection)
        stuck = any(ended.end in (End.BUSY, End.FAILED) for ended in self._ends.values())
        return 1 if stuck and code == 0 else code


def once(app: App, wait: float) -> int:
    """Drive everything that is due as far as it goes; exit code and `wait` as for `Once.run`."""
    return Once(app).run(wait)
