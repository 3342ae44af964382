"""The rate budget of one connection: a sliding window that all processes on one journal share.

Requests are counted in small buckets of the time that all share; a bucket counts until it lies wholly outside the
window, so the sum over *every* sliding window stays within the budget. Counts may go with the power; the provider's own
limit is four times ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rotator.core.errors import RateLimited
from rotator.core.ports.runtime import Priority
from rotator.journal.database import Clock, Connection, Database, run

_BUCKETS: Final = 60
_SHARE: Final[Mapping[Priority, float]] = {
    Priority.SWEEP: 0.60,
    Priority.WATCH: 0.75,
    # 15 of 300 stay for rotations in flight: five finish one whose token was just made. More would only lie idle: as
    # soon as the window moves on by a bucket, whatever is in flight goes first.
    Priority.START: 285 / 300,
    Priority.FINISH: 1.0,
}
"""How much of the budget may be used up before a priority has to wait."""

_MOMENT: Final = 0.001
_DOUBT: Final = 60.0
"""A stop that ends so much later than it can is from before the shared clock went back, and stops nobody."""

_TAKE: Final = (
    "INSERT INTO budget (connection, boot_id, ends, count) SELECT :connection, :boot, :ends, 1"
    " WHERE (SELECT coalesce(sum(count), 0) FROM budget"
    " WHERE connection = :connection AND boot_id = :boot AND ends > :since AND ends <= :ends) < :allowed"
    " AND NOT EXISTS (SELECT 1 FROM stop WHERE connection = :connection"
    " AND CASE boot_id WHEN :boot THEN until > :now AND until <= :now + seconds + :doubt ELSE until_wall > :wall END)"
    " ON CONFLICT (connection, boot_id, ends) DO UPDATE SET count = budget.count + 1 RETURNING count"
)
"""Counts one request if there is room and nobody stopped the connection: one statement, because each request asks."""


class SharedBudget:
    """`Budget` over the shared journal. Safe to share between threads and processes."""

    def __init__(self, db: Database, clock: Clock, connection: str, requests: int, window: float) -> None:
        """At most `requests` (>= 1) in every sliding `window` seconds (> 0) on `connection`."""
        if requests < 1 or window <= 0:
            raise ValueError("a budget needs at least one request and a window above zero")
        self._db = db
        self._clock = clock
        self._name = connection
        self._requests = requests
        self._window = window

    def take(self, priority: Priority) -> None:
        """Count one request about to be sent; raise `RateLimited` when it has to wait."""
        allowed = max(1, int(self._requests * _SHARE[priority]))
        with self._db.write(durable=False, single=True) as connection:
            self._db.alone(connection, f"budget:{self._name}")
            counted = run(connection, _TAKE, self._bucket(connection, allowed))
        if counted:
            if counted[0][0] == 1:
                self._forget()
            return
        with self._db.read() as connection:
            # where the window has moved on since, there is a moment to wait, and then the next answer
            wait = self._stopped(connection) or self._full(connection, allowed) or _MOMENT
        raise RateLimited(f"the rate budget of connection {self._name} is used up for now", wait)

    def stop(self, seconds: float) -> None:
        """Nobody sends anything on this connection for `seconds`; an earlier, longer stop stays."""
        wall = self._clock.utc()
        with self._db.write() as connection:
            self._db.alone(connection, f"budget:{self._name}")
            boot, now = self._db.now(connection, self._clock)
            if self._stopped(connection) < seconds:
                run(
                    connection,
                    "INSERT INTO stop (connection, boot_id, until, until_wall, seconds) VALUES (?, ?, ?, ?, ?)"
                    " ON CONFLICT (connection) DO UPDATE SET boot_id = excluded.boot_id, until = excluded.until,"
                    " until_wall = excluded.until_wall, seconds = excluded.seconds",
                    (self._name, boot, now + seconds, wall + seconds, seconds),
                )

    def remaining(self) -> int:
        """Requests left in the present window, 0 while stopped."""
        with self._db.read() as connection:
            if self._stopped(connection) > 0:
                return 0
            return max(0, self._requests - sum(count for _, count in self._buckets(connection)))

    def _stopped(self, connection: Connection) -> float:
        """Seconds until the provider may be asked again."""
        row = run(
            connection, "SELECT boot_id, until, until_wall, seconds FROM stop WHERE connection = ?", (self._name,)
        )
        if not row:
            return 0.0
        boot_id, until, until_wall, seconds = row[0]
        boot, now = self._db.now(connection, self._clock)
        if boot_id == boot:
            return max(0.0, float(until) - now) if until <= now + seconds + _DOUBT else 0.0
        # After a reboot only the wall clock knows, and it is believed no further than the stop was long.
        return min(max(0.0, float(until_wall) - self._clock.utc()), float(seconds))

    def _buckets(self, connection: Connection) -> list[tuple[float, int]]:
        """(end, count) of the buckets that still count, oldest first."""
        boot, now = self._db.now(connection, self._clock)
        return run(
            connection,
            "SELECT ends, count FROM budget WHERE connection = ? AND boot_id = ? AND ends > ? AND ends <= ?"
            " ORDER BY ends",
            (self._name, boot, now - self._window, self._end(now)),
        )

    def _full(self, connection: Connection, allowed: int) -> float:
        """Seconds until one request may be sent where `allowed` are."""
        buckets = self._buckets(connection)
        used = sum(count for _, count in buckets)
        for ends, count in buckets:
            if used < allowed:
                break
            used -= count
            if used < allowed:
                return max(_MOMENT, float(ends) + self._window - self._db.now(connection, self._clock)[1])
        return 0.0

    def _bucket(self, connection: Connection, allowed: int) -> dict[str, Any]:
        """What `_TAKE` asks for: the bucket of this moment, and what may be used up."""
        boot, now = self._db.now(connection, self._clock)
        return {
            "connection": self._name,
            "boot": boot,
            "now": now,
            "wall": self._clock.utc(),
            "ends": self._end(now),
            "since": now - self._window,
            "doubt": _DOUBT,
            "allowed": allowed,
        }

    def _end(self, now: float) -> float:
        """When the bucket of that moment closes; what closes later was counted before the shared clock went back."""
        width = self._window / _BUCKETS
        return (now // width + 1) * width

    def _forget(self) -> None:
        """Remove the buckets that count no more: whenever a new one begins."""
        with self._db.write(durable=False, single=True) as connection:
            boot, now = self._db.now(connection, self._clock)
            run(
                connection,
                "DELETE FROM budget WHERE connection = ? AND (boot_id <> ? OR ends <= ?)",
                (self._name, boot, now - self._window),
            )
