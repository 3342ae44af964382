"""The pace of each connection, as all processes on one journal share it: what is due when, and which values died.

Notes and no facts: they are cheap, may go with the power, and are made anew by whoever looks next. It decides nothing;
`core.schedule.admission` does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass
from typing import Final

from rotator.core.ids import CredentialId
from rotator.core.schedule.admission import Renewal
from rotator.journal.database import Database, run

_NOTE: Final = (
    "INSERT INTO pace (stream, connection, due_at, expires_at, lifetime, planned_at) VALUES (?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (stream) DO UPDATE SET connection = excluded.connection, due_at = excluded.due_at,"
    " expires_at = excluded.expires_at, lifetime = excluded.lifetime, planned_at = excluded.planned_at"
)
_DEAD: Final = (
    "INSERT INTO pace (stream, connection, dead_at, dead_seen) VALUES (?, ?, ?, ?)"
    " ON CONFLICT (stream) DO UPDATE SET connection = excluded.connection,"
    " dead_at = coalesce(pace.dead_at, excluded.dead_at), dead_seen = excluded.dead_seen"
)


@dataclass(frozen=True, slots=True)
class Death:
    """A published value that was seen dead; times in provider time.

    Attributes:
        at: when first.
        seen: when last.
    """

    at: float
    seen: float


class Pace:
    """The notes about the pace of connections."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def note(self, stream: CredentialId, connection: str, renewal: Renewal) -> None:
        """Note when a credential is due.

        Raises:
            JournalUnsafe: the journal takes nothing.
        """
        with self._db.write(durable=False, single=True) as db:
            run(db, _NOTE, (stream, connection, *astuple(renewal)))

    def died(self, stream: CredentialId, connection: str, at: float) -> None:
        """Note that the published value of a credential is dead, first or still; errors as `note`."""
        with self._db.write(durable=False, single=True) as db:
            run(db, _DEAD, (stream, connection, at, at))

    def lives(self, stream: CredentialId) -> None:
        """Note that it is not dead, or that an operator looked at it; errors as `note`."""
        with self._db.write(durable=False, single=True) as db:
            run(db, "UPDATE pace SET dead_at = NULL, dead_seen = NULL WHERE stream = ?", (stream,))

    def renewals(self, connection: str) -> Mapping[str, Renewal]:
        """Return what is noted of the configured credentials of a connection that have a token, by stream."""
        with self._db.read() as db:
            rows = run(
                db,
                "SELECT pace.stream, due_at, expires_at, lifetime, planned_at FROM pace JOIN stream ON id = stream"
                " WHERE pace.connection = ? AND due_at IS NOT NULL AND managed",
                (connection,),
            )
        return {row[0]: Renewal(*row[1:]) for row in rows}

    def deaths(self, connection: str) -> Mapping[str, Death]:
        """Return which published values of a connection are noted as dead, by stream."""
        with self._db.read() as db:
            rows = run(
                db,
                "SELECT pace.stream, dead_at, dead_seen FROM pace JOIN stream ON id = stream"
                " WHERE pace.connection = ? AND dead_at IS NOT NULL AND managed",
                (connection,),
            )
        return {stream: Death(at, seen) for stream, at, seen in rows}
