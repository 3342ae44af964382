"""Simulated pairs of management tokens, a few of the seeds that `tests/simulation` runs."""

import pytest

from rotator.testing.pair.__main__ import main
from rotator.testing.pair.world import breaches


@pytest.mark.parametrize("seed", range(16))
def test_no_law_is_broken_in_a_world_of_faults_and_hands(seed):
    assert breaches(seed) == []


def test_the_command_counts_seeds_and_those_that_broke_a_law(capsys):
    assert main(["0-1"]) == 0
    assert capsys.readouterr().out == "2 seeds, 0 broke a law\n"
