"""Recreate: what displaces it, what it publishes, and how it heals."""

from dataclasses import replace

import pytest

from rotator.core.credential import DAY, HOUR, Policy, Strategy, TargetRef
from rotator.core.errors import IllegalFact
from rotator.core.facts import Kind
from rotator.core.protocol.decide import decide_rotation
from rotator.core.protocol.rules import Act, Case, Do, Result, Sight, ask, do
from tests.unit.core.recreating import accept
from tests.unit.core.story import LIFE, START, Story, act, acts, credential, fact, needs, published, waits

K, S, R = Kind, Sight, Result


@pytest.mark.parametrize("step", ["captured", "verified", "publishing"])
def test_a_token_that_nears_its_own_end_is_displaced(step):
    story = Story().planned().minted()
    if step != "captured":
        story.verified()
    if step == "publishing":
        story.publishing()
    verdict = decide_rotation(story.later(LIFE - 5 * DAY).case())

    assert act(verdict) == "displaced"
    assert (fact(verdict).why, fact(verdict).dead) == ("its token nears its end", False)


@pytest.mark.parametrize("step", ["verified", "publishing"])
def test_a_token_that_was_found_dead_before_confirmed_is_displaced(step):
    story = Story().planned().minted().verified()
    if step == "publishing":
        story.publishing()
    verdict = accept(story, R.DEAD)

    assert act(verdict) == "displaced"
    assert (fact(verdict).why, fact(verdict).dead) == ("its token was found dead", True)


@pytest.mark.parametrize("step", ["planned", "captured", "verified", "publishing"])
def test_an_operator_may_close_the_rotation_in_every_step(step):
    story = Story().planned()
    if step != "planned":
        story.minted()
    if step in ("verified", "publishing"):
        story.verified()
    if step == "publishing":
        story.publishing()
    verdict = decide_rotation(story.tell(K.RESOLVED, detail={"how": "abandon"}).case())

    assert act(verdict) == "displaced"
    assert fact(verdict).closed


def test_an_open_attempt_settles_before_the_rotation_is_closed():
    story = Story().planned().intent().tell(K.RESOLVED, detail={"how": "abandon"})

    assert waits(decide_rotation(story.case()))[1] == "settle"


@pytest.mark.parametrize("minted", [False, True])
def test_an_unpublished_attempt_of_a_credential_that_left_the_configuration_is_given_up(minted):
    story = Story().planned()
    if minted:
        story.minted()
    story.credential = credential(managed=False)
    verdict = decide_rotation(story.case())

    assert act(verdict) == "displaced"
    assert fact(verdict).closed, "no successor is wanted"


def test_a_published_rotation_of_a_credential_that_left_the_configuration_finishes():
    story = Story().planned().minted().verified().publishing().written()
    story.credential = credential(managed=False)

    assert acts(decide_rotation(story.case((S.ACCEPTED, "t1", R.GOOD)))) == [
        ("read_back", "env"),
        ("read_back", "vault"),
    ]


def test_a_verified_token_waits_for_writable_targets():
    story = published().planned().minted().verified()

    assert act(decide_rotation(story.case())) == "writable"
    assert waits(decide_rotation(story.case((S.WRITABLE, "", R.BAD))))[1] == "target_unwritable"
    assert act(decide_rotation(story.case((S.WRITABLE, "", R.GOOD)))) == "publishing"


def test_every_write_needs_a_verification_of_less_than_a_minute():
    story = Story().planned().minted().verified().publishing()

    assert act(decide_rotation(story.case((S.ACCEPTED, "t1", R.GOOD), age=51))) == "accepted"
    assert waits(decide_rotation(story.case((S.ACCEPTED, "t1", R.LAG))))[1] == "verification"


def test_all_targets_are_written_side_by_side():
    story = Story().planned().minted().verified().publishing()

    assert acts(decide_rotation(story.case((S.ACCEPTED, "t1", R.GOOD)))) == [("write", "env"), ("write", "vault")]


