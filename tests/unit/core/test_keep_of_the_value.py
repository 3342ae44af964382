"""Care of the management pair: new values, and which fact may follow which."""

from dataclasses import replace

import pytest

from rotator.core.credential import DAY
from rotator.core.facts import Captured, Extending, Placed, Prolonged, Rolling, Unkept
from rotator.core.protocol.keep import END, KEEP, VALUE, KeepTables, next_keep
from rotator.core.protocol.keeping import Holds
from rotator.core.protocol.pair_view import Phase
from rotator.core.protocol.rules import Act, Action, Do, Result, Wait
from rotator.core.reasons import KeepCode, Reason
from tests.unit.core.keeping import MANAGEMENT_DUE, member, rolling_story
from tests.unit.core.pair_story import LIFE, START, PairStory


def test_without_being_asked_to_no_value_is_changed():
    story = PairStory().known().later(MANAGEMENT_DUE)
    story.sees("a", expires_at=story.at + LIFE).sees("b", expires_at=story.at + LIFE)

    assert story.step().actions == ()


def test_a_value_is_renewed_by_the_partner_after_two_thirds_of_a_life():
    action = rolling_story().does()

    assert (action.act, action.fact) == (Act.MINT, Rolling(token_id="a", attempt=1))
    assert rolling_story().later(-20).step().actions == ()


def test_a_place_that_cannot_be_written_here_asks_a_person_when_its_value_is_due():
    story = rolling_story().sees("a", writable=False)

    assert story.asks() == [("member_by_hand", "management")]


ROLLS = (VALUE, Phase.ROLLING)


ACTS = (END, VALUE, Phase.EXTENDING, Phase.ROLLING)


def acting(row: str) -> PairStory:
    """The row is about to act on token `a`."""
    story = rolling_story()
    if row in (END, Phase.EXTENDING):
        story.sees("a", expires_at=story.at + DAY)
    if row == Phase.EXTENDING:
        story.extending("a", story.at + 2 * LIFE)
    if row == Phase.ROLLING:
        story.rolling("a")
    story.later(70)
    assert isinstance(story.answer(row, "a"), Do)
    return story


@pytest.mark.parametrize("row", [END, VALUE, Phase.EXTENDING])
def test_a_dead_member_is_not_renewed(row):
    assert acting(row).sees("a", accepted=Result.DEAD).answer(row, "a").code is KeepCode.MEMBER_DEAD


@pytest.mark.parametrize("row", ACTS)
def test_nothing_is_done_by_a_partner_that_is_dead(row):
    assert acting(row).sees("b", accepted=Result.DEAD).answer(row, "a").subject == "standby"


@pytest.mark.parametrize("row", ACTS)
def test_nothing_is_done_by_a_partner_that_was_not_just_seen_to_work(row):
    story = acting(row)
    story.seen["standby"] = replace(story.seen["standby"], at=story.at - 61)

    assert story.answer(row, "a") == Do((Action(Act.LOOK),))


@pytest.mark.parametrize("row", ROLLS)
def test_no_value_is_given_up_while_the_partners_is_under_way(row):
    story = acting(row)
    story.view = replace(story.view, pair={**story.view.pair, "b": replace(story.view.pair["b"], rolling=True)})

    assert story.answer(row, "a").why is Reason.STAGGERED


@pytest.mark.parametrize("row", ROLLS)
def test_no_value_is_given_up_while_the_partners_is_not_durable(row):
    story = acting(row)
    story.view = replace(story.view, values={"va": "a"})

    assert story.answer(row, "a").why is Reason.STAGGERED


def test_no_value_is_given_up_while_the_partners_is_not_in_its_place():
    story = acting(VALUE).sees("b", fingerprint="older")

    assert story.answer(VALUE, "a").why is Reason.STAGGERED


def test_no_value_is_given_up_within_a_day_after_the_partners():
    story = rolling_story().rolling("b").captured("b", "vb3").placed("b", "vb3")

    assert Wait(story.at + DAY, Reason.STAGGERED, "management") in story.step().why
    assert story.later(DAY).does().token_id == "a"


