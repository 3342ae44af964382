"""What each kind of fact changes, kind by kind."""

import json
from dataclasses import replace

import pytest

from rotator.core import encoding
from rotator.core.credential import NEVER, Policy, Strategy
from rotator.core.errors import IllegalFact
from rotator.core.facts import Fact, Kind, Paused, Unknown
from rotator.core.protocol import folding, marker_facts
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


# --- PLANNED


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


# --- INTENT, CAPTURED, ABANDONED, FAILED


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


# --- VERIFIED .. CONFIRMED


def test_verified_may_name_the_value_that_the_oracle_found():
    story = published().planned(Strategy.ROLL).intent()
    story.of_rotation(K.VERIFIED, fingerprint="v7")

    assert story.view.opened.fingerprint == "v7"
    assert story.view.opened.token_id == "t1"


def test_publishing_starts_a_new_generation_with_nothing_written():
    story = published().planned().minted().verified().publishing()

    assert story.view.generation == story.view.opened.generation == 2
    assert not story.view.opened.written


def test_a_publish_intent_holds_a_write_open_until_it_is_written():
    story = Story().planned().minted().verified().publishing()
    story.of_rotation(K.PUBLISH_INTENT, target="env", detail={"version": "7"})
    assert story.view.open_writes == {("env", "t1"): ("7",)}
    assert story.view.ever_published("t1")
    assert story.view.opened.published

    story.of_rotation(K.WRITTEN, target="env")
    assert story.view.open_writes == {}
    assert story.view.opened.written == {"env"}
    assert story.view.last["env"] == "t1"


def test_a_write_that_certainly_failed_is_open_no_more_and_an_earlier_one_still_is():
    story = Story().planned().minted().verified().publishing()
    for _ in range(2):  # the first writer was paused, and another process took over
        story.of_rotation(K.PUBLISH_INTENT, target="env", detail={"version": "7"})
    failed = {"act": "write", "why": "read-only"}

    story.of_rotation(K.FAILED, target="env", detail={**failed, "not_written": "7"})
    assert story.view.open_writes == {("env", "t1"): ("7",)}
    story.of_rotation(K.FAILED, target="env", detail=failed)
    assert story.view.open_writes, "the answer was lost"
    story.of_rotation(K.FAILED, target="env", detail={**failed, "not_written": "7"})
    assert story.view.open_writes == {}


def test_a_write_ends_the_back_off_of_its_target_alone():
    story = Story().planned().minted().verified().publishing().failed("write", "env").failed("write", "vault")

    assert set(story.written("env").view.opened.failures) == {("write", "vault")}


def test_reading_back_ends_its_back_off():
    story = Story().planned().minted().verified().publishing().written().failed("read_back", "env")
    story.read_back("env")

    assert story.view.opened.read_back == {"env"}
    assert not story.view.opened.failures


def test_a_target_that_lost_the_value_again_is_written_again():
    story = Story().planned().minted().verified().publishing().written().read_back("env")
    story.of_rotation(K.UNWRITTEN, target="env")

    assert story.view.opened.written == {"vault"}
    assert story.view.opened.read_back == frozenset()


def test_a_write_starts_the_grace_of_what_stood_there():
    story = published().planned().minted().verified().publishing().later(50).written("env")

    assert story.view.let_go == {"t1": story.at}
    story.later(50).written("vault")
    assert story.view.let_go == {"t1": story.at}, "grace counts from the last target that let go"


def test_a_write_also_starts_the_grace_of_the_token_that_it_found_there():
    story = Story().planned().minted().verified().publishing()
    story.of_rotation(K.WRITTEN, target="env", detail={"old": "t7"})

    assert story.view.let_go == {"t7": story.at}


def test_confirmed_makes_the_token_current_and_retires_the_old_one():
    story = published().rotated()

    assert story.view.current == "t2"
    assert story.view.fingerprint == "v2"
    assert set(story.view.retirements) == {"t1"}
    assert story.view.rotation is None


def test_the_first_creation_is_no_rotation_yet():
    assert published().view.rotations == 0
    assert published().rotated().view.rotations == 1


def test_the_first_confirmed_retires_the_token_named_for_adoption():
    assert set(published(adopt="t0").view.retirements) == {"t0"}


