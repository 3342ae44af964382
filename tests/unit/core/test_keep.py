"""A pair of tokens that keep each other alive: each rule by one story."""

from dataclasses import replace

import pytest

from rotator.core.credential import DAY, HOUR, NEVER
from rotator.core.facts import Extending, Member, Prolonged
from rotator.core.protocol.keeping import Holds
from rotator.core.protocol.pair_view import Phase
from rotator.core.protocol.rules import Act, Result, Wait
from rotator.core.reasons import KeepCode, Reason
from tests.unit.core.keeping import MANAGEMENT_DUE, rolling_story
from tests.unit.core.pair_story import LIFE, START, PairStory

STANDBY_DUE = (LIFE - 30 * DAY) * 2 / 3 + 10
"""Seconds after which the standby, which ends first, is due."""


def test_each_token_that_works_in_its_place_becomes_a_member():
    story = PairStory()
    first = story.does()
    story.tell(first.fact)
    second = story.does()

    assert (first.act, first.fact.token_id, first.fact.role, first.fact.life) == (Act.RECORD, "a", "management", LIFE)
    assert (second.fact.token_id, second.fact.role, second.fact.durable) == ("b", "standby", False)
    assert story.tell(second.fact).step().actions == ()


def test_a_value_is_kept_in_the_journal_only_where_new_values_are_wanted():
    assert PairStory(rolls=True).does().fact.durable
    assert PairStory().known().step().actions == ()

    changed = PairStory().known()
    changed.policy = replace(changed.policy, rolls=True)
    assert changed.does().fact.durable


def test_no_life_is_longer_than_a_year():
    story = PairStory()
    story.sees("a", expires_at=START + 900 * DAY)

    assert story.does().fact.life == 366 * DAY


def test_a_token_whose_end_nobody_can_read_is_no_member_yet():
    story = PairStory()
    story.sees("a", expires_at=None).sees("b", expires_at=None)

    assert story.step().actions == ()


def test_what_somebody_put_there_and_what_works_wins_over_the_journal():
    story = PairStory(rolls=True).known().sees("a", fingerprint="pasted")

    assert story.does().fact.fingerprint == "pasted"
    story.tell(story.does().fact)
    assert story.view.pair["a"].fingerprint == "pasted"
    assert story.view.pair["a"].fresh_at == START


def test_a_member_whose_end_cannot_be_read_any_more_keeps_the_one_that_is_known():
    story = PairStory().known().sees("a", fingerprint="pasted", expires_at=None)

    assert story.does().fact.expires_at == START + LIFE


@pytest.mark.parametrize("changes", [{"accepted": Result.DEAD}, {"token_id": ""}, {"able": False}])
def test_what_does_not_work_is_not_taken_over(changes):
    story = PairStory(rolls=True).known().sees("a", fingerprint="pasted", **changes)

    assert [a for a in story.step().actions if a.act is Act.RECORD] == []


def test_a_pasted_value_ends_a_request_whose_answer_was_lost():
    story = rolling_story().rolling("a").sees("a", fingerprint="pasted")
    story.tell(story.does().fact)

    assert story.view.pair["a"].phase is Phase.KEPT


def test_an_older_value_of_ours_that_seems_to_live_is_not_taken_over():
    story = rolling_story().rolling("a").captured("a", "va2").placed("a", "va2")
    story.sees("a", fingerprint="va")

    assert (story.does().act, story.does().target) == (Act.WRITE, "management")


def test_tokens_that_changed_places_stay_members():
    story = PairStory().known()
    story.seen = {
        "management": replace(story.seen["standby"], role="management"),
        "standby": replace(story.seen["management"], role="standby"),
    }
    story.tell(story.does().fact)

    assert {token: member.role for token, member in story.view.pair.items()} == {"a": "standby", "b": "management"}
    assert story.step().actions == ()


def test_an_empty_place_gets_the_value_of_the_journal():
    story = PairStory(rolls=True).known().sees("a", holds=Holds.NOTHING, fingerprint="", accepted=Result.DEAD)

    assert (story.does().act, story.does().target, story.does().token_id) == (Act.WRITE, "management", "a")


