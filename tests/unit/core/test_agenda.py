"""What one credential wants next: configuration, rotation, start, retirements, watch, in that order."""

import pytest

from rotator.core.credential import DAY, HOUR, Policy, Strategy, TargetRef
from rotator.core.facts import Kind
from rotator.core.protocol.rules import Result, Sight
from rotator.core.reasons import Reason
from rotator.core.schedule.agenda import next_step, start, strategy_for
from rotator.core.schedule.due import renewal_at
from tests.unit.core.deciding import HEALTHY, asked, due, occupied
from tests.unit.core.story import LIFE, Story, act, acts, credential, needs, plan, published, waits

K, S, R = Kind, Sight, Result


DRIFTED = ((S.STANDS, "env", R.ABSENT), (S.STANDS, "vault", R.CURRENT))


def test_a_target_that_left_the_configuration_is_released_before_anything_else():
    story = due(published())
    story.credential = credential(targets=("env",))

    assert asked(next_step(story.case())) == [("target_released", "vault")]
    story.tell(K.TARGET_RELEASED, target="vault")
    assert asked(next_step(story.case())) != [("target_released", "vault")]


def test_a_target_that_came_back_is_looked_at_as_if_for_the_first_time():
    story = published().tell(K.TARGET_RELEASED, target="vault")

    assert asked(next_step(story.case())) == [("target_added", "vault")]
    assert asked(next_step(story.tell(K.TARGET_ADDED, target="vault").case())) == [("stands", "vault")]


def test_a_credential_that_left_the_configuration_releases_nothing():
    story = published()
    story.credential = credential(targets=(), managed=False)

    assert asked(next_step(story.case())) == [("alive", "v1")]


def test_a_credential_that_left_the_configuration_starts_nothing():
    story = due(published())
    story.credential = credential(managed=False)

    assert start(story.case()) is None


def test_every_target_is_looked_at_before_the_first_start():
    story = Story()

    assert acts(start(story.case())) == [("stands", "env")]
    story.tell(K.BASELINE, target="env")
    assert acts(start(story.case())) == [("stands", "vault")]
    assert act(start(story.tell(K.BASELINE, target="vault").case())) == "plan"


def test_a_look_of_more_than_a_minute_ago_is_no_first_sight():
    story = Story().tell(K.BASELINE, target="env")

    assert acts(start(story.case((S.STANDS, "vault", R.ABSENT), age=61))) == [("stands", "vault")]
    assert act(start(story.case((S.STANDS, "vault", R.ABSENT), age=59))) == "plan"


def test_an_unreadable_target_is_looked_at_at_the_cadence_of_the_watch_and_blocks_nothing():
    story = Story().tell(K.BASELINE, target="env")

    assert act(start(story.case((S.STANDS, "vault", R.UNREADABLE), age=299))) == "plan"
    assert act(start(story.case((S.STANDS, "vault", R.UNREADABLE), age=301))) == "stands"


def test_a_value_that_may_live_is_asked_about_until_it_is_proven():
    story = Story().tell(K.BASELINE, target="env")
    unsure = (S.STANDS, "vault", R.UNSURE)

    assert waits(start(story.case(unsure))) == (story.at + 45, "verification")
    assert act(start(story.case(unsure, age=46))) == "stands"


def test_a_foreign_value_at_every_target_holds_the_first_creation_back():
    assert needs(start(occupied("env", "vault").case())) == ("target_occupied", "env")


def test_an_occupied_target_does_not_hold_the_first_creation_back_while_another_required_one_is_free():
    assert act(start(occupied("vault").case())) == "plan"


def test_a_free_optional_target_is_no_reason_to_mint():
    refs = (TargetRef(name="env", type="t", place="p", required=False), TargetRef(name="vault", type="t", place="q"))

    assert needs(start(occupied("vault", targets=refs).case())) == ("target_occupied", "vault")


def test_a_foreign_value_at_a_target_that_left_the_configuration_does_not_matter():
    story = Story().tell(K.OVERRIDDEN, target="aws", fingerprint="x").seen_first()

    assert act(start(story.case())) == "plan"


def test_an_overridden_target_does_not_hold_a_renewal_back():
    story = due(published().tell(K.OVERRIDDEN, target="env", fingerprint="x"))

    assert act(start(story.case(*HEALTHY))) == "plan"


def test_a_pause_stops_starts_and_says_until_when():
    story = due(published()).tell(K.PAUSED)

    assert waits(start(story.case(watch=200.0))) == (story.at + 200, "paused")


def test_a_fresh_credential_waits_for_its_renewal():
    story = published()

    assert waits(start(story.case())) == (renewal_at(story.credential, story.view), "fresh")


def test_a_credential_that_is_due_is_planned_with_its_reason():
    assert plan(start(due(published()).case())) == ("recreate", "renewal")


def test_what_holds_a_start_back_is_said():
    story = due(published())

    assert waits(start(story.case(start=Reason.PACING))) == (story.at + 300, "pacing")


def test_pacing_never_holds_back_what_is_urgent():
    assert act(start(published().later(LIFE - 4 * DAY).case(start=Reason.PACING))) == "plan"
    assert act(start(Story().seen_first().case(start=Reason.PACING))) == "plan"


