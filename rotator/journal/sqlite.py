"""The connector to an SQLite file: connections whose every PRAGMA answer is checked, and what a failed COMMIT means.

It knows no facts and no leases. Two habits of the driver decide its shape: a statement whose answer is not fetched can
swallow the error of its commit, and a COMMIT that fails is "unknown", not "no".
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from rotator.core.errors import JournalUnsafe
from rotator.core.ids import NO_CREDENTIAL, NO_FACT, CredentialId, FactId
from rotator.host.files import flush
from rotator.journal.database import Answer, Clock, Connection, Parameters, run, unsafe
from rotator.journal.sqlite_file import BUSY_SECONDS, inode, prepare, size

_FULL, _NORMAL = 2, 1
_NO_FOLDER: Final = ("SQLITE_CANTOPEN", "SQLITE_READONLY")
_IDLE_READERS: Final = 8
_STRAY_SECONDS: Final = 0.05
"""After that long a member of a batch looks whether anybody is left to commit it."""

_BROKEN_OFF: Final = sqlite3.OperationalError("another write of the same transaction broke off")

Connect = Callable[..., sqlite3.Connection]
"""`sqlite3.connect`, or what a test puts in its place."""


class _Batch:
    """A transaction, and how it ended: of one thread, or of several that one COMMIT makes durable together."""

    __slots__ = ("connection", "durable", "ended", "error")

    def __init__(self, connection: sqlite3.Connection, durable: bool) -> None:
        self.connection = connection
        self.durable = durable
        self.ended = threading.Event()
        self.error: sqlite3.Error | None = None


class SqliteDatabase:
    """One SQLite file, open in this process. Safe to share between threads.

    One connection writes, guarded by one lock, because SQLite has one writer anyway; readers come from a small pool.
    """

    locks_tell = True
    loses = False
    lock = ""  # BEGIN IMMEDIATE excludes every other writer

    def __init__(self, path: Path, *, readonly: bool = False, connect: Connect = sqlite3.connect) -> None:
        self.path = self.beside = path
        self.name = str(path)
        self.readonly = readonly
        self._connect = connect
        self._turn = threading.Lock()
        self._counting = threading.Lock()
        self._queued = 0
        self._batch: _Batch | None = None
        self._writers: dict[int, sqlite3.Connection] = {}
        self._readers: deque[sqlite3.Connection] = deque()
        self._closed = False
        self._inode = inode(path)

    @contextmanager
    def read(self, *, snapshot: bool = False) -> Iterator[sqlite3.Connection]:
        """Lend a connection for reading; concurrent with everything. See `Database.read`."""
        try:
            connection = self._reader()
            try:
                if snapshot:
                    run(connection, "BEGIN")
                yield connection
                if snapshot:
                    run(connection, "COMMIT")
            except BaseException:
                connection.close()
                raise
        except sqlite3.Error as error:
            raise unsafe(f"reading the journal {self.path}", error) from error
        if self._closed or len(self._readers) >= _IDLE_READERS:
            connection.close()
        else:
            self._readers.append(connection)

    @contextmanager
    def write(
        self, *, fact_id: FactId = NO_FACT, durable: bool = True, single: bool = False
    ) -> Iterator[sqlite3.Connection]:
        """Run the body in one `BEGIN IMMEDIATE` transaction; on return it is committed.

        Threads that wait for their turn meanwhile join the transaction, and one COMMIT makes all of them durable: a
        slow disk is flushed once for many. Nobody sees a fact before it is durable. A body reads and judges before it
        writes: one that raises until then takes nothing from the others, one that breaks off later takes all back.

        Args:
            fact_id: the fact that the body inserts; an unknown COMMIT is decided by looking for it.
            durable: False for what a power cut may undo (lease renewals, the rate budget): no fsync then.
            single: the body is one statement, which SQLite makes a transaction by itself.

        Raises:
            JournalUnsafe: nothing was written, or it is not known to be durable.

        Crash: a kill inside leaves the whole transaction or nothing.
        """
        if self.readonly:
            raise JournalUnsafe(f"writing to the journal {self.path}: it was opened for reading")
        self._take_turn()
        try:
            batch, joined = self._begin(durable, single)
            before = batch.connection.total_changes
            try:
                yield batch.connection
            except sqlite3.Error as error:
                self._undo(batch, joined, before, error)
                raise unsafe(f"writing to the journal {self.path}", error) from error
            except BaseException:
                self._undo(batch, joined, before, _BROKEN_OFF)
                raise
            self._end(batch)
        finally:
            self._turn.release()
        self._await(batch, fact_id)

    def transact(
        self,
        work: Callable[[Connection], Answer],
        *,
        fact_id: FactId = NO_FACT,
        stream: CredentialId = NO_CREDENTIAL,
        durable: bool = True,
    ) -> Answer:
        """Run `work` in one transaction; nobody else writes meanwhile. See `Database.transact`."""
        with self.write(fact_id=fact_id, durable=durable) as connection:
            return work(connection)

    def now(self, connection: Connection, clock: Clock) -> tuple[str, float]:
        """Return the name of the boot and the seconds since it: all processes are on this machine."""
        return clock.boot_id(), clock.boot()

    def alone(self, connection: Connection, what: str) -> None:
        """Nothing: who writes is alone."""

    def _take_turn(self) -> None:
        with self._counting:
            self._queued += 1
        try:
            self._turn.acquire()
        finally:
            with self._counting:
                self._queued -= 1

    def _begin(self, durable: bool, single: bool) -> tuple[_Batch, bool]:
        """Begin a transaction, or join the one that was left open for whoever comes next."""
        if self._batch is not None:
            return self._batch, True
        try:
            batch = _Batch(self._writer(_FULL if durable else _NORMAL), durable)
            if not single:
                run(batch.connection, "BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            self._drop()
            raise unsafe(f"starting a transaction in the journal {self.path}", error) from error
        return batch, False

    def _end(self, batch: _Batch) -> None:
        """Commit, unless another thread waits for its turn: it joins, and one flush of the disk serves both."""
        if self._queued and batch.durable and batch.connection.in_transaction:
            self._batch = batch
        else:
            self._commit(batch)

    def _undo(self, batch: _Batch, joined: bool, before: int, error: sqlite3.Error) -> None:
        """Take back what one member did: nothing where it was refused before it wrote, so the others keep theirs.

        Else everything goes, as it does when a full or broken disk lets SQLite roll back by itself, and all are told.
        """
        connection = batch.connection
        if joined and connection.in_transaction and connection.total_changes == before:
            self._end(batch)
            return
        self._roll_back(connection)
        self._fail(batch, error)

    def _commit(self, batch: _Batch) -> None:
        self._batch = None
        try:
            if batch.connection.in_transaction:  # a single statement has committed itself
                run(batch.connection, "COMMIT")
        except sqlite3.Error as error:
            self._drop()
            self._fail(batch, error)
        batch.ended.set()

    def _fail(self, batch: _Batch, error: sqlite3.Error) -> None:
        self._batch = None
        batch.error = error
        batch.ended.set()

    def _await(self, batch: _Batch, fact_id: FactId) -> None:
        """Wait until the batch is committed; do it, should whoever was to join have been interrupted."""
        while not batch.ended.wait(_STRAY_SECONDS):
            with self._turn:
                if self._batch is batch:
                    self._commit(batch)
        error = batch.error
        if error is not None and not (fact_id and self._landed(fact_id)):
            raise unsafe(f"committing to the journal {self.path}", error) from error

    def _settle(self) -> None:
        """Commit what was left open, for whoever has the turn and is no transaction."""
        if self._batch is not None:
            self._commit(self._batch)

    def in_place(self) -> None:
        """Raise `JournalUnsafe` when another file, or none, has the name of the one that is open."""
        if inode(self.path) != self._inode:
            raise JournalUnsafe(
                f"writing to the journal {self.path}: the file was removed or replaced while it was open",
                "stop every rotator process before restoring a journal, then start again",
            )

    def take_up(self, *, look: bool = False) -> bool:
        """Nothing: a file has no standby."""
        return False

    def tidy(self) -> bool:
        """Empty the write-ahead log, in which forgotten keys stand."""
        return self.checkpoint()

    def complaints(self) -> list[str]:
        """Return what SQLite's full integrity check says; takes a second per some hundred megabytes."""
        with self.read() as connection:
            found = [str(row[0]) for row in run(connection, "PRAGMA integrity_check(20)")]
        return [] if found == ["ok"] else found

    def doubts(self) -> list[tuple[str, str]]:
        """Return nothing: every PRAGMA is checked when the file is opened."""
        return []

    def sizes(self) -> dict[str, int]:
        """Return database_bytes and log_bytes."""
        return {"database_bytes": size(f"{self.path}"), "log_bytes": size(f"{self.path}-wal")}

    def checkpoint(self) -> bool:
        """Copy the write-ahead log into the database and empty it; False while a reader is in the way.

        Raises:
            JournalUnsafe: the disk refuses.
        """
        with self._turn:
            self._settle()
            try:
                answer = run(self._writer(_FULL), "PRAGMA wal_checkpoint(TRUNCATE)")
            except sqlite3.Error as error:
                self._drop()
                raise unsafe(f"checkpointing the journal {self.path}", error) from error
        return bool(answer) and answer[0][0] == 0

    def probe(self, statement: str, parameters: Parameters = ()) -> list[Any]:
        """Run one query on a connection opened for it: what it finds does not live in a cache of ours.

        Raises:
            JournalUnsafe: it cannot be opened or read (no file descriptors left, a damaged file).
        """
        try:
            connection = self._new("mode=ro" if self.readonly else "mode=rw")
            try:
                return run(connection, statement, parameters)
            finally:
                connection.close()
        except sqlite3.Error as error:
            raise unsafe(f"reading the journal {self.path} back", error) from error

    def close(self) -> None:
        """Close every connection; later calls of `read` and `write` open new ones only by mistake, and fail."""
        with self._turn:
            self._settle()
            self._closed = True
            self._drop()
            while self._readers:
                self._readers.pop().close()

    def open(self, synchronous: int) -> sqlite3.Connection:
        """Open one checked connection (`synchronous` 2 full, 1 normal).

        Raises:
            sqlite3.Error: as the driver says.
            JournalUnsafe: SQLite does not promise what the journal needs.
        """
        try:
            return self._open("mode=ro" if self.readonly else "mode=rw", synchronous, "wal")
        except sqlite3.Error as error:
            refused = getattr(error, "sqlite_errorname", "").startswith(_NO_FOLDER)
            if not (self.readonly and refused and self._is_at_rest()):
                raise
        # the folder may not be written, so SQLite cannot put beside the file what a log needs; there is no log
        return self._open("mode=ro&immutable=1", synchronous, "delete")

    def _is_at_rest(self) -> bool:
        """Whether the file holds everything: its last writer has closed it and left no log beside it."""
        try:
            return Path(f"{self.path}-wal").stat().st_size == 0
        except FileNotFoundError:
            return self.path.exists()
        except OSError:
            return False

    def _new(self, options: str) -> sqlite3.Connection:
        return self._connect(
            f"file:{quote(str(self.path))}?{options}",
            uri=True,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
        )

    def _open(self, options: str, synchronous: int, journal: str) -> sqlite3.Connection:
        connection = self._new(options)
        try:
            prepare(
                connection, self.path, "journal_mode" if self.readonly else "journal_mode = WAL", journal, synchronous
            )
        except BaseException:
            connection.close()
            raise
        return connection

    def _reader(self) -> sqlite3.Connection:
        if self._closed:
            raise JournalUnsafe(f"reading the journal {self.path}: it was closed")
        try:
            return self._readers.pop()
        except IndexError:
            return self.open(_FULL)

    def _writer(self, synchronous: int) -> sqlite3.Connection:
        if self._closed:
            raise JournalUnsafe(f"writing to the journal {self.path}: it was closed")
        if synchronous not in self._writers:
            self._writers[synchronous] = self.open(synchronous)
        return self._writers[synchronous]

    def _roll_back(self, connection: sqlite3.Connection) -> None:
        try:
            if connection.in_transaction:
                run(connection, "ROLLBACK")
        except sqlite3.Error:
            self._drop()

    def _drop(self) -> None:
        for connection in self._writers.values():
            with suppress(sqlite3.Error):
                connection.close()
        self._writers.clear()

    def _landed(self, fact_id: FactId) -> bool:
        """Whether the fact of a failed COMMIT is there, durably: what is only in a cache may go with the power."""
        try:
            found = bool(self.probe("SELECT 1 FROM fact WHERE fact_id = ?", (fact_id,)))
            if found:
                # a checkpoint has flushed what it moved out of the log; the database file itself must not be opened
                # here: closing it would drop all POSIX locks that SQLite holds on it in this process
                _flush_file(Path(f"{self.path}-wal"))
        except (JournalUnsafe, OSError):
            return False
        return found


def _flush_file(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        flush(fd)
    finally:
        os.close(fd)
