"""A simulation that catches nothing proves nothing: every mutant of the protocol must be caught."""

from __future__ import annotations

import pytest

from rotator.testing.simulation.state import Mutation
from tests.simulation.mutants import MUTANTS


@pytest.mark.parametrize("name", MUTANTS)
def test_every_mutant_breaks_a_law(name: str) -> None:
    assert next(MUTANTS[name].caught(), None), f"the mutant {name!r} survived"


@pytest.mark.parametrize("name", MUTANTS)
def test_the_protocol_itself_stands_where_its_mutant_falls(name: str) -> None:
    assert [v for world in MUTANTS[name].worlds(Mutation()) for v in world.run().violations] == []
