"""Every state that the engine and the world can reach within the bounds keeps every law, and finds its way to rest."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path as File
from typing import Any

import pytest

from rotator.core.protocol.steps import legal
from rotator.testing.cover.families import FAMILIES, Family
from rotator.testing.cover.path import Path
from rotator.testing.cover.search import Search
from rotator.testing.simulation import store

PAGE = (File(__file__).parents[2] / "docs" / "testing.md").read_text()


def told() -> dict[str, tuple[int, int, int]]:
    """Family -> troubles, states and transitions as the page on testing tells them."""
    rows = re.findall(r"^\| (.+) \| (\d) \| ([\d,]+) \| ([\d,]+) \|$", PAGE, re.MULTILINE)
    return {name: (int(most), *(int(n.replace(",", "")) for n in found)) for name, most, *found in rows}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_no_reachable_state_breaks_a_law(family: Family) -> None:
    found = Search(family).run()

    assert found.violation is None, "\n".join([str(found.violation), *(label for label, _ in found.trace)])
    print(f"{family.name}: {found.states} states, {found.transitions} transitions, {found.seconds:.1f} s")
    _, states, transitions = told()[family.name]
    assert (found.states, found.transitions) == pytest.approx((states, transitions), rel=0.1), "docs/testing.md"


def test_the_page_on_testing_tells_every_family_and_how_many_troubles_it_has() -> None:
    assert {name: most for name, (most, _, _) in told().items()} == {f.name: f.most for f in FAMILIES}


def test_the_quiet_world_has_no_fact_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that works on an older fold than a real one would explores another world than ours."""
    refused: list[str] = []

    def noted(*given: Any) -> str:
        why = legal(*given)
        refused.extend([why] if why else [])
        return why

    monkeypatch.setattr(store, "legal", noted)

    assert Path(replace(FAMILIES[0], most=0), ()).walk() is None
    assert refused == []


def test_a_search_is_the_same_every_time() -> None:
    first, second = (Search(replace(FAMILIES[0], most=0)).run() for _ in range(2))

    assert (first.states, first.transitions) == (second.states, second.transitions)
