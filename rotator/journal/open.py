"""The one door to a journal: every reason not to trust the file is found here, before anything is minted.

A writer makes the file at the first start, migrates it, takes its owner file and announces itself. A reader changes
nothing. Each refusal is one `JournalUnsafe` that says what to do.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal, Protocol

from rotator.core.errors import ConfigError, JournalUnsafe
from rotator.core.secret import Secret
from rotator.host.clock import SystemClock
from rotator.host.crashpoints import crash_at
from rotator.host.files import flush_folder, give_to_owner_of_folder, make_folder
from rotator.host.filesystems import filesystem_kind, is_network_filesystem
from rotator.host.locks import FileLock
from rotator.journal import schema
from rotator.journal.database import Clock, run, unsafe
from rotator.journal.identity import JournalAbsent as JournalAbsent
from rotator.journal.identity import first_identity, identity
from rotator.journal.key_file import read_key
from rotator.journal.moved import settled
from rotator.journal.owners import Owners, Process, processes
from rotator.journal.schema import Standing
from rotator.journal.sealing import KeyRing
from rotator.journal.sqlite import Connect, SqliteDatabase
from rotator.journal.store import SqlJournal

_CHECKED_BYTES: Final = 256 << 20
"""Files up to this size are checked page by page at every start of a writer (about half a second)."""

_OPENING_SECONDS: Final = 60.0
"""How long a writer waits for another one that is migrating."""


class AlreadyRunning(JournalUnsafe):
    """Another daemon runs on this journal."""

    def __init__(self, path: Path, other: Process) -> None:
        where = f", listening on {other.listener}" if other.listener else ""
        super().__init__(
            f"starting a daemon on the journal {path}: one runs already, process {other.pid} on {other.host}{where}",
            "stop that one first; `rotator status`, `rotate` and `once` work beside it",
        )
        self.other = other


class Where(Protocol):
    """The place of a journal, as a configuration has it (`rotator.config.state.StatePlace` is one)."""

    @property
    def url(self) -> str:
        """`sqlite:///PATH`, or `postgresql://user@host:port/database?options` without a password."""

    @property
    def password(self) -> Readable | None:
        """What the database's password is read from, anew for each connection."""

    @property
    def folder(self) -> Path:
        """Where the processes of this machine keep their spools; beside the file where that is one."""


class Readable(Protocol):
    """What a secret is read from."""

    def read(self) -> Secret:
        """Return it."""


def open_journal(
    where: str | Where,
    key: KeyRing | Secret | Path | None,
    *,
    mode: Literal["writer", "reader"] = "writer",
    kind: Literal["run", "once"] = "once",
    clock: Clock | None = None,
    crash: Callable[[str], None] = crash_at,
    patience: float = 5.0,
    connect: Connect = sqlite3.connect,
    node: str = "",
) -> SqlJournal:
    """Open the journal.

    Args:
        where: the place, or the URL of a file: `sqlite:///PATH`, four slashes for an absolute path.
        key: content or path of the key file, or its keys; a reader without one neither reveals nor verifies.
        mode: a writer makes and migrates the file; a reader changes nothing.
        kind: `run` for the daemon, of which there may be one; everything else is `once`.
        clock: the machine's, unless a test has its own.
        crash: passes a named crash point.
        patience: seconds for which `place` waits for another writer.
        connect: opens SQLite connections.
        node: what this machine is called.

    Raises:
        JournalAbsent: a reader finds no journal.
        AlreadyRunning: a second `run`.
        JournalUnsafe: the journal cannot be trusted; the message says why and what to do.
        ConfigError: the URL or the key is no such thing.

    Crash: leaves no journal, an empty file, or a schema that the next writer completes.
    """
    clock = clock or SystemClock()
    keys = _ring(key)
    url, password, folder = (where, None, None) if isinstance(where, str) else (where.url, where.password, where.folder)
    if url.startswith("postgres"):
        from rotator.journal.open_postgres import open_postgres

        read = password.read if password is not None else None
        return open_postgres(url, read, folder, keys, clock, crash, mode=mode, kind=kind, patience=patience, node=node)
    path = path_of(url)
    try:
        _local(path)
        if mode == "reader":
            return _reader(path, keys, clock, crash, connect)
        if keys is None:
            raise ConfigError("opening the journal: no encryption key was given", "set state.encryption_key")
        _make_place(path)
        with FileLock(path.with_name(f"{path.name}-lock"), timeout=_OPENING_SECONDS):
            return _writer(path, keys, clock, crash, kind, patience, connect, node)
    except sqlite3.Error as error:
        raise unsafe(f"opening the journal {path}", error) from error
    except TimeoutError as error:
        raise JournalUnsafe(
            f"opening the journal {path}: another process has been opening it for {_OPENING_SECONDS:.0f} s",
            "let its migration finish, or stop it",
        ) from error
    except OSError as error:
        raise unsafe(f"opening the journal {path}", error) from error


