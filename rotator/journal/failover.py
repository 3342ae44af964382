"""A server that failed over to a standby, or was restored to a point in time: its timeline tells. Commits may be lost.

Whoever notices it first raises every epoch far above what a lost commit may have given out, and frees every lease. What
processes keep in their spools is brought in again. Where no synchronous standby was waited for, each credential is
marked as after a restore: nothing unknown is swept and nothing older retired before somebody has looked.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from rotator.core.facts import Ahead, Draft
from rotator.core.ports.journal import Lease
from rotator.journal.captures import Captures
from rotator.journal.database import Clock, Connection, Database, run

TIMELINE: Final = "timeline"
"""Name of the row of `meta` with the timeline on which the journal was written last."""

WAITED: Final = "waits_for_standby"
"""Name of the row of `meta` that says whether commits waited for a standby when a process last looked."""

LOST: Final = "lost_after"
"""Name of the row of `meta` with the last fact that was there after a failover that may have lost some."""

STEP: Final = 1000
"""By how much epochs rise: more than changes of hands within the commits that a standby may lack."""

_SAY: Final = "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
_MARKED: Final = (
    "SELECT (SELECT kind FROM stream WHERE id = :stream),"
    " (SELECT max(at) FROM fact WHERE stream = :stream AND seq <= :after),"
    " (SELECT count(*) FROM fact WHERE stream = :stream AND seq > :after AND kind = 'ahead')"
)


def taken_up(connection: Connection, now: str, waits: bool) -> None:
    """Note on which timeline the journal is written from now on, and whether its commits wait for a standby.

    Args:
        connection: with a transaction in which no other process does the same.
        now: the server's timeline.
        waits: whether commits wait for a standby.
    """
    said = dict(run(connection, "SELECT name, value FROM meta WHERE name IN ('timeline', 'waits_for_standby')"))
    if said.get(TIMELINE, now) != now:
        run(connection, "UPDATE lease SET epoch = epoch + ?, holder = ''", (STEP,))
        if said.get(WAITED) != "yes":
            run(connection, _SAY, (LOST, str(run(connection, "SELECT coalesce(max(seq), 0) FROM fact")[0][0])))
    for name, value in ((TIMELINE, now), (WAITED, "yes" if waits else "no")):
        if said.get(name) != value:
            run(connection, _SAY, (name, value))


class Failover:
    """What one process does about failovers of its database."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db, self._clock = db, clock
        self._lock = threading.Lock()
        self._after: int | None = None
        self._seen: set[str] = set()

    def take_up(self, captures: Captures, *, look: bool = False) -> None:
        """Where the database failed over since, let this process work on what it has now; else nothing.

        Args:
            captures: of this process; those that may be lost are brought in once more.
            look: also note whether commits wait for a standby now.

        Raises:
            JournalUnsafe: it cannot be reached; nothing was done.

        Crash: leaves epochs as they were, or raised; the next process does the rest.
        """
        with self._lock:
            if self._db.take_up(look=look):
                captures.again()
                self._after = None
                self._seen.clear()

    def mark(self, lease: Lease, append: Callable[[Lease, Draft], object]) -> None:
        """Let the stream of a lease know that facts of it may be lost, once for each failover.

        Raises:
            JournalUnsafe, Fenced: as `append`, which makes a fact durable.
        """
        if not self._db.loses or lease.stream in self._seen:
            return
        with self._lock:
            if self._after is None:
                with self._db.read() as connection:
                    found = run(connection, "SELECT value FROM meta WHERE name = ?", (LOST,))
                self._after = int(found[0][0]) if found else 0
            after = self._after
        if not after:
            return
        with self._db.read() as connection:
            kind, at, marked = run(connection, _MARKED, {"stream": lease.stream, "after": after})[0]
        if kind == "credential" and at is not None and not marked:
            append(lease, Draft(what=Ahead(), at=max(float(at), self._clock.utc())))
        self._seen.add(lease.stream)
