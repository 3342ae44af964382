"""What holds back a rotation that is due, by the calendar and by a group, and what is never held back."""

from dataclasses import replace

import pytest

from rotator.core.calendar import Freeze, Group, Hours, Window
from rotator.core.credential import DAY, HOUR
from rotator.core.facts import Kind
from rotator.core.protocol.rules import Act, Case, Do, Look, Result, Seen, Sight, Wait
from rotator.core.reasons import Reason
from rotator.core.schedule.agenda import start
from rotator.core.schedule.due import Due
from rotator.core.schedule.holds import HOLDS_BACK, held_back, peer_of
from rotator.core.status import credential_status
from tests.unit.core.story import LIFE, START, Story, credential, published

HEALTHY = ((Sight.STANDS, "env", Result.CURRENT), (Sight.STANDS, "vault", Result.CURRENT))
NEVER_OPEN = Hours(freezes=(Freeze(since=0.0, until=START + 400 * DAY, reason="year end"),))
SHUT = Hours(windows=(Window(start=0, end=1),))
GROUP = Hours(group=Group(name="apps", min_gap=DAY))


def due(hours: Hours, days: float = 20) -> Story:
    """Due for that long before its expiry, in the middle of a day."""
    story = published().later(LIFE - days * DAY + HOUR)
    story.credential = replace(story.credential, hours=hours)
    return story


def turned(story: Story, result: Result, note: str = "", until: float = 0.0) -> Case:
    case = story.case(*HEALTHY)
    return replace(case, seen={**case.seen, Look(Sight.TURN): Seen(story.at, result, subject=note, until=until)})


@pytest.mark.parametrize(("hours", "why"), [(SHUT, Reason.WINDOW), (NEVER_OPEN, Reason.FREEZE)])
def test_a_renewal_waits_for_the_calendar(hours, why):
    verdict = start(due(hours).case(*HEALTHY))

    assert isinstance(verdict, Wait)
    assert verdict.why is why


@pytest.mark.parametrize("hours", [SHUT, NEVER_OPEN])
def test_the_emergency_window_overrides_the_calendar(hours):
    verdict = start(due(hours, days=2).case(*HEALTHY))

    assert isinstance(verdict, Do)
    assert (verdict.actions[0].act, verdict.actions[0].why) == (Act.PLAN, Due.EMERGENCY)


def test_a_person_who_asks_does_not_wait_for_the_calendar():
    story = due(SHUT).tell(Kind.REQUEST, detail={"request_id": "r1"})

    assert isinstance(start(story.case(*HEALTHY)), Do)


def test_an_open_window_lets_a_renewal_begin():
    assert isinstance(start(due(Hours(windows=(Window(),))).case(*HEALTHY)), Do)


def test_before_a_member_of_a_group_begins_the_others_are_looked_at():
    verdict = start(due(GROUP).case(*HEALTHY))

    assert isinstance(verdict, Do)
    assert verdict.actions[0].look == Look(Sight.TURN)


def test_a_member_waits_while_another_one_is_rotated():
    verdict = start(turned(due(GROUP), Result.BAD, "dev"))

    assert isinstance(verdict, Wait)
    assert (verdict.why, verdict.subject) == (Reason.GROUP, "dev")


def test_a_member_waits_for_the_gap_after_the_last_one():
    story = due(GROUP)
    verdict = start(turned(story, Result.GOOD, until=story.at + 10))

    assert isinstance(verdict, Wait)
    assert (verdict.why, verdict.until) == (Reason.GROUP_GAP, story.at + 11)


def test_the_gap_is_over_and_the_member_begins():
    story = due(GROUP)

    assert isinstance(start(turned(story, Result.GOOD, until=story.at)), Do)


def test_two_of_a_group_are_not_rotated_at_once_even_when_a_person_asks():
    story = due(GROUP).tell(Kind.REQUEST, detail={"request_id": "r1"})

    assert isinstance(start(turned(story, Result.BAD, "dev")), Wait)
    assert isinstance(start(turned(story, Result.GOOD, until=story.at + DAY)), Do)


def test_what_is_about_to_expire_waits_for_no_group():
    assert isinstance(start(turned(due(GROUP, days=2), Result.BAD, "dev")), Do)


def test_only_a_clock_that_nobody_believes_holds_back_a_dead_value():
    assert {reason for reason, held in HOLDS_BACK.items() if Due.DEAD in held} == {Reason.CLOCK_SUSPECT}


def test_a_look_at_the_group_that_is_old_is_taken_again():
    story = due(GROUP)
    case = turned(story, Result.BAD, "dev")

    assert isinstance(held_back(replace(case, now=case.now + 30), Due.RENEWAL), Do)


def test_a_member_counts_as_rotating_from_its_plan_to_its_confirmation():
    story = Story(credential())
    assert (peer_of("c", story.view).rotating, peer_of("c", story.view).last) == (False, 0.0)
    story = published()
    assert (peer_of("c", story.view).rotating, peer_of("c", story.view).last) == (False, story.view.confirmed_at)


@pytest.mark.parametrize(
    ("hours", "reason", "said"),
    [
        (SHUT, Reason.WINDOW, "due for rotation (its maintenance windows are closed, until "),
        (NEVER_OPEN, Reason.FREEZE, "due for rotation (a freeze lasts, until "),
    ],
)
def test_status_says_what_a_due_rotation_waits_for_without_a_daemon(hours, reason, said):
    story = due(hours)
    status = credential_status(story.credential, story.view, story.at)

    assert (status.reason, status.message[: len(said)]) == (reason, said)
