"""Rare troubles: a spool that refuses, a canary that comes back changed, a door that stays shut."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from rotator.core.errors import JournalUnsafe
from rotator.host.locks import FileLock
from rotator.journal import ledger
from rotator.journal import open as opening
from rotator.journal import owners as owners_module
from rotator.journal.room import Room
from tests.contract.journal.benches import SqliteBench
from tests.contract.journal.drafts import VALUE, captured, claimed, planned, seen


def refuse(*arguments, **options):
    raise OSError(28, "No space left on device")


def test_a_spool_that_refuses_is_unsafe_and_the_capture_may_still_be_committed(bench: SqliteBench, monkeypatch):
    stream = bench.stream("a")
    journal = bench.open()
    monkeypatch.setattr("rotator.journal.spool.write_all", refuse)
    with pytest.raises(JournalUnsafe, match="spooling a captured value: No space left on device"):
        journal.spool(stream, captured(), VALUE)
    journal.capture(stream, captured(), VALUE)
    assert journal.reveal(stream, journal.fingerprint(VALUE)) == VALUE


def test_a_spool_that_cannot_be_wiped_is_no_trouble(bench: SqliteBench, monkeypatch):
    stream = bench.stream("a")
    journal = bench.open()
    journal.spool(stream, captured(), VALUE)
    journal.spool(stream, captured(), VALUE)
    assert journal.counts()["spooled"] == 1, "spooling twice is once"
    with monkeypatch.context() as patch:
        patch.setattr("rotator.journal.spool.write_all", refuse)
        journal.capture(stream, captured(), VALUE)
    bench.kill(journal)
    other = bench.open()
    claimed(other, stream)
    assert other.view(stream).position == 1


def test_a_canary_that_comes_back_changed_is_unsafe(bench: SqliteBench):
    journal = bench.open()
    journal._db.probe = lambda statement, parameters=(): []  # type: ignore[method-assign]
    with pytest.raises(JournalUnsafe, match="did not come back"):
        journal.canary()


def test_proofs_that_are_asked_for_while_one_is_under_way_share_the_next(bench: SqliteBench, monkeypatch):
    journal = bench.open()
    prove, look = Room._canary, Room.in_place
    proofs, asked = [], threading.Semaphore(0)
    begun, go_on = threading.Event(), threading.Event()

    def slow(room, seal):
        proofs.append(threading.get_ident())
        begun.set()
        assert go_on.wait(30)
        prove(room, seal)

    def arrive(room):
        asked.release()
        look(room)

    monkeypatch.setattr(Room, "_canary", slow)
    monkeypatch.setattr(Room, "in_place", arrive)
    with ThreadPoolExecutor(8) as pool:
        done = [pool.submit(journal.canary)]
        assert begun.wait(30)
        done += [pool.submit(journal.canary) for _ in range(7)]
        assert all(asked.acquire(timeout=30) for _ in done)
        go_on.set()
        for each in done:
            each.result(30)
    assert 2 <= len(proofs) < 8  # the one under way began too early for those who asked later


def test_views_that_were_not_asked_for_lately_are_forgotten_and_folded_again(bench: SqliteBench, monkeypatch):
    monkeypatch.setattr(ledger, "_CACHED_VIEWS", 2)
    streams = [bench.stream(name) for name in "abc"]
    journal = bench.open()
    for stream in streams:
        journal.append(claimed(journal, stream), planned())
    assert len(journal._ledger._heads) == 2
    assert [journal.view(stream).position for stream in streams] == [1, 1, 1]


def test_a_writer_does_not_wait_for_ever_for_another_that_is_opening(bench: SqliteBench, monkeypatch):
    monkeypatch.setattr(opening, "_OPENING_SECONDS", 0.0)
    with (
        FileLock(bench.path.with_name("state.db-lock"), timeout=0),
        pytest.raises(JournalUnsafe, match="another process has been opening it") as refused,
    ):
        bench.open()
    assert "migration" in refused.value.remedy


def test_a_folder_that_takes_no_owner_file_is_refused(bench: SqliteBench, monkeypatch):
    monkeypatch.setattr(owners_module, "FileLock", refuse)
    with pytest.raises(JournalUnsafe, match="making a file beside the journal"):
        bench.open()


def test_the_size_of_a_log_that_is_not_there_is_zero(bench: SqliteBench):
    stream = bench.stream("a")
    journal = bench.open()
    journal.append(claimed(journal, stream), seen())
    assert journal.counts()["log_bytes"] > 0
    journal._db.tidy()
    assert journal.counts()["log_bytes"] == 0
    assert journal.counts()["database_bytes"] > 0