def test_an_empty_place_asks_a_person_where_the_journal_has_no_value_or_the_place_cannot_be_written():
    gone = {"holds": Holds.NOTHING, "fingerprint": "", "accepted": Result.DEAD}

    assert ("member_dead", "management") in PairStory().known().sees("a", **gone).asks()
    assert ("member_dead", "management") in PairStory(rolls=True).known().sees("a", **gone, writable=False).asks()


def test_a_strange_value_that_does_not_work_is_never_written_over():
    story = PairStory(rolls=True).known().sees("a", fingerprint="strange", accepted=Result.DEAD, token_id="")

    assert story.asks() == [("member_occupied", "management")]


def test_a_strange_value_is_not_judged_while_the_provider_is_silent():
    story = PairStory(rolls=True).known().sees("a", fingerprint="strange", accepted=Result.UNSURE, token_id="")

    assert story.asks() == []
    assert story.waits("management")[0].why is Reason.VERIFICATION


def test_a_place_that_cannot_be_read_is_looked_at_again():
    story = PairStory().known().sees("a", holds=Holds.UNREADABLE, fingerprint="", accepted=Result.UNSURE)

    assert story.waits("management")[0].why is Reason.VERIFICATION


def test_a_dead_token_is_replaced_by_a_person_and_the_day_is_told():
    story = PairStory().known().later(DAY).sees("a", accepted=Result.DEAD, expires_at=None)
    (asked,) = [found for found in story.step().why if found.subject == "management"]

    assert (asked.code, asked.due) == (KeepCode.MEMBER_DEAD, START + LIFE)


def test_a_provider_that_is_silent_is_asked_again():
    story = PairStory().known().later(STANDBY_DUE).sees("b", accepted=Result.UNSURE)

    assert story.waits("standby")[0] == Wait(story.at + 30, Reason.VERIFICATION, "standby")


def test_nothing_happens_before_a_third_of_a_life_is_left():
    story = PairStory().known().later(STANDBY_DUE - 20)

    assert story.step().actions == ()
    assert story.step().until == pytest.approx(START + STANDBY_DUE, abs=20)


def test_the_one_that_ends_first_is_renewed_first_and_by_its_partner():
    action = PairStory().known().later(STANDBY_DUE).does()

    assert (action.act, action.token_id) == (Act.EXTEND, "b")
    assert action.fact == Extending(token_id="b", expires_at=float(int(START + STANDBY_DUE + LIFE - 30 * DAY)))


def test_a_token_without_end_is_left_alone():
    story = PairStory()
    story.sees("a", expires_at=NEVER).sees("b", expires_at=NEVER)
    story.tell(story.does().fact).tell(story.does().fact).later(1000 * DAY)

    assert story.step().actions == ()
    assert story.view.pair["a"].life == NEVER


def test_an_end_that_somebody_shortened_is_seen():
    story = PairStory().known().later(DAY).sees("a", expires_at=START + 20 * DAY)

    assert (story.does().act, story.does().token_id) == (Act.EXTEND, "a")


def test_nothing_is_renewed_by_a_partner_that_does_not_work():
    due = PairStory().known().later(STANDBY_DUE)

    assert ("member_dead", "management") in due.sees("a", accepted=Result.DEAD).asks()
    assert ("member_unable", "management") in due.sees("a", accepted=Result.GOOD, able=False).asks()
    assert ("member_dead", "management") in due.sees("a", able=True, token_id="x", expires_at=None).asks()


def test_nothing_is_renewed_while_nobody_can_say_whether_the_partner_works():
    story = PairStory().known().later(STANDBY_DUE).sees("a", accepted=Result.UNSURE)

    assert Wait(story.at + 30, Reason.VERIFICATION, "management") in story.step().why


def test_one_without_a_partner_is_not_renewed():
    story = PairStory().tell(
        Member(token_id="b", expires_at=START + LIFE, fingerprint="vb", role="standby", life=LIFE, born=START)
    )
    del story.seen["management"]
    story.later(MANAGEMENT_DUE)

    assert story.asks() == [("member_alone", "standby")]


@pytest.mark.parametrize("age", [61.0, -5.0])
def test_the_proof_that_the_partner_works_is_a_minute_old_at_most(age):
    story = PairStory().known().later(STANDBY_DUE)
    story.seen["management"] = replace(story.seen["management"], at=story.at - age)

    assert story.does().act is Act.LOOK


