"""`state check` on journals to which something has happened: what is wrong has a code, what is sure is still said."""

from __future__ import annotations

import os
import random
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from rotator.core.findings import Level
from rotator.core.secret import Secret
from rotator.journal import sqlite as connector
from rotator.journal.inspection import Inspected
from rotator.journal.journal_file import look
from rotator.journal.key_file import add_key, generate_key, read_key
from rotator.journal.sealing import KeyRing
from tests.contract.journal.benches import SqliteBench
from tests.contract.journal.drafts import captured

VALUE = Secret("canary-of-the-inspection")


@pytest.fixture
def keys(bench: SqliteBench) -> KeyRing:
    return KeyRing(read_key(bench.key))


@pytest.fixture
def two(bench: SqliteBench) -> SqliteBench:
    """A journal at rest with two credentials, `a` with three facts and values, `b` with one."""
    with bench.opening() as journal:
        for number in (1, 2, 3):
            journal.capture(bench.stream("a"), captured(number, token_id=f"a-{number}"), Secret(f"value-{number}"))
        journal.capture(bench.stream("b"), captured(1, token_id="b-1"), VALUE)
    return bench


def codes(found: Inspected, level: Level | None = Level.FAIL) -> set[str]:
    return {one.code for one in found.findings if level in (None, one.level)}


def edit(bench: SqliteBench, *statements: str) -> None:
    with sqlite3.connect(bench.path) as connection:
        for trigger in ("fact_no_update", "fact_no_delete"):
            connection.execute(f"DROP TRIGGER IF EXISTS {trigger}")
        for statement in statements:
            connection.execute(statement)
    connection.close()


def test_of_a_whole_journal_everything_is_sure(two: SqliteBench, keys: KeyRing):
    found = look(two.path, keys)
    assert codes(found) == set()
    assert codes(found, Level.OK) == {"facts", "keys"}
    assert [(s.name, s.facts, s.intact, s.values, s.opened) for s in found.sure] == [
        ("a", 3, 3, 3, 3),
        ("b", 1, 1, 1, 1),
    ]


def test_without_its_key_it_is_read_and_nothing_more_is_claimed(two: SqliteBench):
    found = look(two.path, None)
    assert codes(found) == set()
    assert [(s.facts, s.intact, s.opened) for s in found.sure] == [(3, None, None), (1, None, None)]


def test_a_fact_that_was_changed_is_named_with_how_far_the_chain_is_sure(two: SqliteBench, keys: KeyRing):
    edit(two, f"UPDATE fact SET actor = 'somebody' WHERE position = 2 AND stream = '{two.stream('a')}'")
    found = look(two.path, keys)
    assert codes(found) == {"chain_broken"}
    (broken,) = [one for one in found.findings if one.code == "chain_broken"]
    assert str(broken.subject) == "credential a"
    assert broken.message.startswith("facts 1 to 1 are as they were written, fact 2 of 3 is not")
    assert [(s.name, s.intact) for s in found.sure] == [("a", 1), ("b", 1)]
    assert "restore" in broken.remedy


def test_a_missing_fact_is_a_broken_chain_as_well(two: SqliteBench, keys: KeyRing):
    edit(two, f"DELETE FROM fact WHERE position = 1 AND stream = '{two.stream('a')}'")
    assert "no fact is sure" in next(one.message for one in look(two.path, keys).findings if one.code == "chain_broken")


def test_the_wrong_key_is_told_apart_from_damage(two: SqliteBench, tmp_path: Path):
    generate_key(tmp_path / "other.key")
    found = look(two.path, KeyRing(read_key(tmp_path / "other.key")))
    assert codes(found) == {"wrong_key"}
    assert [(s.facts, s.opened) for s in found.sure] == [(3, None), (1, None)]


def test_a_value_that_does_not_open_is_counted_at_its_credential(two: SqliteBench, keys: KeyRing):
    edit(two, "UPDATE sealed SET key_id = 'ffffffff' WHERE token_id = 'a-2'")
    found = look(two.path, keys)
    assert codes(found) == {"value_unreadable"}
    assert "1 of 3 values do not open (sealed under key ffffffff)" in next(
        one.message for one in found.findings if one.code == "value_unreadable"
    )
    assert [(s.values, s.opened) for s in found.sure] == [(3, 2), (1, 1)]


def test_a_fact_that_makes_no_sense_is_named(two: SqliteBench, keys: KeyRing):
    edit(two, f"UPDATE fact SET detail = 'nonsense' WHERE position = 3 AND stream = '{two.stream('a')}'")
    assert codes(look(two.path, keys)) == {"chain_broken", "fact_unreadable"}


def _header(bench: SqliteBench) -> None:
    bench.path.write_bytes(b"this was a database once" * 400)


def _foreign(bench: SqliteBench) -> None:
    edit(bench, "PRAGMA application_id = 7")


def _newer(bench: SqliteBench) -> None:
    edit(bench, "UPDATE alembic_version SET version_num = '9999'")


def _page(bench: SqliteBench) -> None:
    content = bytearray(bench.path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 6000] = b"\xa5" * 6000
    bench.path.write_bytes(content)


