"""A whole copy of a journal on SQLite, taken beside whoever works on it, and proven before it gets its name.

The copy is one file at rest: no log lies beside it. It holds sealed values and no key. What it says of a place in time
is checked by `proven`, which `restore` asks again.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from rotator.core.errors import ConfigError, JournalUnsafe, RotatorError
from rotator.host.files import flush, flush_folder, move_to_free_name
from rotator.journal import schema
from rotator.journal.audit import Audit
from rotator.journal.database import run, unsafe
from rotator.journal.identity import JournalAbsent, identity
from rotator.journal.owners import spools
from rotator.journal.schema import Standing
from rotator.journal.sealing import KeyRing
from rotator.journal.spool import records
from rotator.journal.sqlite import SqliteDatabase


class AtRest(SqliteDatabase):
    """A file that nobody writes: it is read as it is, and nothing is put beside it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, readonly=True)

    def open(self, synchronous: int) -> sqlite3.Connection:
        """Open one checked connection. See `SqliteDatabase.open`."""
        return self._open("mode=ro&immutable=1", synchronous, "delete")


@dataclass(frozen=True, slots=True, kw_only=True)
class Proven:
    """What a copy holds, once it was read from its first to its last fact.

    Attributes:
        instance: the journal's own id.
        facts: how many, each bound to the one before it.
        streams: how many have facts.
        values: sealed values that are not destroyed.
        key_ids: ids of the keys that open them.
    """

    instance: str
    facts: int
    streams: int
    values: int
    key_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """A backup that was written and proven.

    Attributes:
        path: where it is.
        bytes: its size.
        proven: what it holds.
        spooled: captures in spools beside the journal that are not in it yet, and so not in the copy.
    """

    path: Path
    bytes: int
    proven: Proven
    spooled: int


def backup(database: Path, target: Path, keys: KeyRing, *, force: bool = False) -> Backup:
    """Copy the journal as it is at one moment to `target`, mode 0600, and prove the copy.

    Raises:
        JournalAbsent: there is no journal.
        JournalUnsafe: it cannot be read, or what came out is not whole.
        RotatorError: `target` exists and `force` was not given, or cannot be written.

    Crash: leaves no `target`, or a whole one; and at most one stray `.NAME.XXXX.partial`.
    """
    if not database.exists() or database.stat().st_size == 0:
        raise JournalAbsent(f"backing up the journal {database}: there is none yet", "`rotator run` makes it")
    if target.is_dir() or (target.exists() and target.samefile(database)):
        raise ConfigError(f"backing up to {target}: this is no place for a copy", "name a file in another folder")
    if target.exists() and not force:
        raise _exists(target)
    partial = target.with_name(f".{target.name}.{secrets.token_hex(8)}.partial")
    try:
        try:
            os.close(os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
            _copy(database, partial)
            found = proven(partial, keys)
            _name(partial, target, force=force)
        finally:
            partial.unlink(missing_ok=True)
            partial.with_name(f"{partial.name}-journal").unlink(missing_ok=True)
    except sqlite3.Error as error:
        raise unsafe(f"backing up the journal {database} to {target}", error) from error
    except OSError as error:
        raise RotatorError(
            f"backing up the journal {database} to {target}: {error.strerror or error}",
            "name a file in a folder that exists, with room for it, and that this user may write to",
        ) from error
    spooled = sum(len(records(path)) for path in spools(database))
    return Backup(path=target, bytes=target.stat().st_size, proven=found, spooled=spooled)


def proven(path: Path, keys: KeyRing) -> Proven:
    """Return what a journal at rest holds, after its pages, its key and every chain were checked.

    Raises:
        JournalAbsent: there is no journal in the file.
        JournalUnsafe: it is damaged, another program's, of a newer version, under another key, or a chain is broken.
    """
    db = AtRest(path)
    try:
        with db.read() as connection:
            if schema.standing(path, connection) is Standing.ABSENT:
                raise JournalAbsent(f"reading the journal {path}: there is none in it", "name another file")
            instance, seal = identity(connection, str(path), keys)
            rows = run(connection, "SELECT key_id, count(*) FROM sealed WHERE wrapped_key IS NOT NULL GROUP BY key_id")
        damage = db.complaints()
        if damage or seal is None:
            raise JournalUnsafe(f"reading the journal {path}: it is damaged ({'; '.join(damage)})", "name another file")
        verdict = Audit(db, lambda: seal).verify()
        if verdict.breaks:
            first = verdict.breaks[0]
            raise JournalUnsafe(
                f"reading the journal {path}: fact {first.position} of stream {first.stream} cannot be trusted: "
                f"{first.why}",
                "name another file: this one was changed by somebody who had no key, or by a broken disk",
            )
    finally:
        db.close()
    return Proven(
        instance=instance,
        facts=verdict.facts,
        streams=verdict.streams,
        values=sum(count for _, count in rows),
        key_ids=tuple(sorted(str(key) for key, _ in rows)),
    )


def _copy(database: Path, partial: Path) -> None:
    """Copy all pages in one step, so that the copy is of one moment; writers go on meanwhile."""
    db = SqliteDatabase(database, readonly=True)
    try:
        with db.read() as source:
            copy = sqlite3.connect(partial)
            try:
                source.backup(copy, pages=-1)
            finally:
                copy.close()
    finally:
        db.close()
    fd = os.open(partial, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        flush(fd)
    finally:
        os.close(fd)


def _name(partial: Path, target: Path, *, force: bool) -> None:
    if force:
        partial.replace(target)
    else:
        try:
            move_to_free_name(partial, target)
        except FileExistsError:
            raise _exists(target) from None
    with suppress(PermissionError):
        flush_folder(target.parent)


def _exists(target: Path) -> RotatorError:
    return RotatorError(f"backing up to {target}: the file exists", "name another one, or write over it with --force")
