"""Every single fault at every port call of an undisturbed run, one at a time: it finds what random search does not."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from rotator.core.credential import Strategy
from rotator.testing.simulation.faults import Hit, Site, kinds
from rotator.testing.simulation.scenario import build
from rotator.testing.simulation.state import Scenario

QUIET = Scenario(horizon=1100.0, tail=2400.0, rate=0.0, lags=False, quiet=0.0, events=((60.0, "request", "c0"),))
RUNS = {
    "recreate and retirement": (QUIET, {}),
    "roll": (replace(QUIET, strategy=Strategy.ROLL, horizon=300.0, tail=1800.0), {}),
    "a twin and its sweep": (QUIET, {("A", "c0", "mint", 1): ("twin", 0.0), ("B", "c0", "mint", 1): ("twin", 0.0)}),
    "first creation": (replace(QUIET, adopted=False, events=(), horizon=300.0, tail=1800.0), {}),
}
PARAMETER = {"stop": 50.0, "stop_after": 50.0, "late": 25.0, "duplicate": 25.0, "late_commit": 3.0}
PARTS = 4
REPEATS = 4
"""A watch that finds nothing repeats itself: three targets are read, and once more for a retirement."""
SWEEPING = frozenset({"list", "get", "retirement", "condemned", "disable", "disabled", "delete", "deleted", "retired"})
"""Of the run with a twin only what its sweep does; everything else it shares with the plain rotation."""


def sites(name: str) -> list[tuple[Site, Hit]]:
    """Every (site, fault) of an undisturbed run; of what a process repeats while no fact is added, the first times."""
    scenario, already = RUNS[name]
    world = build(1, what=scenario, plan=dict(already), listing=True).run()
    assert not world.violations
    found: list[tuple[Site, Hit]] = []
    passed = Counter[tuple[str, str, int]]()
    for site, port, facts in world.faults.calls:
        passed[site[0], site[2], facts] += 1
        repeated = passed[site[0], site[2], facts] > REPEATS
        if repeated or site in already or (already and site[2] not in SWEEPING):
            continue
        found += [(site, (kind, PARAMETER.get(kind, 1.0))) for kind in kinds(port, site[2])]
    return found


@pytest.mark.timeout(900)
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("name", RUNS)
def test_no_single_fault_breaks_a_law(name: str, part: int) -> None:
    scenario, already = RUNS[name]
    broken = []
    for site, hit in sites(name)[part::PARTS]:
        world = build(1, what=scenario, plan={**already, site: hit}).run()
        broken += [f"{hit[0]} at {site}: {v.law} at {v.at}: {v.text}" for v in world.violations]

    assert not broken, "\n".join(broken)
