"""Many seeds at once: nothing is passed over, and whoever stops it can go on."""

from __future__ import annotations

from collections import Counter

import pytest

from rotator.testing.laws import Law, Violation
from rotator.testing.simulation import many
from rotator.testing.simulation.many import Portion, main, portion, run


class World:
    """What a run leaves behind."""

    def __init__(self, violations):
        self.violations = violations
        self.calls = 10
        self.count = Counter(mint=2)
        self.faults = type("Faults", (), {"count": Counter(kill=1, lost=2)})
        self.scenario = type("Scenario", (), {"strategy": "roll"})

    def run(self):
        return self


@pytest.fixture
def worlds(monkeypatch):
    """Replaces the simulation; says which (seed, focus) was asked for."""
    asked, broken = [], {}

    def build(seed, focus):
        asked.append((seed, focus))
        found = broken.get(seed)
        if isinstance(found, BaseException):
            raise found
        return World([found] if found else [])

    monkeypatch.setattr(many, "build", build)
    return asked, broken


def test_seeds_have_the_focus_that_they_have_in_the_tests(worlds):
    asked, _ = worlds
    portion(range(10), "")
    assert asked == list(
        enumerate(["", "edit", "optional", "remove", "restore", "roll", "modest", "blind", "changed", ""])
    )


def test_a_focus_that_is_asked_for_holds_for_all(worlds):
    asked, _ = worlds
    portion(range(2), "leak")
    assert asked == [(0, "leak"), (1, "leak")]


def test_a_broken_law_is_told_with_the_command_that_replays_it(worlds):
    _, broken = worlds
    broken[5] = Violation(at=7.0, law=next(iter(Law)), text="gone")
    (told,) = portion(range(4, 7), "").broken
    assert "gone" in told
    assert told.endswith("python -m rotator.testing.simulation 5 roll --trace")


def test_a_world_that_raises_is_a_broken_seed_and_the_others_run(worlds):
    _, broken = worlds
    broken[0] = KeyError("token")
    found = portion(range(2), "")
    assert found.broken[0].startswith("KeyError: 'token'")
    assert found.count["roll seeds"] == 1


def test_totals_count_what_happened(worlds):
    total = run(0, 50, "", 1, [].append)
    assert total.end == 50
    assert total.count == {"roll seeds": 50, "port calls": 500, "mints": 100, "faults": 150}


def test_whoever_stops_it_is_told_where_to_go_on(worlds, capsys):
    _, broken = worlds
    broken[45] = KeyboardInterrupt()
    assert main(["--seeds", "100", "--jobs", "1", "--commit", "abc"]) == 1
    told = capsys.readouterr()
    assert told.err == "stopped\n"
    assert told.out.startswith("seeds 0 to 39 on commit abc, ")
    assert told.out.endswith("go on with: make simulate FROM=40 SEEDS=60\n")


def test_a_violation_ends_in_exit_code_1_and_none_in_0(worlds):
    _, broken = worlds
    assert main(["--seeds", "3", "--jobs", "1"]) == 0
    broken[1] = Violation(at=7.0, law=next(iter(Law)), text="gone")
    assert main(["--seeds", "3", "--jobs", "1"]) == 1


def test_progress_is_told_while_it_runs(worlds, monkeypatch):
    monkeypatch.setattr(many, "EVERY_SECONDS", 0.0)
    said = []
    run(0, 40, "", 1, said.append)
    assert [line.partition(",")[0] for line in said] == ["20 of 40 seeds", "40 of 40 seeds"]


@pytest.mark.parametrize("wrong", [["--seeds", "0"], ["--jobs", "0"], ["--from", "-1"], ["--focus", "luck"]])
def test_nonsense_is_refused(wrong):
    with pytest.raises(SystemExit, match="2"):
        main(wrong)


def test_several_processes_bring_the_portions_in_the_order_of_the_seeds():
    found = list(many._portions([range(2), range(2, 3)], "", 2))
    assert [part.seeds for part in found] == [range(2), range(2, 3)]
    assert all(isinstance(part, Portion) and part.broken == () for part in found)
