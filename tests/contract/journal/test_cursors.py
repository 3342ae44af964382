"""Cursors: how far a consumer of facts has come, in which nothing is left out and one process at a time moves on."""

from __future__ import annotations

import pytest

from rotator.core.errors import Fenced, JournalUnsafe
from rotator.journal.cursors import Behind
from rotator.journal.open import open_journal
from rotator.journal.store import SqlJournal
from tests.contract.journal.benches import RealBench
from tests.contract.journal.drafts import claimed, intent, planned


def facts(journal: SqlJournal, stream: str) -> None:
    lease = claimed(journal, stream)
    journal.append(lease, planned())
    journal.append(lease, intent())


def test_a_new_consumer_has_every_fact_before_it(real: RealBench):
    journal, stream = real.open(), real.stream("a")
    real.stream("without-facts")
    facts(journal, stream)
    assert journal.cursors.behind("siem") == [Behind(stream, "credential", "a", "prod", 0, 2)]
    assert journal.cursors.lag("siem") == 2
    assert [fact.position for fact in journal.cursors.facts(stream, 0, 10)] == [1, 2]
    assert [fact.position for fact in journal.cursors.facts(stream, 0, 1)] == [1]
    assert [fact.position for fact in journal.cursors.facts(stream, 1, 10)] == [2]


def test_what_was_passed_on_is_behind_the_cursor_of_that_consumer_alone(real: RealBench):
    journal, stream = real.open(), real.stream("a")
    facts(journal, stream)
    claim = journal.cursors.claim("siem")
    journal.cursors.move(claim, "siem", {stream: 1})
    assert (journal.cursors.lag("siem"), journal.cursors.lag("file")) == (1, 2)
    journal.cursors.move(claim, "siem", {stream: 2})
    assert journal.cursors.behind("siem") == []


def test_a_cursor_outlives_its_process(real: RealBench):
    journal, stream = real.open(), real.stream("a")
    facts(journal, stream)
    journal.cursors.move(journal.cursors.claim("siem"), "siem", {stream: 1}, keep="so far")
    real.kill(journal)
    after = real.open()
    assert (after.cursors.lag("siem"), after.cursors.kept("siem")) == (1, "so far")
    assert after.cursors.kept("file") == ""


def test_a_cursor_goes_back_only_where_it_is_told_to(real: RealBench):
    journal, stream = real.open(), real.stream("a")
    facts(journal, stream)
    claim = journal.cursors.claim("siem")
    journal.cursors.move(claim, "siem", {stream: 2}, keep="two")
    journal.cursors.move(claim, "siem", {stream: 1})
    assert (journal.cursors.lag("siem"), journal.cursors.kept("siem")) == (0, "two")
    journal.cursors.move(claim, "siem", {stream: 1}, back=True)
    assert journal.cursors.lag("siem") == 1


def test_one_process_at_a_time_moves_a_cursor(real: RealBench):
    one, two, stream = real.open(), real.open(), real.stream("a")
    facts(one, stream)
    claim = one.cursors.claim("siem")
    assert two.cursors.claim("siem") is None
    assert two.cursors.claim("file") is not None
    one.cursors.give_back(claim)
    assert two.cursors.claim("siem") is not None


def test_who_was_stopped_for_too_long_moves_nothing_any_more(real: RealBench):
    one, two, stream = real.open(), real.open(), real.stream("a")
    facts(one, stream)
    claim = one.cursors.claim("siem")
    real.advance(31)
    taken = two.cursors.claim("siem")
    with pytest.raises(Fenced):
        one.cursors.move(claim, "siem", {stream: 2})
    two.cursors.move(taken, "siem", {stream: 1})
    assert two.cursors.lag("siem") == 1


def test_whoever_only_reads_moves_no_cursor(real: RealBench):
    facts(real.open(), real.stream("a"))
    reader = open_journal(real.where, None, mode="reader", clock=real.clock)
    assert reader.cursors.lag("siem") == 2
    with pytest.raises(JournalUnsafe):
        reader.cursors.claim("siem")
    reader.close()
