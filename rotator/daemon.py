"""The daemon: ticks, signals, a graceful end.

The journal is the truth: every tick asks it what is due. A hung call never delays another credential or the exit,
because work runs in daemon threads. All that it works on is its host's.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from types import FrameType
from typing import Final, Protocol

from rotator.core.errors import JournalUnsafe, RotatorError
from rotator.core.events import Event
from rotator.core.ids import CredentialId
from rotator.core.ports.journal import Due
from rotator.engine.driver import End, Pass
from rotator.host.latch import Latch
from rotator.host.threads import exhaustion
from rotator.host.ticks import Tick, Ticks
from rotator.host.workers import Workers

BATCH: Final = 1000
"""Due streams taken from the journal in one tick, per connection."""

WORKERS: Final = 32
"""Credentials that are worked on at once; as many as the requests that one process sends at a time to a provider."""

SURVEYS: Final = 4
"""Connections that are looked at at once."""

DRAIN: Final = 25.0
"""Seconds that work under way gets when the process was asked to end."""

REST: Final = 60.0
"""Seconds for which a credential rests after an error that should not exist."""

ENDS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)
UNHEEDED: Final = (signal.SIGUSR1, signal.SIGUSR2)
"""Signals that would kill by default and that people send to daemons to see what happens: nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cadence:
    """How often, in seconds.

    Attributes:
        evaluate: what is due.
        watch: connections are looked at.
        heartbeat: the process says that it lives.
        reload: the configuration file is compared with what is effective.
    """

    evaluate: float
    watch: float
    heartbeat: float = 10.0
    reload: float = 5.0


class Host(Protocol):
    """What a daemon runs for: one opened instance, with everything around it."""

    stop: Latch
    """Set when the process was asked to end."""

    def cadence(self) -> Cadence:
        """Return how often each thing is done, by the configuration that is effective now."""

    def sources(self) -> list[str]:
        """Return the names of the connections that mint."""

    def connections(self) -> list[str]:
        """Return the names of all connections, those of targets included."""

    def steady(self, connection: str) -> bool:
        """Whether the clock of a source can be believed; while not, the connection is asked at every tick."""

    def wanted(self, connection: str) -> bool:
        """Whether the management pair of a source wants to be looked at before the next watch."""

    def due(self, connection: str, limit: int) -> Sequence[Due]:
        """Return the streams of a connection that want to be worked on now.

        Raises:
            JournalUnsafe: the journal does not answer.
        """

    def drive(self, stream: CredentialId) -> Pass:
        """Run a pass over one credential."""

    def survey(self, connection: str) -> None:
        """Look at one connection: management tokens, quota, whether it can be reached."""

    def heartbeat(self) -> None:
        """Say that the process lives."""

    def reload(self) -> None:
        """Take a changed configuration."""

    def named(self, stream: CredentialId) -> str:
        """Return the name of the credential with that stream."""

    def say(self, event: str, /, **fields: object) -> None:
        """Say that something happened: the log's `event`."""

    def ticked(self) -> None:
        """Note that it was asked what is due."""

    def announce(self) -> None:
        """Say that the daemon is ready; from then on it heeds signals."""


