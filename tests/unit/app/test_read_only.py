"""The budget of a process that only looks: it keeps to what others leave, and counts nowhere but here."""

import pytest

from rotator.app.read_only import ReadOnlyBudget
from rotator.core.errors import RateLimited
from rotator.core.ports.runtime import Priority


class Shared:
    """A budget that others use as well; nobody here may count in it."""

    def __init__(self, left):
        self.left = left

    def take(self, priority):
        raise AssertionError("a process that only looks counted a request for everybody")

    def stop(self, seconds):
        raise AssertionError("a process that only looks stopped everybody")

    def remaining(self):
        return self.left


def test_it_has_what_the_others_leave():
    shared = Shared(3)
    budget = ReadOnlyBudget(shared, 300, 60.0)
    budget.take(Priority.START)

    assert budget.remaining() == 2
    shared.left = 1
    with pytest.raises(RateLimited):
        budget.take(Priority.FINISH)


def test_without_others_it_has_all_of_it():
    budget = ReadOnlyBudget(None, 2, 60.0)
    budget.take(Priority.START)
    budget.take(Priority.START)

    with pytest.raises(RateLimited) as caught:
        budget.take(Priority.START)
    assert caught.value.retry_after == 60.0


def test_it_stops_when_the_provider_asks_for_it():
    budget = ReadOnlyBudget(None, 300, 60.0)
    budget.stop(1e6)

    with pytest.raises(RateLimited) as caught:
        budget.take(Priority.START)
    assert caught.value.retry_after > 60.0
