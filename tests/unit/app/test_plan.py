"""What will happen when, computed from statuses alone."""

from dataclasses import replace
from itertools import pairwise

from rotator.app.plan import plan
from rotator.app.requests import requests_of
from rotator.core.calendar import Freeze, Group, Hours
from rotator.core.credential import DAY, NEVER, Policy, Strategy
from rotator.core.facts import Kind as K
from rotator.core.reasons import Reason
from rotator.core.status import credential_status
from tests.unit.core.story import START, Story, credential, published


def rows(story, days, now=START):
    status = credential_status(story.credential, story.view, now, {})
    return plan([story.credential], [status], now, days)


def test_a_first_creation_is_planned_for_now_and_retires_nothing():
    (row,) = rows(Story(), days=1)

    assert (row.at, row.reason, row.retired_at) == (START, "first creation", None)
    assert row.requests == requests_of(2, rolls=False, first=True)
    assert (row.slots, row.targets) == (1, ("env", "vault"))


def test_a_renewal_says_when_its_old_token_can_be_deleted():
    story = published()
    (row,) = rows(story, days=70)

    assert row.reason == "renewal"
    assert START + 57 * DAY <= row.at <= START + 63 * DAY
    assert row.retired_at == row.at + 2 * DAY
    assert row.requests == requests_of(2, rolls=False, first=True) + 3


def test_later_rotations_follow_at_their_own_pace():
    found = rows(published(), days=365)

    assert [round((b.at - a.at) / DAY) for a, b in pairwise(found)] == [60] * (len(found) - 1)
    assert len(found) > 4


def test_a_paused_one_rotates_when_its_pause_ends_and_not_while_it_has_no_end():
    due = START + 80 * DAY
    paused = published().tell(K.PAUSED, detail={"until": due + DAY})

    assert [(row.at, row.waits) for row in rows(paused, days=2, now=due)] == [(due + DAY, Reason.PAUSED)]
    assert rows(paused, days=0.5, now=due) == []
    assert rows(published().tell(K.PAUSED), days=365, now=due) == []


def test_what_is_due_is_planned_for_now():
    now = START + 80 * DAY
    found = rows(published(), days=1, now=now)

    assert [(row.at, row.reason) for row in found] == [(now, "due")]


def test_a_token_that_the_configuration_wants_otherwise_is_due_now():
    story = published()
    status = credential_status(story.credential, story.view, START, {})
    found = plan([story.credential], [status], START, 1, changed={story.credential.name})

    assert [(row.at, row.reason) for row in found] == [(START, "due")]


def test_a_roll_takes_no_slot_and_retires_nothing():
    (row,) = rows(published(policy=Policy(strategy=Strategy.ROLL)), days=70)

    assert (row.strategy, row.slots, row.retired_at) == ("roll", 0, None)


def test_the_first_token_of_a_rolled_credential_is_created():
    first, second = rows(Story(credential(policy=Policy(strategy=Strategy.ROLL))), days=70)

    assert (first.strategy, second.strategy) == ("recreate", "roll")


def test_a_token_without_expiry_is_planned_once():
    story = Story(credential(policy=Policy(lifetime=NEVER, every=0)))

    assert len(rows(story, days=3650)) == 1


def test_every_paces_a_token_without_expiry():
    story = Story(credential(policy=Policy(lifetime=NEVER, every=30 * DAY)))

    assert len(rows(story, days=100)) == 4


def test_what_is_farther_away_is_not_shown():
    assert rows(published(), days=10) == []


def grouped(name, hours):
    story = published()
    story.credential = replace(story.credential, name=name, hours=hours)
    return story


def planned(stories, days=70, now=START):
    statuses = [credential_status(story.credential, story.view, now, {}) for story in stories]
    return plan([story.credential for story in stories], statuses, now, days)


def test_a_renewal_in_a_freeze_is_planned_for_its_end_and_says_so():
    hours = Hours(freezes=(Freeze(since=START, until=START + 66 * DAY),))
    (row,) = planned([grouped("a", hours)])

    assert (row.at, row.waits, row.retired_at) == (START + 66 * DAY, Reason.FREEZE, START + 68 * DAY)


def test_no_freeze_moves_a_renewal_beyond_the_emergency_window():
    hours = Hours(freezes=(Freeze(since=START, until=START + 400 * DAY),))
    rows = planned([grouped("a", hours)], days=90)

    assert START + 77 * DAY < rows[0].at < START + 85 * DAY


def test_two_of_a_group_are_planned_with_the_gap_between_them():
    hours = Hours(group=Group(name="apps", min_gap=DAY))
    first, second = planned([grouped("a", hours), grouped("b", hours)])

    assert (second.at - first.at, first.waits, second.waits) == (DAY, None, Reason.GROUP_GAP)
