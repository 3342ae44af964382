"""A backup is a whole journal of one moment in one file, and is proven before it has its name."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from rotator.core.errors import ConfigError, JournalUnsafe, RotatorError
from rotator.core.secret import Secret
from rotator.journal import backup as module
from rotator.journal.backup import backup, proven
from rotator.journal.identity import JournalAbsent
from rotator.journal.key_file import generate_key, read_key
from rotator.journal.open import open_journal
from rotator.journal.sealing import KeyRing
from tests.contract.journal.benches import SqliteBench
from tests.contract.journal.drafts import captured

VALUE = Secret("canary-of-the-backup")


@pytest.fixture
def keys(bench: SqliteBench) -> KeyRing:
    return KeyRing(read_key(bench.key))


def filled(bench: SqliteBench) -> str:
    """A journal with one value, whose writer is still at work."""
    stream = bench.stream("a")
    journal = bench.open()
    journal.capture(stream, captured(), VALUE)
    return stream


def test_a_copy_beside_a_writer_holds_everything_that_is_committed(bench: SqliteBench, tmp_path: Path, keys: KeyRing):
    stream = filled(bench)
    done = backup(bench.path, tmp_path / "copy.db", keys)

    assert (done.proven.facts, done.proven.values, done.spooled) == (1, 1, 0)
    assert done.proven.key_ids == (keys.active,)
    assert (tmp_path / "copy.db").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.glob("*copy*")] == ["copy.db"], "one file, no log beside it"
    copied = open_journal(f"sqlite:///{tmp_path / 'copy.db'}", bench.key, mode="reader")
    assert copied.reveal(stream, copied.fingerprint(VALUE)) == VALUE
    copied.close()


def test_the_value_and_the_key_stand_nowhere_in_it(bench: SqliteBench, tmp_path: Path, keys: KeyRing):
    filled(bench)
    backup(bench.path, tmp_path / "copy.db", keys)
    content = (tmp_path / "copy.db").read_bytes()
    assert VALUE.reveal().encode() not in content
    assert bench.key.read_bytes().strip().split(b":")[-1] not in content


def test_a_file_that_exists_is_kept_unless_one_insists(bench: SqliteBench, tmp_path: Path, keys: KeyRing):
    filled(bench)
    target = tmp_path / "copy.db"
    target.write_text("precious")
    with pytest.raises(RotatorError, match="the file exists") as refused:
        backup(bench.path, target, keys)
    assert "--force" in refused.value.remedy
    assert target.read_text() == "precious"
    assert backup(bench.path, target, keys, force=True).proven.facts == 1


def test_the_journal_itself_and_a_folder_are_no_place_for_a_copy(bench: SqliteBench, tmp_path: Path, keys: KeyRing):
    filled(bench)
    for place in (bench.path, tmp_path):
        with pytest.raises(ConfigError, match="no place for a copy"):
            backup(bench.path, place, keys, force=True)


def test_without_a_journal_there_is_nothing_to_copy(tmp_path: Path, keys: KeyRing):
    with pytest.raises(JournalAbsent):
        backup(tmp_path / "none.db", tmp_path / "copy.db", keys)


def test_a_folder_that_does_not_exist_is_said(bench: SqliteBench, tmp_path: Path, keys: KeyRing):
    filled(bench)
    with pytest.raises(RotatorError, match="No such file") as refused:
        backup(bench.path, tmp_path / "no" / "copy.db", keys)
    assert "folder that exists" in refused.value.remedy


def test_a_copy_that_is_not_whole_gets_no_name(
    bench: SqliteBench, tmp_path: Path, keys: KeyRing, monkeypatch: pytest.MonkeyPatch
):
    filled(bench)
    whole = module._copy

    def torn(database: Path, partial: Path) -> None:
        whole(database, partial)
        with sqlite3.connect(partial) as connection:
            connection.execute("DROP TRIGGER fact_no_update")
            connection.execute("UPDATE fact SET actor = 'somebody'")
        connection.close()

    monkeypatch.setattr(module, "_copy", torn)
    with pytest.raises(JournalUnsafe, match="cannot be trusted"):
        backup(bench.path, tmp_path / "copy.db", keys)
    assert list(tmp_path.glob("*copy*")) == []


def test_a_capture_that_waits_in_a_spool_is_counted(bench: SqliteBench, tmp_path: Path, keys: KeyRing):
    stream = bench.stream("a")
    journal = bench.open()
    journal.spool(stream, captured(), VALUE)
    assert backup(bench.path, tmp_path / "copy.db", keys).spooled == 1


@pytest.mark.parametrize("content", [b"", b"no database at all, but long enough for a header of one" * 40])
def test_what_is_no_journal_is_not_proven(tmp_path: Path, keys: KeyRing, content: bytes):
    (tmp_path / "x.db").write_bytes(content)
    with pytest.raises(JournalUnsafe):
        proven(tmp_path / "x.db", keys)


def test_a_backup_under_another_key_is_not_proven(bench: SqliteBench, tmp_path: Path, keys: KeyRing):
    filled(bench)
    backup(bench.path, tmp_path / "copy.db", keys)
    generate_key(tmp_path / "other.key")
    with pytest.raises(JournalUnsafe, match="sealed under key"):
        proven(tmp_path / "copy.db", KeyRing(read_key(tmp_path / "other.key")))
