"""The schema: migrations add up to the tables, stand between crash points, and undo themselves on failure."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from rotator.core.errors import JournalUnsafe
from rotator.core.facts import Kind
from rotator.host.crashpoints import Point
from rotator.journal import schema
from rotator.journal.crash_names import around
from rotator.journal.migrations.__main__ import script
from rotator.journal.schema import REVISIONS, SCRIPT, Standing, migrate, standing, upgrade
from tests.contract.journal.benches import SqliteBench, no_crash
from tests.contract.journal.drafts import VALUE, captured, claimed, intent, planned


def connect(path: Path | str) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False)


def test_the_migrations_add_up_to_the_tables(tmp_path: Path):
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext
    from sqlalchemy import create_engine

    from rotator.journal.tables import metadata

    path = tmp_path / "state.db"
    raw = connect(path)
    upgrade(path, raw, no_crash)
    raw.close()
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_the_script_of_a_new_journal_makes_what_the_migrations_add_up_to():
    assert SCRIPT.read_text() == script(), "run `python -m rotator.journal.migrations`"


def test_a_new_journal_is_made_without_the_library_for_migrations(tmp_path: Path):
    child = (
        "import sqlite3, sys; from pathlib import Path; from rotator.journal.schema import migrate, standing\n"
        "path = Path(sys.argv[1]); raw = sqlite3.connect(path, isolation_level=None)\n"
        "migrate(path, raw, lambda point: None)\n"
        "print(standing(path, raw).name, *sorted({'alembic', 'sqlalchemy'} & sys.modules.keys()))"
    )
    command = [sys.executable, "-c", child, str(tmp_path / "state.db")]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "PRESENT\n"


def test_a_first_migration_that_was_cut_off_is_finished(tmp_path: Path):
    path = tmp_path / "state.db"
    raw = connect(path)
    raw.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
    migrate(path, raw, no_crash)
    assert standing(path, raw) is Standing.PRESENT
    raw.close()


def test_every_step_is_known_and_has_one_file():
    found = sorted(file.stem for file in (Path(schema.__file__).parent / "migrations" / "versions").glob("v*.py"))
    assert [name[1:5] for name in found] == list(REVISIONS)


@pytest.mark.parametrize(("way", "steps"), [(migrate, 1), (upgrade, len(REVISIONS))])
def test_every_step_stands_between_two_crash_points(tmp_path: Path, way, steps: int):
    passed: list[str] = []
    raw = connect(tmp_path / "state.db")
    way(tmp_path / "state.db", raw, passed.append)
    assert passed == ["before_migrate_step", "after_migrate_step"] * steps
    way(tmp_path / "state.db", raw, passed.append)
    assert len(passed) == 2 * steps, "nothing is left to do"
    assert standing(tmp_path / "state.db", raw) is Standing.PRESENT
    raw.close()


@pytest.mark.parametrize("way", [migrate, upgrade])
def test_a_step_that_fails_leaves_the_schema_as_it_was(tmp_path: Path, way):
    path = tmp_path / "state.db"

    class Full(sqlite3.Connection):
        def cursor(self, *arguments):  # type: ignore[override]
            return super().cursor(_FullCursor)

        def execute(self, *arguments):  # type: ignore[override]
            return self.cursor().execute(*arguments)

    raw = sqlite3.connect(path, isolation_level=None, check_same_thread=False, factory=Full)
    with pytest.raises(JournalUnsafe, match="migrating the journal"):
        way(path, raw, no_crash)
    raw.close()
    raw = connect(path)
    assert standing(path, raw) is Standing.ABSENT
    tables = {name for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert tables <= {"alembic_version"}
    way(path, raw, no_crash)
    assert standing(path, raw) is Standing.PRESENT
    raw.close()


class _FullCursor(sqlite3.Cursor):
    def execute(self, statement, parameters=()):  # type: ignore[override]
        if "CREATE TABLE lease" in statement:
            raise sqlite3.OperationalError("database or disk is full")
        return super().execute(statement, parameters)


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_of_fact_is_committed_between_two_named_points(kind: Kind):
    before, after = around(kind)
    assert Point(before)
    assert Point(after)
    assert before.replace("before", "after") == after


def test_the_named_points_are_passed_around_the_commit(bench: SqliteBench):
    stream = bench.stream("a")
    journal = bench.open()
    del bench.passed[:]
    lease = claimed(journal, stream)
    journal.append(lease, planned())
    journal.canary()
    journal.append(lease, intent())
    journal.spool(stream, captured(), VALUE)
    journal.capture(stream, captured(), VALUE)
    journal.destroy(stream, "token-1")
    words = "lease plan_commit canary_commit spool_preallocate intent_commit spool_write capture_commit key_destroy"
    assert bench.passed == [f"{when}_{word}" for word in words.split() for when in ("before", "after")]
    assert all(Point(name) for name in bench.passed)


def test_importing_a_spool_passes_points_of_its_own(bench: SqliteBench):
    stream = bench.stream("a")
    dead = bench.open()
    dead.spool(stream, captured(), VALUE)
    bench.kill(dead)
    journal = bench.open()
    del bench.passed[:]
    claimed(journal, stream)
    words = ["before_spool_import", "before_capture_commit", "after_capture_commit", "after_spool_import"]
    assert bench.passed == ["before_lease", "after_lease", *words]
    assert all(Point(name) for name in bench.passed)
