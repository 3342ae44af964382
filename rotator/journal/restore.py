"""An older journal takes the place of the present one: proven, marked as restored, and nothing thrown away.

Everything is made ready beside the journal, and one rename puts it in its place. What stood there is put aside. The
mark is a fact in every stream, so whoever works on the journal knows that the world went on without it.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rotator.core.errors import JournalUnsafe, RotatorError
from rotator.host.clock import SystemClock
from rotator.host.crashpoints import crash_at
from rotator.host.files import flush, flush_folder, give_to_owner_of_folder, make_folder
from rotator.host.locks import FileLock, is_locked
from rotator.journal.backup import AtRest, Proven, proven
from rotator.journal.database import run, unsafe
from rotator.journal.open import open_journal
from rotator.journal.owners import spools
from rotator.journal.sealing import KeyRing
from rotator.journal.sqlite import SqliteDatabase
from rotator.journal.store import SqlJournal

_LOCK_SECONDS: Final = 10.0
_PIECE: Final = 1 << 20

Mark = Callable[[SqlJournal], int]
"""Notes in every stream of a journal that it was restored; returns in how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What a restore did.

    Attributes:
        proven: what the backup holds.
        marked: streams in which the restore was noted.
        aside: folder in which the state of before lies; None where there was none.
        spools: files of processes that may hold captures; the next start brings them in.
    """

    proven: Proven
    marked: int
    aside: Path | None
    spools: int


def restore(
    backup: Path,
    database: Path,
    keys: KeyRing,
    mark: Mark,
    *,
    force: bool = False,
    crash: Callable[[str], None] = crash_at,
) -> Restored:
    """Put a backup in the place of the journal.

    Args:
        backup: a file that `backup` wrote, or any whole copy of a journal.
        database: the journal; it need not exist.
        keys: they must open the backup.
        mark: notes the restore in the copy, before anybody can see it.
        force: also where the backup is another instance's.
        crash: passes a named crash point.

    Raises:
        RotatorError: a process works on the journal, or the backup is another instance's.
        JournalUnsafe: the backup is not whole, or nothing can be written here.

    Crash: leaves the journal of before, or the restored one, each whole; and a folder `….restoring`, which the next
        restore removes.
    """
    work = database.with_name(f"{database.name}.restoring")
    try:
        make_folder(database.parent)
        with FileLock(database.with_name(f"{database.name}-lock"), timeout=_LOCK_SECONDS):
            _nobody_works(database)
            shutil.rmtree(work, ignore_errors=True)
            work.mkdir(mode=0o700)
            try:
                copy = work / database.name
                _copy(backup, copy)
                found = _whole(copy, backup, keys)
                if not force:
                    _same_instance(database, found, backup)
                marked = _marked(copy, keys, mark)
                owned(copy, database)
                crash("before_restore_step")
                aside = _put_aside(database)
                crash("before_restore_step")
                copy.replace(database)
                flush_folder(database.parent)
                crash("after_restore_step")
            finally:
                shutil.rmtree(work, ignore_errors=True)
    except TimeoutError as error:
        raise RotatorError(
            f"restoring {database}: another process opens it at this moment", "let it end, then repeat the command"
        ) from error
    except OSError as error:
        raise unsafe(f"restoring {backup} to {database}", error) from error
    return Restored(proven=found, marked=marked, aside=aside, spools=len(spools(database)))


def _nobody_works(database: Path) -> None:
    living = [path for path in spools(database) if is_locked(path)]
    if living:
        raise RotatorError(
            f"restoring {database}: {len(living)} process{'es work' if len(living) > 1 else ' works'} on it"
            f"{_who(database, living)}",
            "stop every rotator process on this state first; a daemon with SIGTERM",
        )


def _who(database: Path, living: list[Path]) -> str:
    """Which processes those are, as far as the journal can still tell."""
    owners = {path.name.removeprefix(f"{database.name}-process-") for path in living}
    try:
        db = SqliteDatabase(database, readonly=True)
        try:
            with db.read() as connection:
                rows = run(connection, "SELECT owner, pid, host FROM process")
        finally:
            db.close()
    except JournalUnsafe:
        return ""
    found = [f"process {pid} on {host}" for owner, pid, host in rows if owner in owners]
    return f": {', '.join(found)}" if found else ""


def _copy(backup: Path, copy: Path) -> None:
    """Copy the file byte by byte, and its log where one lies beside it."""
    for suffix in ("", "-wal"):
        source, target = Path(f"{backup}{suffix}"), Path(f"{copy}{suffix}")
        if suffix and not source.exists():
            continue
        with source.open("rb") as found:
            fd = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            with os.fdopen(fd, "wb") as made:
                shutil.copyfileobj(found, made, _PIECE)
                made.flush()
                flush(made.fileno())


def _whole(copy: Path, backup: Path, keys: KeyRing) -> Proven:
    """Prove the copy; what is said names the backup. A log beside it is folded in first."""
    try:
        if Path(f"{copy}-wal").exists():
            db = SqliteDatabase(copy)
            try:
                db.checkpoint()
            finally:
                db.close()
        return proven(copy, keys)
    except JournalUnsafe as error:
        raise type(error)(error.message.replace(str(copy), str(backup)), error.remedy) from error


def _same_instance(database: Path, found: Proven, backup: Path) -> None:
    """Refuse the backup of another installation, where the present journal can still say who it is."""
    try:
        db = AtRest(database)
        try:
            with db.read() as connection:
                rows = run(connection, "SELECT value FROM meta WHERE name = 'instance'")
        finally:
            db.close()
    except JournalUnsafe:
        return  # there is none, or it is damaged: that is what a restore is for
    if rows and rows[0][0] != found.instance:
        raise RotatorError(
            f"restoring {backup}: it is a backup of the journal {found.instance}, and here is the journal {rows[0][0]}",
            "name a backup of this installation; or --force, if this one shall go on as that one",
        )


def _marked(copy: Path, keys: KeyRing, mark: Mark) -> int:
    journal = open_journal(f"sqlite:///{copy}", keys, clock=SystemClock(), crash=lambda point: None)
    try:
        return mark(journal)
    finally:
        journal.close()


def owned(copy: Path, database: Path) -> None:
    """Let the copy belong to whoever owns the journal's folder, and make it durable."""
    fd = os.open(copy, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        os.fchmod(fd, 0o600)
        give_to_owner_of_folder(database, fd)
        flush(fd)
    finally:
        os.close(fd)


def _put_aside(database: Path) -> Path | None:
    """Keep what stands there under another name, too; it stays in its place until the copy takes it.

    A log that is not folded in would be taken for the copy's, so it goes first: either it is empty, or the journal is
    too damaged to be folded and worth nothing without a look at both files.
    """
    if not database.exists():
        return None
    aside = _free(
        database.with_name(f"{database.name}.before-restore-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}")
    )
    aside.mkdir(mode=0o700)
    give_to_owner_of_folder(aside)
    log = Path(f"{database}-wal")
    if log.exists():
        shutil.copy2(log, aside / log.name)  # first: SQLite removes the log of a file that it cannot read
    if _folded(database):
        (aside / log.name).unlink(missing_ok=True)
    try:
        os.link(database, aside / database.name)
    except OSError:  # a file system without links
        shutil.copy2(database, aside / database.name)
    for suffix in ("-wal", "-shm"):
        beside = Path(f"{database}{suffix}")
        beside.unlink(missing_ok=True)
    flush_folder(aside)
    flush_folder(database.parent)
    return aside


def _folded(database: Path) -> bool:
    """Fold the log into the file where that is whole; False leaves both as they are, as far as SQLite does."""
    try:
        reader = SqliteDatabase(database, readonly=True)
        try:
            if reader.complaints():
                return False
        finally:
            reader.close()
        db = SqliteDatabase(database)
        try:
            return db.checkpoint()
        finally:
            db.close()
    except JournalUnsafe:
        return False


def _free(path: Path) -> Path:
    number = 1
    found = path
    while found.exists():
        number += 1
        found = path.with_name(f"{path.name}-{number}")
    return found