def test_a_republish_changes_neither_count_nor_age():
    story = published().later(100)
    confirmed = story.view.confirmed_at
    story.planned(Strategy.REPUBLISH).verified().publishing().written().read_back().confirmed()

    assert story.view.confirmed_at == confirmed
    assert story.view.rotations == 0
    assert story.view.retirements == {}
    assert story.view.generation == 2


def test_a_roll_stays_open_after_confirmed_until_done():
    story = published().planned(Strategy.ROLL).minted().verified().publishing().written().read_back().confirmed()
    assert story.view.opened.step is K.CONFIRMED
    assert story.view.fingerprint == "v2"
    assert story.view.retirements == {}, "it is the same token"

    assert story.tell(K.DONE).view.rotation is None


def test_extended_moves_the_expiry_of_the_token():
    story = published().planned(Strategy.ROLL)
    story.tell(K.EXTENDED, token_id="t1", detail={"expires_at": START + 2 * LIFE})

    assert story.view.expires_at("t1") == START + 2 * LIFE
    assert story.view.opened.extended == START + 2 * LIFE


def test_extended_makes_a_token_known_that_was_named_for_adoption():
    story = Story(credential(adopt="t0")).planned(Strategy.ROLL)
    story.tell(K.EXTENDED, token_id="t0", detail={"expires_at": START + LIFE, "born": 5.0})

    assert story.view.tokens["t0"].born == 5.0


# --- DISPLACED


def test_displaced_gives_the_captured_token_a_retirement_and_wants_a_successor():
    story = published().planned().minted().tell(K.DISPLACED)

    assert set(story.view.retirements) == {"t2"}
    assert story.view.want
    assert story.view.current == "t1"


def test_a_displaced_roll_retires_nothing():
    assert published().planned(Strategy.ROLL).tell(K.DISPLACED).view.retirements == {}


def test_displaced_abandons_an_open_attempt():
    story = published().planned(Strategy.ROLL).intent().tell(K.DISPLACED)

    assert [*story.view.attempts.values()][-1] == "abandoned"


def test_a_rotation_that_an_operator_closed_wants_no_successor():
    story = published().planned().tell(K.RESOLVED, detail={"how": "abandon"})
    assert story.view.closing == "r2"

    story.tell(K.DISPLACED, detail={"closed": True})
    assert not story.view.want
    assert story.view.closing == ""


def test_a_displaced_republish_wants_a_successor_only_if_its_token_is_dead():
    assert not published().planned(Strategy.REPUBLISH).tell(K.DISPLACED).view.want
    assert published().planned(Strategy.REPUBLISH).tell(K.DISPLACED, detail={"dead": True}).view.want


# --- retirements


def test_a_retirement_carries_the_policy_of_the_fact_that_opened_it():
    policy = replace(Policy(), grace=5.0)
    story = published().tell(K.RETIREMENT, token_id="t9", detail={"policy": policy.to_json()})

    assert story.view.retirements["t9"].policy == policy


def test_a_retirement_without_a_policy_gets_the_default():
    assert published().tell(K.RETIREMENT, token_id="t9").view.retirements["t9"].policy == Policy()


def test_superseded_marks_the_token_for_good():
    story = published().rotated().retired_to(K.DELETED, "t1").tell(K.RETIRED, token_id="t1")

    assert story.view.marked == {"t1": K.SUPERSEDED}
    assert story.view.retirements == {}


def test_each_step_of_a_retirement_starts_its_clock_and_forgets_failures():
    story = published().rotated().retired_to(K.SUPERSEDED, "t1").failed("disable", token_id="t1").later(7)
    story.tell(K.DISABLED, token_id="t1")

    assert story.view.retirements["t1"].since == story.at
    assert not story.view.retirements["t1"].failures


# --- what was seen outside


def test_a_baseline_journals_what_stands_at_a_target():
    story = Story().tell(K.BASELINE, target="env", token_id="t1")

    assert story.view.baselines == {"env"}
    assert story.view.last == {"env": "t1"}


def test_a_baseline_may_allow_to_overwrite_exactly_what_was_seen():
    story = Story().tell(K.BASELINE, target="env", fingerprint="x", detail={"replace": True})

    assert story.view.allowed == {("env", "x")}


