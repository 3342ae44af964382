"""One COMMIT for all threads that wait for their turn: each keeps its own outcome, nothing is seen too early."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rotator.core.errors import JournalUnsafe
from rotator.journal.database import run
from rotator.journal.sqlite import SqliteDatabase

INSERT = "INSERT INTO word VALUES (?)"


class Disk:
    """Opens connections that count statements and let some fail."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.refuse: Callable[[str], bool] = lambda statement: False

    def connect(self, *arguments, **options) -> sqlite3.Connection:
        disk = self

        class Connection(sqlite3.Connection):
            def execute(self, statement, parameters=()):  # type: ignore[override]
                disk.said.append(statement)
                if disk.refuse(statement):
                    raise sqlite3.OperationalError("disk I/O error")
                return super().execute(statement, parameters)

        return sqlite3.connect(*arguments, **options, factory=Connection)


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
def db(tmp_path: Path, disk: Disk) -> Iterator[SqliteDatabase]:
    with sqlite3.connect(tmp_path / "state.db") as connection:
        connection.execute("CREATE TABLE word (it TEXT)")
    connection.close()
    made = SqliteDatabase(tmp_path / "state.db", connect=disk.connect)
    with made.write():
        pass
    disk.said.clear()
    yield made
    made.close()


def words(db: SqliteDatabase) -> list[str]:
    return [row[0] for row in db.probe("SELECT it FROM word ORDER BY rowid")]


class Writer(threading.Thread):
    """Writes one word; `result` is what `SqliteDatabase.write` raised, or None."""

    def __init__(
        self,
        db: SqliteDatabase,
        word: str,
        after: Callable[[sqlite3.Connection], object] | None = None,
        judge: Callable[[sqlite3.Connection], object] | None = None,
    ) -> None:
        super().__init__(daemon=True)
        self.db, self.word, self.after, self.judge = db, word, after, judge
        self.result: BaseException | None = None

    def run(self) -> None:
        try:
            with self.db.write() as connection:
                if self.judge:
                    self.judge(connection)
                run(connection, INSERT, (self.word,))
                if self.after:
                    self.after(connection)
        except (JournalUnsafe, ValueError) as error:
            self.result = error


@contextmanager
def crowd(db: SqliteDatabase, *members: Writer) -> Iterator[None]:
    """Start the members, in order, while the body has the turn; on return all of them have ended."""
    with db.write() as connection:
        run(connection, INSERT, ("first",))
        for count, member in enumerate(members, 1):
            member.start()
            until(lambda wanted=count: db._queued == wanted)
        yield
    for member in members:
        member.join(10)
        assert not member.is_alive()


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def refuse(connection: sqlite3.Connection) -> None:
    raise ValueError("not this one")


def test_threads_that_wait_for_their_turn_share_one_commit(db: SqliteDatabase, disk: Disk):
    with crowd(db, Writer(db, "second"), Writer(db, "third")):
        pass
    assert disk.said.count("COMMIT") == 1
    assert sorted(words(db)) == ["first", "second", "third"]


def test_a_thread_alone_commits_at_once(db: SqliteDatabase, disk: Disk):
    with db.write() as connection:
        run(connection, INSERT, ("alone",))
    assert disk.said == ["BEGIN IMMEDIATE", INSERT, "COMMIT"]


def test_nobody_sees_what_the_common_commit_has_not_made_durable(db: SqliteDatabase):
    seen: list[list[str]] = []
    with crowd(db, Writer(db, "second", lambda connection: seen.append(words(db)))):
        pass
    assert seen == [[]]


def test_a_member_that_is_refused_before_it_wrote_takes_nothing_from_the_others(db: SqliteDatabase, disk: Disk):
    bad = Writer(db, "bad", judge=refuse)
    with crowd(db, Writer(db, "second"), bad, Writer(db, "third")):
        pass
    assert isinstance(bad.result, ValueError)
    assert sorted(words(db)) == ["first", "second", "third"]
    assert disk.said.count("COMMIT") == 1


def test_a_member_that_is_refused_last_commits_for_the_others(db: SqliteDatabase):
    bad = Writer(db, "bad", judge=refuse)
    with crowd(db, bad):
        pass
    assert isinstance(bad.result, ValueError)
    assert words(db) == ["first"]


def test_a_member_that_breaks_off_while_it_writes_takes_all_back_and_everybody_hears_of_it(db: SqliteDatabase):
    bad = Writer(db, "bad", after=refuse)
    with pytest.raises(JournalUnsafe, match="broke off"), crowd(db, bad):
        pass
    assert isinstance(bad.result, ValueError)
    assert words(db) == []
    with db.write() as connection:
        run(connection, INSERT, ("later",))
    assert words(db) == ["later"]


def test_a_single_statement_is_a_transaction_of_its_own(db: SqliteDatabase, disk: Disk):
    with db.write(single=True) as connection:
        run(connection, INSERT, ("alone",))
    assert disk.said == [INSERT]
    assert words(db) == ["alone"]


def test_a_single_statement_that_is_refused_leaves_nothing(db: SqliteDatabase, disk: Disk):
    disk.refuse = lambda statement: statement == INSERT
    with pytest.raises(JournalUnsafe), db.write(single=True) as connection:
        run(connection, INSERT, ("alone",))
    disk.refuse = lambda statement: False
    assert words(db) == []


def test_a_first_one_that_fails_leaves_the_next_to_itself(db: SqliteDatabase):
    next_one = Writer(db, "next")
    with pytest.raises(ValueError, match="not this one"), crowd(db, next_one):
        raise ValueError("not this one")
    next_one.join(10)
    assert words(db) == ["next"]


def test_a_commit_that_fails_fails_for_every_member(db: SqliteDatabase, disk: Disk):
    other = Writer(db, "second")
    with pytest.raises(JournalUnsafe, match="committing"), crowd(db, other):
        disk.refuse = lambda statement: statement == "COMMIT"
    other.join(10)
    assert isinstance(other.result, JournalUnsafe)
    disk.refuse = lambda statement: False
    assert words(db) == []


def test_a_disk_that_makes_sqlite_roll_back_everything_fails_every_member(db: SqliteDatabase):
    """A full disk may end the whole transaction, and with it what an earlier member thought safe."""
    last = Writer(db, "last", lambda connection: (run(connection, "ROLLBACK"), run(connection, "SELECT nonsense")))
    with pytest.raises(JournalUnsafe), crowd(db, last):
        pass
    assert isinstance(last.result, JournalUnsafe)
    assert words(db) == []
    with db.write() as connection:
        run(connection, INSERT, ("later",))
    assert words(db) == ["later"]


def test_a_member_commits_by_itself_when_nobody_comes_after_all(db: SqliteDatabase):
    with db.write() as connection:
        run(connection, INSERT, ("first",))
        db._queued += 1  # a thread that is interrupted while it waits
    db._queued -= 1
    assert words(db) == ["first"]


def test_what_only_a_cache_knows_waits_for_nobody(db: SqliteDatabase, disk: Disk):
    with db.write(durable=False) as connection:
        run(connection, INSERT, ("cache",))
        db._queued += 1
    db._queued -= 1
    assert disk.said.count("COMMIT") == 1
    assert db._batch is None


def test_a_batch_left_open_is_committed_before_a_checkpoint_and_before_the_end(db: SqliteDatabase):
    with db.write() as connection:
        run(connection, INSERT, ("first",))
        db._queued += 1
        late = threading.Thread(target=db.checkpoint, daemon=True)
        late.start()
    late.join(10)
    db._queued -= 1
    assert words(db) == ["first"]
