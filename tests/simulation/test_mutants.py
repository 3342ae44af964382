"""A simulation that catches nothing proves nothing: every mutant of the protocol must be caught."""

from __future__ import annotations

import pytest

from rotator.testing.simulation.scenario import build
from tests.simulation.mutants import MUTANTS

DIRECTED = [(name, index) for name, mutant in MUTANTS.items() for index in range(len(mutant.worlds))]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", MUTANTS)
def test_every_mutant_is_caught(name: str) -> None:
    assert next(MUTANTS[name].violations(), None), f"the mutant {name!r} survived"


@pytest.mark.parametrize(("name", "index"), DIRECTED)
def test_the_protocol_itself_stands_in_the_directed_worlds(name: str, index: int) -> None:
    scenario, plan = MUTANTS[name].worlds[index]

    assert not build(1, what=scenario, plan=plan).run().violations


def test_there_are_enough_mutants() -> None:
    assert len(MUTANTS) >= 15
