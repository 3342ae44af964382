"""Which schema a PostgreSQL database has, and how it gets the present one: see `schema`, whose steps these are.

Everything lies in the first schema of the role's search path. Whoever migrates holds a lock of the transaction, so that
it works behind a pooler, too; the role that only works needs no right to change tables.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import psycopg

from rotator.core.errors import JournalUnsafe
from rotator.journal.database import Connection, run, unsafe
from rotator.journal.schema import END, REVISIONS, Standing, configuration, revision

SCRIPT: Final = Path(__file__).with_name("schema.postgresql.sql")
"""Written by `python -m rotator.journal.migrations`."""

LOCK: Final = 0x726F7461746F72
"""The advisory lock of whoever makes or migrates a journal."""

_OURS: Final = frozenset({"fact", "lease", "meta", "sealed", "stream"})


def standing(where: str, connection: Connection) -> Standing:
    """Return how the schema stands.

    Raises:
        JournalUnsafe: it belongs to another program, or to a newer version of this one.
    """
    found = run(connection, "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()")
    tables = {row[0] for row in found}
    if "alembic_version" in tables and tables >= _OURS:
        return revision(where, connection)
    if tables & {*_OURS, "alembic_version"}:
        raise JournalUnsafe(
            f"opening the journal {where}: its schema holds tables of another program",
            "give rotator a database or a schema of its own (state.url)",
        )
    return Standing.ABSENT


def migrate(
    where: str, connect: Callable[[], psycopg.Connection[tuple[object, ...]]], crash: Callable[[str], None]
) -> None:
    """Make the schema where there is none, else take every missing step; several processes may ask at once.

    Raises:
        JournalUnsafe: a step failed, or the role may not; the schema is what it was before that step.

    Crash: leaves no schema, or the steps that were committed; the next writer goes on from there.
    """
    crash("before_migrate_step")
    try:
        with connect() as connection, connection.transaction():
            _alone(connection)
            if standing(where, connection) is Standing.ABSENT:
                for statement in SCRIPT.read_text(encoding="utf-8").removesuffix(";\n").split(END):
                    connection.execute(statement.encode())
    except psycopg.Error as error:
        raise unsafe(f"migrating the journal {where}", error) from error
    crash("after_migrate_step")
    upgrade(where, connect, crash)


def upgrade(
    where: str, connect: Callable[[], psycopg.Connection[tuple[object, ...]]], crash: Callable[[str], None]
) -> None:
    """Take every missing step with Alembic, each in a transaction of its own; for the rest see `migrate`."""
    with connect() as raw:
        missing = _missing(where, raw)
    if not missing:
        return
    from alembic import command
    from sqlalchemy import create_engine, event
    from sqlalchemy.exc import SQLAlchemyError
    from sqlalchemy.pool import NullPool

    def fresh() -> psycopg.Connection[tuple[object, ...]]:
        made = connect()
        made.autocommit = False
        return made

    engine = create_engine("postgresql+psycopg://", creator=fresh, poolclass=NullPool)
    event.listen(engine, "begin", lambda begun: begun.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})"))
    config = configuration()
    try:
        for step in missing:
            crash("before_migrate_step")
            with engine.connect() as bound:
                config.attributes["connection"] = bound
                command.upgrade(config, step)
            crash("after_migrate_step")
    except SQLAlchemyError as error:
        cause = error.__cause__
        raise unsafe(f"migrating the journal {where}", cause if isinstance(cause, Exception) else error) from error
    finally:
        engine.dispose()


def _alone(connection: Connection) -> None:
    run(connection, "SELECT pg_advisory_xact_lock(%s)", (LOCK,))


def _missing(where: str, connection: Connection) -> tuple[str, ...]:
    if standing(where, connection) is Standing.ABSENT:
        return REVISIONS
    found = run(connection, "SELECT version_num FROM alembic_version")
    return REVISIONS[REVISIONS.index(found[0][0]) + 1 :]
