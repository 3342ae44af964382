"""What each kind of fact changes, kind by kind."""

import json

import pytest

from rotator.core import encoding
from rotator.core.credential import NEVER, Policy, Strategy
from rotator.core.errors import IllegalFact
from rotator.core.facts import Fact, Kind, Paused
from rotator.core.protocol.fold import fold
from rotator.core.protocol.view import blank
from tests.unit.core.story import LIFE, START, Story, credential, published

K = Kind


OF_A_ROTATION = [
    K.INTENT, K.ABANDONED, K.VERIFIED, K.PUBLISHING, K.CONFIRMED, K.DISPLACED, K.EXTENDED,
    K.PUBLISH_INTENT, K.WRITTEN, K.READ_BACK, K.UNWRITTEN,
]  # fmt: skip


@pytest.mark.parametrize("kind", OF_A_ROTATION)
def test_a_fact_of_a_rotation_that_is_not_open_says_so(kind):
    with pytest.raises(IllegalFact, match="no rotation is open"):
        fold(blank(), encoding.draft(kind, at=START))


def test_a_durable_fact_moves_the_position_and_a_draft_does_not():
    draft = encoding.draft(K.PAUSED, at=START)
    fact = Fact(what=Paused(), at=START, fact_id="f", stream="c", position=7, epoch=1, writer="w")

    assert fold(blank(), draft).position == 0
    assert fold(blank(), fact).position == 7


def test_planned_opens_a_rotation_with_frozen_terms():
    rotation = Story().planned().view.opened

    assert rotation.step is K.PLANNED
    assert rotation.terms.targets == rotation.terms.required == {"env", "vault"}
    assert rotation.policy == Policy()


def test_terms_survive_the_json_of_the_journal_and_a_newer_machines_keys():
    story = Story(credential(policy=Policy(lifetime=NEVER))).planned()
    policy = {**story.view.opened.policy.to_json(), "invented_later": 1}

    assert Policy.from_json(json.loads(json.dumps(policy))) == story.credential.policy


def test_planned_serves_the_request_that_it_names():
    story = published().tell(K.REQUEST, detail={"request_id": "q1"}).planned(request_id="q1")

    assert story.view.request is None
    assert story.view.served == {"q1": "r2"}


def test_a_newer_request_stays_open_beside_the_one_that_is_served():
    story = published().tell(K.REQUEST, detail={"request_id": "q2"}).planned(request_id="q1")

    assert story.view.request is not None


def test_planned_ends_what_asked_for_a_successor():
    story = published().planned().tell(K.DISPLACED, detail={"yields": True})
    assert story.view.want
    assert story.view.yielded

    story.planned()
    assert not story.view.want
    assert not story.view.yielded
    assert story.view.planned_at == story.at


def test_a_republish_serves_no_request_and_counts_as_no_rotation():
    story = published().tell(K.REQUEST, detail={"request_id": "q1"}).later(5)
    planned = story.view.planned_at
    story.planned(Strategy.REPUBLISH)

    assert story.view.request is not None
    assert story.view.healed_at == story.at
    assert story.view.planned_at == planned
    assert story.view.opened.fingerprint == "v1"


def test_intent_of_a_recreate_forgets_the_token_before_it():
    story = Story().planned().minted()
    story.tell(K.ABANDONED, token_name=story.view.opened.attempt_name, token_id="t1", detail={"rejected": True})
    story.intent()

    assert story.view.opened.token_id == ""
    assert story.view.opened.attempt == 2
    assert not story.view.opened.rolled_at


def test_intent_of_a_roll_keeps_the_token_and_notes_when_the_old_value_dies():
    story = published().planned(Strategy.ROLL).later(9).intent()
    first = story.at

    assert story.view.opened.token_id == "t1"
    assert story.view.opened.before == "v1"
    story.later(100).intent()
    assert story.view.opened.rolled_at == first, "the value is dead since the first roll at the latest"


def test_an_intent_that_follows_an_intent_counts_a_lost_answer():
    story = published().planned(Strategy.ROLL).intent().later(60).intent()

    assert story.view.opened.failures["mint", ""].count == 1
    assert story.view.opened.failures["mint", ""].last == story.at


def test_captured_makes_the_value_known_and_moves_the_rotation_that_awaits_it():
    story = Story().planned().minted()

    assert story.view.opened.step is K.CAPTURED
    assert story.view.opened.token_id == "t1"
    assert story.view.values == {"v1": "t1"}
    assert story.view.tokens["t1"].expires_at == START + LIFE


