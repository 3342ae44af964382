"""The turn of a credential in its group: what the others' facts say, and that one member plans at a time."""

from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from rotator.core.calendar import ALWAYS, Group, Hours
from rotator.core.credential import Strategy
from rotator.core.errors import Unavailable
from rotator.core.facts import Kind
from rotator.core.protocol.rules import Look, Result, Seen, Sight
from rotator.engine.turns import in_turn, taken
from tests.unit.core.story import published

GROUP = Hours(group=Group(name="apps", min_gap=100.0))


class Journal:
    """Views by stream; a place that somebody may hold."""

    def __init__(self, **views):
        self.views, self.held = views, []
        self.busy = False

    def view(self, stream):
        return self.views[stream]

    @contextmanager
    def place(self, lease, place):
        if self.busy:
            raise Unavailable("somebody else is there")
        self.held.append(place)
        yield
        self.held.remove(place)


@pytest.fixture
def work():
    """A member of a group whose other member, `dev`, rests."""
    dev = published()
    return SimpleNamespace(
        now=dev.at,
        lease="lease",
        credential=SimpleNamespace(hours=GROUP),
        journal=Journal(dev=dev.view),
        fleet=SimpleNamespace(peers=lambda credential: {"dev": "app-dev"}),
        memory=SimpleNamespace(seen={}),
    )


def test_a_member_that_rests_leaves_the_gap_after_its_last_rotation(work):
    assert taken(work, "") == Seen(work.now, Result.GOOD, until=work.journal.views["dev"].confirmed_at + 100.0)


def test_a_member_that_rotates_is_named(work):
    story = published()
    story.planned()
    assert story.view.rotation is not None
    work.journal.views["dev"] = story.view

    assert (taken(work, "").result, taken(work, "").subject) == (Result.BAD, "app-dev")


def test_healing_drift_is_no_rotation(work):
    story = published()
    story.planned(Strategy.REPUBLISH)
    assert story.view.rotation.step is Kind.PLANNED
    work.journal.views["dev"] = story.view

    assert taken(work, "").result is Result.GOOD


def test_a_rotation_is_planned_while_nobody_else_of_the_group_can(work):
    held = []

    in_turn(work, lambda: held.append(tuple(work.journal.held)), lambda: True)

    assert held == [("group:apps",)]
    assert work.journal.held == []


def test_where_another_member_was_faster_nothing_is_planned_and_that_is_remembered(work):
    planned, rotating = [], published()
    rotating.planned()

    def free():
        return work.memory.seen[Look(Sight.TURN)].result is Result.GOOD

    work.journal.views["dev"] = rotating.view
    in_turn(work, lambda: planned.append(1), free)

    assert planned == []
    assert work.memory.seen[Look(Sight.TURN)].result is Result.BAD


def test_while_another_member_plans_this_one_waits(work):
    planned = []
    work.journal.busy = True

    in_turn(work, lambda: planned.append(1), lambda: True)

    assert planned == []
    assert work.memory.seen[Look(Sight.TURN)].result is Result.BAD


def test_without_a_group_nothing_is_held(work):
    work.credential.hours, held = ALWAYS, []

    in_turn(work, lambda: held.append(tuple(work.journal.held)), lambda: False)

    assert held == [()]
