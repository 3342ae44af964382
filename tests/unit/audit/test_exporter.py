"""One sink's export: in which order things happen, what a sink that is down costs, and who may export."""

from __future__ import annotations

import json

import pytest

from rotator.audit.exporter import BATCH, EVERY, LOOK, REST, STANDBY
from rotator.audit.plain import LONGEST
from rotator.core.errors import JournalUnsafe
from rotator.core.facts import Paused
from tests.unit.audit.bench import Bench, fact


def told(bench: Bench) -> list[dict]:
    return [json.loads(line) for line in bench.sink.lines]


def facts(bench: Bench) -> list[tuple[str, int]]:
    return [(line["stream"], line["position"]) for line in told(bench) if line["type"] == "fact"]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_an_export_begins_with_a_signed_checkpoint_of_this_instance_and_sink(bench: Bench):
    bench.exporter.step()
    [first] = told(bench)
    assert (first["type"], first["reason"], first["sink"], first["instance"]) == (
        *("checkpoint", "opened", "siem", "abcd1234"),
    )
    assert first["previous"] == "genesis:abcd1234/siem"


def test_facts_of_a_stream_keep_their_order_and_those_of_several_are_told_by_time(bench: Bench):
    bench.book.streams = {
        "a": [fact("a", 1, 10.0), fact("a", 2, 40.0), fact("a", 3, 5.0)],
        "b": [fact("b", 1, 20.0), fact("b", 2, 30.0)],
    }
    bench.exporter.step()
    assert facts(bench) == [("a", 1), ("b", 1), ("b", 2), ("a", 2), ("a", 3)]


def test_a_line_tells_what_history_tells_and_where_the_fact_stands(bench: Bench):
    bench.book.add("a")
    bench.exporter.step()
    line = told(bench)[1]
    assert line | {"hash": "", "previous": ""} == {
        "type": "fact",
        "time": "1970-01-01T00:00:01Z",
        "credential": "name-a",
        "kind": "paused",
        "actor": "anna",
        "rotation": None,
        "epoch": 1,
        "detail": {"reason": "lunch", "until": "1970-01-01T00:01:00Z"},
        "stream": "a",
        "position": 1,
        "fact_id": "a-1",
        "instance": "abcd1234",
        "rotator": line["rotator"],
        "hash": "",
        "previous": "",
    }


def test_a_detail_that_fits_into_no_datagram_is_left_out_and_says_so(bench: Bench):
    bench.book.streams = {"a": [fact("a", 1, what=Paused(reason="x" * (LONGEST + 1), until=60.0))]}
    bench.exporter.step()
    assert list(told(bench)[1]["detail"]) == ["left_out"]
    assert len(bench.sink.lines[1]) < 2000


def test_a_long_backlog_goes_out_in_batches_without_a_pause(bench: Bench):
    bench.book.add("a", BATCH + 10)
    assert bench.exporter.step() == 0.0
    assert bench.exporter.step() == LOOK
    assert facts(bench) == [("a", position) for position in range(1, BATCH + 11)]


def test_more_streams_than_fit_into_a_batch_all_get_their_turn(bench: Bench):
    for number in range(BATCH + 5):
        bench.book.add(f"s{number:04}", 2)
    while bench.exporter.step() == 0.0:
        continue
    assert len(facts(bench)) == 2 * (BATCH + 5)
    bench.settle()
    assert bench.verdict().problems == ()


def test_there_is_a_checkpoint_every_minute_also_where_nothing_happens(bench: Bench):
    for _ in range(10):
        bench.exporter.step()
        bench.now += EVERY / 2
    assert [line["reason"] for line in told(bench)] == ["opened", *["regular"] * 4]


def test_new_lines_are_signed_within_seconds(bench: Bench):
    bench.settle()
    bench.book.add("a")
    bench.exporter.step()
    bench.now += 11
    bench.exporter.step()
    assert [line["type"] for line in told(bench)][-2:] == ["fact", "checkpoint"]


def test_a_sink_that_is_down_is_asked_more_and_more_rarely_and_loses_nothing(bench: Bench):
    bench.settle()
    bench.book.add("a", 3)
    bench.sink.takes = 0
    waits = []
    for _ in range(9):
        waits.append(bench.exporter.step())
        bench.now += waits[-1]
    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, REST, REST, REST]
    bench.sink.takes = None
    bench.settle()
    assert facts(bench) == [("a", 1), ("a", 2), ("a", 3)]
    assert len([one for one in bench.troubles if one is not None]) == 9
    assert bench.troubles[-1] is None


def test_what_a_sink_took_before_it_failed_is_told_again_and_proves_nothing_wrong(bench: Bench):
    bench.settle()
    bench.book.add("a", 4)
    bench.sink.takes = 2
    bench.exporter.step()
    bench.now += 120.0
    bench.sink.takes = None
    bench.settle()
    found = bench.verdict()
    assert (found.problems, found.facts, found.unsigned) == ((), 4, 0)


def test_a_checkpoint_is_settled_only_when_all_is_told_again_that_may_have_been_told(bench: Bench):
    bench.book.add("a", 3 * BATCH)
    for _ in range(4):
        bench.exporter.step()
        bench.now += EVERY
    assert [line["settled"] for line in told(bench) if line["type"] == "checkpoint"] == [False, False, True, True]


def test_one_process_at_a_time_exports(bench: Bench):
    bench.book.add("a")
    bench.book.taken = True
    assert bench.exporter.step() == STANDBY
    assert bench.sink.lines == []
    bench.book.taken = False
    bench.exporter.step()
    assert facts(bench) == [("a", 1)]


def test_who_lost_the_right_to_export_begins_where_the_next_one_came_to(bench: Bench):
    bench.settle()
    bench.book.add("a", 2)
    bench.book.epoch += 1
    assert bench.exporter.step() == STANDBY  # sent, and not noted
    bench.now += 60
    bench.settle()
    found = bench.verdict()
    assert (found.problems, found.facts, found.duplicates, found.unsigned) == ((), 2, 2, 0)


def test_a_journal_that_does_not_answer_is_asked_again(bench: Bench):
    bench.settle()
    bench.book.broken = JournalUnsafe("reading: no")
    assert bench.exporter.step() == 1.0
    bench.book.broken = None
    bench.book.add("a")
    bench.now += 1
    bench.settle()
    assert bench.verdict().facts == 1


def test_at_the_end_everything_is_signed_and_another_may_go_on(bench: Bench):
    bench.book.add("a", 2)
    bench.exporter.step()
    epoch = bench.book.epoch
    bench.exporter.finish()
    assert told(bench)[-1]["reason"] == "stopped"
    assert (bench.verdict().problems, bench.verdict().unsigned) == ((), 0)
    assert bench.sink.closed
    assert bench.book.epoch == epoch + 1


def test_what_a_killed_process_had_noted_and_not_signed_is_signed_by_the_next_one(bench: Bench):
    bench.book.add("a", 2)
    bench.exporter.step()
    bench.process()
    bench.exporter.step()
    bench.exporter.finish()
    assert (bench.verdict().problems, bench.verdict().unsigned) == ((), 0)


def test_an_end_without_a_beginning_and_one_with_a_dead_sink_are_quiet(bench: Bench):
    bench.exporter.finish()
    assert bench.sink.lines == []
    bench.book.add("a")
    bench.sink.takes = 0
    bench.exporter.step()
    bench.exporter.finish()
    assert bench.sink.lines == []
