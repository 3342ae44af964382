"""Two real processes on one journal: killed, stopped, resumed, killed at the worst moments."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from rotator.core.facts import Kind
from rotator.journal.open import open_journal
from tests.contract.journal.benches import SqliteBench
from tests.contract.journal.drafts import VALUE, claimed, intent, planned
from tests.integration.journal.conftest import Child

Spawn = Callable[..., Child]


@pytest.fixture
def stream(bench: SqliteBench) -> str:
    return bench.stream("a")


def lead(child: Child, stream: str) -> None:
    """Let a child open the journal, take the lease and get to its intent."""
    assert child.ask("journal = open()") == "None"
    assert child.ask(f"lease = claimed(journal, {stream!r}); lease.epoch") == "1"
    assert child.ask("journal.append(lease, planned()).position") == "1"
    assert child.ask("journal.append(lease, intent()).position") == "2"


def test_the_lease_of_a_killed_process_is_taken_over_at_once(bench: SqliteBench, spawn: Spawn, stream: str):
    child = spawn()
    lead(child, stream)
    journal = open_journal(bench.url, bench.key)
    assert journal.claim(stream) is None
    child.send(signal.SIGKILL)
    child.dies()
    lease = claimed(journal, stream)
    assert lease.epoch == 2
    assert journal.view(stream).position == 2
    journal.close()


def test_a_process_that_was_stopped_for_too_long_is_fenced_when_it_goes_on(
    bench: SqliteBench, spawn: Spawn, stream: str
):
    child = spawn()
    lead(child, stream)
    child.send(signal.SIGSTOP)
    clock = _Ahead(29.0)
    journal = open_journal(bench.url, bench.key, clock=clock)
    assert journal.claim(stream) is None, "its owner file is locked, and its time is not over"
    clock.ahead = 31.0
    lease = claimed(journal, stream)
    child.send(signal.SIGCONT)
    assert child.ask("journal.append(lease, abandoned())").startswith("!Fenced")
    assert child.ask("journal.check(lease)").startswith("!Fenced")
    assert child.ask(f"journal.capture({stream!r}, captured(), VALUE).position") == "3", "but its capture is accepted"
    assert journal.reveal(stream, journal.fingerprint(VALUE)) == VALUE
    journal.release(lease, None)
    journal.close()


@pytest.mark.parametrize("point", ["after_spool_write", "before_capture_commit", "after_capture_commit"])
def test_a_kill_anywhere_between_spool_and_commit_loses_no_value(
    bench: SqliteBench, spawn: Spawn, stream: str, point: str
):
    child = spawn(ROTATOR_TESTING="1", ROTATOR_CRASH_AT=point)
    lead(child, stream)
    child.tell(f"journal.spool({stream!r}, captured(), VALUE); journal.capture({stream!r}, captured(), VALUE)")
    assert child.dies() == -signal.SIGKILL
    with bench.opening() as journal:
        claimed(journal, stream)
        assert journal.reveal(stream, journal.fingerprint(VALUE)) == VALUE
        assert [fact.kind for fact in journal.facts(stream)] == [Kind.PLANNED, Kind.INTENT, Kind.CAPTURED]
        assert journal.audit.verify().breaks == ()


@pytest.mark.parametrize("point", ["before_spool_import", "after_spool_import"])
def test_a_kill_while_a_spool_is_imported_loses_no_value(bench: SqliteBench, spawn: Spawn, stream: str, point: str):
    first = spawn(ROTATOR_TESTING="1", ROTATOR_CRASH_AT="after_spool_write")
    lead(first, stream)
    first.tell(f"journal.spool({stream!r}, captured(), VALUE)")
    assert first.dies() == -signal.SIGKILL
    second = spawn(ROTATOR_TESTING="1", ROTATOR_CRASH_AT=point)
    second.tell(f"journal = open(); journal.claim({stream!r})")
    assert second.dies() == -signal.SIGKILL
    with bench.opening() as journal:
        claimed(journal, stream)
        assert journal.reveal(stream, journal.fingerprint(VALUE)) == VALUE
        assert journal.view(stream).position == 3


@pytest.mark.parametrize(("point", "facts"), [("before_intent_commit", 1), ("after_intent_commit", 2)])
def test_a_kill_around_a_commit_leaves_the_fact_or_nothing(
    bench: SqliteBench, spawn: Spawn, stream: str, point: str, facts: int
):
    child = spawn(ROTATOR_TESTING="1", ROTATOR_CRASH_AT=point)
    child.ask("journal = open()")
    child.tell(
        f"lease = claimed(journal, {stream!r}); journal.append(lease, planned()); journal.append(lease, intent())"
    )
    assert child.dies() == -signal.SIGKILL
    with bench.opening() as journal:
        assert journal.view(stream).position == facts
        assert journal.audit.verify().breaks == ()


def test_a_killed_daemon_makes_room_for_the_next_one_and_a_living_one_does_not(bench: SqliteBench, spawn: Spawn):
    child = spawn(kind="run")
    child.ask("journal = open()")
    rival = spawn(kind="run")
    assert rival.ask("journal = open()").startswith("!AlreadyRunning")
    child.send(signal.SIGKILL)
    child.dies()
    assert rival.ask("journal = open(); journal.presence.daemon().alive") == "True"


def test_two_processes_that_make_the_journal_at_the_same_time_agree_on_it(spawn: Spawn, tmp_path: Path):
    url = f"sqlite:///{tmp_path}/new/state.db"
    children = [spawn(url=url) for _ in range(2)]
    for child in children:
        child.tell("journal = open(); journal.instance")
    assert len({child._line() for child in children}) == 1


@pytest.mark.parametrize("point", ["before_migrate_step", "after_migrate_step"])
def test_a_kill_around_a_migration_is_completed_by_the_next_writer(spawn: Spawn, tmp_path: Path, point: str):
    url = f"sqlite:///{tmp_path}/new/state.db"
    child = spawn(url=url, ROTATOR_TESTING="1", ROTATOR_CRASH_AT=point)
    child.tell("open()")
    assert child.dies() == -signal.SIGKILL
    assert spawn(url=url).ask("journal = open(); journal.audit.verify().facts") == "0"


def test_a_kill_inside_a_migration_leaves_nothing_of_it(spawn: Spawn, tmp_path: Path):
    url = f"sqlite:///{tmp_path}/new/state.db"
    child = spawn(url=url)
    child.tell("import os; from rotator.journal import schema; run = schema.run")
    child.tell("schema.run = lambda db, say: os.kill(os.getpid(), 9) if 'TABLE lease' in say else run(db, say); open()")
    assert child.dies() == -signal.SIGKILL
    assert spawn(url=url).ask("journal = open(); journal.audit.verify().facts") == "0"


def test_no_value_is_in_any_file_in_any_form_at_any_time(bench: SqliteBench, spawn: Spawn, stream: str):
    child = spawn(ROTATOR_TESTING="1", ROTATOR_CRASH_AT="after_capture_commit")
    lead(child, stream)
    child.ask("journal.canary()")
    child.ask(f"journal.spool({stream!r}, captured(), VALUE)")
    _nowhere(bench.path.parent)
    child.tell(f"journal.capture({stream!r}, captured(), VALUE)")
    assert child.dies() == -signal.SIGKILL
    names = {file.name.removeprefix("state.db").partition("process")[0] for file in bench.path.parent.iterdir()}
    assert names >= {"", "-wal", "-shm", "-"}, "database, log, index and spool are all there to be searched"
    _nowhere(bench.path.parent)


def test_the_search_for_a_value_finds_one(tmp_path: Path):
    (tmp_path / "leak").write_bytes(b"..." + VALUE.reveal().encode().hex().encode() + b"...")
    with pytest.raises(AssertionError):
        _nowhere(tmp_path)


def _nowhere(folder: Path) -> None:
    import base64

    plain = VALUE.reveal().encode()
    shapes = {plain, plain[::-1], plain.hex().encode(), plain[:12], plain[-12:]}
    for shift in range(3):
        encoded = base64.b64encode(b"x" * shift + plain)
        shapes.add(encoded[4 : len(encoded) // 4 * 4 - 8])
    for file in folder.iterdir():
        content = file.read_bytes()
        for shape in shapes:
            assert shape not in content, file.name


class _Ahead:
    """The machine's clock, with boot time ahead of it: time to live is over without anybody waiting for it."""

    def __init__(self, ahead: float) -> None:
        from rotator.host.clock import SystemClock

        self._clock = SystemClock()
        self.ahead = ahead
        self.utc, self.boot_id, self.wait = self._clock.utc, self._clock.boot_id, self._clock.wait

    def boot(self) -> float:
        return self._clock.boot() + self.ahead


def test_facts_of_two_processes_in_one_stream_follow_each_other(bench: SqliteBench, spawn: Spawn, stream: str):
    one, two = spawn(), spawn()
    for child in (one, two):
        child.ask("journal = open()")
    for number in range(6):
        assert (one, two)[number % 2].ask(f"journal.note({stream!r}, request('q{number}')).position") == str(number + 1)
    with bench.opening() as journal:
        assert journal.audit.verify().breaks == ()
        assert len({fact.writer for fact in journal.facts(stream)}) == 2
        lease = claimed(journal, stream)
        journal.append(lease, planned())
        assert journal.append(lease, intent()).position == 8
