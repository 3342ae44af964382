"""The rows of a recreate and of a republish, one behaviour at a time, asked with a hand-made case."""

from dataclasses import replace

import pytest

from rotator.core.credential import DAY, HOUR, Policy, Strategy, TargetRef
from rotator.core.errors import IllegalFact
from rotator.core.facts import Kind
from rotator.core.protocol.decide import decide_rotation
from rotator.core.protocol.recreate import PATIENCE
from rotator.core.protocol.rules import Act, Case, Do, Look, Result, Seen, Sight, ask, do
from tests.unit.core.story import LIFE, START, Story, act, acts, credential, fact, needs, published, waits

K, S, R = Kind, Sight, Result
GOOD_TO_MINT = ((S.ROOM, "", R.GOOD), (S.WRITABLE, "", R.GOOD))


def drift(story: Story, name: str = "env") -> tuple[Sight, str, Result]:
    return (S.STANDS, name, R.ABSENT)


def turned_down(story: Story, times: int) -> Story:
    for _ in range(times):
        story.minted().of_rotation(K.ABANDONED, detail={"rejected": True})
    return story


# --- before the first intent


def test_nothing_is_decided_where_no_rotation_is_open():
    assert decide_rotation(published().case()) is None


def test_a_mint_asks_for_room_first():
    assert act(decide_rotation(Story().planned().case())) == "room"


def test_room_older_than_thirty_seconds_is_proven_anew():
    story = Story().planned()

    assert act(decide_rotation(story.case((S.ROOM, "", R.GOOD), age=30.5))) == "room"
    assert act(decide_rotation(story.case((S.ROOM, "", R.GOOD), age=29.5))) == "writable"


def test_a_journal_that_cannot_hold_a_value_holds_the_mint_back():
    story = Story().planned()

    until, why = waits(decide_rotation(story.case((S.ROOM, "", R.BAD))))

    assert why == "journal_unsafe"
    assert story.at < until <= story.at + 31


def test_targets_that_take_no_write_hold_the_mint_back():
    story = published().planned()

    assert waits(decide_rotation(story.case((S.ROOM, "", R.GOOD), (S.WRITABLE, "", R.BAD))))[1] == "target_unwritable"


def test_one_writable_required_target_is_not_enough_while_the_value_is_healthy():
    story = published().planned()

    assert waits(decide_rotation(story.case((S.ROOM, "", R.GOOD), (S.WRITABLE, "", R.SOME))))[1] == "target_unwritable"


def test_one_writable_required_target_is_enough_for_the_first_creation():
    story = Story().planned()

    assert act(decide_rotation(story.case((S.ROOM, "", R.GOOD), (S.WRITABLE, "", R.SOME)))) == "mint"


def test_one_writable_required_target_is_enough_when_the_value_is_dead():
    story = published().planned()
    seen = ((S.ROOM, "", R.GOOD), (S.WRITABLE, "", R.SOME), (S.ALIVE, "v1", R.DEAD))

    assert act(decide_rotation(story.case(*seen))) == "mint"
    assert waits(decide_rotation(story.case(*seen, incident=True)))[1] == "target_unwritable"


def test_one_writable_required_target_is_enough_in_the_emergency_window():
    story = published().later(LIFE - 5 * DAY).planned()

    assert act(decide_rotation(story.case((S.ROOM, "", R.GOOD), (S.WRITABLE, "", R.SOME)))) == "mint"


def test_a_mint_follows_when_there_is_room_and_the_targets_are_writable():
    assert acts(decide_rotation(Story().planned().case(*GOOD_TO_MINT))) == [("mint", "")]


def test_a_pause_holds_the_mint_back_until_it_ends():
    story = Story().planned().tell(K.PAUSED, detail={"until": START + 100})

    assert waits(decide_rotation(story.case(*GOOD_TO_MINT))) == (START + 100, "paused")
    assert act(decide_rotation(story.later(100).case(*GOOD_TO_MINT))) == "mint"


def test_a_pause_without_an_end_is_asked_about_again():
    story = Story().planned().tell(K.PAUSED)

    assert waits(decide_rotation(story.case(watch=300.0))) == (START + 300, "paused")


def test_a_rotation_that_waits_before_its_first_intent_yields_to_a_republish():
    story = published().later(HOUR).planned()

    verdict = decide_rotation(story.case((S.ROOM, "", R.GOOD), (S.WRITABLE, "", R.BAD), drift(story)))

    assert act(verdict) == "displaced"
    assert fact(verdict).yields


def test_a_rotation_that_minted_already_yields_no_more():
    story = published().later(HOUR).planned().intent()
    story.failed("mint", token_name=story.view.opened.attempt_name).later(HOUR)
    seen = ((S.ROOM, "", R.GOOD), (S.WRITABLE, "", R.BAD), drift(story))

    assert waits(decide_rotation(story.case(*seen)))[1] == "target_unwritable"


