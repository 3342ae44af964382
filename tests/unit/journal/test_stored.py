"""Kept views spare folding, and have no other effect: whatever is wrong with one, the facts decide."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from rotator.core.errors import JournalUnsafe
from rotator.core.facts import Kind
from rotator.core.protocol.fold import fold
from rotator.core.protocol.view import blank
from rotator.journal import ledger, stored
from rotator.journal.store import SqlJournal
from rotator.journal.view_codec import from_plain, to_plain
from tests.contract.journal.benches import SqliteBench
from tests.contract.journal.drafts import VALUE, captured, claimed, intent, planned, seen

MANY = 60


@pytest.fixture
def stream(bench: SqliteBench) -> str:
    """A stream with many facts, whose view is kept by the process that wrote them and left."""
    with bench.opening() as journal:
        stream = bench.stream("a")
        lease = claimed(journal, stream)
        journal.append(lease, planned())
        journal.append(lease, intent())
        journal.capture(stream, captured(), VALUE)
        for number in range(MANY):
            journal.append(lease, seen(token_id=f"t{number}"))
        journal.release(lease, 0.0)
    return stream


@pytest.fixture
def folded(monkeypatch: pytest.MonkeyPatch) -> list[Kind]:
    """The kinds of the facts that are folded from now on."""
    kinds: list[Kind] = []

    def counted(view, fact):
        kinds.append(fact.what.kind)
        return fold(view, fact)

    monkeypatch.setattr(ledger, "fold", counted)
    return kinds


def from_facts(journal: SqlJournal, stream: str) -> object:
    view = blank()
    for fact in journal.facts(stream):
        view = fold(view, fact)
    return view


def test_a_start_folds_nothing_of_what_a_kept_view_knows(bench: SqliteBench, stream: str, folded: list[Kind]):
    with bench.opening() as journal:
        assert journal.view(stream) == from_facts(journal, stream)
        assert len(folded) == 0
        assert journal.views()[stream] == journal.view(stream)


def test_a_reader_without_the_key_starts_from_it_as_well(bench: SqliteBench, stream: str, folded: list[Kind]):
    from rotator.journal.open import open_journal

    journal = open_journal(bench.url, None, mode="reader")
    try:
        assert journal.view(stream).position == MANY + 3
        assert folded == []
    finally:
        journal.close()


def test_only_facts_after_it_are_folded(bench: SqliteBench, stream: str, folded: list[Kind]):
    with bench.opening() as journal:
        journal.append(claimed(journal, stream), seen(token_id="later"))
    folded.clear()
    with bench.opening() as journal:
        assert journal.view(stream) == from_facts(journal, stream)
        assert len(folded) <= 1


def row(bench: SqliteBench, stream: str, change: Callable[[list[str]], list[str]]) -> None:
    with bench.opening() as journal, journal._db.write() as connection:
        (found,) = connection.execute("SELECT value FROM meta WHERE name = ?", (f"view:{stream}",)).fetchall()
        changed = "\n".join(change(found[0].split("\n", 4)))
        connection.execute("UPDATE meta SET value = ? WHERE name = ?", (changed, f"view:{stream}"))


WRONG = {
    "of another program": lambda parts: ["0" * 32, *parts[1:]],
    "at another position": lambda parts: [parts[0], "7", *parts[2:]],
    "after another fact": lambda parts: [*parts[:2], "0" * 64, *parts[3:]],
    "without its seal": lambda parts: [*parts[:3], "0" * 64, parts[4]],
    "changed": lambda parts: [*parts[:4], parts[4].replace("token-1", "token-9")],
    "cut off": lambda parts: [*parts[:4], parts[4][:100]],
    "nothing": lambda parts: [""],
    "no number": lambda parts: [parts[0], "x", *parts[2:]],
}


@pytest.mark.parametrize("wrong", WRONG)
def test_one_that_is_wrong_in_any_way_is_passed_over(bench: SqliteBench, stream: str, folded: list[Kind], wrong: str):
    row(bench, stream, WRONG[wrong])
    folded.clear()
    with bench.opening() as journal:
        assert journal.view(stream) == from_facts(journal, stream)
        assert len(folded) == MANY + 3


def test_a_forged_one_with_a_right_form_is_passed_over_by_whoever_has_the_key(bench: SqliteBench, stream: str):
    def forged(parts: list[str]) -> list[str]:
        data = json.loads(parts[4])
        assert from_plain(data) == from_plain(json.loads(parts[4]))
        return [*parts[:4], json.dumps([*data[:1], "token-forged", *data[2:]])]

    row(bench, stream, forged)
    with bench.opening() as journal:
        assert journal.view(stream).current != "token-forged"


def test_a_journal_that_lost_facts_folds_those_that_are_left(bench: SqliteBench, stream: str):
    """A database that lost commits, or a backup that was put over the file by hand."""
    with bench.opening() as journal, journal._db.write() as connection:
        connection.execute("DROP TRIGGER fact_no_delete")
        connection.execute("DELETE FROM fact WHERE stream = ? AND position > 10", (stream,))
    with bench.opening() as journal:
        assert journal.view(stream) == from_facts(journal, stream)
        assert journal.view(stream).position == 10


def test_a_short_stream_keeps_none(bench: SqliteBench):
    stream = bench.stream("b")
    with bench.opening() as journal:
        journal.append(claimed(journal, stream), planned())
    with bench.opening() as journal, journal._db.read() as connection:
        assert connection.execute("SELECT 1 FROM meta WHERE name = ?", (f"view:{stream}",)).fetchall() == []


def test_a_daemon_keeps_them_at_its_heartbeats(bench: SqliteBench, folded: list[Kind]):
    stream = bench.stream("b")
    journal = bench.open()
    lease = claimed(journal, stream)
    for number in range(MANY):
        journal.append(lease, seen(token_id=f"t{number}"))
    journal.heartbeat()
    bench.kill(journal)
    folded.clear()
    with bench.opening() as other:
        assert other.view(stream).position == MANY
        assert folded == []


def test_a_stream_that_grows_is_kept_anew_in_growing_steps():
    views = stored.StoredViews(None, None)  # type: ignore[arg-type]  # nothing is read or written
    assert not views.wants("s", 31)
    assert views.wants("s", 32)
    views._kept["s"] = 10_000
    assert not views.wants("s", 11_000)
    assert views.wants("s", 11_250)


def test_the_chains_are_verified_over_every_fact_all_the_same(bench: SqliteBench, stream: str):
    with bench.opening() as journal:
        with journal._db.write() as connection:
            connection.execute("DROP TRIGGER fact_no_update")
            connection.execute("UPDATE fact SET actor = 'x' WHERE stream = ? AND position = 3", (stream,))
        assert [b.position for b in journal.audit.verify().breaks] == [3]


def test_a_disk_that_refuses_them_costs_no_more_than_time(bench: SqliteBench, stream: str, monkeypatch):
    def refused(self, found):
        raise JournalUnsafe("full")

    monkeypatch.setattr(stored.StoredViews, "keep", refused)
    with bench.opening() as journal:
        journal.append(claimed(journal, stream), seen(token_id="later"))


def test_this_program_folds_as_it_names_itself(tmp_path: Path):
    assert len(stored.folding()) == 32
    assert stored.folding() == stored.folding()


def test_what_is_no_view_is_told():
    for data in (None, [], {}, [1, 2], "x", list(to_plain(blank()))[:-1]):
        with pytest.raises(ValueError, match="no stored view"):
            from_plain(data)