def test_a_lost_answer_is_waited_for_and_then_the_value_is_asked_for_anew():
    story = rolling_story().rolling("a").sees("a", accepted=Result.DEAD)
    assert story.waits("management")[0] == Wait(story.at + 61, Reason.SETTLE, "management")

    assert story.later(61).does().fact == Rolling(token_id="a", attempt=2)


def test_a_captured_value_is_written_before_anything_else():
    story = rolling_story().rolling("a").captured("a", "va2").sees("a", accepted=Result.DEAD)

    assert (story.does().act, story.does().target) == (Act.WRITE, "management")


def test_a_captured_value_is_never_written_over_a_strange_one():
    story = rolling_story().rolling("a").captured("a", "va2")
    story.sees("a", fingerprint="strange", accepted=Result.DEAD, token_id="")

    assert story.asks() == [("member_occupied", "management")]


def test_a_place_that_refuses_is_tried_again_with_a_growing_pause():
    story = rolling_story().rolling("a").captured("a", "va2").sees("a", accepted=Result.DEAD).unkept("a", "write")
    assert story.waits("management")[0].why is Reason.TARGET_UNWRITABLE

    assert story.later(31).does().act is Act.WRITE


def test_a_new_value_that_stands_in_its_place_and_is_accepted_is_the_members():
    story = rolling_story().rolling("a").captured("a", "va2").sees("a", fingerprint="va2")

    assert story.does().fact == Placed(token_id="a", fingerprint="va2")


def test_a_new_value_may_not_be_accepted_at_once():
    story = rolling_story().rolling("a").captured("a", "va2").sees("a", fingerprint="va2", accepted=Result.DEAD)
    assert story.waits("management")[0] == Wait(story.at + 151, Reason.PROPAGATION, "management")

    assert story.later(152).does().fact == Rolling(token_id="a", attempt=2)


@pytest.mark.parametrize("broken", ["dead", "stale", "under way", "not durable"])
def test_a_new_value_that_died_is_replaced_under_the_same_conditions(broken):
    story = rolling_story().rolling("a").captured("a", "va2").later(152)
    story.sees("a", fingerprint="va2", accepted=Result.DEAD)
    assert story.answer(Phase.CAPTURED, "a").actions[0].act is Act.MINT

    if broken == "dead":
        story.sees("b", accepted=Result.DEAD)
    elif broken == "stale":
        story.seen["standby"] = replace(story.seen["standby"], at=story.at - 61)
    elif broken == "under way":
        story.view = replace(story.view, pair={**story.view.pair, "b": replace(story.view.pair["b"], rolling=True)})
    else:
        story.view = replace(story.view, values={"va": "a"})
    found = story.answer(Phase.CAPTURED, "a")
    assert not isinstance(found, Do) or found.actions[0].act is Act.LOOK


def test_a_new_value_is_not_given_up_while_the_provider_is_silent():
    story = rolling_story().rolling("a").captured("a", "va2").later(152)
    story.sees("a", fingerprint="va2", accepted=Result.UNSURE)

    assert story.waits("management")[0].why is Reason.PROPAGATION


def test_a_value_of_an_earlier_request_is_kept_and_moves_nothing():
    story = rolling_story().rolling("a").later(70).rolling("a", attempt=2).captured("a", "late", attempt=1)

    assert story.view.values["late"] == "a"
    assert story.view.pair["a"].phase is Phase.ROLLING


def test_a_refused_request_for_a_value_is_over_and_backs_off():
    story = rolling_story().rolling("a").unkept("a", "mint")
    assert story.view.pair["a"].phase is Phase.KEPT
    assert Wait(story.at + 30, Reason.FAILED, "management") in story.step().why

    assert story.later(31).does().fact == Rolling(token_id="a", attempt=2)


def test_a_refusal_after_a_lost_answer_leaves_the_request_open():
    story = rolling_story().rolling("a").later(70).rolling("a", attempt=2).unkept("a", "mint").later(70)
    story.sees("a", accepted=Result.DEAD)
    assert story.view.pair["a"].phase is Phase.ROLLING

    assert story.does().fact == Rolling(token_id="a", attempt=3)