class Daemon:
    """Runs until it is asked to stop."""

    def __init__(self, host: Host) -> None:
        """Nothing runs yet."""
        self._host = host
        self._workers = Workers(WORKERS, self._failed, "credential")
        self._surveys = Workers(SURVEYS, self._unsurveyed, "connection")
        self._ticks = Ticks(
            {
                "evaluate": Tick(self.evaluate, lambda: host.cadence().evaluate),
                "watch": Tick(self.watch, lambda: host.cadence().watch),
                "heartbeat": Tick(host.heartbeat, lambda: host.cadence().heartbeat),
                "reload": Tick(host.reload, lambda: host.cadence().reload),
            },
            self._unticked,
        )
        self._again: dict[str, float] = {}
        self._fatal: RotatorError | None = None

    def run(self) -> None:
        """Tick until SIGTERM, SIGINT or SIGQUIT, then let what is under way finish.

        Raises:
            Exhausted: the system gives this process too few threads or too little memory to go on.

        Crash: like SIGKILL at any moment; everything durable is in the journal.
        """
        self._ticks.prepare()
        self._workers.prepare(1)
        self._surveys.prepare(1)
        self._signals()
        self._host.announce()
        self.watch()
        self._ticks.hurry("evaluate")
        try:
            self._ticks.run(self._host.stop)
        finally:
            self._host.say(Event.DAEMON_STOPPING.value)
            self._workers.close()
            self._surveys.close()
            self._workers.drain(DRAIN)
        if self._fatal is not None:
            raise self._fatal

    def evaluate(self) -> None:
        """Hand every credential that is due to a worker."""
        self._host.ticked()
        now = time.monotonic()
        for connection in self._host.sources():
            if not self._host.steady(connection) or self._host.wanted(connection):
                self._survey(connection)
            for due in self._host.due(connection, BATCH):
                if self._again.get(due.stream, 0.0) <= now:
                    self._workers.submit(due.stream, self._pass(due.stream))

    def _pass(self, stream: CredentialId) -> Callable[[], None]:
        def job() -> None:
            ended = self._host.drive(stream)
            # somebody else holds it, or the journal cannot be trusted: not at every tick
            pause = 2.0 if ended.end is End.BUSY else 10.0 if ended.end is End.FAILED else 0.0
            if pause:
                self._again[stream] = time.monotonic() + min(pause, 5 * self._host.cadence().evaluate)
            else:
                self._again.pop(stream, None)

        return job

    def watch(self) -> None:
        """Look at every connection; each in its own thread, so that a hanging one delays none."""
        for connection in self._host.connections():
            self._survey(connection)

    def _survey(self, connection: str) -> None:
        self._surveys.submit(connection, partial(self._host.survey, connection))

    def _signals(self) -> None:
        def stop(number: int, frame: FrameType | None) -> None:
            self._host.stop.set()

        if threading.current_thread() is threading.main_thread():
            for number in ENDS:
                signal.signal(number, stop)
            for number in UNHEEDED:
                signal.signal(number, _nothing)
            signal.signal(signal.SIGHUP, lambda number, frame: self._ticks.hurry("reload"))

    # ---------------------------------------------------------------------------- what becomes of errors in the threads

    def _failed(self, stream: CredentialId, error: BaseException) -> None:
        self._again[stream] = time.monotonic() + REST
        self._say(error, Event.INTERNAL_ERROR, credential=self._host.named(stream))

    def _unsurveyed(self, connection: str, error: BaseException) -> None:
        self._say(error, Event.INTERNAL_ERROR, connection=connection)

    def _unticked(self, tick: str, error: BaseException) -> None:
        self._say(error, Event.TICK_FAILED, tick=tick)

    def _say(self, error: BaseException, event: Event, **fields: object) -> None:
        """Say an error once, in the way that fits: what ends the process, what the journal refuses, what is a bug."""
        limit = exhaustion(error)
        if limit is not None:
            self._fatal = self._fatal or limit
            self._host.stop.set()
        elif isinstance(error, JournalUnsafe):
            self._host.say(Event.JOURNAL_UNSAFE.value, **fields, reason=error.message)
        elif isinstance(error, RotatorError):
            self._host.say(event.value, **fields, reason=error.message)
        else:
            self._host.say(event.value, **fields, exc_info=error)


def heed_nothing_yet() -> None:
    """Let no SIGHUP or SIGUSR1 that comes before the daemon is ready kill it."""
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGHUP, *UNHEEDED):
            signal.signal(number, _nothing)


def _nothing(number: int, frame: FrameType | None) -> None:
    """A handler and not SIG_IGN, which the commands that read secrets would inherit."""
