"""What is done about a token that differs: decided from typed parts, for every mode and every source."""

from dataclasses import replace

import pytest

from rotator.core.credential import Can, Strategy
from rotator.core.drift import OnChange, OnDrift
from rotator.core.drifted import drift_of
from rotator.core.facts import Kind
from rotator.core.protocol.decide import decide_retirements, decide_rotation
from rotator.core.protocol.mend import Fix, fix, mend
from rotator.core.protocol.rules import Result, Sight
from rotator.core.schedule.agenda import strategy_for
from rotator.core.schedule.due import Due, why_due
from tests.unit.core.story import Story, act, published, waits

K, S, R = Kind, Sight, Result
LESS, MORE = (
    {"part": "policies", "message": "too much", "widens": False},
    {"part": "policies", "message": "missing", "widens": True},
)
NAME, END = {"part": "name", "message": "n"}, {"part": "expiry", "message": "e"}


def seen(story: Story, *differences: dict[str, object], digest: str = "", **modes: object) -> Story:
    """The current token was seen to differ, while the configuration had that digest."""
    story.credential = replace(story.credential, digest=digest, **modes)  # type: ignore[arg-type]
    token = story.view.tokens[story.view.current]
    life = {"born": token.born, "expires_at": token.expires_at, "digest": digest}
    return story.tell(K.COMPARED, token_id=token.id, detail={**life, "differences": list(differences)})


def changed(*differences: dict[str, object], **modes: object) -> Story:
    """The token was right under one configuration, and differs from the next."""
    return seen(seen(published(), digest="before"), *differences, digest="after", **modes)


@pytest.mark.parametrize(
    ("mode", "done"), [(OnDrift.REPORT, Fix.NONE), (OnDrift.RESTORE, Fix.UPDATE), (OnDrift.ADOPT, Fix.KEEP)]
)
@pytest.mark.parametrize("difference", [LESS, MORE, NAME])
def test_what_somebody_changed_is_handled_as_the_configuration_says(mode, done, difference):
    story = seen(published(), difference, on_drift=mode)

    assert fix(story.credential, story.view, Can()) is done


@pytest.mark.parametrize("mode", OnDrift)
def test_an_end_that_was_moved_is_never_put_right_but_believed(mode):
    story = published()
    token = story.view.tokens["t1"]
    detail = {"born": token.born, "expires_at": token.expires_at - 100, "differences": [END]}
    story.credential = replace(story.credential, on_drift=mode)
    story.tell(K.COMPARED, token_id="t1", detail=detail)

    assert fix(story.credential, story.view, Can()) is Fix.NONE
    assert story.view.expires_at("t1") == token.expires_at - 100
    assert story.view.drift["t1"].ends == token.expires_at


@pytest.mark.parametrize(
    ("asked", "difference", "can", "done"),
    [
        (OnChange.AUTO, LESS, Can(), Fix.UPDATE),
        (OnChange.AUTO, MORE, Can(), Fix.ROTATE),
        (OnChange.UPDATE, MORE, Can(), Fix.UPDATE),
        (OnChange.ROTATE, LESS, Can(), Fix.ROTATE),
        (OnChange.AUTO, LESS, Can(update=False), Fix.ROTATE),
        (OnChange.UPDATE, MORE, Can(update=False), Fix.ROTATE),
        (OnChange.AUTO, MORE, Can(overlap=False), Fix.UPDATE),
        (OnChange.AUTO, MORE, Can(overlap=False, update=False), Fix.NONE),
    ],
)
def test_another_configuration_reaches_the_token_in_place_or_by_a_rotation(asked, difference, can, done):
    story = changed(difference, on_change=asked)

    assert fix(story.credential, story.view, can) is done


def test_a_rotation_for_another_configuration_makes_a_new_token_whatever_the_strategy():
    story = changed(MORE)
    story.credential = replace(story.credential, policy=replace(story.credential.policy, strategy=Strategy.ROLL))

    assert why_due(story.case()) is Due.CHANGED
    assert strategy_for(story.case()) is Strategy.RECREATE


def test_a_token_that_is_only_watched_is_never_changed():
    story = seen(published(), MORE, on_drift=OnDrift.RESTORE)
    story.credential = replace(story.credential, targets=(), adopt="t1")

    assert fix(story.credential, story.view, Can()) is Fix.NONE


