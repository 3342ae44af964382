"""What `check` finds out about the state: key, journal, room on its disk, the daemon that works on it.

Nothing is changed: what is tried leaves no name behind and takes no lock.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from rotator.app.effective import one_journal
from rotator.config.models import Config
from rotator.core.errors import RotatorError
from rotator.core.findings import STATE, Finding, Level
from rotator.journal.open import JournalAbsent, open_journal
from rotator.journal.store import SqlJournal

ROOM: Final = 2 << 20
"""Bytes that must be free: what is reserved before a mint, and the pages that follow it."""


def generated(config: Config) -> Iterator[Finding]:
    """Say that the key lies beside the data, where nobody configured another place."""
    place = config.state
    if place.generated:
        yield Finding(
            level=Level.WARN,
            subject=STATE,
            code="key_beside_data",
            message=f"the encryption key lies beside the data in {place.folder}",
            remedy="`rotator keygen FILE` elsewhere and set state.encryption_key",
        )


def key(config: Config) -> Iterator[Finding]:
    """Whether the key can be read; one that the first start makes is not there yet."""
    place = config.state
    if place.generated and not place.there():
        return  # the first start makes both
    try:
        place.encryption_key.read_lines()
    except RotatorError as error:
        yield _fail("encryption_key", error)
    else:
        yield Finding(level=Level.OK, subject=STATE, code="encryption_key", message="the encryption key can be read")


def journal(config: Config) -> Iterator[Finding]:
    """Whether the journal can be read with this key and written by this user; one that is not there is not made."""
    place = config.state
    first = place.generated and not place.there()
    try:
        one_journal(config)
        found = open_journal(place, None if first else place.encryption_key.read_lines(), mode="reader")
    except JournalAbsent:
        yield _absent(config)
    except RotatorError as error:
        yield _fail("journal", error)
    else:
        try:
            hanging = _hanging(found)
            doubts = found.audit.doubts()
        finally:
            found.close()
        for needed in (place.database, place.folder):
            if needed is not None and needed.exists() and not _may_write(needed):
                yield _unwritable(needed)
                return
        full = _full(place.folder) if place.folder.exists() else None
        if full is None:
            message = f"the journal {place.name} can be opened with this key"
            yield Finding(level=Level.OK, subject=STATE, code="journal", message=message)
        else:
            yield full
        if hanging is not None:
            yield hanging
        for message, remedy in doubts:
            yield Finding(level=Level.WARN, subject=STATE, code="database", message=message, remedy=remedy)


def _absent(config: Config) -> Finding:
    nearest = next(folder for folder in (config.state.folder / "x").parents if folder.exists())
    if not _may_write(nearest):
        return _unwritable(nearest)
    message = f"there is no journal yet; the first start makes {config.state.name}"
    return _full(nearest) or Finding(level=Level.OK, subject=STATE, code="journal", message=message)


def _full(folder: Path) -> Finding | None:
    """What is wrong with the room in a folder: none left, for anybody or for this user; None where there is enough."""
    try:
        space = os.statvfs(folder)
        free = space.f_bavail * space.f_frsize
        if free >= ROOM:
            _reserve(folder)
            return None
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            return None  # another trouble, or a system that cannot be asked
        free = 0
    return Finding(
        level=Level.FAIL,
        subject=STATE,
        code="journal",
        message=f"the file system of {folder} is full: {free >> 10} KiB are free, a mint reserves {ROOM >> 10} KiB",
        remedy="free space there; nothing is minted or revoked until then",
    )


def _reserve(folder: Path) -> None:
    """Reserve the room in a file without a name, which is gone at once; OSError where there is none."""
    if not hasattr(os, "O_TMPFILE") or not hasattr(os, "posix_fallocate"):
        return
    try:
        fd = os.open(folder, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise
        return  # a file system without such files
    try:
        os.posix_fallocate(fd, 0, ROOM)
    finally:
        os.close(fd)


def _hanging(journal: SqlJournal) -> Finding | None:
    daemon = journal.presence.hanging()
    if daemon is None:
        return None
    return Finding(
        level=Level.FAIL,
        subject=STATE,
        code="daemon",
        message=f"the daemon, process {daemon.pid} on {daemon.host}, lives and gives no sign of life",
        remedy="read its log: its disk is full, or it hangs; `rotator healthcheck` asks it",
    )


def _fail(code: str, error: RotatorError) -> Finding:
    return Finding(level=Level.FAIL, subject=STATE, code=code, message=error.message, remedy=error.remedy)


def _may_write(path: Path) -> bool:
    return os.access(path, os.W_OK | (os.X_OK if path.is_dir() else 0))


def _unwritable(path: Path) -> Finding:
    return Finding(
        level=Level.FAIL,
        subject=STATE,
        code="journal",
        message=f"{path} may not be written by this user",
        remedy="run `rotator check` as the daemon's user; if you did, give it the folder of the state",
    )
