"""What an SQLite file is asked before it is trusted: its place, its size, and what SQLite promises of it."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Final

from rotator.core.errors import JournalUnsafe
from rotator.journal.database import run

BUSY_SECONDS: Final = 10
"""How long SQLite waits for a lock of another process (a backup tool) before it gives up."""


def prepare(connection: sqlite3.Connection, path: Path, mode: str, journal: str, synchronous: int) -> None:
    """Set a fresh connection up and check every answer.

    Args:
        connection: to the file.
        path: of the file, for messages.
        mode: the pragma that asks for the journal mode or sets it.
        journal: what it must answer.
        synchronous: 2 full, 1 normal.

    Raises:
        JournalUnsafe: SQLite does not promise what the journal needs.
        sqlite3.Error: as the driver says.
    """
    wanted: list[tuple[str, object]] = [
        (f"busy_timeout = {BUSY_SECONDS * 1000}", BUSY_SECONDS * 1000),
        (mode, journal),
        (f"synchronous = {synchronous}", None),
        ("synchronous", synchronous),
        ("foreign_keys = ON", None),
        ("foreign_keys", 1),
        ("secure_delete = ON", 1),
        ("trusted_schema = OFF", None),
        ("cell_size_check = ON", None),
        # F_FULLFSYNC where fsync alone stops at the drive's cache (macOS); a no-op elsewhere.
        ("fullfsync = ON", None),
        ("checkpoint_fullfsync = ON", None),
    ]
    for pragma, expected in wanted:
        answer = run(connection, f"PRAGMA {pragma}")
        if expected is not None and (not answer or answer[0][0] != expected):
            raise JournalUnsafe(
                f"opening the journal {path}: SQLite answers {answer!r} to PRAGMA {pragma}, not {expected!r}",
                "the journal needs a local file system on which SQLite can run in WAL mode",
            )


def size(path: str) -> int:
    """Return the bytes of a file, 0 where there is none."""
    try:
        return os.stat(path).st_size  # noqa: PTH116 - one call for a metric
    except FileNotFoundError:
        return 0


def inode(path: Path) -> tuple[int, int] | None:
    """Return what tells a file from another of the same name, None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
