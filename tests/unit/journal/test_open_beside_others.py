"""Opening a journal beside other processes, and what they left there."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from rotator.core.errors import IllegalFact, JournalUnsafe
from rotator.core.facts import Unknown
from rotator.journal.open import AlreadyRunning, open_journal
from tests.contract.journal.benches import SqliteBench
from tests.contract.journal.drafts import VALUE, captured, claimed, mine, planned, request, seen
from tests.unit.journal.opening import files


def test_a_second_daemon_is_refused_and_told_who_runs(bench: SqliteBench):
    first = bench.open(kind="run")
    first.heartbeat("127.0.0.1:9853")
    with pytest.raises(AlreadyRunning, match=rf"process {os.getpid()} on .*127\.0\.0\.1:9853"):
        bench.open(kind="run")
    assert [found.listener for found in first.presence.processes()] == ["127.0.0.1:9853"]


def test_other_verbs_work_beside_the_daemon(bench: SqliteBench):
    daemon = bench.open(kind="run")
    other = bench.open(kind="once")
    found = other.presence.daemon()
    assert found is not None
    assert (found.owner, found.kind) == (daemon.owner, "run")


def test_a_dead_daemon_leaves_room_for_the_next_one_at_once(bench: SqliteBench):
    bench.kill(bench.open(kind="run"))
    assert bench.open(kind="run").presence.daemon() is not None


def test_a_daemon_that_hangs_leaves_room_once_its_heartbeat_is_old(bench: SqliteBench):
    hanging = bench.open(kind="run")
    bench.advance(29)
    with pytest.raises(AlreadyRunning):
        bench.open(kind="run")
    bench.advance(2)
    second = bench.open(kind="run")
    hanging.heartbeat()
    assert {found.owner for found in second.presence.processes() if found.alive} == {hanging.owner, second.owner}


def test_a_heartbeat_of_an_earlier_boot_is_no_sign_of_life(bench: SqliteBench):
    bench.open(kind="run")
    bench.clock.boot_name = "boot-two"
    assert bench.open(kind="run").presence.daemon() is not None


def test_an_orderly_end_leaves_no_trace_but_the_journal(bench: SqliteBench):
    with bench.opening(kind="run") as journal:
        journal.canary()
    with bench.opening(mode="reader") as reader:
        assert reader.presence.processes() == []
    assert files(bench).keys() == {"state.db", "state.db-lock"}


def test_the_dead_are_buried_by_the_next_claim(bench: SqliteBench):
    stream = bench.stream("a")
    dead = bench.open(kind="run")
    bench.kill(dead)
    journal = bench.open()
    claimed(journal, stream)
    assert [found.owner for found in journal.presence.processes()] == [journal.owner]
    assert sorted(f.name for f in bench.path.parent.glob("*-process-*")) == [f"state.db-process-{journal.owner}"]


def test_a_spool_that_cannot_be_read_stops_every_claim_and_is_kept(bench: SqliteBench):
    stream = bench.stream("a")
    dead = bench.open()
    dead._work.owners.spool.write(b'{"of": "another version"}')
    bench.kill(dead)
    journal = bench.open()
    with pytest.raises(JournalUnsafe, match="importing the spool") as refused:
        journal.claim(stream)
    assert "only copy" in refused.value.remedy
    assert list(bench.path.parent.glob(f"*-process-{dead.owner}"))


NEWER = {
    "a kind that this version does not know": "kind = 'teleported'",
    "a kind in a shape that this version does not know": "machine = 99",
}


def rewritten(bench: SqliteBench, stream: str, change: str) -> None:
    """Let the first fact of a stream be one that a newer version wrote."""
    raw = sqlite3.connect(bench.path)
    raw.execute("DROP TRIGGER IF EXISTS fact_no_update")
    raw.execute(f"UPDATE fact SET {change} WHERE stream = ? AND position = 1", (stream,))
    raw.commit()
    raw.close()


@pytest.mark.parametrize("change", NEWER.values(), ids=NEWER)
def test_a_stream_with_a_fact_of_a_newer_version_is_left_alone_and_only_that_one(bench: SqliteBench, change: str):
    newer, other = bench.stream("a"), bench.stream("b")
    with bench.opening() as journal:
        for stream in (newer, other):
            journal.append(claimed(journal, stream), seen())
    rewritten(bench, newer, change)

    with bench.opening() as journal:
        word = "teleported" if "kind" in change else "target_added"
        assert journal.view(newer).newer == word
        assert [fact.what for fact in journal.facts(newer)] == [Unknown(word=word, passed_over=False)]
        with pytest.raises(IllegalFact, match=f"a newer version of rotator wrote `{word}`"):
            journal.append(claimed(journal, newer), planned())
        with pytest.raises(IllegalFact, match="a newer version"):
            journal.note(newer, request())
        assert journal.append(claimed(journal, other), planned()).rotation is not None


def test_a_capture_is_kept_in_a_stream_that_is_left_alone(bench: SqliteBench):
    stream = bench.stream("a")
    with bench.opening() as journal:
        journal.append(claimed(journal, stream), seen())
    rewritten(bench, stream, "kind = 'teleported'")

    with bench.opening() as journal:
        kept = mine(journal, captured(), VALUE)
        assert kept.what.fingerprint in journal.capture(stream, kept, VALUE).values


def test_a_fact_of_a_newer_version_that_may_be_passed_over_changes_nothing(bench: SqliteBench):
    stream = bench.stream("a")
    with bench.opening() as journal:
        journal.append(claimed(journal, stream), seen())
    rewritten(bench, stream, """kind = 'teleported', detail = '{"ignorable":true}'""")

    with bench.opening() as journal:
        assert journal.view(stream).newer == ""
        assert journal.append(claimed(journal, stream), planned()).rotation is not None


def test_a_fact_that_makes_no_sense_is_not_guessed_at(bench: SqliteBench):
    stream = bench.stream("a")
    with bench.opening() as journal:
        journal.append(claimed(journal, stream), planned())
    rewritten(bench, stream, "detail = '{}'")

    with bench.opening(mode="reader") as reader, pytest.raises(JournalUnsafe, match="makes no sense"):
        reader.view(stream)


def in_a_folder_that_may_not_be_written(address: str, **more: Any) -> sqlite3.Connection:
    """What SQLite answers there: without its files beside the database it opens only what it is told never changes."""
    if "immutable=1" not in address and not Path(address.removeprefix("file:").partition("?")[0] + "-shm").exists():
        return sqlite3.connect(":memory:", factory=Refusing, **{**more, "uri": False})
    return sqlite3.connect(address, **more)


class Refusing(sqlite3.Connection):
    """A connection whose statements all fail as in such a folder."""

    def execute(self, *_: object) -> sqlite3.Cursor:
        error = sqlite3.OperationalError("unable to open database file")
        error.sqlite_errorname = "SQLITE_CANTOPEN"
        raise error


def test_a_reader_needs_no_folder_that_it_may_write(tmp_path: Path, key: Path):
    url = f"sqlite:///{tmp_path}/state.db"
    writer = open_journal(url, key)
    writer.streams.register([("a", "prod", None)])
    writer.close()
    reader = open_journal(url, None, mode="reader", connect=in_a_folder_that_may_not_be_written)
    try:
        assert [stream.name for stream in reader.streams.all() if stream.kind == "credential"] == ["a"]
    finally:
        reader.close()


def test_a_log_that_a_dead_writer_left_there_is_not_passed_over(tmp_path: Path, key: Path):
    url = f"sqlite:///{tmp_path}/state.db"
    open_journal(url, key).close()
    (tmp_path / "state.db-wal").write_bytes(b"what was written last")
    with pytest.raises(JournalUnsafe, match="unable to open"):
        open_journal(url, None, mode="reader", connect=in_a_folder_that_may_not_be_written)
