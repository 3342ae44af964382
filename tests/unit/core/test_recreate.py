"""The rows of a recreate and of a republish, one behaviour at a time, asked with a hand-made case."""

from dataclasses import replace

import pytest

from rotator.core.credential import DAY, HOUR, Policy, Strategy
from rotator.core.facts import Kind
from rotator.core.protocol.decide import decide_rotation
from rotator.core.protocol.recreate import PATIENCE
from rotator.core.protocol.rules import Look, Result, Seen, Sight
from tests.unit.core.recreating import accept
from tests.unit.core.story import LIFE, START, Story, act, acts, fact, needs, published, waits

K, S, R = Kind, Sight, Result


GOOD_TO_MINT = ((S.ROOM, "", R.GOOD), (S.WRITABLE, "", R.GOOD))


def drift(story: Story, name: str = "env") -> tuple[Sight, str, Result]:
    return (S.STANDS, name, R.ABSENT)


def turned_down(story: Story, times: int) -> Story:
    for _ in range(times):
        story.minted().of_rotation(K.ABANDONED, detail={"rejected": True})
    return story


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