def _ring(key: KeyRing | Secret | Path | None) -> KeyRing | None:
    if isinstance(key, Path):
        return KeyRing(read_key(key), lambda: read_key(key))
    return KeyRing(key) if isinstance(key, Secret) else key


def path_of(url: str) -> Path:
    """Return the file of a URL.

    Raises:
        ConfigError: it is no SQLite URL.
    """
    scheme, slashes, path = url.partition(":///")
    if scheme != "sqlite" or not slashes or not path:
        raise ConfigError(
            f"opening the journal: {url.partition(':')[0]!r} is not supported; the state is in SQLite or PostgreSQL",
            "state.url: sqlite:////var/lib/rotator/state.db",
        )
    return Path(path)


def _local(path: Path) -> None:
    if is_network_filesystem(path):
        raise JournalUnsafe(
            f"opening the journal {path}: it lies on {filesystem_kind(path)}, a network file system",
            "put state.url on a local disk: SQLite's locks are not safe over a network",
        )


def _make_place(path: Path) -> None:
    """Make the folder (0700) and an empty file (0600), durably; what exists keeps its modes."""
    make_folder(path.parent)
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            give_to_owner_of_folder(path, fd)
        finally:
            os.close(fd)
        flush_folder(path.parent)
    except FileExistsError:
        os.close(os.open(path, os.O_RDWR | os.O_CLOEXEC))  # a read-only file is told apart here, not at the first fact


def _reader(
    path: Path, keys: KeyRing | None, clock: Clock, crash: Callable[[str], None], connect: Connect
) -> SqlJournal:
    absent = JournalAbsent(f"opening the journal {path}: there is none yet", "`rotator run` or `rotator once` makes it")
    try:
        if path.stat().st_size == 0:
            raise absent
    except FileNotFoundError:
        raise absent from None
    db = SqliteDatabase(path, readonly=True, connect=connect)
    try:
        with db.read() as connection:
            found = schema.standing(path, connection)
            if found is Standing.ABSENT:
                raise absent
            if found is Standing.OLDER and not schema.readable(connection):
                raise JournalUnsafe(
                    f"opening the journal {path}: its schema is older than this program, and reading never migrates it",
                    "start the new version of `rotator run` (or `rotator once`), which does",
                )
            settled(connection, str(path))
            instance, seal = identity(connection, str(path), keys)
    except BaseException:
        db.close()
        raise
    return SqlJournal(db, clock, crash, instance=instance, seal=seal, me=None)


def _writer(
    path: Path,
    keys: KeyRing,
    clock: Clock,
    crash: Callable[[str], None],
    kind: str,
    patience: float,
    connect: Connect,
    node: str,
) -> SqlJournal:
    db = SqliteDatabase(path, connect=connect)
    try:
        connection = db.open(2)
        try:
            _sound(path, connection)
            if schema.standing(path, connection) is not Standing.PRESENT:
                schema.migrate(path, connection, crash)
                run(connection, "PRAGMA wal_checkpoint(TRUNCATE)")
            settled(connection, str(path))
        finally:
            connection.close()
        first_identity(db, keys)
        with db.read() as connection:
            instance, seal = identity(connection, str(path), keys)
        if kind == "run":
            running = next((found for found in processes(db, clock) if found.kind == "run" and found.alive), None)
            if running:
                raise AlreadyRunning(path, running)
        me = Owners(db, clock, crash, node)
        me.announce(kind, keys.active)
    except BaseException:
        db.close()
        raise
    return SqlJournal(db, clock, crash, instance=instance, seal=seal, me=me, patience=patience)


def _sound(path: Path, connection: sqlite3.Connection) -> None:
    """Look for damage before the first decision; a large file is left to SQLite's own checks and `integrity`."""
    if path.stat().st_size > _CHECKED_BYTES:
        return
    found = [str(row[0]) for row in run(connection, "PRAGMA quick_check(3)")]
    if found != ["ok"]:
        raise JournalUnsafe(
            f"opening the journal {path}: the file is damaged ({'; '.join(found)})",
            "stop the daemon, keep a copy of the file, and restore the last backup",
        )