@pytest.mark.parametrize("when", ["first", "emergency", "requested"])
def test_a_suspect_clock_holds_back_even_what_is_urgent(when):
    story = published().later(LIFE - 4 * DAY) if when == "emergency" else published()
    if when == "requested":
        story.tell(K.REQUEST, detail={"request_id": "q"})
    if when == "first":
        story = Story().seen_first()

    assert waits(start(story.case(start=Reason.CLOCK_SUSPECT)))[1] == Reason.CLOCK_SUSPECT


def test_many_deaths_at_once_need_an_operator_and_start_nothing():
    story = due(published())

    assert needs(start(story.case((S.ALIVE, "v1", R.DEAD), incident=True))) == ("mass_death", "")


def test_an_incident_does_not_hold_back_what_lives():
    assert act(start(due(published()).case((S.ALIVE, "v1", R.GOOD), incident=True))) == "plan"


def test_drift_is_healed_with_the_current_value():
    story = published().later(HOUR)

    assert plan(start(story.case(*DRIFTED))) == ("republish", "drift")


def test_a_rotation_that_is_due_goes_before_healing():
    assert plan(start(due(published()).case(*DRIFTED)))[0] == "recreate"


def test_healing_goes_before_the_rotation_that_yielded_to_it():
    story = due(published()).planned().tell(K.DISPLACED, detail={"yields": True})

    assert plan(start(story.case(*DRIFTED)))[0] == "republish"


def test_healing_goes_before_a_rotation_where_an_old_token_nears_its_end():
    story = published().later(HOUR)
    ends = {"born": story.at - LIFE, "expires_at": story.at + HOUR, "ours": True}
    story.tell(K.KNOWN, token_id="t0", fingerprint="v0", target="env", detail=ends)
    story.tell(K.SEEN, target="env", token_id="t0", fingerprint="v0").tell(K.REQUEST, detail={"request_id": "q"})
    older = ((S.STANDS, "env", R.OLDER), HEALTHY[1])

    assert plan(start(story.case(*older)))[0] == "republish"
    assert plan(start(story.case(*HEALTHY)))[0] == "recreate"


def test_drift_is_healed_while_the_start_is_held_back():
    assert plan(start(due(published()).case(*DRIFTED, start=Reason.PACING)))[0] == "republish"


def test_nothing_is_healed_with_a_dead_value():
    verdict = start(published().later(HOUR).case(*DRIFTED, (S.ALIVE, "v1", R.DEAD)))

    assert plan(verdict) == ("recreate", "dead")


def test_a_republish_is_not_repeated_at_once():
    story = published().later(HOUR).planned(Strategy.REPUBLISH).tell(K.DISPLACED)

    assert waits(start(story.later(299).case(*DRIFTED))) == (story.at + 1, "drift")
    assert act(start(story.later(1).case(*DRIFTED))) == "plan"


def restored(story: Story) -> Story:
    """The journal was restored to what is told so far."""
    return story.later(5).tell(K.AHEAD).later(5)


def test_where_a_restored_journal_knows_too_little_of_a_target_a_value_newer_than_the_restore_is_written():
    unknown = ((S.STANDS, "env", R.UNKNOWN), HEALTHY[1], (S.ALIVE, "v2", R.GOOD))
    story = restored(published()).rotated().later(HOUR)

    assert act(start(story.case(*unknown))) == "plan"


def test_an_older_value_is_not_written_there():
    unknown = ((S.STANDS, "env", R.UNKNOWN), HEALTHY[1], (S.ALIVE, "v1", R.GOOD))
    story = restored(published()).later(HOUR)

    assert waits(start(story.case(*unknown)))[1] == "fresh"


@pytest.mark.parametrize(
    ("configured", "asked_for", "token", "chosen"),
    [
        (Strategy.RECREATE, "", R.GOOD, Strategy.RECREATE),
        (Strategy.ROLL, "", R.GOOD, Strategy.ROLL),
        (Strategy.RECREATE, "roll", R.GOOD, Strategy.ROLL),
        (Strategy.ROLL, "recreate", R.GOOD, Strategy.RECREATE),
        (Strategy.ROLL, "", R.DEAD, Strategy.RECREATE),
    ],
)
def test_the_operators_strategy_goes_before_the_configured_one_and_a_dead_token_before_both(
    configured, asked_for, token, chosen
):
    story = published(policy=Policy(strategy=configured))
    if asked_for:
        story.tell(K.REQUEST, detail={"request_id": "q", "strategy": asked_for})

    assert strategy_for(story.case((S.TOKEN, "t1", token))) is chosen


def test_without_a_token_there_is_nothing_to_roll():
    assert strategy_for(Story(credential(policy=Policy(strategy=Strategy.ROLL))).case()) is Strategy.RECREATE


def test_a_token_named_for_adoption_can_be_rolled():
    story = Story(credential(policy=Policy(strategy=Strategy.ROLL), adopt="t0"))

    assert strategy_for(story.case()) is Strategy.ROLL
