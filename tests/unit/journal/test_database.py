"""The SQLite file under the journal: an error is never swallowed, and a failed COMMIT is "unknown", not "no"."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from rotator.core import encoding
from rotator.core.errors import JournalUnsafe
from rotator.core.facts import Kind
from rotator.journal import sqlite as module
from rotator.journal import sqlite_file
from rotator.journal.database import run
from rotator.journal.key_file import generate_key
from rotator.journal.open import open_journal
from rotator.journal.sqlite import SqliteDatabase
from tests.contract.journal.benches import SqliteBench, no_crash
from tests.contract.journal.drafts import VALUE, captured, claimed, intent, planned, seen

EIO = "disk I/O error"


class Faults:
    """Lets statements of one kind fail, before or after SQLite has done them; `connect` opens such connections."""

    def __init__(self) -> None:
        self.before: Callable[[str], bool] = lambda statement: False
        self.after: Callable[[str], bool] = lambda statement: False
        self.opened = 0

    def connect(self, *arguments, **options) -> sqlite3.Connection:
        faults = self
        self.opened += 1

        class Connection(sqlite3.Connection):
            def execute(self, statement, parameters=()):  # type: ignore[override]
                if faults.before(statement):
                    raise sqlite3.OperationalError(EIO)
                answer = super().execute(statement, parameters)
                if faults.after(statement):
                    answer.fetchall()  # done to the end, and no cursor in the error's traceback that keeps its lock
                    raise sqlite3.OperationalError(EIO)
                return answer

        return sqlite3.connect(*arguments, **options, factory=Connection)


def nth(count: int, word: str) -> Callable[[str], bool]:
    """True at the n-th statement that begins with `word`."""
    left = [count]

    def hit(statement: str) -> bool:
        if not statement.startswith(word):
            return False
        left[0] -= 1
        return left[0] == 0

    return hit


@pytest.fixture
def faults() -> Faults:
    return Faults()


def test_a_commit_that_failed_after_all_was_done_is_found_out_to_be_done(bench: SqliteBench, faults: Faults):
    stream = bench.stream("a")
    journal = bench.open(connect=faults.connect)
    lease = claimed(journal, stream)
    faults.after = nth(1, "COMMIT")
    view = journal.append(lease, planned())
    assert view.position == 1
    assert [fact.kind for fact in journal.facts(stream)] == [Kind.PLANNED]
    assert journal.append(lease, intent()).position == 2


def test_a_commit_that_failed_before_anything_was_done_is_unsafe_and_leaves_nothing(bench: SqliteBench, faults: Faults):
    stream = bench.stream("a")
    journal = bench.open(connect=faults.connect)
    lease = claimed(journal, stream)
    faults.before = nth(1, "COMMIT")
    with pytest.raises(JournalUnsafe, match="committing"):
        journal.append(lease, planned())
    assert journal.view(stream).position == 0
    assert journal.append(lease, planned()).position == 1, "a new connection works"


def test_a_commit_whose_outcome_cannot_be_read_is_unsafe(bench: SqliteBench, faults: Faults):
    stream = bench.stream("a")
    journal = bench.open(connect=faults.connect)
    lease = claimed(journal, stream)
    faults.after = nth(1, "COMMIT")
    faults.before = lambda statement: statement.startswith("SELECT 1 FROM fact WHERE fact_id")
    with pytest.raises(JournalUnsafe):
        journal.append(lease, planned())


def test_a_commit_that_landed_where_the_disk_cannot_promise_to_keep_it_is_unsafe(
    bench: SqliteBench, faults: Faults, monkeypatch: pytest.MonkeyPatch
):
    stream = bench.stream("a")
    journal = bench.open(connect=faults.connect)
    lease = claimed(journal, stream)
    faults.after = nth(1, "COMMIT")

    def refuse(fd: int) -> None:
        raise OSError(5, EIO)

    monkeypatch.setattr(module, "flush", refuse)
    with pytest.raises(JournalUnsafe):
        journal.append(lease, planned())


def test_a_capture_whose_commit_was_unknown_is_there_once(bench: SqliteBench, faults: Faults):
    stream = bench.stream("a")
    journal = bench.open(connect=faults.connect)
    journal.spool(stream, captured(), VALUE)
    faults.before = nth(1, "COMMIT")
    with pytest.raises(JournalUnsafe):
        journal.capture(stream, captured(), VALUE)
    assert journal.counts()["spooled"] == 1, "the spool keeps it until the journal has it"
    faults.after = nth(1, "COMMIT")
    journal.capture(stream, captured(), VALUE)
    journal.capture(stream, captured(), VALUE)
    assert [fact.kind for fact in journal.facts(stream)] == [Kind.CAPTURED]
    assert journal.counts()["spooled"] == 0


@pytest.mark.parametrize("word", ["BEGIN IMMEDIATE", "INSERT INTO fact", "SELECT holder"])
def test_a_failing_statement_leaves_nothing_and_the_next_append_works(bench: SqliteBench, faults: Faults, word: str):
    stream = bench.stream("a")
    journal = bench.open(connect=faults.connect)
    lease = claimed(journal, stream)
    faults.before = nth(1, word)
    with pytest.raises(JournalUnsafe, match=EIO):
        journal.append(lease, planned())
    assert journal.append(lease, planned()).position == 1


@pytest.mark.slow
def test_no_failing_statement_anywhere_in_a_rotation_loses_or_doubles_a_fact(bench: SqliteBench):
    """Every statement of a claim, three facts and a capture fails once, before and after it was done."""
    for when in ("before", "after"):
        for count in range(1, 200):
            stream = bench.stream(f"{when}-{count}")
            faults = Faults()
            journal = bench.open(connect=faults.connect)
            statements = [0]

            def hit(statement: str, statements: list[int] = statements, count: int = count) -> bool:
                statements[0] += 1
                return statements[0] == count

            setattr(faults, when, hit)
            _rotate(journal, stream)
            reached = statements[0] >= count
            setattr(faults, when, lambda statement: False)
            kinds = [fact.kind.value for fact in journal.facts(stream)]
            assert kinds == ["planned", "intent", "captured", "verified"], (when, count)
            assert journal.audit.verify().breaks == ()
            journal.close()
            if not reached:
                assert count > 30
                break
        else:
            pytest.fail("a rotation takes more statements than were tried")


def _rotate(journal, stream: str) -> None:
    """Drive a rotation as the engine does: on an error look again and go on from what is there."""

    drafts = [planned(), intent(), None, encoding.draft(Kind.VERIFIED, at=103, rid="r1", token_id="token-1")]
    for _ in range(20):
        try:
            lease = claimed(journal, stream)
            while (done := journal.view(stream).position) < 4:
                draft = drafts[done]
                if draft is None:
                    journal.spool(stream, captured(), VALUE)
                    journal.capture(stream, captured(), VALUE)
                else:
                    journal.append(lease, draft)
            return
        except JournalUnsafe:
            continue
    raise AssertionError("it never got through")


def test_a_journal_that_another_program_keeps_locked_is_unsafe_and_says_so(
    bench: SqliteBench, monkeypatch: pytest.MonkeyPatch
):
    for where in (module, sqlite_file):
        monkeypatch.setattr(where, "BUSY_SECONDS", 0)
    stream = bench.stream("a")
    journal = bench.open()
    lease = claimed(journal, stream)
    backup = sqlite3.connect(bench.path, isolation_level=None)
    backup.execute("BEGIN IMMEDIATE").fetchall()
    with pytest.raises(JournalUnsafe, match="SQLITE_BUSY") as refused:
        journal.append(lease, planned())
    assert "backup" in refused.value.remedy
    backup.close()
    journal.append(lease, planned())


def test_readers_go_on_while_another_process_writes(bench: SqliteBench):
    stream = bench.stream("a")
    journal = bench.open()
    writer = sqlite3.connect(bench.path, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE").fetchall()
    assert journal.view(stream).position == 0
    writer.close()


def test_many_threads_append_without_losing_a_fact(bench: SqliteBench):
    journal, errors = bench.open(), list[Exception]()
    streams = [bench.stream(name) for name in "abcdef"]

    def work(stream: str) -> None:
        try:
            lease = claimed(journal, stream)
            for at in range(20):
                journal.append(lease, seen(at))
                journal.check(lease)
                assert journal.view(stream).position == at + 1
            journal.release(lease, None)
        except Exception as error:  # noqa: BLE001 - shown by the test's own thread
            errors.append(error)

    threads = [threading.Thread(target=work, args=(stream,)) for stream in streams]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert [journal.view(stream).position for stream in streams] == [20] * len(streams)
    assert journal.audit.verify().breaks == ()


def test_threads_that_note_to_one_stream_get_positions_without_gaps(bench: SqliteBench):
    from tests.contract.journal.drafts import request

    stream, journals = bench.stream("a"), [bench.open() for _ in range(2)]
    threads = [
        threading.Thread(target=lambda j=journal, n=n: [j.note(stream, request(f"{n}-{i}")) for i in range(10)])
        for n, journal in enumerate(journals * 2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [fact.position for fact in journals[0].facts(stream)] == list(range(1, 41))
    assert journals[0].audit.verify().breaks == ()


def test_connections_of_short_lived_threads_are_used_again(bench: SqliteBench, faults: Faults):
    stream = bench.stream("a")
    journal = bench.open(connect=faults.connect)
    journal.view(stream)
    before = faults.opened
    for _ in range(10):
        thread = threading.Thread(target=journal.view, args=(stream,))
        thread.start()
        thread.join()
    assert faults.opened == before


def test_no_more_readers_are_kept_than_are_ever_useful(bench: SqliteBench):
    db = SqliteDatabase(bench.path)
    managers = [db.read() for _ in range(20)]
    for manager in managers:
        manager.__enter__()
    for manager in managers:
        manager.__exit__(None, None, None)
    assert len(db._readers) == 8
    db.close()


def test_a_closed_journal_says_so(bench: SqliteBench):
    stream = bench.stream("a")
    journal = bench.open()
    journal.close()
    for act in (lambda: journal.view(stream), lambda: journal.wake([stream])):
        with pytest.raises(JournalUnsafe, match="closed"):
            act()


def test_closing_never_raises_even_when_the_disk_is_gone(bench: SqliteBench, faults: Faults):
    journal = bench.open(connect=faults.connect)
    faults.before = lambda statement: True
    journal.close()


def test_every_connection_is_durable_keeps_its_references_and_overwrites_what_it_forgets(bench: SqliteBench):
    db = SqliteDatabase(bench.path)
    wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1, "trusted_schema": 0}
    with db.write() as writer, db.read() as reader:
        for connection in (writer, reader):
            assert {name: run(connection, f"PRAGMA {name}")[0][0] for name in wanted} == wanted
    with db.write(durable=False) as connection:
        assert run(connection, "PRAGMA synchronous") == [(1,)], "lease renewals and the budget may go with the power"
    db.close()


def test_the_answer_of_a_pragma_is_read_and_not_believed_to_be_there(bench: SqliteBench):
    class Silent(sqlite3.Connection):
        def execute(self, statement, parameters=()):  # type: ignore[override]
            return super().execute("SELECT 1 WHERE 0" if "journal_mode" in statement else statement, parameters)

    with pytest.raises(JournalUnsafe, match=r"\[\] to PRAGMA journal_mode"):
        bench.open(connect=lambda *a, **o: sqlite3.connect(*a, **o, factory=Silent))


def test_a_checkpoint_that_the_disk_refuses_is_unsafe(bench: SqliteBench, faults: Faults):
    db = SqliteDatabase(bench.path, connect=faults.connect)
    faults.before = nth(1, "PRAGMA wal_checkpoint")
    with pytest.raises(JournalUnsafe, match="checkpointing"):
        db.checkpoint()
    assert db.checkpoint()
    db.close()


def test_a_rollback_that_fails_costs_the_connection_and_not_the_journal(bench: SqliteBench, faults: Faults):
    db = SqliteDatabase(bench.path, connect=faults.connect)
    faults.before = lambda statement: statement in ("ROLLBACK", "SELECT nonsense")
    with pytest.raises(JournalUnsafe), db.write() as connection:
        run(connection, "SELECT nonsense")
    faults.before = lambda statement: False
    with db.write() as connection:
        run(connection, "UPDATE stream SET why = ''")
    db.close()


def test_errors_of_the_body_pass_through_and_undo_it(bench: SqliteBench):
    bench.stream("a")
    db = SqliteDatabase(bench.path)

    def change_and_fail() -> None:
        with db.write() as connection:
            run(connection, "DELETE FROM stream")
            raise LookupError

    with pytest.raises(LookupError):
        change_and_fail()
    with db.read() as connection:
        assert run(connection, "SELECT count(*) FROM stream WHERE kind = 'credential'") == [(1,)]
    db.close()


def test_a_path_with_odd_characters_is_a_path(tmp_path: Path):
    generate_key(tmp_path / "k")
    path = tmp_path / "odd ?#% folder" / "state.db"
    open_journal(f"sqlite:///{path}", tmp_path / "k", crash=no_crash).close()
    assert path.exists()
