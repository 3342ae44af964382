"""A PostgreSQL database as one of the two ends of a move. All rows are one transaction there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psycopg

from rotator.core.secret import Secret
from rotator.host.clock import SystemClock
from rotator.journal import schema_postgres
from rotator.journal.database import Connection, run, unsafe
from rotator.journal.owners import Process, processes
from rotator.journal.postgres import PostgresDatabase
from rotator.journal.postgres_link import LONG_SECONDS, Address, Link, checked
from rotator.journal.schema import Standing
from rotator.journal.transfer_rows import Now
from rotator.journal.transfer_side import Seen, look, usable

_NOBODY: Final = Path("/nonexistent/rotator")

_ALONE: Final = (
    "BEGIN; SET LOCAL synchronous_commit = on; SET LOCAL lock_timeout = '10s'; SET LOCAL statement_timeout = '10min';"
    " SET LOCAL idle_in_transaction_session_timeout = 0; LOCK TABLE stream, lease, sealed, meta IN EXCLUSIVE MODE"
)
"""Every fact locks the row of its stream first, and every process that starts writes to `meta`: readers go on."""

_NEXT: Final = "SELECT setval(pg_get_serial_sequence('fact', 'seq'), max(seq)) FROM fact HAVING max(seq) IS NOT NULL"


class ServerSide:
    """A journal in a database, or the place of one."""

    def __init__(self, url: str, password: Callable[[], Secret] | None) -> None:
        self._db = PostgresDatabase(Address(checked(url), password), _NOBODY)
        self.name = self._db.name

    def seen(self) -> Seen:
        """See `Side.seen`."""
        with self._db.read() as connection:
            absent = schema_postgres.standing(self.name, connection) is Standing.ABSENT
            return Seen() if absent else look(connection)

    def living(self) -> list[str]:
        """See `Side.living`; by their heartbeats."""
        return [f"process {one.pid} on {one.node or one.host}" for one in self._processes() if one.alive]

    def left(self) -> list[str]:
        """See `Side.left`: who leaves in peace takes its row along, and so does who buries one of its machine."""
        return [f"process {one.pid} on {one.node or one.host}" for one in self._processes() if not one.alive]

    def now(self, connection: Connection) -> Now:
        """See `Side.now`."""
        return self._db.now(connection, SystemClock())

    @contextmanager
    def held(self) -> Iterator[Connection]:
        """See `Side.held`."""
        try:
            link = Link(self._db.connect())
            try:
                link.bear(LONG_SECONDS)
                link.end(_ALONE)
                yield link
                link.end("COMMIT")
            finally:
                link.close()
        except psycopg.Error as error:
            raise unsafe(f"copying the journal: working in {self.name}", error) from error

    @contextmanager
    def filled(self, instance: str) -> Iterator[Connection]:
        """See `Side.filled`. The tables are made first, in a transaction of their own."""
        try:
            with self._db.read() as connection:
                present = schema_postgres.standing(self.name, connection) is Standing.PRESENT
            if not present:
                schema_postgres.migrate(self.name, self._db.connect, lambda point: None)
        except psycopg.Error as error:
            raise unsafe(f"copying the journal to {self.name}", error) from error
        with self.held() as connection:
            usable(self.name, look(connection), instance)
            yield connection
            run(connection, _NEXT)

    def close(self) -> None:
        """See `Side.close`."""
        self._db.close()

    def _processes(self) -> list[Process]:
        with self._db.read() as connection:
            if schema_postgres.standing(self.name, connection) is Standing.ABSENT:
                return []
        return processes(self._db, SystemClock())
