"""The rate budget: never more than allowed in any sliding window, over all processes; finishing waits last."""

from __future__ import annotations

import random

import pytest

from rotator.core.errors import RateLimited
from rotator.core.ports.runtime import Budget, Priority
from tests.contract.journal.benches import RealBench, SqliteBench


def _taken(budget: Budget, priority: Priority, at_most: int = 1000) -> int:
    """How many requests are granted before the first that has to wait."""
    for count in range(at_most):
        try:
            budget.take(priority)
        except RateLimited:
            return count
    return at_most


def test_a_full_budget_is_shared_by_all_processes(real: RealBench):
    one, two = (journal.budget("prod", 30, 300) for journal in (real.open(), real.open()))
    assert _taken(one, Priority.FINISH, 20) == 20
    assert two.remaining() == 10
    assert _taken(two, Priority.FINISH) == 10
    assert one.remaining() == 0


def test_connections_have_budgets_of_their_own(real: RealBench):
    journal = real.open()
    assert _taken(journal.budget("prod", 5, 300), Priority.FINISH) == 5
    assert _taken(journal.budget("staging", 5, 300), Priority.FINISH) == 5


def test_the_lowest_priority_waits_first_and_finishing_waits_last(real: RealBench):
    budget = real.open().budget("prod", 300, 300)
    granted = [_taken(budget, priority) for priority in Priority]
    assert granted == [180, 45, 60, 15]


def test_even_a_budget_of_one_lets_every_priority_through(real: RealBench):
    for priority in Priority:
        assert _taken(real.open().budget(f"c{priority}", 1, 300), priority) == 1


def test_asking_again_when_told_to_is_granted(real: RealBench):
    budget = real.open().budget("prod", 10, 300)
    _taken(budget, Priority.FINISH)
    with pytest.raises(RateLimited) as refused:
        budget.take(Priority.FINISH)
    assert 290 <= refused.value.retry_after <= 305 + 1
    real.advance(refused.value.retry_after)
    budget.take(Priority.FINISH)


def test_a_refusal_counts_nothing(real: RealBench):
    budget = real.open().budget("prod", 10, 300)
    _taken(budget, Priority.SWEEP)
    before = budget.remaining()
    with pytest.raises(RateLimited):
        budget.take(Priority.SWEEP)
    assert budget.remaining() == before


@pytest.mark.parametrize("seed", range(3))
def test_no_sliding_window_ever_holds_more_than_the_budget(real: RealBench, seed: int):
    chance, sent = random.Random(seed), list[float]()
    budgets = [real.open().budget("prod", 20, 60) for _ in range(2)]
    for _ in range(300):
        real.advance(chance.choice([0.0, 0.1, 0.9, 3.0, 20.0]))
        try:
            chance.choice(budgets).take(Priority.FINISH)
        except RateLimited:
            continue
        sent.append(real.clock.boot())
    assert len(sent) > 100
    assert max(sum(1 for other in sent if at - 60 < other <= at) for at in sent) <= 20


def test_after_a_stop_nobody_sends_anything(real: RealBench):
    one, two = (journal.budget("prod", 30, 300) for journal in (real.open(), real.open()))
    one.stop(300)
    real.advance(299)
    with pytest.raises(RateLimited) as refused:
        two.take(Priority.FINISH)
    assert refused.value.retry_after == pytest.approx(1, abs=0.5)
    assert two.remaining() == 0
    real.advance(1.5)
    two.take(Priority.FINISH)


def test_a_shorter_stop_does_not_shorten_a_longer_one(real: RealBench):
    budget = real.open().budget("prod", 30, 300)
    budget.stop(600)
    budget.stop(5)
    real.advance(500)
    assert budget.remaining() == 0


def test_a_stop_outlives_a_reboot_and_a_wall_clock_cannot_lengthen_it(sqlite: SqliteBench):
    budget = sqlite.open().budget("prod", 30, 300)
    budget.stop(300)
    sqlite.clock.boot_name = "boot-two"
    assert budget.remaining() == 0
    sqlite.advance(-100_000)  # the wall clock fell back during the reboot
    with pytest.raises(RateLimited) as refused:
        budget.take(Priority.FINISH)
    assert refused.value.retry_after == 300
    sqlite.advance(100_000 + 301)
    budget.take(Priority.FINISH)


@pytest.mark.parametrize(("requests", "window"), [(0, 300), (10, 0)])
def test_a_budget_without_room_or_time_is_refused(real: RealBench, requests: int, window: float):
    with pytest.raises(ValueError, match="budget"):
        real.open().budget("prod", requests, window)
