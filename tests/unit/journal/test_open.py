"""Opening: every reason not to trust a journal is found at the door, and each message says what to do."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from rotator.core.errors import ConfigError, JournalUnsafe
from rotator.core.ports.journal import Lease
from rotator.journal import open as opening
from rotator.journal.key_file import generate_key, read_key
from rotator.journal.open import JournalAbsent, open_journal, path_of
from rotator.journal.schema import REVISIONS
from tests.contract.journal.benches import SqliteBench, Template
from tests.contract.journal.drafts import VALUE, captured, claimed, planned, request
from tests.unit.journal.opening import files


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_first_start_makes_a_private_folder_and_file(tmp_path: Path, key: Path):
    path = tmp_path / "var" / "lib" / "state.db"
    journal = open_journal(f"sqlite:///{path}", key)
    journal.streams.register([("a", "prod", None)])
    assert mode(path.parent) == 0o700
    assert {mode(file) for file in path.parent.iterdir()} == {0o600}
    assert len(journal.instance) == 8
    journal.close()


def test_a_folder_that_exists_keeps_its_mode(tmp_path: Path, key: Path):
    folder = tmp_path / "state"
    folder.mkdir(mode=0o750)
    open_journal(f"sqlite:///{folder}/state.db", key).close()
    assert mode(folder) == 0o750


def test_two_journals_are_two_instances(tmp_path: Path, key: Path):
    one, two = (open_journal(f"sqlite:///{tmp_path}/{name}.db", key) for name in "ab")
    assert one.instance != two.instance
    assert one.fingerprint(VALUE) != two.fingerprint(VALUE)
    one.close()
    two.close()


def test_an_instance_stays_what_it_is(bench: SqliteBench):
    with bench.opening() as one, bench.opening() as two:
        assert one.instance == two.instance


def test_a_reader_of_a_journal_that_does_not_exist_is_told_so_and_makes_nothing(tmp_path: Path, key: Path):
    with pytest.raises(JournalAbsent) as refused:
        open_journal(f"sqlite:///{tmp_path}/state.db", key, mode="reader")
    assert "rotator run" in refused.value.remedy
    assert list(tmp_path.iterdir()) == [key]


@pytest.mark.parametrize("content", [b"", "half a migration"])
def test_what_a_crash_inside_the_first_start_leaves_counts_as_absent(tmp_path: Path, key: Path, content):
    path = tmp_path / "state.db"
    if content:
        raw = sqlite3.connect(path)
        raw.execute("PRAGMA journal_mode = WAL").fetchall()
        raw.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        raw.commit()
        raw.close()
    else:
        path.touch()
    with pytest.raises(JournalAbsent):
        open_journal(f"sqlite:///{path}", key, mode="reader")
    open_journal(f"sqlite:///{path}", key).close()
    open_journal(f"sqlite:///{path}", key, mode="reader").close()


def test_a_crash_between_migration_and_identity_is_completed_by_the_next_writer(bench: SqliteBench):
    raw = sqlite3.connect(bench.path)
    raw.execute("DELETE FROM meta")
    raw.commit()
    raw.close()
    with pytest.raises(JournalAbsent):
        open_journal(bench.url, bench.key, mode="reader")
    with bench.opening() as journal:
        assert journal.audit.verify().breaks == ()


def test_a_reader_reads_and_refuses_to_write(bench: SqliteBench):
    stream = bench.stream("a")
    with bench.opening() as journal:
        journal.append(claimed(journal, stream), planned())
    before = files(bench)
    with bench.opening(mode="reader") as reader:
        assert reader.view(stream).position == 1
        assert stream in {found.id for found in reader.streams.all()}
        assert reader.presence.processes() == []
        assert reader.presence.daemon() is None
        for act in (
            lambda: reader.claim(stream),
            lambda: reader.streams.register([]),
            lambda: reader.wake([stream]),
            lambda: reader.canary(),
            lambda: reader.heartbeat(),
            lambda: reader.note(stream, request()),
            lambda: reader.append(Lease(stream, 1, "me"), planned()),
            lambda: reader.capture(stream, captured(), VALUE),
            lambda: reader.destroy(stream, "token-1"),
        ):
            with pytest.raises(JournalUnsafe, match="opened for reading"):
                act()
    assert files(bench) == before


def test_a_reader_needs_no_key_until_it_decrypts(bench: SqliteBench):
    stream = bench.stream("a")
    with bench.opening() as journal:
        journal.capture(stream, captured(), VALUE)
        fingerprint = journal.fingerprint(VALUE)
    reader = open_journal(bench.url, None, mode="reader")
    assert reader.view(stream).values == {fingerprint: "token-1"}
    for act in (lambda: reader.reveal(stream, fingerprint), reader.audit.verify, lambda: reader.fingerprint(VALUE)):
        with pytest.raises(JournalUnsafe, match="without its key"):
            act()
    reader.close()


def test_a_writer_needs_a_key(bench: SqliteBench):
    with pytest.raises(ConfigError, match="no encryption key"):
        open_journal(bench.url, None)


def test_the_content_of_a_key_file_is_as_good_as_its_path(bench: SqliteBench):
    open_journal(bench.url, read_key(bench.key)).close()


@pytest.mark.parametrize("access", ["reader", "writer"])
def test_the_wrong_key_is_refused_and_nothing_is_changed(bench: SqliteBench, tmp_path: Path, access):
    generate_key(tmp_path / "other.key")
    before = bench.path.read_bytes()
    with pytest.raises(JournalUnsafe, match="sealed under key") as refused:
        open_journal(bench.url, tmp_path / "other.key", mode=access)
    assert "nothing was changed" in refused.value.remedy
    assert bench.path.read_bytes() == before


def test_a_newer_schema_is_refused_by_readers_and_writers(bench: SqliteBench):
    raw = sqlite3.connect(bench.path)
    raw.execute("UPDATE alembic_version SET version_num = '9999'")
    raw.commit()
    raw.close()
    for access in ("reader", "writer"):
        with pytest.raises(JournalUnsafe, match="schema 9999 is newer") as refused:
            open_journal(bench.url, bench.key, mode=access)
        assert "version of rotator that wrote it" in refused.value.remedy


def test_an_older_schema_is_not_migrated_by_a_reader(bench: SqliteBench, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("rotator.journal.schema.REVISIONS", (*REVISIONS, "9999"))
    monkeypatch.setattr("rotator.journal.schema.READS_FROM", "9999")
    with pytest.raises(JournalUnsafe, match="older than this program"):
        open_journal(bench.url, bench.key, mode="reader")


def test_an_older_schema_that_only_lacks_what_drivers_need_is_read_as_it_is(
    bench: SqliteBench, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("rotator.journal.schema.REVISIONS", (*REVISIONS, "9999"))
    reader = open_journal(bench.url, bench.key, mode="reader")
    try:
        assert reader.audit.verify().breaks == ()
    finally:
        reader.close()


def test_the_database_of_another_program_is_refused_and_left_alone(tmp_path: Path, key: Path):
    path = tmp_path / "places.sqlite"
    raw = sqlite3.connect(path)
    raw.execute("CREATE TABLE bookmarks (id)")
    raw.commit()
    raw.close()
    for access in ("reader", "writer"):
        with pytest.raises(JournalUnsafe, match=r"another program|wal"):
            open_journal(f"sqlite:///{path}", key, mode=access)
    raw = sqlite3.connect(path)
    assert [name for (name,) in raw.execute("SELECT name FROM sqlite_master")] == ["bookmarks"]
    raw.close()


def test_a_file_that_is_no_database_is_refused(tmp_path: Path, key: Path):
    path = tmp_path / "state.db"
    path.write_bytes(b"this is a text file, not a database\n" * 200)
    with pytest.raises(JournalUnsafe, match="SQLITE_NOTADB"):
        open_journal(f"sqlite:///{path}", key)


def test_a_damaged_page_is_found_at_the_door(bench: SqliteBench):
    with bench.opening() as journal:
        journal.streams.register([(f"c{n}", "prod", None) for n in range(300)])
    content = bytearray(bench.path.read_bytes())
    with sqlite3.connect(bench.path) as raw:
        size = raw.execute("PRAGMA page_size").fetchall()[0][0]
        root = raw.execute("SELECT rootpage FROM sqlite_master WHERE name = 'stream'").fetchall()[0][0]
    raw.close()
    start = (root - 1) * size
    content[start : start + 64] = os.urandom(64)
    bench.path.write_bytes(content)
    with pytest.raises(JournalUnsafe, match=r"damaged|malformed|corrupt") as refused:
        open_journal(bench.url, bench.key)
    assert "backup" in refused.value.remedy


def test_a_large_journal_is_not_read_page_by_page_at_every_start(bench: SqliteBench, monkeypatch: pytest.MonkeyPatch):
    asked: list[str] = []

    class Listening(sqlite3.Connection):
        def execute(self, statement, parameters=()):  # type: ignore[override]
            asked.append(statement)
            return super().execute(statement, parameters)

    def connect(*arguments, **options):
        return sqlite3.connect(*arguments, **options, factory=Listening)

    monkeypatch.setattr(opening, "_CHECKED_BYTES", 0)
    open_journal(bench.url, bench.key, connect=connect).close()
    assert not [statement for statement in asked if "quick_check" in statement]


def test_the_full_check_is_there_on_demand(bench: SqliteBench):
    with bench.opening(mode="reader") as journal:
        assert journal.audit.integrity() == []


def test_a_network_file_system_is_refused_before_anything_is_made(tmp_path: Path, key: Path, monkeypatch):
    monkeypatch.setattr(opening, "is_network_filesystem", lambda path: True)
    monkeypatch.setattr(opening, "filesystem_kind", lambda path: "nfs")
    with pytest.raises(JournalUnsafe, match="nfs") as refused:
        open_journal(f"sqlite:///{tmp_path}/state/state.db", key)
    assert "local disk" in refused.value.remedy
    assert not (tmp_path / "state").exists()


def test_sqlite_that_does_not_promise_durability_is_refused(bench: SqliteBench):
    class Lying(sqlite3.Connection):
        def execute(self, statement, parameters=()):  # type: ignore[override]
            if statement == "PRAGMA synchronous":
                return super().execute("SELECT 0")
            return super().execute(statement, parameters)

    with pytest.raises(JournalUnsafe, match="PRAGMA synchronous"):
        open_journal(bench.url, bench.key, connect=lambda *a, **o: sqlite3.connect(*a, **o, factory=Lying))


def test_a_folder_in_the_place_of_the_file_is_refused(tmp_path: Path, key: Path):
    (tmp_path / "state.db").mkdir()
    with pytest.raises(JournalUnsafe, match=r"state\.db"):
        open_journal(f"sqlite:///{tmp_path}/state.db", key)


@pytest.mark.parametrize(
    "url", ["postgresql://u:hunter2@db/rotator", "sqlite://relative.db", "sqlite:///", "", "state.db"]
)
def test_an_url_that_is_not_sqlite_is_a_configuration_error_without_its_password(url: str):
    with pytest.raises(ConfigError, match="SQLite") as refused:
        path_of(url)
    assert "hunter2" not in str(refused.value)


def test_relative_and_absolute_urls():
    assert path_of("sqlite:////var/lib/state.db") == Path("/var/lib/state.db")
    assert path_of("sqlite:///state.db") == Path("state.db")


def test_opening_a_present_journal_loads_neither_sqlalchemy_nor_alembic(template: Template, tmp_path: Path):
    """`status` opens the journal at every call; Alembic's import alone takes longer than all the rest."""
    path = template.copy(tmp_path)
    code = (
        "import sys; from pathlib import Path; from rotator.journal.open import open_journal\n"
        f"open_journal('sqlite:///{path}', Path({str(template.key)!r}), mode=sys.argv[1]).close()\n"
        "sys.exit(sorted({m.split('.')[0] for m in sys.modules} & {'sqlalchemy', 'alembic'}) or 0)"
    )
    for access in ("reader", "writer"):
        done = subprocess.run([sys.executable, "-c", code, access], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.slow
def test_a_million_streams_are_due_by_one_search_in_an_index(bench: SqliteBench):
    from rotator.journal.streams import DUE

    raw = sqlite3.connect(":memory:")
    with sqlite3.connect(bench.path) as disk:
        disk.backup(raw)
    disk.close()
    raw.execute(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000)"
        " INSERT INTO stream (id, kind, name, connection, managed, next_at, why)"
        " SELECT printf('%07d', i), 'credential', printf('%07d', i), 'prod', 1, 999999999.0 + i, '' FROM n"
    )
    raw.commit()
    plan = " ".join(row[3] for row in raw.execute(f"EXPLAIN QUERY PLAN {DUE}", ("prod", 1e9 + 4, 10)))
    steps = 0

    def count() -> None:
        nonlocal steps
        steps += 1

    raw.set_progress_handler(count, 10)
    found = raw.execute(DUE, ("prod", 1e9 + 4, 10)).fetchall()
    raw.close()
    assert "USING INDEX due" in plan
    assert "TEMP B-TREE" not in plan
    assert [at for _, at in found] == [1e9 + n for n in range(5)]
    assert steps < 50, "a handful of rows, not a million"


@pytest.mark.usefixtures("root")
def test_what_a_command_of_root_leaves_beside_the_journal_belongs_to_the_owner_of_the_folder(tmp_path: Path):
    """A daemon of another user reads the spool of every process, dead ones included, before it decides anything."""
    generate_key(tmp_path / "key")
    state = tmp_path / "state"
    state.mkdir()
    os.chown(state, 12345, 23456)
    journal = open_journal(f"sqlite:///{state}/state.db", tmp_path / "key")
    assert {(found.name, found.stat().st_uid) for found in state.iterdir()} == {
        (found.name, 12345) for found in state.iterdir()
    }
    journal.close()
