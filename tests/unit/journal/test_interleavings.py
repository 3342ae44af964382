"""Threads of one process at the journal: the orders in which two of them can meet are searched, not left to luck.

frontrun runs the threads under a scheduler of its own, twice: through the orders of their accesses to attributes, items
and locks that can make a difference, and through orders of their single instructions that a seed draws. Neither sees
all. The first missed a value that is read before a lock is taken and used under it, and does not see what C code does
with an object; the second draws only so many. So each search is shown to find a race that was made on purpose.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import frontrun
import pytest

from rotator.core.errors import Fenced, RotatorError
from rotator.core.ports.journal import Lease
from rotator.journal import spool, sqlite
from rotator.journal.captures import Captures
from rotator.journal.database import run
from rotator.journal.leases import TTL_SECONDS, Leases
from rotator.journal.spool import Spool, records
from rotator.journal.sqlite import SqliteDatabase
from rotator.journal.streams import wake
from tests.contract.journal.benches import Template, TestClock, no_crash

Worker = Callable[[Any], object]

DRAWN = 25
"""Orders that are drawn for each pair of threads."""


@pytest.fixture(autouse=True)
def scheduled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without this variable frontrun skips the test that asks it; and nothing here is about the disk."""
    monkeypatch.setenv("FRONTRUN_ACTIVE", "1")
    monkeypatch.setattr(spool, "flush", lambda fd: None)
    monkeypatch.setattr(spool, "flush_data", lambda fd: None)
    monkeypatch.setattr(sqlite, "_FULL", sqlite._NORMAL)


@pytest.fixture
def paths(tmp_path: Path) -> Iterator[Path]:
    """A fresh path for each run."""
    return (tmp_path / f"run{number}" for number in count())