@pytest.mark.parametrize(
    ("damage", "code"),
    [(_header, "not_a_database"), (_foreign, "foreign_database"), (_newer, "newer_schema"), (_page, "damaged")],
)
def test_what_is_wrong_with_the_file_has_a_code_and_a_remedy(
    two: SqliteBench, keys: KeyRing, damage: Callable[[SqliteBench], None], code: str
):
    damage(two)
    found = look(two.path, keys)
    assert code in codes(found)
    assert all(one.remedy for one in found.findings if one.level is Level.FAIL)


@pytest.mark.parametrize("seed", range(25))
def test_whatever_is_broken_in_the_file_it_is_looked_at_to_the_end(two: SqliteBench, keys: KeyRing, seed: int):
    chance = random.Random(seed)
    content = bytearray(two.path.read_bytes())
    for _ in range(chance.randint(1, 12)):
        start = chance.randrange(len(content))
        content[start : start + chance.choice([1, 16, 4096])] = chance.randbytes(chance.choice([1, 16, 4096]))
    two.path.write_bytes(content[: chance.choice([len(content), len(content) * 2 // 3])])
    before = two.path.read_bytes()
    assert look(two.path, keys).findings
    assert two.path.read_bytes() == before, "it changes nothing"


def test_a_journal_that_is_not_there_yet_is_no_failure(tmp_path: Path):
    assert codes(look(tmp_path / "state.db", None), Level.WARN) == {"journal_absent"}


def test_a_journal_that_is_gone_while_captures_wait_is_one(bench: SqliteBench, keys: KeyRing):
    dead = bench.open()
    dead.spool(bench.stream("a"), captured(), VALUE)
    bench.kill(dead)
    bench.path.unlink()
    found = look(bench.path, keys)
    assert "journal_gone" in codes(found)
    assert "spool_left" in codes(found, Level.WARN)


def test_captures_that_wait_in_spools_are_counted_and_their_key_is_looked_for(
    bench: SqliteBench, keys: KeyRing, tmp_path: Path
):
    dead = bench.open()
    dead.spool(bench.stream("a"), captured(), VALUE)
    assert codes(look(bench.path, keys), Level.OK) >= {"spool_in_use"}
    bench.kill(dead)
    assert codes(look(bench.path, keys), Level.WARN) == {"spool_left"}
    generate_key(tmp_path / "other.key")
    assert codes(look(bench.path, KeyRing(read_key(tmp_path / "other.key")))) == {"wrong_key", "spool_key"}
    dead._work.owners.path(dead.owner).write_bytes(b"RSP1")
    assert codes(look(bench.path, keys)) == set(), "a torn record was never acknowledged"


def test_a_spool_of_another_version_is_kept(bench: SqliteBench, keys: KeyRing):
    dead = bench.open()
    dead._work.owners.spool.write(b'{"of": "another version"}')
    bench.kill(dead)
    assert codes(look(bench.path, keys)) == {"spool_unreadable"}


def test_values_under_an_older_line_of_the_key_file_ask_for_a_rekey(two: SqliteBench, tmp_path: Path):
    file = tmp_path / "rotator.key"
    file.write_text(two.key.read_text())
    file.chmod(0o600)
    add_key(file)
    found = look(two.path, KeyRing(read_key(file)))
    (older,) = [one for one in found.findings if one.code == "older_key"]
    assert (older.level, older.remedy) == (Level.WARN, "`rotator rekey`")
    two.key = file
    with two.opening() as journal:
        journal.rekey(0)
    (ok,) = [one for one in look(two.path, KeyRing(read_key(file))).findings if one.code == "keys"]
    assert "needs" in ok.message


def test_what_restores_left_is_said(two: SqliteBench, keys: KeyRing):
    two.path.with_name("state.db.restoring").mkdir()
    two.path.with_name("state.db.before-restore-20261130T000000Z").mkdir()
    found = look(two.path, keys)
    assert codes(found, Level.WARN) == {"restore_unfinished"}
    assert "put_aside" in codes(found, Level.OK)


def test_a_file_that_this_user_may_not_write_or_read_is_said(
    two: SqliteBench, keys: KeyRing, monkeypatch: pytest.MonkeyPatch
):
    forbidden = os.W_OK
    monkeypatch.setattr(os, "access", lambda path, mode, **_: mode != forbidden)
    assert codes(look(two.path, keys)) == {"read_only"}
    forbidden = os.R_OK
    assert codes(look(two.path, keys)) == {"unreadable"}


def test_a_journal_that_another_program_holds_locked_is_said(
    two: SqliteBench, keys: KeyRing, monkeypatch: pytest.MonkeyPatch
):
    def impatient(*given: object, **options: object) -> sqlite3.Connection:
        return sqlite3.connect(*given, **{**options, "timeout": 0.01})  # type: ignore[arg-type]

    two.path.unlink()
    with sqlite3.connect(two.path) as holder:
        holder.execute("CREATE TABLE t (x)")
        holder.commit()
        holder.execute("BEGIN EXCLUSIVE")
        monkeypatch.setattr(connector, "BUSY_SECONDS", 0)
        monkeypatch.setattr("rotator.journal.sqlite_file.BUSY_SECONDS", 0)
        assert codes(look(two.path, keys)) == {"locked"}
    holder.close()