def test_a_token_without_expiry_never_expires():
    assert Story().planned().minted(life=NEVER).view.expires_at("t1") == NEVER


def test_an_unknown_token_counts_as_one_without_expiry():
    assert blank().expires_at("t9") == NEVER


def test_a_capture_that_is_repeated_changes_nothing():
    story = Story().planned().minted()
    before = story.view
    rotation = story.view.opened

    story.of_rotation(K.CAPTURED, attempt=rotation.attempt)

    assert story.view is before


def test_a_late_capture_of_an_abandoned_attempt_is_kept_and_moves_nothing():
    story = Story().planned().intent()
    name = story.view.opened.attempt_name
    story.tell(K.ABANDONED, token_name=name)
    rotation = story.view.rotation

    story.tell(K.CAPTURED, token_id="t1", token_name=name, fingerprint="v1")

    assert story.view.rotation == rotation
    assert story.view.values == {"v1": "t1"}
    assert story.view.attempts[name] == "abandoned"


def test_a_capture_of_an_attempt_that_a_restored_journal_forgot_is_known_from_now_on():
    story = Story().tell(K.CAPTURED, token_id="t1", token_name="n1", fingerprint="v1")

    assert story.view.attempts == {"n1": "captured"}


def test_a_capture_ends_the_back_off_of_its_mint():
    story = Story().planned().failed("mint")
    assert story.view.opened.failures

    assert not story.minted().view.opened.failures


def test_abandoned_counts_as_a_failure_of_the_mint():
    story = Story().planned().intent().later(60)
    story.tell(K.ABANDONED, token_name=story.view.opened.attempt_name, detail={"why": "the answer was lost"})

    assert story.view.opened.failures["mint", ""].message == "the answer was lost"
    assert story.view.opened.rejects == 0
    assert story.view.failing_since == story.at


def test_a_token_that_is_turned_down_gets_a_retirement_of_its_own():
    story = Story().planned().minted()
    story.of_rotation(K.ABANDONED, detail={"rejected": True})

    assert set(story.view.retirements) == {"t1"}
    assert story.view.opened.rejects == 1
    assert story.view.attempts == {"deploy~i.r1.1.1": "rejected"}


def test_a_certain_refusal_returns_to_the_step_before_the_intent():
    story = Story().planned().intent()
    name = story.view.opened.attempt_name
    story.failed("mint", token_name=name)

    assert story.view.opened.step is K.PLANNED
    assert story.view.attempts[name] == "refused"
    assert story.view.opened.attempt == 1, "the number is not used again"


def test_a_refused_roll_after_a_lost_one_stays_where_captured_values_are_asked():
    story = published().planned(Strategy.ROLL).intent().later(61).intent()
    name = story.view.opened.attempt_name
    story.failed("mint", token_name=name)

    assert story.view.opened.step is K.INTENT


def test_a_refusal_that_comes_after_the_capture_moves_nothing():
    story = Story().planned().intent()
    name = story.view.opened.attempt_name
    story.captured().failed("mint", token_name=name)

    assert story.view.opened.step is K.CAPTURED
    assert story.view.attempts[name] == "captured"


def test_a_refusal_of_an_older_attempt_moves_nothing():
    story = published().planned(Strategy.ROLL).intent()
    name = story.view.opened.attempt_name
    story.later(61).intent().failed("mint", token_name=name)

    assert story.view.attempts[name] == "refused"
    assert story.view.opened.step is K.INTENT


def test_failures_count_by_act_and_target():
    story = Story().planned().minted().verified().publishing()
    story.failed("write", "env").later(5).failed("write", "env", why="disk full").failed("write", "vault")

    failures = story.view.opened.failures
    assert failures["write", "env"].count == 2
    assert failures["write", "env"].message == "disk full"
    assert failures["write", "vault"].count == 1


def test_failing_since_is_the_first_failure_and_ends_with_confirmed():
    story = Story().planned().minted().verified().publishing()
    first = story.at
    story.failed("write", "env").later(5).failed("write", "env")
    assert story.view.failing_since == first

    story.written().read_back().confirmed()
    assert story.view.failing_since == 0


def test_a_failure_of_a_rotation_that_is_over_changes_nothing():
    story = published()
    before = story.view

    assert story.failed("write", "env", rid="r1").view == before


def test_a_failed_destruction_belongs_to_its_retirement():
    story = published().rotated().retired_to(K.SUPERSEDED, "t1").failed("disable", token_id="t1")

    assert story.view.retirements["t1"].failures["disable", ""].count == 1
    assert not story.view.failing_since
