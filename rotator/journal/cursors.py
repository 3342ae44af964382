"""How far each consumer of facts has come: a position per stream, in the journal, moved by one process at a time.

A consumer passes facts on to somewhere outside (the audit export, notifications). It reads each stream by position and
never all of them by the order of writing, which on PostgreSQL has gaps and late commits. It passes a fact on first and
moves its cursor then: what a kill leaves between is passed on again, and nothing is left out.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rotator.core.errors import JournalUnsafe
from rotator.core.facts import Fact
from rotator.core.ids import CredentialId
from rotator.core.ports.journal import Lease
from rotator.journal import records
from rotator.journal.database import Database, run
from rotator.journal.leases import Leases

_NOTE: Final = "consumer:"
"""How the row of what a consumer keeps begins, beside its positions."""

_BEHIND: Final = (
    "SELECT id, kind, name, connection, come, ends FROM (SELECT stream.id AS id, kind, name, connection,"
    " coalesce(position, 0) AS come, (SELECT max(fact.position) FROM fact WHERE fact.stream = stream.id) AS ends"
    " FROM stream LEFT JOIN consumer_cursor ON consumer = ? AND consumer_cursor.stream = stream.id) AS behind"
    " WHERE ends > come ORDER BY id"
)
"""The end is asked stream by stream: one look into an index for each, however many facts there are."""

_MOVE: Final = (
    "INSERT INTO consumer_cursor (consumer, stream, position) VALUES (?, ?, ?)"
    " ON CONFLICT (consumer, stream) DO UPDATE SET position = excluded.position"
)
_KEEP: Final = "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"


@dataclass(frozen=True, slots=True)
class Behind:
    """A stream in which a consumer has facts before it.

    Attributes:
        stream: its id.
        kind: `credential`, `pair`, `connection` or `forgotten`.
        name: as configured now, or when it was configured last.
        connection: name of its connection.
        come: position of the last fact that was passed on, 0 for none.
        ends: position of its last fact.
    """

    stream: CredentialId
    kind: str
    name: str
    connection: str
    come: int
    ends: int


class Cursors:
    """The cursors of one journal. Safe to share between threads."""

    def __init__(self, db: Database, leases: Leases | None) -> None:
        """Without `leases` they can be read and not moved."""
        self._db, self._leases = db, leases

    def claim(self, consumer: str) -> Lease | None:
        """Take or renew the right to move the cursor of a consumer; None while another living process has it.

        Raises:
            JournalUnsafe: the journal cannot be written.

        Crash: leaves the right of a dead process, which anybody may take.
        """
        return self._moving.consumer(consumer)

    def give_back(self, claim: Lease) -> None:
        """Let another process have the right; harmless where it has it already. Errors as `claim`."""
        self._moving.free(claim)

    def behind(self, consumer: str) -> list[Behind]:
        """Return the streams in which the consumer has facts before it, by id.

        Raises:
            JournalUnsafe: the journal cannot be read.
        """
        with self._db.read() as connection:
            rows = run(connection, _BEHIND, (consumer,))
        return [Behind(CredentialId(row[0]), *row[1:]) for row in rows]

    def lag(self, consumer: str) -> int:
        """Return how many facts are before the consumer; errors as `behind`."""
        return sum(one.ends - one.come for one in self.behind(consumer))

    def facts(self, stream: CredentialId, after: int, limit: int) -> list[Fact]:
        """Return the next facts of a stream after a position, in order; errors as `behind`."""
        with self._db.read() as connection:
            return [found.fact() for found in itertools.islice(records.each(connection, stream, after), limit)]

    def kept(self, consumer: str) -> str:
        """Return what the consumer keeps beside its positions, empty before the first `move`; errors as `behind`."""
        with self._db.read() as connection:
            found = run(connection, "SELECT value FROM meta WHERE name = ?", (_NOTE + consumer,))
        return str(found[0][0]) if found else ""

    def move(
        self,
        claim: Lease,
        consumer: str,
        to: Mapping[CredentialId, int],
        keep: str | None = None,
        *,
        back: bool = False,
    ) -> None:
        """Note that every fact up to these positions was passed on.

        Args:
            claim: the right to say so.
            consumer: whose cursor it is.
            to: position per stream.
            keep: what the consumer keeps from now on; None leaves what it kept.
            back: whether positions may become smaller: what was passed on got lost outside.

        Raises:
            Fenced: another process took over; nothing was noted.
            JournalUnsafe: the journal cannot be written; it may be noted or not.

        Crash: leaves the cursor where it was, or moved. A power cut may undo it: facts are passed on once more.
        """
        moved: Sequence[tuple[str, str, int]] = [(consumer, stream, at) for stream, at in sorted(to.items())]
        statement = _MOVE if back else f"{_MOVE} WHERE consumer_cursor.position < excluded.position"
        with self._db.write(durable=False) as connection:
            self._moving.renew(connection, claim)
            for row in moved:
                run(connection, statement, row)
            if keep is not None:
                run(connection, _KEEP, (_NOTE + consumer, keep))

    @property
    def _moving(self) -> Leases:
        if self._leases is None:
            raise JournalUnsafe("moving a cursor: the journal was opened for reading")
        return self._leases
