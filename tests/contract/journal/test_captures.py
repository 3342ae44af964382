"""Captures: the value that is shown once is accepted from anybody, at any time, any number of times, and comes back."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import pytest

from rotator.core import encoding
from rotator.core.errors import JournalUnsafe
from rotator.core.facts import Kind
from rotator.core.secret import Secret
from tests.contract.journal.benches import Bench, RealBench, SqliteBench
from tests.contract.journal.drafts import VALUE, abandoned, captured, claimed, intent, mine, planned


def _at_intent(bench: Bench, journal, stream: str):
    lease = claimed(journal, stream)
    journal.append(lease, planned())
    journal.append(lease, intent())
    return lease


def test_a_captured_value_can_be_revealed(bench: Bench):
    journal, stream = bench.open(), bench.stream("a")
    _at_intent(bench, journal, stream)
    draft = mine(journal, captured(), VALUE)
    journal.spool(stream, draft, VALUE)
    view = journal.capture(stream, draft, VALUE)
    assert view.rotation is not None
    assert view.rotation.step is Kind.CAPTURED
    assert journal.reveal(stream, journal.fingerprint(VALUE)) == VALUE


def test_another_process_can_reveal_it_too(bench: Bench):
    one, two, stream = bench.open(), bench.open(), bench.stream("a")
    _at_intent(bench, one, stream)
    one.capture(stream, mine(one, captured(), VALUE), VALUE)
    assert two.fingerprint(VALUE) == one.fingerprint(VALUE)
    assert two.reveal(stream, two.fingerprint(VALUE)) == VALUE


def test_a_value_that_was_never_captured_is_a_key_error(bench: Bench):
    journal, stream = bench.open(), bench.stream("a")
    with pytest.raises(KeyError):
        journal.reveal(stream, journal.fingerprint(VALUE))


def test_repeating_a_capture_changes_nothing_that_is_decided_upon(bench: Bench):
    journal, stream = bench.open(), bench.stream("a")
    _at_intent(bench, journal, stream)
    draft = mine(journal, captured(), VALUE)
    first = journal.capture(stream, draft, VALUE)
    second = journal.capture(stream, draft, VALUE)
    assert second.rotation == first.rotation
    assert second.values == first.values


def test_a_stale_process_may_still_capture(bench: Bench):
    one, two, stream = bench.open(), bench.open(), bench.stream("a")
    _at_intent(bench, one, stream)
    bench.advance(31)
    lease = claimed(two, stream)
    two.append(lease, abandoned())
    before = two.view(stream).rotation
    view = one.capture(stream, mine(one, captured(), VALUE), VALUE)
    assert view.rotation == before, "a late capture moves nothing"
    assert two.reveal(stream, two.fingerprint(VALUE)) == VALUE
    assert two.view(stream).tokens["token-1"].attempt_name == "name-r1-1"


def test_the_spool_of_a_dead_process_is_in_the_journal_before_anybody_can_decide(bench: Bench):
    one, two, stream = bench.open(), bench.open(), bench.stream("a")
    _at_intent(bench, one, stream)
    one.spool(stream, mine(one, captured(), VALUE), VALUE)
    bench.kill(one)
    claimed(two, stream)
    rotation = two.view(stream).rotation
    assert rotation is not None
    assert rotation.step is Kind.CAPTURED
    assert two.reveal(stream, two.fingerprint(VALUE)) == VALUE


def test_every_capture_of_a_dead_process_is_imported_whatever_stream_is_claimed_first(bench: Bench):
    one, two = bench.open(), bench.open()
    values = {name: Secret(f"value-of-{name}") for name in "ab"}
    for name, value in values.items():
        _at_intent(bench, one, bench.stream(name))
        one.spool(bench.stream(name), mine(one, captured(token_id=name), value), value)
    bench.kill(one)
    claimed(two, bench.stream("b"))
    for name, value in values.items():
        assert two.reveal(bench.stream(name), two.fingerprint(value)) == value


def test_a_fingerprint_tells_values_apart_and_shows_nothing_of_them(bench: Bench):
    journal = bench.open()
    assert journal.fingerprint(VALUE) == journal.fingerprint(Secret(VALUE.reveal()))
    assert journal.fingerprint(VALUE) != journal.fingerprint(Secret(VALUE.reveal() + "x"))


def test_repeating_a_capture_adds_no_fact(real: RealBench):
    one, two, stream = real.open(), real.open(), real.stream("a")
    _at_intent(real, one, stream)
    draft = mine(one, captured(), VALUE)
    for journal in (one, two, one):
        journal.spool(stream, draft, VALUE)
        journal.capture(stream, draft, VALUE)
    assert [fact.kind for fact in one.facts(stream)] == [Kind.PLANNED, Kind.INTENT, Kind.CAPTURED]
    assert one.counts()["values"] == 1
    assert one.counts()["spooled"] == two.counts()["spooled"] == 0


def test_the_same_attempt_may_bring_two_values(real: RealBench):
    """A proxy that repeats a request makes twins; none of them may be lost."""
    journal, stream = real.open(), real.stream("a")
    _at_intent(real, journal, stream)
    twin = Secret("the-twin-value")
    journal.capture(stream, captured(token_id="token-1"), VALUE)
    journal.capture(stream, captured(token_id="token-2"), twin)
    assert journal.reveal(stream, journal.fingerprint(VALUE)) == VALUE
    assert journal.reveal(stream, journal.fingerprint(twin)) == twin


def test_the_journal_knows_the_fingerprint_better_than_the_caller(real: RealBench):
    journal, stream = real.open(), real.stream("a")
    _at_intent(real, journal, stream)
    view = journal.capture(stream, captured(fingerprint="wrong"), VALUE)
    assert view.values == {journal.fingerprint(VALUE): "token-1"}


def test_what_lies_in_the_spool_of_a_stopped_process_is_imported_too(real: RealBench):
    one, two, stream = real.open(), real.open(), real.stream("a")
    _at_intent(real, one, stream)
    draft = mine(one, captured(), VALUE)
    one.spool(stream, draft, VALUE)
    real.advance(31)
    lease = claimed(two, stream)
    assert two.reveal(stream, two.fingerprint(VALUE)) == VALUE
    one.capture(stream, draft, VALUE)
    assert one.view(stream).position == 3
    two.check(lease)


def test_a_capture_that_only_reached_the_spool_is_committed_at_the_next_claim_of_the_same_process(real: RealBench):
    journal, stream = real.open(), real.stream("a")
    lease = _at_intent(real, journal, stream)
    journal.spool(stream, captured(), VALUE)
    journal.release(lease, None)
    claimed(journal, stream)
    assert journal.reveal(stream, journal.fingerprint(VALUE)) == VALUE
    assert journal.counts()["spooled"] == 0


def test_a_spooled_capture_outlives_an_orderly_end(real: RealBench):
    stream = real.stream("a")
    with real.opening() as journal:
        _at_intent(real, journal, stream)
        journal.spool(stream, captured(), VALUE)
    other = real.open()
    claimed(other, stream)
    assert other.reveal(stream, other.fingerprint(VALUE)) == VALUE


def test_a_capture_stays_in_the_spool_while_the_file_of_the_journal_is_another_one(sqlite: SqliteBench):
    """Somebody restored a backup under a process that had a mint under way: what it commits now is seen by nobody."""
    stream, backup = sqlite.stream("a"), sqlite.path.with_name("backup")
    with sqlite.opening() as journal:
        _at_intent(sqlite, journal, stream)
        with closing(sqlite3.connect(sqlite.path)) as here, closing(sqlite3.connect(backup)) as there:
            here.backup(there)
        journal.spool(stream, captured(), VALUE)
        for name in ("", "-wal", "-shm"):
            sqlite.path.with_name(f"{sqlite.path.name}{name}").rename(sqlite.path.with_name(f"aside{name}"))
        backup.rename(sqlite.path)
        for attempt in (lambda: journal.capture(stream, captured(), VALUE), journal.import_spools):
            with pytest.raises(JournalUnsafe, match="removed or replaced"):
                attempt()
    other = sqlite.open()
    claimed(other, stream)
    assert other.reveal(stream, other.fingerprint(VALUE)) == VALUE


def test_a_capture_that_comes_while_its_process_leaves_is_not_spooled_into_a_file_that_goes(
    real: RealBench, monkeypatch: pytest.MonkeyPatch
):
    """A mint may outlive the time that work under way gets at the end: then its value counts as lost, not as safe."""
    journal, stream = real.open(), real.stream("a")
    _at_intent(real, journal, stream)
    owners, spooled = journal._work.owners, []
    write = owners._db.write

    def late(**options: Any) -> Any:
        if not spooled:
            spooled.append(True)
            try:
                journal.spool(stream, captured(), VALUE)
            except JournalUnsafe:
                spooled.append(False)
        return write(**options)

    monkeypatch.setattr(owners._db, "write", late)
    owners.leave()
    assert spooled == [True, False] or owners.path(owners.me).exists()


def test_a_value_beside_a_fenced_fact_is_sealed_with_it(real: RealBench):

    journal, stream = real.open(), real.stream("a")
    adopted = encoding.draft(Kind.ADOPTED, at=5, token_id="token-9", target="t")
    view = journal.append(claimed(journal, stream), adopted, VALUE)
    assert view.fingerprint == journal.fingerprint(VALUE)
    assert journal.reveal(stream, view.fingerprint) == VALUE


def test_a_late_capture_wakes_whoever_works_on_the_stream_now(real: RealBench):
    one, two, stream = real.open(), real.open(), real.stream("a")
    _at_intent(real, one, stream)
    real.advance(31)
    lease = claimed(two, stream)
    one.capture(stream, captured(), VALUE)
    two.release(lease, 9999.0)
    assert [due.stream for due in two.due("prod", 10, 9)] == [stream]


def test_a_capture_for_a_stream_that_a_restored_journal_does_not_know_is_kept(real: RealBench):
    journal = real.open()
    journal.capture("0123456789abcdef", captured(), VALUE)
    assert journal.reveal("0123456789abcdef", journal.fingerprint(VALUE)) == VALUE
    assert [s.name for s in journal.streams.all()] == ["restored-0123456789abcdef"]