def test_an_end_is_moved_to_the_same_moment_at_every_try():
    story = PairStory().known().later(STANDBY_DUE)
    wanted = story.does().fact.expires_at
    story.tell(story.does().fact).later(29)
    assert story.waits("standby")[0].why is Reason.FAILED

    again = story.later(2).does()
    assert (again.act, again.fact.expires_at) == (Act.EXTEND, wanted)


def test_an_end_that_would_be_due_at_once_is_asked_for_no_longer():
    story = PairStory().known().later(STANDBY_DUE)
    wanted = story.does().fact.expires_at
    story.tell(story.does().fact).later(45 * DAY).sees("b", expires_at=story.at + DAY)

    assert story.does().fact.expires_at > wanted


def test_only_the_provider_proves_that_an_end_has_moved():
    story = PairStory().known().later(STANDBY_DUE)
    wanted = story.does().fact.expires_at
    story.tell(story.does().fact)
    story.seen["standby"] = replace(story.seen["standby"], at=story.at - 1, expires_at=wanted)
    assert story.step().actions == ()

    proven = story.sees("b", expires_at=wanted).does()
    assert (proven.act, proven.fact) == (Act.RECORD, Prolonged(token_id="b", expires_at=wanted))
    assert story.tell(proven.fact).view.pair["b"].phase is Phase.KEPT


def test_a_refused_renewal_backs_off_and_is_tried_again():
    story = PairStory().known().later(STANDBY_DUE).unkept("b", "extend").unkept("b", "extend")

    assert story.waits("standby")[0] == Wait(story.at + 60, Reason.FAILED, "standby")
    assert story.later(61).does().act is Act.EXTEND


def test_near_the_end_a_refused_renewal_is_tried_again_at_the_shortest_pause():
    story = PairStory().known().later(LIFE - 31 * DAY).unkept("b", "extend").unkept("b", "extend")

    assert story.waits("standby")[0].until == story.at + 30


def test_two_that_are_due_at_once_are_renewed_a_day_apart():
    story = PairStory().known().later(MANAGEMENT_DUE)
    story.tell(story.does().fact)
    story.prolonged("b", story.view.pair["b"].extending)

    assert Wait(story.at + DAY, Reason.STAGGERED, "management") in story.step().why
    assert story.later(DAY).does().token_id == "a"


def test_near_the_end_nobody_waits_for_the_partners_renewal_to_be_a_day_old():
    story = PairStory().known().later(MANAGEMENT_DUE)
    story.tell(story.does().fact)
    story.prolonged("b", story.view.pair["b"].extending).sees("a", expires_at=story.at + HOUR)

    assert story.does().token_id == "a"


def test_beside_a_partner_without_an_end_any_end_will_do():
    story = PairStory()
    for token, life in (("a", NEVER), ("b", LIFE - 30 * DAY)):
        role, ends = {"a": "management", "b": "standby"}[token], START + life
        story.tell(Member(token_id=token, born=START, expires_at=ends, fingerprint=f"v{token}", role=role, life=life))
    action = story.sees("a", expires_at=NEVER).later(STANDBY_DUE).does()

    assert action.fact == Extending(token_id="b", expires_at=float(int(START + STANDBY_DUE + LIFE - 30 * DAY)))


def test_two_ends_are_never_close_to_each_other():
    story = PairStory().known().later(MANAGEMENT_DUE)
    story.extending("b", story.at + LIFE).prolonged("b", story.at + LIFE)
    first = story.view.pair["b"].expires_at

    assert story.later(DAY).does().fact.expires_at == first - float(int(LIFE / 12))


def test_an_end_that_cannot_lie_before_the_partners_lies_after_it():
    story = PairStory().known()
    story.extending("b", START + LIFE * 2).prolonged("b", START + LIFE * 2).later(DAY)
    story.sees("a", expires_at=START + 2 * DAY)
    story.extending("a", START + LIFE * 2 - 1).prolonged("a", START + LIFE * 2 - 1)
    story.later(LIFE).sees("a", expires_at=story.at + 5 * DAY).sees("b", expires_at=story.at + 60 * DAY)

    assert story.does().fact.expires_at == float(int(story.at + LIFE))


def test_what_is_open_comes_first():
    story = PairStory().known().later(MANAGEMENT_DUE)
    story.extending("a", story.at + LIFE).later(60)

    assert story.does().token_id == "a"
