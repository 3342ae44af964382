"""The rows of a roll: same token, new value, the old value dies at once. It is made to heal."""

import pytest

from rotator.core.credential import Policy, Strategy
from rotator.core.facts import Kind
from rotator.core.protocol.decide import decide_rotation
from rotator.core.protocol.rules import Case, Look, Result, Seen, Sight
from tests.unit.core.story import LIFE, START, Story, act, acts, credential, fact, published, waits

K, S, R = Kind, Sight, Result
READY = ((S.ROOM, "", R.GOOD), (S.WRITABLE, "", R.GOOD))
ACTIVE = (S.TOKEN, "t1", R.GOOD)
GONE = (S.TOKEN, "t1", R.DEAD)


def rolling() -> Story:
    story = published(policy=Policy(strategy=Strategy.ROLL, outage_budget=90.0)).later(3600)
    return story.planned(Strategy.ROLL)


def extended() -> Story:
    return rolling().tell(K.EXTENDED, token_id="t1", detail={"expires_at": START + 2 * LIFE})


def lost() -> Story:
    return extended().intent().later(61)


def answered(story: Story, value: str, *seen: tuple[Sight, str, Result]) -> Case:
    case = story.case(*seen)
    oracle = Look(S.ORACLE, story.view.opened.attempt_name)
    return Case(
        view=case.view,
        credential=case.credential,
        now=case.now,
        seen={**case.seen, oracle: Seen(story.at, R.GOOD, value=value)},
    )


def test_a_roll_needs_room_writable_targets_and_an_active_token_in_that_order():
    story = rolling()

    assert act(decide_rotation(story.case())) == "room"
    assert act(decide_rotation(story.case(READY[0]))) == "writable"
    assert acts(decide_rotation(story.case(*READY))) == [("token", "t1")]


def test_the_expiry_is_extended_before_the_first_roll():
    assert act(decide_rotation(rolling().case(*READY, ACTIVE))) == "extend"
    assert act(decide_rotation(extended().case(*READY, ACTIVE))) == "mint"


def test_an_extension_that_failed_backs_off():
    story = rolling().failed("extend")

    assert waits(decide_rotation(story.case(*READY, ACTIVE))) == (story.at + 30, "failed")


def test_a_token_that_is_not_active_is_not_rolled_but_replaced():
    verdict = decide_rotation(rolling().case(*READY, GONE))

    assert act(verdict) == "displaced"
    assert fact(verdict).dead


def test_a_token_of_which_nothing_is_known_is_not_rolled_now():
    assert waits(decide_rotation(extended().case(*READY, (S.TOKEN, "t1", R.UNSURE))))[1] == "verification"


def test_a_pause_holds_the_first_roll_back():
    assert waits(decide_rotation(extended().tell(K.PAUSED).case(*READY, ACTIVE)))[1] == "paused"


def test_a_roll_of_a_credential_that_left_the_configuration_does_not_begin():
    story = extended()
    story.credential = credential(managed=False)

    assert act(decide_rotation(story.case(*READY, ACTIVE))) == "displaced"


# --- a lost answer


def test_a_lost_answer_settles_before_anything_is_asked():
    story = extended().intent()

    assert waits(decide_rotation(story.case())) == (story.at + 61, "settle")


def test_after_the_settle_time_every_captured_value_is_asked():
    story = lost()

    assert acts(decide_rotation(story.case())) == [("oracle", story.view.opened.attempt_name)]


def test_a_captured_value_that_lives_is_the_answer():
    verdict = decide_rotation(answered(lost(), "v2"))

    assert act(verdict) == "verified"
    assert fact(verdict).fingerprint == "v2"


def test_where_no_captured_value_lives_it_rolls_again():
    story = lost()

    assert act(decide_rotation(answered(story, ""))) == "room"
    assert act(decide_rotation(answered(story, "", READY[0]))) == "token"
    assert act(decide_rotation(answered(story, "", READY[0], ACTIVE))) == "mint"


def test_a_token_that_died_meanwhile_is_not_rolled_again():
    assert act(decide_rotation(answered(lost(), "", READY[0], GONE))) == "displaced"


def test_lost_answers_in_a_row_back_off_beyond_the_settle_time():
    story = lost()
    for _ in range(3):
        story.intent().later(61)

    assert waits(decide_rotation(answered(story, "", READY[0], ACTIVE))) == (story.at - 61 + 120, "failed")


# --- after the capture


def test_a_captured_value_is_published_at_once_without_a_verification_before_it():
    story = extended().minted()

    assert act(decide_rotation(story.case())) == "verified"
    assert act(decide_rotation(story.verified().case())) == "publishing"
    assert acts(decide_rotation(story.publishing().case())) == [("write", "env"), ("write", "vault")]


@pytest.mark.parametrize("how", ["operator", "config", "pause"])
def test_nothing_stops_a_roll_that_is_under_way(how):
    story = extended().minted().verified().publishing()
    if how == "operator":
        story.tell(K.RESOLVED, detail={"how": "abandon"})
    if how == "pause":
        story.tell(K.PAUSED)
    if how == "config":
        story.credential = credential(managed=False)

    assert acts(decide_rotation(story.case()))[0][0] == "write"


@pytest.mark.parametrize("result", [R.GOOD, R.UNSURE])
def test_a_value_that_may_live_is_read_back(result):
    story = extended().minted().verified().publishing().written()

    assert acts(decide_rotation(story.case())) == [("alive", "v2")]
    assert acts(decide_rotation(story.case((S.ALIVE, "v2", result)))) == [("read_back", "env"), ("read_back", "vault")]


def test_a_value_that_died_before_confirmed_is_rolled_again_while_its_token_is_active():
    story = extended().minted().verified().publishing().written()
    dead = (S.ALIVE, "v2", R.DEAD)

    assert act(decide_rotation(story.case(dead))) == "token"
    assert act(decide_rotation(story.case(dead, ACTIVE))) == "mint"
    assert act(decide_rotation(story.case(dead, GONE))) == "displaced"


def test_a_confirmed_roll_waits_out_the_settle_time_and_proves_the_value_again():
    story = extended().minted().verified().publishing().written().read_back().confirmed()

    assert waits(decide_rotation(story.case())) == (story.at + 61, "settle")
    story.later(61)
    assert acts(decide_rotation(story.case())) == [("alive", "v2")]
    assert waits(decide_rotation(story.case((S.ALIVE, "v2", R.UNSURE))))[1] == "verification"
    assert act(decide_rotation(story.case((S.ALIVE, "v2", R.DEAD), ACTIVE))) == "mint"
    assert act(decide_rotation(story.case((S.ALIVE, "v2", R.GOOD)))) == "done"
