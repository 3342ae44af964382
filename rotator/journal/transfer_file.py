"""An SQLite file as one of the two ends of a move. A new one is made beside its place and gets it by one rename."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from rotator.core.errors import JournalUnsafe, RotatorError
from rotator.host.clock import SystemClock
from rotator.host.files import flush_folder
from rotator.host.filesystems import filesystem_kind, is_network_filesystem
from rotator.host.locks import FileLock, is_locked
from rotator.journal import schema
from rotator.journal.database import Connection, unsafe
from rotator.journal.owners import spools
from rotator.journal.restore import owned
from rotator.journal.schema import Standing
from rotator.journal.sqlite import SqliteDatabase
from rotator.journal.transfer_rows import Now
from rotator.journal.transfer_side import Seen, look, usable

_LOCK_SECONDS: Final = 10.0


class FileSide:
    """A journal in a file, or the place of one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = str(path)

    def seen(self) -> Seen:
        """See `Side.seen`; of the file that a link leads to."""
        try:
            if not self.path.exists() or self.path.stat().st_size == 0:
                return Seen()
        except OSError as error:
            raise unsafe(f"looking at the journal {self.path}", error) from error
        db = SqliteDatabase(self.path, readonly=True)
        try:
            with db.read() as connection:
                absent = schema.standing(self.path, connection) is Standing.ABSENT
                return Seen() if absent else look(connection)
        finally:
            db.close()

    def living(self) -> list[str]:
        """See `Side.living`; the lock on the file of each tells, whether it is stopped or works."""
        return [f"one that holds {path.name}" for path in spools(self.path) if is_locked(path)]

    def left(self) -> list[str]:
        """Nothing: all spools lie beside the file."""
        return []

    def now(self, connection: Connection) -> Now:
        """See `Side.now`."""
        clock = SystemClock()
        return clock.boot_id(), clock.boot()

    @contextmanager
    def held(self) -> Iterator[Connection]:
        """See `Side.held`."""
        with self._opening_nothing():
            db = SqliteDatabase(self.path)
            try:
                with db.write() as connection:
                    yield connection
                db.checkpoint()
            finally:
                db.close()

    @contextmanager
    def filled(self, instance: str) -> Iterator[Connection]:
        """See `Side.filled`.

        Crash: leaves what was there, or the whole copy; and a folder `….copying`, which the next one removes.
        """
        work = self.path.with_name(f"{self.path.name}.copying")
        try:
            self._make_place()
            with self._opening_nothing():
                usable(self.name, self.seen(), instance)
                shutil.rmtree(work, ignore_errors=True)
                work.mkdir(mode=0o700)
                try:
                    made = work / self.path.name
                    db = SqliteDatabase(_with_tables(made))
                    try:
                        with db.write() as connection:
                            yield connection
                        db.checkpoint()
                    finally:
                        db.close()
                    owned(made, self.path)
                    for suffix in ("-wal", "-shm"):  # of a journal without facts that stood there
                        Path(f"{self.path}{suffix}").unlink(missing_ok=True)
                    made.replace(self.path)
                    flush_folder(self.path.parent)
                finally:
                    shutil.rmtree(work, ignore_errors=True)
        except sqlite3.Error as error:
            raise unsafe(f"copying the journal to {self.path}", error) from error
        except OSError as error:
            raise unsafe(f"copying the journal to {self.path}", error) from error

    def close(self) -> None:
        """Nothing: each connection is closed where it was opened."""

    def _make_place(self) -> None:
        if not self.path.parent.exists():
            self.path.parent.mkdir(mode=0o700, parents=True)
            flush_folder(self.path.parent.parent)
        if is_network_filesystem(self.path):
            raise JournalUnsafe(
                f"copying the journal to {self.path}: it lies on {filesystem_kind(self.path)}, a network file system",
                "name a file on a local disk: SQLite's locks are not safe over a network",
            )

    @contextmanager
    def _opening_nothing(self) -> Iterator[None]:
        """Keep every process from opening the journal meanwhile."""
        try:
            with FileLock(self.path.with_name(f"{self.path.name}-lock"), timeout=_LOCK_SECONDS):
                yield
        except TimeoutError as error:
            raise RotatorError(
                f"copying the journal: another process opens {self.path} at this moment",
                "let it end, then repeat the command",
            ) from error


def _with_tables(path: Path) -> Path:
    """Make the file of an empty journal, mode 0600."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
    db = SqliteDatabase(path)
    try:
        connection = db.open(2)
        try:
            schema.migrate(path, connection, lambda point: None)
        finally:
            connection.close()
    finally:
        db.close()
    return path