def test_seen_starts_the_grace_of_the_token_that_left():
    story = published().later(9).tell(K.SEEN, target="env", token_id="t5")

    assert story.view.let_go == {"t1": story.at}
    assert story.view.last["env"] == "t5"


def test_known_keeps_a_value_without_making_it_current():
    story = published().tell(K.KNOWN, token_id="t0", fingerprint="v0")

    assert story.view.values["v0"] == "t0"
    assert story.view.current == "t1"
    assert story.view.ever_published("t0")
    assert not story.view.ahead


@pytest.mark.parametrize("kind", [K.KNOWN, K.ADOPTED])
def test_a_value_that_the_journal_should_have_known_says_that_it_was_restored(kind):
    story = published().later(3).tell(kind, token_id="t0", fingerprint="v0", detail={"ahead": True})

    assert story.view.ahead
    assert story.view.ahead_at == story.at


def test_adopted_becomes_current_and_everything_older_is_retired():
    story = published(adopt="t0").planned().minted()
    story.tell(K.ADOPTED, token_id="t9", fingerprint="v9", target="env", detail={"adopt": "t0"})

    assert story.view.current == "t9"
    assert story.view.rotation is None
    assert set(story.view.retirements) == {"t0", "t1", "t2"}
    assert story.view.tokens["t9"].adopted


def test_adopting_a_token_of_ours_knows_its_consumers():
    story = Story().tell(K.ADOPTED, token_id="t9", fingerprint="v9", detail={"ours": True})

    assert not story.view.tokens["t9"].adopted


def test_adopting_a_token_ends_its_retirement():
    story = published().tell(K.RETIREMENT, token_id="t9")
    story.tell(K.ADOPTED, token_id="t9", fingerprint="v9")

    assert set(story.view.retirements) == {"t1"}


def test_adopting_gives_an_open_attempt_up():
    story = Story().planned().intent().tell(K.ADOPTED, token_id="t9", fingerprint="v9")

    assert set(story.view.attempts.values()) == {"abandoned"}


def test_ahead_confirms_the_sweep_no_more():
    story = published().tell(K.RESOLVED, detail={"how": "retry"}).later(5).tell(K.AHEAD)

    assert story.view.ahead
    assert story.view.cleared_at < story.view.ahead_at


# --- overrides


def test_a_foreign_value_at_first_sight_occupies_the_target():
    story = Story().tell(K.OVERRIDDEN, target="env", fingerprint="x")

    assert story.view.overridden == {"env": "x"}
    assert story.view.occupied == {"env"}


def test_a_foreign_value_later_overrides_the_target():
    assert published().tell(K.OVERRIDDEN, target="env", fingerprint="x").view.occupied == frozenset()


def test_an_override_that_ended_leaves_nothing_behind():
    story = Story().tell(K.OVERRIDDEN, target="env", fingerprint="x").tell(K.OVERRIDE_ENDED, target="env")

    assert not story.view.overridden
    assert not story.view.occupied


def test_retry_allows_to_overwrite_exactly_what_stands_there():
    story = published().tell(K.OVERRIDDEN, target="env", fingerprint="x").tell(K.RESOLVED, detail={"how": "retry"})

    assert story.view.allowed == {("env", "x")}
    assert not story.view.overridden


def test_accept_leaves_what_stands_there_alone():
    story = published().tell(K.OVERRIDDEN, target="env", fingerprint="x").tell(K.RESOLVED, detail={"how": "accept"})

    assert story.view.heeded == {"env": "x"}
    assert not story.view.allowed


def test_what_was_accepted_is_forgotten_once_something_else_stands_there():
    story = published().tell(K.OVERRIDDEN, target="env", fingerprint="x").tell(K.RESOLVED, detail={"how": "accept"})
    story.tell(K.OVERRIDDEN, target="env", fingerprint="y")
    assert not story.view.heeded

    story.tell(K.RESOLVED, detail={"how": "retry"})
    assert story.view.allowed == {("env", "y")}


