"""The door to a journal on PostgreSQL, which any number of processes on any number of machines may open at once.

Nothing of it is loaded while the state is on SQLite.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal

import psycopg

from rotator.core.errors import ConfigError, JournalUnsafe
from rotator.core.secret import Secret
from rotator.host.files import make_folder
from rotator.host.filesystems import filesystem_kind, is_network_filesystem
from rotator.journal import schema_postgres
from rotator.journal.database import Clock, unsafe
from rotator.journal.identity import JournalAbsent, first_identity, identity
from rotator.journal.moved import settled
from rotator.journal.owners import Owners
from rotator.journal.postgres import PostgresDatabase
from rotator.journal.postgres_link import Address, checked
from rotator.journal.schema import Standing, readable
from rotator.journal.sealing import KeyRing, Seal
from rotator.journal.store import SqlJournal

_NOBODY: Final = Path("/nonexistent/rotator")
"""What the files of a reader would be named after, if it had any."""


def open_postgres(
    url: str,
    password: Callable[[], Secret] | None,
    folder: Path | None,
    keys: KeyRing | None,
    clock: Clock,
    crash: Callable[[str], None],
    *,
    mode: Literal["writer", "reader"],
    kind: str,
    patience: float,
    node: str = "",
) -> SqlJournal:
    """Open it; arguments and errors as `open.open_journal`. `folder`: where this machine's processes have their spools.

    Crash: leaves no schema, or one that the next writer completes.
    """
    db = PostgresDatabase(Address(checked(url), password), _NOBODY, readonly=mode == "reader")
    try:
        if mode == "reader":
            instance, seal = _look(db, keys)
            return SqlJournal(db, clock, crash, instance=instance, seal=seal, me=None)
        if keys is None:
            raise ConfigError("opening the journal: no encryption key was given", "set state.encryption_key")
        if folder is None:
            raise ConfigError("opening the journal: no folder for spools was given", "set STATE_DIRECTORY")
        with db.read() as connection:
            present = schema_postgres.standing(db.name, connection) is Standing.PRESENT
            if present:
                settled(connection, db.name)
        if not present:
            schema_postgres.migrate(db.name, db.connect, crash)
        first_identity(db, keys)
        instance, seal = _look(db, keys)
        db.instance = instance
        db.beside = _place(folder) / f"journal-{instance}"
        db.take_up()
        me = Owners(db, clock, crash, node)
        me.announce(kind, keys.active)
    except psycopg.Error as error:
        db.close()
        raise unsafe(f"opening the journal {db.name}", error) from error
    except OSError as error:
        db.close()
        raise unsafe(f"opening the journal {db.name}: making a spool in {folder}", error) from error
    except BaseException:
        db.close()
        raise
    return SqlJournal(db, clock, crash, instance=instance, seal=seal, me=me, patience=patience)


def _look(db: PostgresDatabase, keys: KeyRing | None) -> tuple[str, Seal | None]:
    with db.read() as connection:
        found = schema_postgres.standing(db.name, connection)
        if found is Standing.ABSENT:
            raise JournalAbsent(
                f"opening the journal {db.name}: there is none yet", "`rotator run` or `rotator once` makes it"
            )
        if found is Standing.OLDER and not readable(connection):
            raise JournalUnsafe(
                f"opening the journal {db.name}: its schema is older than this program, and reading never migrates it",
                "start the new version of `rotator run` (or `rotator once`), which does",
            )
        settled(connection, db.name)
        return identity(connection, db.name, keys)


def _place(folder: Path) -> Path:
    """Make the folder of the spools (0700), durably, where it is not there."""
    make_folder(folder)
    if is_network_filesystem(folder):
        raise JournalUnsafe(
            f"opening the journal: the folder of the spools, {folder}, is on a network ({filesystem_kind(folder)})",
            "set STATE_DIRECTORY to a folder on a local disk",
        )
    return folder