@pytest.mark.parametrize(
    ("changes", "remedy"),
    [
        ({"on_drift": OnDrift.REPORT}, "`drift: restore` in the configuration takes it back"),
        ({"targets": (), "adopt": "t1"}, "change the token back at the provider, or write into the configuration"),
        ({"on_drift": OnDrift.RESTORE}, ""),
    ],
    ids=["report", "watched", "restore"],
)
def test_where_nothing_is_done_by_itself_a_person_is_told_what_to_do(changes, remedy):
    story = seen(published(), MORE, **changes)
    drift = drift_of(story.credential, story.view)

    assert drift is not None
    assert (drift.remedy.startswith(remedy), bool(drift.remedy)) == (True, bool(remedy))


def restoring() -> Story:
    return seen(published(), MORE, on_drift=OnDrift.RESTORE)


def test_it_is_put_right_at_once_and_then_seldom():
    story = restoring()
    assert act(mend(story.case())) == "update"

    story.tell(K.UPDATING, token_id="t1").tell(K.UPDATED, token_id="t1")
    again = story.at + 10 * story.credential.policy.retry
    assert waits(mend(story.case())) == (again, "drift")


def test_a_change_whose_answer_was_lost_settles_and_is_looked_for_before_it_is_sent_again():
    story = restoring().tell(K.UPDATING, token_id="t1")
    assert waits(mend(story.case()))[1] == "settle"

    story.later(story.credential.policy.settle + 2)
    assert act(mend(story.case())) == "drift"
    assert act(mend(story.case((S.DRIFT, "t1", R.BAD)))) == "update"


def test_a_refused_change_backs_off():
    story = restoring().tell(K.UPDATING, token_id="t1")
    story.failed("update", token_id="t1")

    assert waits(mend(story.case())) == (story.at + story.credential.policy.retry, "drift")


@pytest.mark.parametrize("more", [{"incident": True}])
def test_nothing_is_sent_while_the_answers_are_not_believed(more):
    assert mend(restoring().case(**more)) is None


def test_nothing_is_sent_while_a_restored_journal_waits_for_a_person():
    assert mend(restoring().tell(K.AHEAD).case()) is None


def test_only_the_current_token_is_changed_and_none_while_a_rotation_is_open():
    story = restoring()
    assert story.why_not(K.UPDATING, token_id="t9")
    assert not story.why_not(K.UPDATING, token_id="t1")
    story.planned()
    assert story.why_not(K.UPDATING, token_id="t1")


def test_an_old_token_is_not_disabled_while_a_change_of_it_may_still_arrive():
    story = restoring().tell(K.UPDATING, token_id="t1")
    story.rotated().later(1).tell(K.SUPERSEDED, token_id="t1")
    free = (S.UNPUBLISHED, "t1", R.GOOD)

    assert waits(decide_retirements(story.case(free))["t1"])[1] == "settle"
    story.later(story.credential.policy.settle + 2)
    assert act(decide_retirements(story.case(free))["t1"]) == "disable"


def test_a_token_is_not_rolled_while_a_change_of_it_may_still_arrive():
    story = restoring().tell(K.UPDATING, token_id="t1").planned(Strategy.ROLL)
    ready = ((S.ROOM, "", R.GOOD), (S.WRITABLE, "", R.GOOD))

    assert waits(decide_rotation(story.case(*ready)))[1] == "settle"
    story.later(story.credential.policy.settle + 2)
    assert act(decide_rotation(story.case(*ready))) == "token"


def test_what_is_kept_is_no_drift_any_more_and_ends_with_another_configuration():
    story = seen(published(), MORE, NAME, END, on_drift=OnDrift.ADOPT)
    story.tell(K.KEPT, token_id="t1", token_name="theirs", detail={"like": {"a": 1}, "digest": "d"})

    assert [one.part for one in story.view.drift["t1"].differences] == ["expiry"]
    assert (story.view.tokens["t1"].name, story.view.tokens["t1"].digest) == ("theirs", "d")
    assert story.view.like is not None
    assert story.view.like.like == {"a": 1}


def test_a_forgotten_credential_has_nothing_open():
    story = published()
    assert not story.why_not(K.FORGOTTEN)
    story.planned()
    assert story.why_not(K.FORGOTTEN) == "a rotation is open"
    assert published().rotated().why_not(K.FORGOTTEN) == "a retirement is open"