def test_a_rotation_whose_next_mint_backs_off_yields_to_a_republish():
    story = published().later(HOUR).planned()
    story.intent().later(61).of_rotation(K.ABANDONED).failed("mint").failed("mint")

    verdict = decide_rotation(story.case(*GOOD_TO_MINT, drift(story)))
    assert act(verdict) == "displaced"
    assert fact(verdict).yields
    assert waits(decide_rotation(story.case(*GOOD_TO_MINT)))[1] == "failed"


def test_rejects_are_not_forgotten_for_the_sake_of_a_republish():
    story = turned_down(published().later(HOUR).planned(), 1).failed("mint").failed("mint")

    assert waits(decide_rotation(story.case(*GOOD_TO_MINT, drift(story))))[1] == "failed"


def near_its_end(story: Story) -> Story:
    """At `env` stands an old token that ends within the hour."""
    ends = {"born": START - LIFE, "expires_at": story.at + HOUR, "ours": True}
    story.tell(K.KNOWN, token_id="t0", fingerprint="v0", target="env", detail=ends)
    return story.tell(K.SEEN, target="env", token_id="t0", fingerprint="v0")


def test_but_for_one_where_an_old_token_nears_its_end():
    story = turned_down(near_its_end(published().later(HOUR)).planned(), 1).failed("mint").failed("mint")
    verdict = decide_rotation(story.case(*GOOD_TO_MINT, (S.STANDS, "env", R.OLDER)))

    assert fact(verdict).yields


def test_a_rotation_does_not_yield_where_nothing_can_be_healed_with():
    story = published().later(HOUR).planned()
    seen = ((S.ROOM, "", R.GOOD), (S.WRITABLE, "", R.BAD), drift(story), (S.ALIVE, "v1", R.DEAD))

    assert waits(decide_rotation(story.case(*seen)))[1] == "target_unwritable"


@pytest.mark.parametrize(
    "why",
    ["stale", "overridden", "heeded", "just healed", "in sync"],
)
def test_what_is_no_drift_that_can_be_healed_now_makes_nobody_yield(why):
    story = published().later(HOUR)
    if why == "overridden":
        story.tell(K.OVERRIDDEN, target="env", fingerprint="x")
    if why == "heeded":
        story.tell(K.OVERRIDDEN, target="env", fingerprint="x").tell(K.RESOLVED, detail={"how": "accept"})
    if why == "just healed":
        story.planned(Strategy.REPUBLISH).tell(K.DISPLACED)
    story.planned()
    case = story.case((S.ROOM, "", R.GOOD), (S.WRITABLE, "", R.BAD))
    at = story.at - (351 if why == "stale" else 0)
    seen = {Look(S.STANDS, "env"): Seen(at, R.CURRENT if why == "in sync" else R.OLDER)}

    assert waits(decide_rotation(replace(case, seen={**case.seen, **seen})))[1] == "target_unwritable"


# --- mint, lost answers, refusals


def test_a_lost_answer_is_abandoned_after_the_settle_time_and_never_before():
    story = Story().planned().intent()

    assert waits(decide_rotation(story.case())) == (START + 61, "settle")
    assert act(decide_rotation(story.later(61).case())) == "abandoned"


def test_a_lost_answer_backs_off():
    story = Story().planned().intent().later(61)
    story.of_rotation(K.ABANDONED, detail={"why": "the answer was lost"})

    assert waits(decide_rotation(story.case(*GOOD_TO_MINT))) == (story.at + 30, "failed")
    assert act(decide_rotation(story.later(30).case(*GOOD_TO_MINT))) == "mint"


def test_a_mint_that_only_a_person_can_help_asks_for_him_and_is_tried_again_all_the_same():
    story = Story().planned()
    story.tell(K.FAILED, detail={"act": "mint", "why": "no", "code": "management_token"})

    assert needs(decide_rotation(story.case(*GOOD_TO_MINT))) == ("management_token", "")
    assert act(decide_rotation(story.later(30).case(*GOOD_TO_MINT))) == "mint"
    story.failed("mint")
    assert waits(decide_rotation(story.case(*GOOD_TO_MINT))) == (story.at + 60, "failed")


def test_a_first_creation_that_is_refused_is_tried_more_and_more_rarely_nothing_can_die_meanwhile():
    story = Story().planned()
    for expected in (30, 60, 120):
        story.failed("mint")
        assert waits(decide_rotation(story.case(*GOOD_TO_MINT))) == (story.at + expected, "failed")


def test_a_mint_that_backs_off_is_tried_once_more_at_once_when_somebody_asks_for_it():
    story = Story().planned().failed("mint").failed("mint").later(1)
    assert waits(decide_rotation(story.case(*GOOD_TO_MINT)))[1] == "failed"

    story.tell(K.REQUEST, detail={"request_id": "q"})
    assert act(decide_rotation(story.case(*GOOD_TO_MINT))) == "mint"
    assert waits(decide_rotation(story.later(1).failed("mint").case(*GOOD_TO_MINT)))[1] == "failed"


