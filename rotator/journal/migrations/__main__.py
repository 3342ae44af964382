"""`python -m rotator.journal.migrations`: writes `schema.sql`, the schema that all steps add up to. For developers."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from rotator.journal.schema import APPLICATION_ID, END, REVISIONS, SCRIPT, upgrade

HEAD = "-- Written by `python -m rotator.journal.migrations`, which adds up the steps of versions/.\n"


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
    yield f"INSERT INTO alembic_version (version_num) VALUES ('{REVISIONS[-1]}')"  # noqa: S608 - a constant


if __name__ == "__main__":
    SCRIPT.write_text(script(), encoding="utf-8")
