"""Facts: appended under a lease, judged, folded, never changed."""

from __future__ import annotations

import pytest

from rotator.core.errors import Fenced, IllegalFact
from rotator.core.facts import Baseline, Draft, Kind
from rotator.core.protocol.view import blank
from tests.contract.journal.benches import Bench, RealBench
from tests.contract.journal.drafts import abandoned, claimed, intent, planned, request, seen


def test_a_stream_without_facts_has_a_blank_view(bench: Bench):
    assert bench.open().view(bench.stream("a")) == blank()


def test_an_appended_fact_is_in_the_view_that_it_returns(bench: Bench):
    journal, stream = bench.open(), bench.stream("a")
    view = journal.append(claimed(journal, stream), planned())
    assert view.rotation is not None
    assert view.rotation.rid == "r1"
    assert view == journal.view(stream)


def test_another_process_sees_the_facts_that_this_one_appends(bench: Bench):
    one, two, stream = bench.open(), bench.open(), bench.stream("a")
    lease = claimed(one, stream)
    assert two.view(stream).position == 0
    one.append(lease, planned())
    assert two.view(stream).position == 1
    one.append(lease, intent())
    assert two.view(stream) == one.view(stream)


def test_a_fact_that_the_protocol_does_not_allow_is_refused_and_nothing_changes(bench: Bench):
    journal, stream = bench.open(), bench.stream("a")
    lease = claimed(journal, stream)
    before = journal.append(lease, planned())
    with pytest.raises(IllegalFact):
        journal.append(lease, planned("r2"))
    assert journal.view(stream) == before


def test_of_two_processes_that_decided_the_same_only_one_gets_its_fact_in(bench: Bench):
    one, two, stream = bench.open(), bench.open(), bench.stream("a")
    first = claimed(one, stream)
    one.append(first, planned())
    bench.advance(31)
    second = claimed(two, stream)
    two.append(second, intent())
    with pytest.raises((Fenced, IllegalFact)):
        one.append(first, intent())
    assert two.view(stream).position == 2


def test_streams_do_not_see_each_other(bench: Bench):
    journal = bench.open()
    journal.append(claimed(journal, bench.stream("a")), planned())
    assert journal.view(bench.stream("b")) == blank()


def test_an_operators_fact_needs_no_lease(bench: Bench):
    one, two, stream = bench.open(), bench.open(), bench.stream("a")
    claimed(one, stream)
    view = two.note(stream, request())
    assert view.request is not None
    assert view.request.id == "q1"
    assert one.view(stream) == view


def test_an_abandoned_attempt_is_refused_once_it_was_captured(bench: Bench):
    from tests.contract.journal.drafts import VALUE, captured, mine

    one, two, stream = bench.open(), bench.open(), bench.stream("a")
    lease = claimed(one, stream)
    one.append(lease, planned())
    one.append(lease, intent())
    two.capture(stream, mine(two, captured(), VALUE), VALUE)
    with pytest.raises(IllegalFact):
        one.append(lease, abandoned())


def test_a_fact_that_needs_a_lease_cannot_be_noted(real: RealBench):
    journal, stream = real.open(), real.stream("a")
    with pytest.raises(IllegalFact):
        journal.note(stream, planned())
    assert journal.view(stream).position == 0


def test_history_tells_everything_that_a_fact_says_oldest_first(real: RealBench):
    journal, stream = real.open(), real.stream("a")
    lease = claimed(journal, stream)
    what = Baseline(target="t", token_id="t1", fingerprint="é", replace=True)
    draft = Draft(what=what, at=7.5, rid="r0", actor="bob", principal="p", owner="account")
    journal.append(lease, draft)
    journal.append(lease, planned())
    first, second = journal.facts(stream)
    assert (first.what, first.at, first.rid) == (what, 7.5, "r0")
    assert (first.kind, first.actor, first.principal, first.owner) == (Kind.BASELINE, "bob", "p", "account")
    assert (first.position, first.epoch, first.writer, first.stream) == (1, lease.epoch, journal.owner, stream)
    assert second.kind is Kind.PLANNED
    assert first.fact_id != second.fact_id


def test_history_can_be_read_in_parts_of_one_stream_or_of_all(real: RealBench):
    a, b = real.stream("a"), real.stream("b")
    journal = real.open()
    ours, theirs = claimed(journal, a), claimed(journal, b)
    for at, lease in enumerate((ours, theirs, ours, theirs)):
        journal.append(lease, seen(at))
    assert [fact.at for fact in journal.facts(a, after=1)] == [2]
    assert [fact.at for fact in journal.facts(b, limit=1)] == [1]
    assert [fact.at for fact in journal.facts()] == [0, 1, 2, 3]
    assert [fact.at for fact in journal.facts(after=1, limit=2)] == [1, 2]


def test_the_views_of_a_whole_fleet_come_in_one_pass(real: RealBench):
    a, b = real.stream("a"), real.stream("b")
    journal = real.open()
    for stream in (a, b):
        journal.append(claimed(journal, stream), planned())
    assert journal.views() == {stream: journal.view(stream) for stream in (a, b)}


def test_facts_survive_the_end_of_every_process(real: RealBench):
    stream = real.stream("a")
    with real.opening() as journal:
        before = journal.append(claimed(journal, stream), planned())
    assert real.open().view(stream) == before


@pytest.mark.parametrize("size", [1, 2, 3, 4, 8, 9, 10])
def test_pages_of_any_size_hold_every_fact_once_and_in_order(real: RealBench, monkeypatch, size: int):
    journal, streams = real.open(), [real.stream("a"), real.stream("b")]
    for number in range(4):  # in turns, so that the two orders differ
        for stream in streams:
            journal.note(stream, request(f"q{number}"))
    monkeypatch.setattr("rotator.journal.records.PAGE", size)

    found = list(journal.facts())
    assert [(fact.stream, fact.position) for fact in found] == [(s, n + 1) for n in range(4) for s in streams]
    assert list(journal.facts(limit=5)) == found[:5]
    verdict = journal.audit.verify()
    assert (verdict.facts, verdict.streams, verdict.breaks) == (8, 2, ())