def test_a_target_that_failed_backs_off_alone():
    story = published().later(HOUR).planned().minted().verified().publishing().failed("write", "env")

    assert acts(decide_rotation(story.case((S.ACCEPTED, "t2", R.GOOD)))) == [("write", "vault")]
    story.written("vault").read_back("vault")
    assert waits(decide_rotation(story.case((S.ACCEPTED, "t2", R.GOOD)))) == (story.at + 30, "failed")


def test_what_was_written_is_read_back_before_it_is_confirmed():
    story = Story().planned().minted().verified().publishing().written()
    seen = (S.ACCEPTED, "t1", R.GOOD)

    assert acts(decide_rotation(story.case(seen))) == [("read_back", "env"), ("read_back", "vault")]
    assert act(decide_rotation(story.read_back().case(seen))) == "confirmed"


def test_while_one_target_waits_to_be_written_the_others_are_read_back():
    story = published().later(HOUR).planned().minted().verified().publishing().failed("write", "env").written("vault")

    assert acts(decide_rotation(story.case((S.ACCEPTED, "t2", R.GOOD)))) == [("read_back", "vault")]


def test_while_one_target_needs_a_person_the_others_are_read_back():
    story = published().later(HOUR).planned().minted().verified().publishing().written("vault")
    story.tell(K.OVERRIDDEN, target="env", fingerprint="x")

    assert acts(decide_rotation(story.case((S.ACCEPTED, "t2", R.GOOD)))) == [("read_back", "vault")]


def test_an_optional_target_is_tried_but_not_waited_for():
    optional = (
        TargetRef(name="env", type="f", place="e"),
        TargetRef(name="vault", type="f", place="v", required=False),
    )
    story = Story(credential(targets=optional)).planned().minted().verified().publishing()
    seen = (S.ACCEPTED, "t1", R.GOOD)

    assert acts(decide_rotation(story.case(seen))) == [("write", "env"), ("write", "vault")]
    story.failed("write", "vault").written("env").read_back("env")
    assert act(decide_rotation(story.case(seen))) == "confirmed"


def test_a_required_target_that_was_added_meanwhile_joins_the_publication():
    story = Story().planned().minted().verified().publishing()
    story.credential = credential(targets=("env", "vault", "aws"))

    assert ("write", "aws") in acts(decide_rotation(story.case((S.ACCEPTED, "t1", R.GOOD))))


def test_a_target_that_left_the_configuration_is_not_written_any_more():
    story = published().planned().minted().verified().publishing().tell(K.TARGET_RELEASED, target="vault")
    story.credential = credential(targets=("env",))

    assert acts(decide_rotation(story.case((S.ACCEPTED, "t2", R.GOOD)))) == [("write", "env")]


def test_an_overridden_target_is_left_alone_and_the_others_go_on():
    story = published().planned().minted().verified().publishing().tell(K.OVERRIDDEN, target="env", fingerprint="x")

    assert acts(decide_rotation(story.case((S.ACCEPTED, "t2", R.GOOD)))) == [("write", "vault")]


def test_where_only_an_overridden_target_is_missing_an_operator_is_needed():
    story = published().planned().minted().verified().publishing().written("vault").read_back("vault")
    story.tell(K.OVERRIDDEN, target="env", fingerprint="x")

    assert needs(decide_rotation(story.case((S.ACCEPTED, "t2", R.GOOD)))) == ("target_overridden", "env")


def test_a_target_that_was_occupied_at_first_sight_says_so():
    story = Story().tell(K.OVERRIDDEN, target="env", fingerprint="x").tell(K.BASELINE, target="vault")
    story.planned().minted().verified().publishing().written("vault").read_back("vault")

    assert needs(decide_rotation(story.case((S.ACCEPTED, "t1", R.GOOD)))) == ("target_occupied", "env")


def test_an_overridden_and_a_failing_target_wait_for_the_failing_one():
    story = published().planned().minted().verified().publishing().failed("write", "vault")
    story.tell(K.OVERRIDDEN, target="env", fingerprint="x")

    assert waits(decide_rotation(story.case((S.ACCEPTED, "t2", R.GOOD)))) == (story.at + 30, "failed")


