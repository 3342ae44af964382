"""Management pairs: worlds with faults, hands and kills; every state of the rules; and a mutant for each of them."""

import pytest

from rotator.testing.pair.cover import ROWS, STATES, laws, mutants
from rotator.testing.pair.world import breaches

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("seed", range(6))
def test_no_law_is_broken_in_a_world_of_faults_and_hands(seed):
    assert breaches(seed) == []


@pytest.mark.parametrize("row", sorted(ROWS))
def test_no_answer_breaks_a_law_in_any_state(row):
    assert len(STATES) > 10_000
    assert laws(row, ROWS[row]) == frozenset()


@pytest.mark.parametrize(("row", "left"), [pytest.param(row, left, id=name) for name, row, left in mutants()])
def test_a_row_without_one_of_its_rules_breaks_a_law(row, left):
    assert laws(row, left)
