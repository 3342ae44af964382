"""Random seeds: whatever breaks, the world that judges finds nothing lost, nothing dead, nothing left."""

from __future__ import annotations

from collections import Counter

import pytest

from rotator.testing.simulation.many import portion
from rotator.testing.simulation.scenario import build, replay

SEEDS = 1200
CHUNK = 50


@pytest.mark.timeout(600)
@pytest.mark.parametrize("first", range(0, SEEDS, CHUNK))
def test_no_seed_breaks_a_law(first: int) -> None:
    broken = portion(range(first, first + CHUNK), "").broken

    assert not broken, "\n".join(broken)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("first", range(0, 100, CHUNK))
def test_no_seed_with_leaks_breaks_a_law(first: int) -> None:
    worlds = {seed: build(seed, "leak").run() for seed in range(first, first + CHUNK)}

    assert [f"{replay(seed, 'leak')}: {v}" for seed, world in worlds.items() for v in world.violations] == []


@pytest.mark.parametrize(("seed", "focus"), [(1117, "blind")])
def test_a_seed_that_once_broke_a_law_breaks_none(seed: int, focus: str) -> None:
    assert build(seed, focus).run().violations == []


def test_a_seed_is_one_exact_run() -> None:
    first, second = (build(11, trace=True).run() for _ in range(2))

    assert first.trace
    assert first.trace == second.trace


def test_every_kind_of_fault_happens() -> None:
    from rotator.testing.simulation.faults import RATE

    seen: set[str] = set()
    for seed in range(60):
        world = build(seed, "roll" if seed % 3 == 0 else "").run()
        seen |= set(world.faults.count) | {k for k in ("restore", "empty", "full", "jump") if world.count[k]}

    assert set(RATE) | {"restore", "empty", "full", "jump"} <= seen


def test_a_write_only_target_lies_forgets_and_answers_late() -> None:
    seen: Counter[str] = Counter()
    for seed in range(100):
        world = build(seed, "blind").run()
        seen += Counter({k: world.count[k] for k in ("lie blind", "forget blind")})
        late = {site[:3] for site, hit in world.faults.hits if hit[0] == "late" and site[2] == "put"}
        seen["late"] += len(late)

    assert min(seen[k] for k in ("lie blind", "forget blind", "late")) > 0
