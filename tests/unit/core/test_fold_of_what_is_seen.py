"""Folding: what ends, what is seen outside, and what people say."""

from dataclasses import replace

import pytest

from rotator.core.credential import NEVER, Policy
from rotator.core.facts import Fact, Kind, Unknown
from rotator.core.protocol import folding, marker_facts
from rotator.core.protocol.fold import fold
from rotator.core.protocol.view import blank
from tests.unit.core.story import START, Story, published

K = Kind


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