def test_a_refusal_about_a_token_that_is_no_member_changes_nothing():
    assert PairStory().tell(Unkept(token_id="x", act="extend")).view.pair == {}


def test_a_place_that_cannot_be_read_is_not_written():
    story = rolling_story().rolling("a").captured("a", "va2")
    story.sees("a", holds=Holds.UNREADABLE, fingerprint="", accepted=Result.UNSURE)

    assert story.waits("management")[0].why is Reason.TARGET_UNWRITABLE


def test_a_row_whose_rules_all_pass_decides_nothing():
    story = PairStory().known()
    step = next_keep(story.case(), KeepTables(rows={**KEEP, END: (), VALUE: ()}, takes=False))

    assert {wait.why for wait in step.why} == {Reason.UNDECIDED}


def test_an_unknown_pair_is_looked_at_again():
    story = PairStory()
    story.seen = {}

    assert story.step().until == story.at + 300


def test_a_pair_has_two_members():
    story = PairStory().known()

    assert story.why_not(member("c", role="third"))
    assert story.why_not(member("c")) == ""
    assert set(story.tell(member("c")).view.pair) == {"c", "b"}


@pytest.mark.parametrize("fact", [Extending(token_id="x", expires_at=START * 2), Rolling(token_id="x", attempt=1)])
def test_only_members_are_kept(fact):
    assert "no member" in PairStory().known().why_not(fact, principal="a")


@pytest.mark.parametrize("fact", [Extending(token_id="a", expires_at=START * 2), Rolling(token_id="a", attempt=1)])
def test_nothing_is_done_to_a_member_but_by_its_partner(fact):
    story = PairStory(rolls=True).known()

    assert [bool(story.why_not(fact, principal=who)) for who in ("a", "", "x", "b")] == [True, True, True, False]


def test_both_values_are_never_unknown_at_once():
    story = PairStory(rolls=True).known().rolling("b")

    assert story.why_not(Rolling(token_id="a", attempt=1), principal="b")


def test_a_value_is_not_given_up_while_the_partners_is_in_its_place_alone():
    assert PairStory().known().why_not(Rolling(token_id="a", attempt=1), principal="b")


def test_requests_for_a_value_are_numbered():
    story = PairStory(rolls=True).known().rolling("a")

    assert story.why_not(Rolling(token_id="a", attempt=1), principal="b")
    assert story.why_not(Rolling(token_id="a", attempt=2), principal="b") == ""


def test_an_end_under_way_is_never_followed_by_an_earlier_one():
    story = PairStory().known().extending("a", START + 2 * LIFE)

    assert story.why_not(Extending(token_id="a", expires_at=START + 2 * LIFE - 1), principal="b")
    assert story.why_not(Extending(token_id="a", expires_at=START + 2 * LIFE), principal="b") == ""


def test_a_renewal_never_shortens_a_life():
    assert PairStory().known().why_not(Extending(token_id="a", expires_at=START + LIFE), principal="b")


def test_only_an_end_that_was_asked_for_is_proven():
    story = PairStory().known()
    assert story.why_not(Prolonged(token_id="a", expires_at=START + 2 * LIFE))

    story.extending("a", START + 2 * LIFE)
    assert story.why_not(Prolonged(token_id="a", expires_at=START + LIFE))
    assert story.why_not(Prolonged(token_id="a", expires_at=START + 2 * LIFE)) == ""


def test_only_the_captured_value_takes_its_place():
    story = PairStory(rolls=True).known().rolling("a").captured("a", "va2")

    assert story.why_not(Placed(token_id="a", fingerprint="va"))
    assert story.why_not(Placed(token_id="a", fingerprint="va2")) == ""


def test_a_captured_value_of_a_stranger_changes_no_member():
    story = PairStory(rolls=True).known().tell(Captured(token_id="x", attempt=1, fingerprint="vx"))

    assert story.view.values["vx"] == "x"
    assert set(story.view.pair) == {"a", "b"}


def test_every_code_says_what_to_do_and_a_word_of_a_newer_version_is_none():
    assert all(code.text and code.remedy for code in KeepCode)
    assert KeepCode.of("member_dead") is KeepCode.MEMBER_DEAD
    assert KeepCode.of("odd") is None
