"""A restore: who may, what is put where, what a kill leaves, and that every stream knows of it."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from rotator.app.keeping import _mark
from rotator.core.errors import JournalUnsafe, RotatorError
from rotator.core.facts import Kind
from rotator.core.secret import Secret
from rotator.journal.backup import backup
from rotator.journal.key_file import generate_key, read_key
from rotator.journal.open import open_journal
from rotator.journal.restore import Restored, restore
from rotator.journal.sealing import KeyRing
from rotator.journal.store import SqlJournal
from tests.contract.journal.benches import SqliteBench
from tests.contract.journal.drafts import captured

OLD, NEW = Secret("in-the-backup"), Secret("after-the-backup")


@pytest.fixture
def keys(bench: SqliteBench) -> KeyRing:
    return KeyRing(read_key(bench.key))


@pytest.fixture
def file(bench: SqliteBench, tmp_path: Path, keys: KeyRing) -> Path:
    """A backup with one value, and a journal that has one more since."""
    stream = bench.stream("a")
    with bench.opening() as journal:
        journal.capture(stream, captured(1), OLD)
    target = tmp_path / "backup.db"
    backup(bench.path, target, keys)
    with bench.opening() as journal:
        journal.capture(stream, captured(2, token_id="token-2"), NEW)
    return target


def mark(journal: SqlJournal) -> int:
    return _mark(journal, "operator")


def put_back(bench: SqliteBench, file: Path, keys: KeyRing, **options: object) -> Restored:
    return restore(file, bench.path, keys, mark, **options)  # type: ignore[arg-type]


def facts(bench: SqliteBench, path: Path | None = None) -> list[Kind]:
    journal = open_journal(f"sqlite:///{path or bench.path}", bench.key, mode="reader")
    try:
        assert journal.audit.verify().breaks == ()
        return [fact.kind for fact in journal.facts(bench.stream("a"))]
    finally:
        journal.close()


def test_the_older_journal_takes_the_place_and_its_streams_know_of_it(bench: SqliteBench, file: Path, keys: KeyRing):
    done = put_back(bench, file, keys)
    assert (done.proven.facts, done.marked) == (1, 1)
    assert facts(bench) == [Kind.CAPTURED, Kind.AHEAD]
    with bench.opening() as journal:
        view = journal.view(bench.stream("a"))
        assert view.ahead
        assert view.cleared_at < view.ahead_at


def test_what_stood_there_is_put_aside_whole(bench: SqliteBench, file: Path, keys: KeyRing):
    aside = put_back(bench, file, keys).aside
    assert aside is not None
    assert facts(bench, aside / "state.db") == [Kind.CAPTURED, Kind.CAPTURED]
    assert aside.stat().st_mode & 0o777 == 0o700
    assert put_back(bench, file, keys).aside != aside, "a second restore puts aside what the first one put there"


def test_it_is_refused_while_anybody_works_on_the_journal_and_says_who(bench: SqliteBench, file: Path, keys: KeyRing):
    working = bench.open(kind="run")
    with pytest.raises(RotatorError, match="1 process works on it: process") as refused:
        put_back(bench, file, keys)
    assert "stop every rotator process" in refused.value.remedy
    assert facts(bench) == [Kind.CAPTURED, Kind.CAPTURED]
    bench.kill(working)
    put_back(bench, file, keys)


def test_a_capture_in_the_spool_of_a_dead_process_outlives_the_restore(bench: SqliteBench, file: Path, keys: KeyRing):
    dead = bench.open()
    dead.spool(bench.stream("a"), captured(3, token_id="token-3"), Secret("spooled"))
    bench.kill(dead)
    assert put_back(bench, file, keys).spools == 1
    with bench.opening() as journal:
        journal.import_spools()
        assert journal.reveal(bench.stream("a"), journal.fingerprint(Secret("spooled"))).reveal() == "spooled"


@pytest.mark.parametrize("step", [1, 2, 3])
def test_a_kill_leaves_the_old_journal_or_the_new_one_each_whole_and_a_repeat_finishes(
    bench: SqliteBench, file: Path, keys: KeyRing, step: int
):
    passed = []

    def crash(name: str) -> None:
        passed.append(name)
        if len(passed) == step:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        put_back(bench, file, keys, crash=crash)
    assert facts(bench) == ([Kind.CAPTURED, Kind.AHEAD] if step == 3 else [Kind.CAPTURED, Kind.CAPTURED])
    put_back(bench, file, keys)
    assert facts(bench) == [Kind.CAPTURED, Kind.AHEAD]


def test_a_folder_that_a_kill_left_is_no_hindrance(bench: SqliteBench, file: Path, keys: KeyRing):
    stray = bench.path.with_name("state.db.restoring")
    stray.mkdir()
    (stray / "state.db").write_text("half of one")
    put_back(bench, file, keys)
    assert not stray.exists()


def test_a_damaged_journal_is_put_aside_as_it_is(bench: SqliteBench, file: Path, keys: KeyRing):
    bench.path.write_bytes(b"x" * 5000)
    Path(f"{bench.path}-wal").write_bytes(b"y" * 500)
    aside = put_back(bench, file, keys).aside
    assert aside is not None
    assert (aside / "state.db").read_bytes() == b"x" * 5000
    assert (aside / "state.db-wal").read_bytes() == b"y" * 500, "else it would be taken for the log of the new one"
    assert facts(bench) == [Kind.CAPTURED, Kind.AHEAD]


def test_where_nothing_stood_the_backup_is_simply_put(bench: SqliteBench, file: Path, keys: KeyRing, tmp_path: Path):
    place = tmp_path / "new" / "state.db"
    done = restore(file, place, keys, mark)
    assert done.aside is None
    assert facts(bench, place) == [Kind.CAPTURED, Kind.AHEAD]
    assert (place.stat().st_mode & 0o777, place.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_a_backup_of_another_installation_is_refused_unless_one_insists(
    bench: SqliteBench, tmp_path: Path, keys: KeyRing
):
    stream = bench.stream("a")
    with bench.opening() as journal:
        journal.capture(stream, captured(1), OLD)
    other = tmp_path / "other.db"
    open_journal(f"sqlite:///{other}", bench.key).close()
    with pytest.raises(RotatorError, match="a backup of the journal") as refused:
        put_back(bench, other, keys)
    assert "--force" in refused.value.remedy
    assert facts(bench) == [Kind.CAPTURED]
    assert put_back(bench, other, keys, force=True).marked == 0


def test_a_backup_that_somebody_changed_is_refused_and_nothing_moves(bench: SqliteBench, file: Path, keys: KeyRing):
    with sqlite3.connect(file) as connection:
        connection.execute("DROP TRIGGER fact_no_update")
        connection.execute("UPDATE fact SET actor = 'somebody'")
    connection.close()
    with pytest.raises(JournalUnsafe, match=f"reading the journal {file}: fact 1 of stream .* cannot be trusted"):
        put_back(bench, file, keys)
    assert facts(bench) == [Kind.CAPTURED, Kind.CAPTURED]


def test_a_backup_under_another_key_is_refused(bench: SqliteBench, file: Path, tmp_path: Path):
    generate_key(tmp_path / "other.key")
    with pytest.raises(JournalUnsafe, match="sealed under key"):
        put_back(bench, file, KeyRing(read_key(tmp_path / "other.key")))
    assert facts(bench) == [Kind.CAPTURED, Kind.CAPTURED]


def test_a_copy_of_the_files_of_a_stopped_journal_with_its_log_is_a_backup_too(
    bench: SqliteBench, tmp_path: Path, keys: KeyRing
):
    stream = bench.stream("a")
    journal = bench.open()
    journal.capture(stream, captured(1), OLD)
    for suffix in ("", "-wal"):
        shutil.copy(f"{bench.path}{suffix}", tmp_path / f"copy.db{suffix}")
    bench.kill(journal)
    assert put_back(bench, tmp_path / "copy.db", keys).proven.facts == 1
