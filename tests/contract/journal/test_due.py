"""What is due: a noted time per stream, which wishes may bring forward and nothing may lose."""

from __future__ import annotations

from tests.contract.journal.benches import Bench, RealBench
from tests.contract.journal.drafts import claimed, request


def _due(journal, now: float, limit: int = 10) -> list[str]:
    return [due.stream for due in journal.due("prod", now, limit)]


def test_a_stream_is_due_when_its_noted_time_has_come(bench: Bench):
    journal, stream = bench.open(), bench.stream("a")
    journal.release(claimed(journal, stream), 500.0)
    assert _due(journal, 499.9) == []
    assert _due(journal, 500.0) == [stream]


def test_the_soonest_come_first_and_no_more_than_asked_for(bench: Bench):
    journal = bench.open()
    for name, at in (("a", 30.0), ("b", 10.0), ("c", 20.0)):
        journal.release(claimed(journal, bench.stream(name)), at)
    assert _due(journal, 100, 2) == [bench.stream("b"), bench.stream("c")]


def test_releasing_without_a_time_keeps_the_note(bench: Bench):
    journal, stream = bench.open(), bench.stream("a")
    journal.release(claimed(journal, stream), 500.0)
    journal.release(claimed(journal, stream), None)
    assert _due(journal, 499) == []
    assert _due(journal, 500) == [stream]


def test_waking_brings_a_stream_forward_and_never_back(bench: Bench):
    journal, stream = bench.open(), bench.stream("a")
    journal.release(claimed(journal, stream), 500.0)
    journal.wake([stream], 100.0)
    assert _due(journal, 100) == [stream]
    journal.wake([stream], 300.0)
    assert _due(journal, 100) == [stream]


def test_a_stream_that_wants_nothing_is_not_due_until_it_is_woken(bench: Bench):
    journal, stream = bench.open(), bench.stream("a")
    journal.release(claimed(journal, stream), float("inf"))
    assert _due(journal, 1e15) == []
    journal.wake([stream])
    assert _due(journal, 0) == [stream]


def test_a_wish_that_comes_while_somebody_works_is_not_overwritten(real: RealBench):
    one, two, stream = real.open(), real.open(), real.stream("a")
    lease = claimed(one, stream)
    two.wake([stream], 50.0)
    one.release(lease, 9000.0)
    assert _due(two, 50) == [stream]


def test_a_wish_is_met_by_the_next_claim(real: RealBench):
    journal, stream = real.open(), real.stream("a")
    journal.wake([stream], 50.0)
    journal.release(claimed(journal, stream), 9000.0)
    assert _due(journal, 8999) == []


def test_an_operators_fact_wakes_its_stream_in_the_same_transaction(real: RealBench):
    one, two, stream = real.open(), real.open(), real.stream("a")
    lease = claimed(one, stream)
    two.note(stream, request())
    one.release(lease, 9000.0)
    assert _due(one, 1) == [stream]


def test_a_new_stream_is_due_at_once(real: RealBench):
    stream = real.stream("a")
    assert _due(real.open(), 0) == [stream]


def test_streams_of_other_connections_are_not_due_here(real: RealBench):
    journal = real.open()
    ids = journal.streams.register([("a", "prod", None), ("b", "staging", None)])
    assert [due.stream for due in journal.due("staging", 1, 9)] == [ids["b"]]


def test_many_streams_can_be_woken_at_once(real: RealBench):
    journal = real.open()
    ids = journal.streams.register([(f"c{n}", "prod", None) for n in range(1200)])
    for stream in list(ids.values())[:3]:
        journal.release(claimed(journal, stream), 1e9)
    journal.wake(ids.values(), 7.0)
    assert len(_due(journal, 7, 5000)) == 1200


def test_the_drivers_last_word_stands_beside_the_stream(real: RealBench):
    journal, stream = real.open(), real.stream("a")
    journal.release(claimed(journal, stream), 9.0, '{"rotation": "waits"}')
    connection = journal.streams.connection("prod")
    journal.streams.remark(connection, '{"reachable": true}')
    found = {s.id: s for s in journal.streams.all()}
    assert (found[stream].why, found[stream].next_at, found[stream].epoch) == ('{"rotation": "waits"}', 9.0, 1)
    assert (found[connection].kind, found[connection].why) == ("connection", '{"reachable": true}')
