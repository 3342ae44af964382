"""Every state that the engine and the world can reach within the bounds keeps every law, and finds its way to rest."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rotator.testing.cover.families import FAMILIES, Family
from rotator.testing.cover.search import Search


@pytest.mark.timeout(600)
@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_no_reachable_state_breaks_a_law(family: Family) -> None:
    found = Search(replace(family, most=1)).run()

    assert found.violation is None, "\n".join([str(found.violation), *(label for label, _ in found.trace)])
    print(f"{family.name}: {found.states} states, {found.transitions} transitions, {found.seconds:.1f} s")


def test_a_search_is_the_same_every_time() -> None:
    first, second = (Search(replace(FAMILIES[0], most=0)).run() for _ in range(2))

    assert (first.states, first.transitions) == (second.states, second.transitions)
