"""`python -m rotator.journal.migrations`: writes the schema that all steps add up to, per database. For developers."""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from rotator.journal.schema import APPLICATION_ID, END, REVISIONS, SCRIPT, configuration, upgrade
from rotator.journal.schema_postgres import SCRIPT as POSTGRES_SCRIPT

HEAD: Final = "-- Written by `python -m rotator.journal.migrations`, which adds up the steps of versions/.\n"
_DONE: Final = f"INSERT INTO alembic_version (version_num) VALUES ('{REVISIONS[-1]}')"  # noqa: S608 - a constant


def script() -> str:
    """Take all steps in memory and return the statements that make the same schema in one go."""
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    try:
        upgrade(Path(":memory:"), connection, lambda point: None)
        return END.join(_statements(connection)) + ";\n"
    finally:
        connection.close()


def _statements(connection: sqlite3.Connection) -> Iterator[str]:
    yield f"{HEAD}PRAGMA application_id = {APPLICATION_ID}"
    for (statement,) in connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid"):
        # Alembic's own table may be there, empty: a first migration of an older version was cut off.
        yield statement.replace("CREATE TABLE alembic_version", "CREATE TABLE IF NOT EXISTS alembic_version")
    yield _DONE


def postgres_script() -> str:
    """Let Alembic write down what it would do on PostgreSQL, all steps in one; no database is needed for that."""
    from alembic import command

    config = configuration()
    written = io.StringIO()
    config.output_buffer = written
    command.upgrade(config, "head", sql=True)
    found = ("\n".join(_without_comments(part)) for part in written.getvalue().split(";\n\n"))
    kept = [one for one in found if one and one not in ("BEGIN", "COMMIT") and "alembic_version SET" not in one]
    steps = [one for one in kept if not one.startswith("INSERT INTO alembic_version")]
    return HEAD + END.join([*steps, _DONE]) + ";\n"


def _without_comments(statement: str) -> list[str]:
    return [line.rstrip() for line in statement.strip().splitlines() if line.strip() and not line.startswith("--")]


if __name__ == "__main__":
    SCRIPT.write_text(script(), encoding="utf-8")
    POSTGRES_SCRIPT.write_text(postgres_script(), encoding="utf-8")