def test_targets_that_back_off_are_tried_once_more_at_once_when_somebody_asks_for_a_rotation():
    story = published().later(HOUR).planned().minted().verified().publishing()
    seen = (S.ACCEPTED, "t2", R.GOOD)
    story.failed("write", "env").failed("write", "vault")
    assert waits(decide_rotation(story.case(seen)))[1] == "failed"

    story.tell(K.REQUEST, detail={"request_id": "q"})
    assert acts(decide_rotation(story.case(seen))) == [("write", "env"), ("write", "vault")]


def test_lost_answers_back_off_longer_and_longer_while_the_value_is_healthy():
    story = published().later(HOUR).planned()
    for expected in (30, 60, 120):
        story.intent().later(61).of_rotation(K.ABANDONED)
        assert waits(decide_rotation(story.case(*GOOD_TO_MINT)))[0] == story.at + expected


def test_in_the_emergency_window_back_off_stays_at_its_shortest():
    story = published().later(LIFE - 5 * DAY).planned()
    for _ in range(4):
        story.intent().later(61).of_rotation(K.ABANDONED)

    assert waits(decide_rotation(story.case(*GOOD_TO_MINT)))[0] == story.at + 30


def test_a_target_whose_old_value_nears_its_end_is_tried_again_at_the_shortest_back_off():
    story = Story().planned().minted()
    ends = {"born": START - LIFE, "expires_at": START + HOUR, "ours": True}
    story.tell(K.KNOWN, token_id="t0", fingerprint="v0", target="env", detail=ends)
    story.tell(K.BASELINE, target="env", token_id="t0", fingerprint="v0").tell(K.BASELINE, target="vault")
    story.verified().publishing()
    for _ in range(4):
        story.failed("write", "env").failed("write", "vault")

    seen = (S.ACCEPTED, "t1", R.GOOD)
    assert acts(decide_rotation(story.later(31).case(seen))) == [("write", "env")]
    assert acts(decide_rotation(story.later(240).case(seen))) == [("write", "env"), ("write", "vault")]


def test_after_five_rejects_an_operator_is_asked_and_nothing_is_minted():
    story = turned_down(Story().planned(), 5).later(2 * HOUR)

    assert needs(decide_rotation(story.case(*GOOD_TO_MINT))) == ("rejected", "")


def test_four_rejects_are_tried_again():
    story = turned_down(Story().planned(), 4).later(2 * HOUR)

    assert act(decide_rotation(story.case(*GOOD_TO_MINT))) == "mint"


# --- CAPTURED: accepted


def accept(story: Story, result: Result, age: float = 0.0) -> object:
    return decide_rotation(story.case((S.ACCEPTED, "t1", result), age=age))


def test_a_captured_token_is_verified_before_anything_else():
    assert acts(decide_rotation(Story().planned().minted().case())) == [("accepted", "t1")]


def test_an_accepted_token_is_verified():
    assert act(accept(Story().planned().minted(), R.GOOD)) == "verified"


def test_a_verification_older_than_fifty_seconds_is_made_anew():
    story = Story().planned().minted().later(100)

    assert act(accept(story, R.GOOD, age=51)) == "accepted"


def test_a_token_that_is_not_what_was_asked_for_is_turned_down():
    story = Story().planned().minted()
    verdict = decide_rotation(story.case((S.ACCEPTED, "t1", R.DEAD)))

    assert act(verdict) == "abandoned"
    assert (fact(verdict).rejected, fact(verdict).why) == (True, "it is not what was asked for")


def test_what_was_seen_before_the_capture_turns_nothing_down():
    story = Story().planned().minted().later(40)

    assert act(accept(story, R.DEAD, age=41)) == "accepted"


def test_a_token_that_is_not_accepted_yet_is_asked_eight_times_within_the_propagation_time():
    story = Story().planned().minted()
    asked = 0
    while (until := waits(accept(story, R.LAG))[0]) <= START + 150:
        assert act(decide_rotation(replace(story.case((S.ACCEPTED, "t1", R.LAG)), now=until))) == "accepted"
        asked, story.at = asked + 1, until

    assert asked == 8


def test_after_the_propagation_time_it_is_asked_every_five_minutes():
    story = Story().planned().minted().later(200)

    assert waits(accept(story, R.LAG)) == (story.at + 300, "propagation")


def test_a_token_that_is_never_accepted_is_turned_down_after_an_hour():
    story = Story().planned().minted().later(PATIENCE * 150 + 1)

    assert (
        act(accept(story, R.LAG, age=0)) == "abandoned"
    )  # at once: a process that forgets its looks would wait for ever
    assert act(accept(story, R.LAG, age=300)) == "accepted"  # it was asked before the hour was over
    assert PATIENCE * Policy().propagation == HOUR


def test_a_provider_without_an_answer_turns_nothing_down():
    story = Story().planned().minted().later(2 * HOUR)

    assert act(accept(story, R.UNSURE, age=301)) == "accepted"


def test_a_paused_credential_still_verifies_what_it_captured():
    assert act(accept(Story().planned().minted().tell(K.PAUSED), R.GOOD)) == "verified"


# --- displaced, closed, unmanaged


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


# --- VERIFIED, PUBLISHING


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


# --- republish


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


# --- the shape of rows


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
