"""The order of what is due, and a source that cannot do everything."""

from dataclasses import replace

import pytest

from rotator.core.credential import DAY, HOUR, NEVER, Can, Policy, Strategy, TargetRef
from rotator.core.facts import Kind
from rotator.core.protocol.rules import Act, Case, Look, Operator, Result, Seen, Sight, Wait
from rotator.core.schedule.agenda import next_step, strategy_for, watch
from tests.unit.core.deciding import HEALTHY, asked, due, occupied
from tests.unit.core.story import Story, act, acts, credential, needs, published, waits

K, S, R = Kind, Sight, Result


WATCHED = (*HEALTHY, (S.ALIVE, "v1", R.GOOD), (S.DRIFT, "t1", R.GOOD), (S.ORPHANS, "", R.GOOD))


def test_targets_value_and_orphans_are_each_looked_at():
    story = published()

    looked = [act(watch(story.case(*WATCHED[:count]))) for count in range(5)]
    assert looked == ["stands", "stands", "alive", "drift", "orphans"]


def test_the_watch_waits_for_the_soonest_cadence():
    story = published()

    assert waits(watch(story.case(*WATCHED, watch=300.0, sweep=100.0))) == (story.at + 100, "watch")
    assert waits(watch(story.case(*WATCHED, watch=200.0, sweep=900.0))) == (story.at + 200, "watch")


def test_what_was_seen_a_watch_ago_is_looked_at_again():
    assert acts(watch(published().case(*WATCHED, age=300))) == [("stands", "env")]


def test_a_doubt_is_looked_at_again_soon():
    story = published()
    doubtful = (*WATCHED[:2], (S.ALIVE, "v1", R.UNSURE), *WATCHED[3:])

    assert waits(watch(story.case(*doubtful))) == (story.at + 45, "doubt")
    assert acts(watch(story.case(*doubtful, age=45))) == [("alive", "v1")]


def test_what_stands_at_a_target_is_looked_at_anew_once_an_operator_has_decided():
    story = published().later(5).tell(K.RESOLVED, detail={"how": "accept"}).later(5)

    assert acts(watch(story.case(*WATCHED, age=6))) == [("stands", "env")]
    assert waits(watch(story.case(*WATCHED, age=4))) == (story.at + 296, "watch")


def test_while_the_clock_is_behind_that_decision_no_look_is_repeated_without_end():
    story = published().later(DAY).tell(K.RESOLVED, detail={"how": "accept"})

    assert waits(watch(story.later(-HOUR).case(*WATCHED))) == (story.at + 300, "watch")


def test_before_the_first_value_there_is_none_to_watch():
    assert act(watch(Story().case(*HEALTHY))) == "orphans"


def test_the_open_rotation_goes_before_retirements_and_the_watch():
    story = published().rotated().planned()

    assert asked(next_step(story.case())) == [("room", "")]


def test_while_the_rotation_waits_retirements_go_on():
    story = published().rotated().planned().intent()

    step = next_step(story.case())

    assert asked(step) == [("unpublished", "t1")]
    assert step.why["rotation"].why == "settle"


def test_no_second_rotation_is_planned_while_one_waits():
    story = due(published()).planned().intent()

    step = next_step(story.case(*WATCHED))

    assert step.actions == ()
    assert "start" not in step.why


def test_where_there_is_nothing_to_do_it_waits_for_the_soonest_of_all():
    story = published()

    step = next_step(story.case(*WATCHED, watch=300.0, sweep=300.0))

    assert step.actions == ()
    assert step.until == story.at + 300
    assert {name: verdict.why for name, verdict in step.why.items() if isinstance(verdict, Wait)} == {
        "start": "fresh",
        "watch": "watch",
    }


def test_an_operators_need_is_among_the_reasons():
    story = occupied("env", "vault")

    step = next_step(story.case(*HEALTHY, (S.ORPHANS, "", R.GOOD)))

    assert isinstance(step.why["start"], Operator)


def test_asking_twice_gives_the_same_answer():
    story = due(published().rotated())
    case: Case = story.case()

    assert next_step(case) == next_step(replace(case))


def test_only_writes_and_read_backs_come_in_numbers():
    story = Story().seen_first().planned().minted().verified().publishing()
    case = story.case((S.ACCEPTED, "t1", R.GOOD))

    assert [a.act for a in next_step(case).actions] == [Act.WRITE, Act.WRITE]


def test_a_look_that_was_forgotten_is_taken_again():
    story = published()
    seen = {Look(S.STANDS, "env"): Seen(story.at, R.CURRENT)}

    assert acts(watch(replace(story.case(), seen=seen))) == [("stands", "vault")]


def test_an_optional_target_is_watched_like_any_other():
    optional = (TargetRef(name="env", type="f", place="e", required=False),)

    assert acts(watch(Story(credential(targets=optional)).case())) == [("stands", "env")]


@pytest.mark.parametrize(
    ("can", "wanted", "expected"),
    [
        (Can(), Strategy.ROLL, Strategy.ROLL),
        (Can(roll=False), Strategy.ROLL, Strategy.RECREATE),
        (Can(move_expiry=False), Strategy.ROLL, Strategy.RECREATE),
        (Can(overlap=False), Strategy.RECREATE, Strategy.ROLL),
        (Can(overlap=False, roll=False), Strategy.RECREATE, Strategy.RECREATE),
    ],
)
def test_the_strategy_is_what_the_source_can_do(can, wanted, expected):
    story = published(policy=Policy(strategy=wanted))

    assert strategy_for(replace(story.case(), can=can)) is expected


def test_a_token_without_an_end_is_rolled_also_where_no_end_can_be_moved():
    story = Story(credential(policy=Policy(strategy=Strategy.ROLL, lifetime=NEVER))).seen_first().rotated(life=NEVER)

    assert strategy_for(replace(story.case(), can=Can(move_expiry=False))) is Strategy.ROLL


def test_a_source_that_lists_nothing_is_asked_for_its_time_instead_of_orphans():
    case = published().case(*WATCHED[:4])

    assert [a.look.sight for a in next_step(case).actions] == [S.ORPHANS]
    assert [a.look.sight for a in next_step(replace(case, can=Can(list=False))).actions] == [S.CONTROL]


def test_where_a_newer_version_wrote_nothing_is_done_and_a_person_is_asked():
    story = due(published())
    story.view = replace(story.view, newer="teleported")
    step = next_step(story.case())

    assert step.actions == ()
    assert needs(step.why["start"])[0] == "newer_version"


def test_what_follows_a_publication_goes_before_a_start_and_before_retirements():
    story = due(published(targets=(TargetRef(name="env", type="fake", place="p", hooks=True),)))

    assert asked(next_step(story.case(*HEALTHY))) == [("hook", "env")]
