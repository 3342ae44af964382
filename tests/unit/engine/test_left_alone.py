"""What an operator leaves alone before we ever wrote, and what a target says of its own end."""

from dataclasses import replace

import pytest

from rotator.core.credential import NEVER
from rotator.core.facts import Kind
from rotator.core.protocol.rules import Result
from tests.unit.engine.bench import NAME, stands
from tests.unit.engine.test_stands_later import beside

K, R = Kind, Result

BESIDE_NOTHING = [{"ACCOUNT": "somebody's"}, {"ACCOUNT": "somebody's", "A": "changeme"}, {"ACCOUNT": "a", "STAGE": "b"}]


def left_alone(**first):
    """What stood at the target before we ever wrote there is accepted."""
    bench, target = beside(**first)
    assert stands(bench).result is R.OVERRIDDEN
    bench.tell(K.RESOLVED, detail={"how": "accept"})
    return bench, target


@pytest.mark.parametrize("first", BESIDE_NOTHING)
def test_a_foreign_content_beside_no_value_of_ours_is_accepted_at_once(first):
    bench, target = left_alone(**first)
    bench.later(10)
    bench.settle()

    assert stands(bench).result is R.HEEDED
    assert target.values == first
    assert not bench.view.overridden
    assert bench.view.accepted["env"]


def test_what_was_accepted_beside_no_value_and_changed_is_asked_about_again():
    bench, target = left_alone(ACCOUNT="somebody's")
    target.values["ACCOUNT"] = "another's"

    assert stands(bench).result is R.OVERRIDDEN
    assert not bench.view.accepted


def test_where_what_was_accepted_beside_no_value_was_taken_away_ours_is_published():
    bench, target = left_alone(ACCOUNT="somebody's")
    target.values.clear()
    bench.later(700)
    bench.settle()
    bench.run()

    assert target.values["ACCOUNT"] == "our-account"
    assert not bench.view.heeded


def test_a_target_that_will_delete_what_stands_there_is_remembered_until_it_no_more_will():
    bench, target = beside()
    bench.settle()
    until, read = iter([90.0, NEVER]), target.read
    target.read = lambda: replace(read(), ends=next(until))

    stands(bench)
    assert bench.driver.memory(NAME).ends == {"env": 90.0}
    stands(bench)
    assert bench.driver.memory(NAME).ends == {}
