"""The file of a journal on SQLite, and what lies beside it: looked at before anything in it is believed.

Only reads. Each trouble is a finding with a code of its own, whatever SQLite calls it.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from rotator.core.errors import JournalUnsafe
from rotator.core.findings import Finding, Level
from rotator.host.filesystems import filesystem_kind, is_network_filesystem
from rotator.host.locks import is_locked
from rotator.journal import schema
from rotator.journal.captures import Envelope
from rotator.journal.inspection import Inspected, finding, inspect
from rotator.journal.moved import settled
from rotator.journal.owners import spools
from rotator.journal.schema import ForeignDatabase, NewerSchema, Standing
from rotator.journal.sealing import KeyRing
from rotator.journal.spool import records
from rotator.journal.sqlite import SqliteDatabase

_DAMAGED: Final = (
    "stop the daemon and keep a copy of the file and its -wal; then `rotator restore` the last backup: what is "
    "published lives on and is taken over from the targets"
)
_CODES: Final = (
    ("SQLITE_BUSY", "locked", "let the program that holds it (a backup tool, a `sqlite3` shell) end, or stop it"),
    ("SQLITE_LOCKED", "locked", "let the program that holds it end, or stop it"),
    ("SQLITE_NOTADB", "not_a_database", "check state.url; else keep a copy and `rotator restore` the last backup"),
    ("SQLITE_CORRUPT", "damaged", _DAMAGED),
    ("SQLITE_IOERR", "disk", "the disk answers with errors: check it before anything else"),
    ("SQLITE_CANTOPEN", "unreadable", "let this user enter the folder and read the file; run it as the daemon's user"),
    ("SQLITE_READONLY", "unreadable", "run it as the daemon's user"),
)


def look(database: Path, keys: KeyRing | None) -> Inspected:
    """Look at a journal file and everything beside it; never raises about what it finds."""
    beside = list(_beside(database, keys))
    waiting = any(one.code == "spool_left" for one in beside)
    if not database.exists() or database.stat().st_size == 0:
        return Inspected((_absent(database, waiting), *beside), ())
    place = list(_place(database))
    if any(one.code == "unreadable" for one in place):
        return Inspected((*place, *beside), ())
    db = SqliteDatabase(database, readonly=True)
    try:
        try:
            inside = _inside(db, database, keys)
        except JournalUnsafe as error:
            inside = Inspected((_trouble(error),), ())
    finally:
        db.close()
    return Inspected((*place, *inside.findings, *beside), inside.sure)


def _inside(db: SqliteDatabase, database: Path, keys: KeyRing | None) -> Inspected:
    found: list[Finding] = []
    try:
        with db.read() as connection:
            standing = schema.standing(database, connection)
    except ForeignDatabase as error:
        return Inspected((finding(Level.FAIL, "foreign_database", error.message, error.remedy),), ())
    except NewerSchema as error:
        return Inspected((finding(Level.FAIL, "newer_schema", error.message, error.remedy),), ())
    if standing is Standing.ABSENT:
        message = f"there is no journal in {database}: its first start did not finish"
        return Inspected((finding(Level.WARN, "first_start", message, "start `rotator run` again"),), ())
    found += _moved(db)
    if standing is Standing.OLDER:
        message = "its schema is that of an older version; the next start of `rotator run` or `once` migrates it"
        found.append(finding(Level.OK, "older_schema", message))
    try:
        damage = db.complaints()
    except JournalUnsafe as error:
        found.append(_trouble(error))
    else:
        if damage:
            more = f", and {len(damage) - 1} more" if len(damage) > 1 else ""
            found.append(finding(Level.FAIL, "damaged", f"SQLite finds the file damaged: {damage[0]}{more}", _DAMAGED))
    try:
        inside = inspect(db, keys)
    except JournalUnsafe as error:
        return Inspected((*found, _trouble(error)), ())
    return Inspected((*found, *inside.findings), inside.sure)


def _moved(db: SqliteDatabase) -> list[Finding]:
    """Whether another place has taken over, or a copy to this one did not finish."""
    try:
        with db.read() as connection:
            settled(connection, db.name)
    except JournalUnsafe as error:
        return [] if error.__cause__ else [finding(Level.FAIL, "moved", error.message, error.remedy)]
    return []


def _trouble(error: JournalUnsafe) -> Finding:
    """The finding that an error of SQLite is."""
    cause = error.__cause__
    name = getattr(cause, "sqlite_errorname", "") if isinstance(cause, sqlite3.Error) else ""
    code, remedy = next(((c, r) for prefix, c, r in _CODES if name.startswith(prefix)), ("journal", error.remedy))
    return finding(Level.FAIL, code, error.message, remedy)


def _absent(database: Path, waiting: bool) -> Finding:
    if waiting:
        message = f"there is no journal at {database}, but captured values wait in spools beside it"
        return finding(
            Level.FAIL, "journal_gone", message, "`rotator restore` the last backup before anything is started"
        )
    return finding(Level.WARN, "journal_absent", f"there is no journal at {database}; the first start makes it")


def _place(database: Path) -> Iterator[Finding]:
    """What is wrong with where the file is and what this user may do there."""
    if is_network_filesystem(database):
        message = (
            f"the journal lies on {filesystem_kind(database)}, a network file system, where SQLite's locks are unsafe"
        )
        yield finding(Level.FAIL, "network_file_system", message, "put state.url on a local disk")
    if not os.access(database, os.R_OK):
        message = f"{database} may not be read by this user"
        yield finding(Level.FAIL, "unreadable", message, "run it as the daemon's user")
        return
    for path in (database, database.parent, Path(f"{database}-wal"), Path(f"{database}-shm")):
        if path.exists() and not os.access(path, os.W_OK):
            message = f"{path} may not be written by this user: nothing can be minted or revoked by it"
            remedy = "if this is the daemon's user: give it the folder of the state, and look for a read-only mount"
            yield finding(Level.FAIL, "read_only", message, remedy)
            return


def _beside(database: Path, keys: KeyRing | None) -> Iterator[Finding]:
    """What processes and restores have left beside the file."""
    for path in spools(database):
        yield from _spool(path, keys)
    if database.with_name(f"{database.name}.restoring").exists():
        message = "a restore did not finish: what is in place is the journal of before, or the restored one, each whole"
        yield finding(Level.WARN, "restore_unfinished", message, "repeat `rotator restore FILE`")
    aside = sorted(database.parent.glob(f"{database.name}.before-restore-*"))
    if aside:
        message = f"{len(aside)} journals that a restore put aside lie here, the last one in {aside[-1].name}"
        yield finding(Level.OK, "put_aside", message, "delete them once the restored journal is confirmed")


def _spool(path: Path, keys: KeyRing | None) -> Iterator[Finding]:
    try:
        found: Sequence[bytes] = records(path)
    except OSError as error:
        message = f"the spool {path.name} cannot be read: {error.strerror}"
        yield finding(Level.FAIL, "spool_unreadable", message, "keep that file: it may hold the only copy of a value")
        return
    if not found:
        return
    try:
        envelopes = [Envelope.from_bytes(record) for record in found]
    except ValueError:
        message = f"the spool {path.name} holds something that this version does not read"
        yield finding(Level.FAIL, "spool_unreadable", message, "keep that file, and start the version that wrote it")
        return
    alive = is_locked(path)
    missing = sorted({e.sealed.key_id for e in envelopes} - set(keys.ids)) if keys is not None else []
    if missing:
        message = f"{len(envelopes)} captures in the spool {path.name} rest under key {', '.join(missing)}"
        yield finding(Level.FAIL, "spool_key", message, "put that key into the key file before the next start")
    elif alive:
        yield finding(Level.OK, "spool_in_use", f"a living process has {len(envelopes)} captures on their way")
    else:
        message = f"{len(envelopes)} captures of a process that died wait in {path.name}"
        yield finding(Level.WARN, "spool_left", message, "`rotator once`, or the daemon's next look, brings them in")
