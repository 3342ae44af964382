"""Which schema a file has, and how it gets the present one. Readers ask; writers migrate, under one lock.

A new file gets the whole schema from a script, which is what all steps add up to (a test compares). Alembic and
SQLAlchemy are loaded only for an older file: they take 25 MB, which a daemon would keep from its first start on.
`schema_postgres` is the same for the other database, whose steps are the same.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rotator.core.errors import JournalUnsafe
from rotator.journal.database import Connection, run, unsafe

if TYPE_CHECKING:
    from alembic.config import Config

REVISIONS: Final = ("0001", "0002", "0003")
"""Every step, oldest first. `migrations/versions` holds one file for each (a test compares)."""

READS_FROM: Final = "0001"
"""The oldest step at which a reader finds all that it reads: later steps only added what drivers need."""

APPLICATION_ID: Final = 0x526F7461

SCRIPT: Final = Path(__file__).with_name("schema.sqlite.sql")
"""Written by `python -m rotator.journal.migrations`."""

END: Final = ";\n\n"
"""What ends a statement of the script; a trigger holds other semicolons."""


class ForeignDatabase(JournalUnsafe):
    """The file is the database of another program."""


class NewerSchema(JournalUnsafe):
    """The journal was migrated by a newer version."""


class Standing(Enum):
    """How the schema of a file relates to this program."""

    ABSENT = "no journal yet"
    OLDER = "older"
    PRESENT = "present"


def standing(path: Path, connection: sqlite3.Connection) -> Standing:
    """Return how the schema of an open file stands; a kill inside the very first migration leaves ABSENT.

    Raises:
        JournalUnsafe: the file belongs to another program, or to a newer version of this one.
    """
    application = run(connection, "PRAGMA application_id")[0][0]
    tables = {row[0] for row in run(connection, "SELECT name FROM sqlite_master WHERE type = 'table'")}
    if application not in (0, APPLICATION_ID) or (tables and application == 0 and tables != {"alembic_version"}):
        raise ForeignDatabase(f"opening the journal {path}: it is the database of another program", "check state.url")
    return revision(str(path), connection) if "alembic_version" in tables else Standing.ABSENT


def revision(where: str, connection: Connection) -> Standing:
    """Return how the noted revision stands; the table that notes it is there. Errors as `standing`."""
    found = run(connection, "SELECT version_num FROM alembic_version")
    if not found:
        return Standing.ABSENT
    if len(found) > 1 or found[0][0] not in REVISIONS:
        raise NewerSchema(
            f"opening the journal {where}: its schema {found[0][0]} is newer than ours, {REVISIONS[-1]}",
            "run the version of rotator that wrote it, or restore a backup from before the upgrade",
        )
    return Standing.PRESENT if found[0][0] == REVISIONS[-1] else Standing.OLDER


def readable(connection: Connection) -> bool:
    """Whether a reader of this program understands the file, whose standing is known, as it is."""
    found = run(connection, "SELECT version_num FROM alembic_version")[0][0]
    return REVISIONS.index(found) >= REVISIONS.index(READS_FROM)


def migrate(path: Path, connection: sqlite3.Connection, crash: Callable[[str], None]) -> None:
    """Make the schema where there is none, else take every missing step. The caller holds the lock of the journal.

    Raises:
        JournalUnsafe: a step failed; the schema is what it was before that step.

    Crash: leaves no schema, or the steps that were committed; the next writer goes on from there.
    """
    if standing(path, connection) is not Standing.ABSENT:
        upgrade(path, connection, crash)
        return
    crash("before_migrate_step")
    try:
        run(connection, "BEGIN IMMEDIATE")
        for statement in SCRIPT.read_text(encoding="utf-8").split(END):
            run(connection, statement)
        run(connection, "COMMIT")
    except sqlite3.Error as error:
        with suppress(sqlite3.Error):
            run(connection, "ROLLBACK")
        raise unsafe(f"migrating the journal {path}", error) from error
    crash("after_migrate_step")


def upgrade(path: Path, connection: sqlite3.Connection, crash: Callable[[str], None]) -> None:
    """Take every missing step with Alembic, each in a transaction of its own; for the rest see `migrate`."""
    from alembic import command
    from sqlalchemy import create_engine, event
    from sqlalchemy.exc import SQLAlchemyError
    from sqlalchemy.pool import StaticPool

    engine = create_engine("sqlite://", creator=lambda: connection, poolclass=StaticPool)
    # The driver's connection is in autocommit mode and begins no transaction by itself.
    event.listen(engine, "begin", lambda begun: begun.exec_driver_sql("BEGIN IMMEDIATE"))
    config = configuration()
    try:
        for revision in _missing(connection):
            crash("before_migrate_step")
            with engine.connect() as bound:
                config.attributes["connection"] = bound
                command.upgrade(config, revision)
            crash("after_migrate_step")
    except SQLAlchemyError as error:
        cause = error.__cause__
        raise unsafe(
            f"migrating the journal {path}", cause if isinstance(cause, sqlite3.Error) else sqlite3.Error(str(cause))
        ) from error


def configuration() -> Config:
    """Return what tells Alembic where the steps are."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    return config


def _missing(connection: sqlite3.Connection) -> tuple[str, ...]:
    tables = run(connection, "SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'")
    found = run(connection, "SELECT version_num FROM alembic_version") if tables else []
    return REVISIONS[REVISIONS.index(found[0][0]) + 1 :] if found else REVISIONS