def test_a_heeded_target_is_neither_written_nor_waited_for():
    story = published().tell(K.OVERRIDDEN, target="env", fingerprint="x").tell(K.RESOLVED, detail={"how": "accept"})
    story.planned().minted().verified().publishing()
    seen = (S.ACCEPTED, "t2", R.GOOD)

    assert acts(decide_rotation(story.case(seen))) == [("write", "vault")]
    assert act(decide_rotation(story.written("vault").read_back("vault").case(seen))) == "confirmed"


def healing(story: Story) -> Story:
    return story.later(HOUR).planned(Strategy.REPUBLISH)


def test_a_republish_verifies_the_current_value_and_mints_nothing():
    story = healing(published())

    assert acts(decide_rotation(story.case())) == [("accepted", "t1")]
    assert act(decide_rotation(story.case((S.ACCEPTED, "t1", R.GOOD)))) == "verified"
    assert act(decide_rotation(story.verified().case())) == "publishing"
    assert (
        act(decide_rotation(story.publishing().written().read_back().case((S.ACCEPTED, "t1", R.GOOD)))) == "confirmed"
    )


def test_a_republish_of_a_dead_value_is_displaced():
    story = healing(published()).verified().publishing()

    assert act(decide_rotation(story.case((S.ACCEPTED, "t1", R.DEAD)))) == "displaced"


@pytest.mark.parametrize("due", ["renewal", "request"])
def test_a_republish_yields_to_a_rotation_that_is_due_once_it_had_its_time(due):
    story = published()
    story.later(LIFE - 30 * DAY if due == "renewal" else HOUR).planned(Strategy.REPUBLISH)
    if due == "request":
        story.tell(K.REQUEST, detail={"request_id": "q"})
    seen = (S.ACCEPTED, "t1", R.GOOD)

    assert act(decide_rotation(story.case(seen))) == "verified", "it is patient at first"
    verdict = decide_rotation(story.later(121).case(seen))
    assert act(verdict) == "displaced"
    assert fact(verdict).why == "a rotation is due"


def test_a_republish_that_nothing_is_due_behind_takes_its_time():
    assert act(decide_rotation(healing(published()).later(500).case((S.ACCEPTED, "t1", R.GOOD)))) == "verified"


def test_a_row_without_an_answer_waits_instead_of_ending():
    story = Story().planned()

    assert waits(ask((), story.case())) == (START + 30, "undecided")


def test_a_case_without_an_open_rotation_refuses_to_invent_one():
    with pytest.raises(IllegalFact, match="no rotation is open"):
        _ = published().case().rotation


def test_a_case_without_a_retirement_refuses_to_invent_one():
    with pytest.raises(RuntimeError, match="retirement that a rule of `retire` is asked about is missing"):
        _ = published().case().retired


def test_the_policy_of_a_case_is_the_obligations_own():
    story = Story().planned()
    case: Case = story.case()
    story.credential = credential(policy=Policy(retry=99.0))

    assert replace(case, credential=story.credential).policy.retry == 30
    assert story.tell(K.DISPLACED).case().policy.retry == 99


def test_an_act_without_failures_is_done_at_once():
    verdict = do(Act.EXTEND)(Story().planned().case())

    assert isinstance(verdict, Do)
    assert act(verdict) == "extend"


def test_a_result_is_none_for_what_was_never_looked_at():
    assert Story().case().result(S.ROOM) is None


def test_what_never_failed_backs_off_at_no_time_whatever_the_clock_says():
    case = replace(Story().planned().case(), now=-86400.0)

    assert act(do(Act.MINT)(case)) == "mint"


def test_where_this_host_may_not_verify_it_is_asked_rarely_and_the_token_is_never_turned_down():
    story = Story().planned().minted()
    token = story.view.opened.token_id

    until, why = waits(decide_rotation(story.later(5).case((S.ACCEPTED, token, R.BAD))))
    assert (until, why) == (story.at + 2 * story.view.opened.policy.propagation, "verification")
    story.later(48 * HOUR)
    assert act(decide_rotation(story.case((S.ACCEPTED, token, R.BAD), age=HOUR))) == "accepted"


def test_a_verification_ends_the_failure_to_verify():
    story = Story().planned().minted().failed("accept", why="not from here")

    assert story.view.opened.failures
    assert not story.verified().view.opened.failures