@pytest.fixture
def journal(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Path:
    """The file of an empty journal."""
    return Template.shared(tmp_path_factory).copy(tmp_path / "empty")


def holds(
    setup: Callable[[], Any], workers: Sequence[Worker], invariant: Callable[[Any], bool], *, preemptions: int = 2
) -> bool:
    """Whether the invariant holds after every order that was tried; an error of a thread is a race, too."""
    orders = {"strategy": "dpor", "preemption_bound": preemptions, "total_timeout": 100.0, "timeout_per_run": 20.0}
    drawn = {"strategy": "random", "max_attempts": DRAWN, "max_ops": 1500, "seed": 1}
    for how in (orders, drawn):
        try:
            found = frontrun.explore(
                setup=setup,
                workers=list(workers),
                invariant=invariant,
                trace_packages=["rotator.journal.*", "tests.unit.journal.*"],
                detect_io=False,
                reproduce_on_failure=0,
                **how,
            )
        except (RotatorError, sqlite3.Error) as error:
            print(repr(error))
            return False
        assert found.property_holds is not None, found.inconclusive_reason
        if not found.property_holds:
            print(found.explanation)  # a passing test shows nothing; a failing one shows the race
            return False
        assert found.num_explored > 1, "the threads never met"
    return True


# --- the spool


class Spooling:
    """One spool, and what was acknowledged and not dropped."""

    def __init__(self, path: Path, kind: type[Spool]) -> None:
        self.spool = kind(path, no_crash)
        self.spool.write(b"kept")
        self.seen: list[list[bytes]] = []

    def passing(self) -> None:
        self.spool.drop(self.spool.write(b"passing"))

    def staying(self) -> None:
        self.spool.write(b"staying")

    def reading(self) -> None:
        self.seen.append(records(self.spool.path))

    def whole(self) -> bool:
        self.spool.close()
        found = records(self.spool.path)
        return b"kept" in found and all(b"kept" in seen for seen in self.seen) and len(found) == len(set(found))


class Unlocked(Spool):
    """Chooses the place of a record before it has its turn."""

    def write(self, payload: bytes) -> int:
        handle = self._end
        with self._lock:
            self._end = handle
        return super().write(payload)


@pytest.mark.parametrize(("kind", "right"), [(Spool, True), (Unlocked, False)])
def test_a_record_that_was_acknowledged_is_there_whatever_others_write_and_drop(paths, kind, right):
    def whole(state: Spooling) -> bool:
        return state.whole() and b"staying" in records(state.spool.path)

    assert holds(lambda: Spooling(next(paths), kind), (Spooling.passing, Spooling.staying), whole) is right


class WipesInPlace(Spool):
    """Empties the file where its record was the last one, as it saw before it had its turn."""

    def drop(self, handle: int) -> None:
        last = self._end == handle + self._live[handle]
        with self._lock:
            if last:
                spool.write_all(self._fd, bytes(self._end), 0)
                self._live, self._end = {}, 0


@pytest.mark.parametrize(("kind", "right"), [(Spool, True), (WipesInPlace, False)])
def test_dropping_the_last_record_never_wipes_one_that_is_just_written(paths, kind, right):
    def setup() -> Spooling:
        return Spooling(next(paths), kind)

    workers = (lambda state: state.spool.drop(0), Spooling.staying)
    assert holds(setup, workers, lambda state: records(state.spool.path) == [b"staying"]) is right


def test_a_reader_of_another_process_finds_what_is_acknowledged_at_any_moment(paths):
    workers = (Spooling.passing, Spooling.reading)
    assert holds(lambda: Spooling(next(paths), Spool), workers, Spooling.whole)


# --- transactions that share a COMMIT


class Writing:
    """One file, written by several threads."""

    def __init__(self, path: Path, kind: type[SqliteDatabase]) -> None:
        with sqlite3.connect(path) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("CREATE TABLE row (number)")
        connection.close()
        self.db = kind(path)
        self.db._writers[sqlite._FULL] = self.db.open(sqlite._FULL)
        self.db._readers.extend(self.db.open(sqlite._FULL) for _ in range(2))  # what is open need not be searched
        self.unseen: list[int] = []

    def put(self, number: int) -> None:
        """Write, and look from outside whether it is there on return."""
        with self.db.write() as connection:
            run(connection, "INSERT INTO row VALUES (?)", (number,))
        with self.db.read() as connection:
            if not run(connection, "SELECT 1 FROM row WHERE number = ?", (number,)):
                self.unseen.append(number)

    def whole(self) -> bool:
        with self.db.read() as connection:
            found = sorted(run(connection, "SELECT number FROM row"))
        self.db.close()
        return found == [(1,), (2,)] and not self.unseen


class Hasty(SqliteDatabase):
    """Says that a transaction is durable when it has only been left to the next one."""

    def _end(self, batch: Any) -> None:
        super()._end(batch)
        batch.ended.set()


class Impatient(SqliteDatabase):
    """Commits a batch that nobody came for, without its turn."""

    def _await(self, batch: Any, fact_id: str) -> None:
        if not batch.ended.wait(0) and self._batch is batch:
            self._commit(batch)
        super()._await(batch, fact_id)


@pytest.mark.parametrize(("kind", "right"), [(SqliteDatabase, True), (Hasty, False)])
def test_what_a_thread_wrote_is_durable_when_its_call_returns(paths, kind, right):
    workers = (lambda state: state.put(1), lambda state: state.put(2))
    assert holds(lambda: Writing(next(paths), kind), workers, Writing.whole, preemptions=1) is right


@pytest.mark.parametrize(("kind", "right"), [(SqliteDatabase, True), (Impatient, False)])
def test_a_batch_that_was_left_for_somebody_who_never_came_is_committed_once(paths, kind, right, monkeypatch):
    monkeypatch.setattr(sqlite, "_STRAY_SECONDS", 0)

    def setup() -> Writing:
        state = Writing(next(paths), kind)
        state.db._queued = 1  # somebody waits for its turn who will be interrupted
        return state

    workers = (lambda state: state.put(1), lambda state: state.put(2))
    assert holds(setup, workers, Writing.whole, preemptions=1) is right


# --- leases


class Leasing:
    """Two processes, `one` and `two`, and a lease of `one` that has just run out."""

    def __init__(self, path: Path, journal: Path, kind: type[Leases]) -> None:
        shutil.copy(journal, path)
        self.db, self.clock = SqliteDatabase(path), TestClock()
        self.db._readers.extend(self.db.open(sqlite._FULL) for _ in range(2))
        owners = (SimpleNamespace(me=name, alive=lambda owner: True) for name in ("one", "two"))
        self.one, self.two = (kind(self.db, owner, self.clock, no_crash, 0.0) for owner in owners)
        with self.db.write() as connection:
            run(
                connection,
                "INSERT INTO stream (id, kind, name, connection, managed, next_at, why)"
                " VALUES ('s', 'credential', 's', '', 1, 50.0, '')",
            )
        self.lease = Leases.claim(self.one, "s")
        self.clock.seconds += TTL_SECONDS + 1
        self.renewed = False
        self.taken: Lease | None = None

    def renew(self) -> None:
        try:
            self.one.check(self.lease)
        except Fenced:
            return
        self.renewed = True

    def take(self) -> None:
        self.taken = self.two.claim("s")

    def release(self) -> None:
        self.one.release(self.lease, 900.0, "")

    def wish(self) -> None:
        with self.db.write() as connection:
            wake(connection, "s", 0.0)

    def end(self, sql: str) -> Any:
        with self.db.read() as connection:
            (found,) = run(connection, sql)
        self.db.close()
        return found

    def one_holder(self) -> bool:
        holder, epoch = self.end("SELECT holder, epoch FROM lease")
        return self.renewed != (self.taken is not None) and (holder, epoch) == (
            ("one", 1) if self.renewed else ("two", 2)
        )


class LooksTooEarly(Leases):
    """Takes a lease because it was free before the transaction began."""

    def claim(self, stream: str) -> Lease | None:
        with self._db.read() as connection:
            ((expires,),) = run(connection, "SELECT expires FROM lease")
        if expires > self._clock.boot():
            return None
        with self._db.write() as connection:
            ((epoch,),) = run(
                connection, "UPDATE lease SET holder = ?, epoch = epoch + 1 RETURNING epoch", (self._owners.me,)
            )
        return Lease(stream, epoch, self._owners.me)


@pytest.mark.parametrize(("kind", "right"), [(Leases, True), (LooksTooEarly, False)])
def test_a_lease_that_ran_out_is_renewed_or_taken_over_and_never_both(paths, journal, kind, right):
    workers = (Leasing.renew, Leasing.take)
    assert holds(lambda: Leasing(next(paths), journal, kind), workers, Leasing.one_holder, preemptions=1) is right


class Forgets(Leases):
    """Notes the next time without a look at what was wished meanwhile."""

    def release(self, lease: Lease, next_at: float | None, why: str) -> None:
        with self._db.read() as connection:
            ((woken,),) = run(connection, "SELECT woken_at FROM stream WHERE id = 's'")
        with self._db.write() as connection:
            run(
                connection,
                "UPDATE stream SET next_at = ?, woken_at = NULL WHERE id = 's'",
                (next_at if woken is None else woken,),
            )


@pytest.mark.parametrize(("kind", "right"), [(Leases, True), (Forgets, False)])
def test_a_wish_that_comes_while_a_lease_is_given_back_is_not_lost(paths, journal, kind, right):
    workers = (Leasing.release, Leasing.wish)

    def due(state):
        return state.end("SELECT next_at FROM stream WHERE id = 's'") == (0.0,)

    assert holds(lambda: Leasing(next(paths), journal, kind), workers, due, preemptions=1) is right


# --- captures on their way from the spool into the journal


class Memory:
    """A spool whose content the search can see change."""

    content: tuple[bytes, ...] = ()

    def write(self, payload: bytes) -> int:
        self.content = (payload,)
        return 0

    def drop(self, handle: int) -> None:
        self.content = ()


class Capturing:
    """Captures of one process; what a COMMIT took stands in `committed`."""

    def __init__(self, kind: type[Captures]) -> None:
        self.spool = Memory()
        self.captures = kind(SimpleNamespace(spool=self.spool, others=list), no_crash)
        self.committed: tuple[bytes, ...] = ()
        self.missing = False

    def mint(self) -> None:
        envelope = SimpleNamespace(key=("s", "r", 1, "f"), to_bytes=lambda: b"value")
        self.captures.spool(envelope)
        self.missing = not (self.spool.content or self.committed)

    def collect(self) -> None:
        self.captures.collect(self.commit)

    def commit(self, envelope: Any) -> None:
        self.committed = (*self.committed, envelope.to_bytes())

    def safe(self) -> bool:
        self.collect()
        return not self.missing and b"value" in self.committed and not self.spool.content


class DropsFirst(Captures):
    """Wipes the spooled copy before the journal has it."""

    def collect(self, commit: Callable[[Any], object]) -> None:
        with self._lock:
            own = [envelope for _, envelope in self._spooled.values()]
        for envelope in own:
            self.committed(envelope.key)
            commit(envelope)


@pytest.mark.parametrize(("kind", "right"), [(Captures, True), (DropsFirst, False)])
def test_a_capture_is_in_the_spool_until_the_journal_has_it_whoever_imports_it(kind, right):
    workers = (Capturing.mint, Capturing.collect)
    assert holds(lambda: Capturing(kind), workers, Capturing.safe) is right