def test_retry_forgets_rejects_and_back_off_of_the_open_rotation():
    story = Story().planned().minted()
    story.of_rotation(K.ABANDONED, detail={"rejected": True}).tell(K.RESOLVED, detail={"how": "retry"})

    assert story.view.opened.rejects == 0
    assert not story.view.opened.failures


def test_abandon_without_an_open_rotation_closes_nothing():
    assert published().tell(K.RESOLVED, detail={"how": "abandon"}).view.closing == ""


def test_every_resolution_confirms_the_sweep():
    story = published().tell(K.AHEAD).later(2).tell(K.RESOLVED, detail={"how": "accept"})

    assert story.view.cleared_at == story.at


# --- configuration and operators


def test_a_released_target_is_remembered_with_its_stanza():
    story = published().tell(K.TARGET_RELEASED, target="env", detail={"stanza": {"path": "/x"}})
    assert story.view.released == {"env": story.at}
    assert story.view.past == {"env": {"path": "/x"}}

    story.tell(K.TARGET_ADDED, target="env")
    assert not story.view.released
    assert not story.view.past
    assert story.view.baselines == {"vault"}, "it is looked at as if for the first time"


def test_configured_replaces_the_stanza():
    assert Story().tell(K.CONFIGURED, detail={"a": 1}).view.spec == {"a": 1}


def test_a_pause_has_an_end_or_none_and_resume_lifts_it():
    story = Story().tell(K.PAUSED, actor="ann", detail={"until": START + 9, "reason": "move"})
    assert story.view.pause is not None
    assert (story.view.pause.until, story.view.pause.reason, story.view.pause.actor) == (START + 9, "move", "ann")

    story.tell(K.PAUSED)
    assert story.view.pause.until == NEVER
    assert story.tell(K.RESUMED).view.pause is None


def test_a_request_carries_what_the_operator_wants():
    detail = {"request_id": "q", "strategy": "roll", "outage_budget": 90.0, "reason": "leak"}
    request = Story().tell(K.REQUEST, actor="ann", detail=detail).view.request

    assert request is not None
    assert (request.id, request.strategy, request.outage_budget, request.reason) == ("q", "roll", 90.0, "leak")
    assert request.actor == "ann"


def test_a_fact_that_changes_nothing_moves_the_position_and_leaves_the_view_before_it_as_it_was():
    before = blank()
    what = Unknown(word="teleported", passed_over=True)
    fact = Fact(what=what, at=START, fact_id="f", stream="c", position=7, epoch=1, writer="w")

    assert (fold(before, fact).position, before.position) == (7, 0)


def test_a_write_that_is_over_closes_only_the_intent_on_top_of_its_version():
    story = published().planned().minted().verified().publishing()
    story.of_rotation(K.PUBLISH_INTENT, target="env", detail={"version": "1"})
    open_writes = story.view.at("env").open_writes

    assert folding.unintended(story.view, "env", "t2", "7").at("env").open_writes == open_writes
    assert folding.unintended(story.view, "env", "t2", "1").at("env").open_writes == {}


def test_where_nothing_of_ours_was_ever_written_every_open_write_ends_without_a_mark():
    view = marker_facts.settled(published().view, "env", shown=True)

    assert (view.at("env").mark, view.at("env").open_writes) == (None, {})


def test_a_place_that_left_amid_a_rotation_was_neither_written_nor_read_back_there():
    story = published().planned().minted().verified().publishing().written().read_back()
    story.tell(K.TARGET_RELEASED, target="env (left)", detail={"of": "env"})

    assert (story.view.opened.written, story.view.opened.read_back) == ({"vault"}, {"vault"})


def test_what_was_done_at_a_target_counts_no_more_once_it_left_the_configuration_and_came_back():
    story = published().planned().minted().verified().publishing().written().read_back()
    story.tell(K.TARGET_RELEASED, target="env").tell(K.TARGET_ADDED, target="env")

    assert (story.view.opened.written, story.view.opened.read_back) == ({"vault"}, {"vault"})


def test_a_generation_that_was_meant_to_be_written_is_known_before_anybody_knows_whether_it_was():
    story = Story().planned().minted().verified().publishing()
    story.of_rotation(K.PUBLISH_INTENT, target="env", detail={"version": "1"})

    assert story.view.generations == {("env", "t1"): 1}
