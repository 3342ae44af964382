"""Revoked: a successor first, for a minute, and when it is over."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from rotator.core.credential import DAY, HOUR, Can, Strategy
from rotator.core.facts import Kind
from rotator.core.protocol.decide import decide_rotation
from rotator.core.protocol.revoke import PATIENCE, to_revoke
from rotator.core.protocol.rules import Act, Case, Do, Result, Sight
from rotator.core.reasons import OperatorCode, Reason
from rotator.core.schedule.agenda import Step, next_step, start
from rotator.core.status import credential_status
from tests.unit.core.revoking import SEEN, end_of, leaked, revoke, succeeding
from tests.unit.core.story import Story, act, acts, credential, fact, needs, plan, published, waits

K, S, R = Kind, Sight, Result


def did(step: Step) -> list[tuple[str, str]]:
    return acts(Do(step.actions))


def test_the_old_token_waits_for_its_successor_for_a_minute_without_a_publication():
    story = leaked()

    assert waits(end_of(story)) == (story.at + PATIENCE + 1, Reason.SUCCESSOR_FIRST)
    assert act(end_of(story.later(PATIENCE + 2))) == "disable"


def test_each_publication_gives_the_others_another_minute():
    story = succeeding(leaked()).later(40).written("env")

    assert waits(end_of(story))[0] == story.at + PATIENCE + 1


def test_it_ends_as_soon_as_every_target_was_written_and_read_back():
    story = succeeding(leaked()).written().read_back("env")
    assert waits(end_of(story))[1] == Reason.SUCCESSOR_FIRST

    assert act(end_of(story.read_back("vault"))) == "disable"
    assert act(end_of(story.confirmed())) == "disable"


def test_a_write_only_target_needs_no_proof_first():
    story = succeeding(leaked()).written().read_back("env")

    assert act(end_of(story, markers=frozenset({"vault"}))) == "disable"


def test_a_target_that_is_away_is_not_waited_for():
    story = succeeding(leaked()).written("env").failed("write", "vault")
    assert waits(end_of(story))[1] == Reason.SUCCESSOR_FIRST

    assert act(end_of(story.failed("write", "vault"))) == "disable"


def test_where_nothing_could_be_written_it_waits_for_its_minute():
    story = succeeding(leaked())
    for name in ("env", "vault") * 3:
        story.failed("write", name)

    assert waits(end_of(story))[1] == Reason.SUCCESSOR_FIRST


def test_a_target_that_somebody_overrode_is_not_waited_for():
    story = succeeding(leaked()).written("env").read_back("env")
    story.tell(K.OVERRIDDEN, target="vault", fingerprint="x")

    assert act(end_of(story)) == "disable"


def test_a_rotation_of_a_token_that_leaked_too_is_no_successor():
    story = succeeding(published()).written().read_back()
    revoke(story, "t1", "t2")

    assert waits(end_of(story))[1] == Reason.SUCCESSOR_FIRST


def test_at_full_quota_it_is_disabled_and_deleted_first_and_the_mint_does_not_back_off():
    story = leaked().planned().intent()
    name = story.view.opened.attempt_name
    story.tell(K.FAILED, token_name=name, detail={"act": "mint", "why": "full", "full": True})

    assert act(end_of(story)) == "disable"
    assert act(end_of(story.tell(K.DISABLED, token_id="t1"))) == "delete"
    story.tell(K.DELETED, token_id="t1")
    ready = ((S.ROOM, "", R.GOOD), (S.WRITABLE, "", R.GOOD))
    assert act(decide_rotation(story.case(*ready))) == "mint"


def test_a_refused_mint_that_was_not_about_room_changes_nothing():
    story = leaked().planned().failed("mint")

    assert waits(end_of(story))[1] == Reason.SUCCESSOR_FIRST


@pytest.mark.parametrize(
    ("more", "can"),
    [({"managed": False}, Can()), ({"targets": (), "adopt": "t1"}, Can()), ({}, Can(overlap=False))],
    ids=["left the configuration", "only watched", "two tokens cannot overlap"],
)
def test_where_no_successor_can_be_made_first_it_ends_at_once(more, can):
    story = leaked()
    story.credential = credential(**more)

    assert act(end_of(story, can=can)) == "disable"


def test_a_source_that_cannot_disable_deletes():
    story = leaked().later(PATIENCE + 2)

    assert act(end_of(story, can=Can(disable=False))) == "delete"
    story.tell(K.DELETED, token_id="t1", detail={"undisabled": True})
    assert fact(end_of(story, can=Can(disable=False))).kind is K.RETIRED


def test_the_end_comes_before_anything_that_the_rotation_wants():
    story = succeeding(leaked()).written("env").failed("write", "vault").failed("write", "vault")
    retry = story.credential.policy.retry

    fresh = ((S.ACCEPTED, "t2", R.GOOD),)
    assert did(next_step(story.later(retry).case(*fresh))) == [("disable", "")]
    story.tell(K.DISABLED, token_id="t1").tell(K.DELETED, token_id="t1").tell(K.RETIRED, token_id="t1")
    assert did(next_step(story.case(*fresh))) == [("write", "vault")]


def test_without_a_successor_it_ends_at_once_and_nothing_starts_until_resume():
    story = revoke(published(), without_successor=True)

    assert act(end_of(story)) == "disable"
    assert (story.view.current, story.view.fingerprint) == ("", "")
    assert waits(start(story.case(*SEEN)))[1] == Reason.PAUSED
    story.tell(K.RESUMED)
    assert plan(start(story.case(*SEEN))) == ("recreate", "first")


def test_a_token_that_was_to_be_taken_over_and_leaked_is_not_rolled_after_resume():
    roll = replace(credential().policy, strategy=Strategy.ROLL)
    story = Story(credential(policy=roll, adopt="t0")).seen_first()
    revoke(story, "t0", without_successor=True).tell(K.RESUMED)

    assert plan(start(story.case(*SEEN))) == ("recreate", "first")


def test_without_a_successor_an_open_rotation_closes():
    story = revoke(published().planned(), without_successor=True)

    closed = fact(decide_rotation(story.case()))
    assert (closed.kind, closed.closed) == (K.DISPLACED, True)


def test_a_second_revoke_may_take_the_successor_back():
    story = leaked()
    revoke(story.later(5), without_successor=True)

    assert act(end_of(story)) == "disable"
    assert story.view.current == ""


def test_a_successor_that_was_confirmed_stays_the_current_one():
    story = succeeding(leaked()).written().read_back().confirmed()
    revoke(story, "t1", without_successor=True)

    assert story.view.current == "t2"


def test_it_is_unfinished_until_the_token_is_disabled_and_something_of_a_successor_was_published():
    story = leaked()
    assert story.view.revoking
    succeeding(story).written("env")
    assert story.view.revoking
    assert not story.tell(K.DISABLED, token_id="t1").view.revoking
    assert story.view.uncured  # a target still waits for it

    story = leaked().tell(K.DISABLED, token_id="t1")
    assert story.view.revoking


def test_a_value_that_was_revoked_is_never_shown_as_ready_or_in_sync():
    story = leaked()
    found = credential_status(story.credential, story.view, story.at)
    assert (found.ready, {t.in_sync for t in found.targets}) == (False, {False})

    succeeding(story).written("env").read_back("env")
    found = credential_status(story.credential, story.view, story.at)
    assert {t.name: t.in_sync for t in found.targets} == {"env": True, "vault": False}
    assert not found.ready

    story.written("vault").read_back("vault").confirmed()
    assert credential_status(story.credential, story.view, story.at).ready


def exposed(story: Story, *more: tuple[Sight, str, Result], **also: Any) -> Case:
    return story.case((S.ALIVE, story.view.fingerprint, R.EXPOSED), *more, **also)


def test_a_value_found_in_public_is_revoked_and_replaced_without_being_asked():
    story = published()
    found = fact(Do(next_step(exposed(story)).actions))

    assert (found.kind, found.tokens, found.exposed) == (K.REVOKED, ("t1",), True)
    revoke(story, exposed=True)
    assert did(next_step(exposed(story, *SEEN[:2]))) == [("plan", "")]


def test_that_it_was_found_in_public_is_believed_in_an_incident():
    story = published()

    assert exposed(story, incident=True).dead("v1")
    assert fact(Do(next_step(exposed(story, incident=True)).actions)).kind is K.REVOKED


def test_the_token_of_an_open_publication_may_be_found_in_public_too():
    story = succeeding(published()).written("env")
    seen = (S.ACCEPTED, "t2", R.EXPOSED)

    assert fact(Do(next_step(story.case(seen, *SEEN)).actions)).tokens == ("t2",)


def twice(apart: float) -> Story:
    """Found in public, replaced, and found in public again."""
    story = published()
    revoke(story, exposed=True)
    succeeding(story).written().read_back().confirmed().later(apart)
    story.tell(K.DISABLED, token_id="t1").tell(K.DELETED, token_id="t1").tell(K.RETIRED, token_id="t1")
    return revoke(story, exposed=True)


def test_a_second_time_within_a_day_needs_a_person_and_no_third_value_is_published():
    story = twice(HOUR)

    step = next_step(exposed(story, (S.STANDS, "env", R.CURRENT), (S.STANDS, "vault", R.CURRENT)))
    assert needs(step.why["start"]) == (OperatorCode.EXPOSED_AGAIN, "")
    story.planned().minted()
    assert needs(next_step(story.case()).why["rotation"]) == (OperatorCode.EXPOSED_AGAIN, "")


@pytest.mark.parametrize("decision", [K.RESOLVED, K.REQUEST])
def test_a_person_who_decides_lets_it_go_on(decision):
    story = twice(HOUR).later(60)
    story.tell(decision, detail={"how": "retry", "request_id": "q9"})

    assert did(next_step(exposed(story, *SEEN[:2])))[-1] == ("plan", "")


def test_a_second_time_after_a_day_starts_the_same_again():
    story = twice(DAY + HOUR)

    assert did(next_step(exposed(story, *SEEN[:2]))) == [("plan", "")]


def test_a_publication_under_way_and_one_that_must_close_are_not_stopped_by_that():
    story = twice(HOUR)
    story.planned().minted().verified().publishing().written("env")
    assert "start" not in next_step(story.case()).why

    story = published()
    revoke(story, exposed=True)
    succeeding(story).written("env").later(HOUR).tell(K.DISABLED, token_id="t1")
    story.tell(K.DELETED, token_id="t1").tell(K.RETIRED, token_id="t1")
    revoke(story, "t2", exposed=True)
    assert did(next_step(story.case())) == [("displaced", "")]


def test_the_end_of_a_value_found_in_public_is_an_act_of_its_own():
    story = twice(HOUR).later(PATIENCE + 2)

    assert [action.act for action in next_step(exposed(story)).actions] == [Act.DISABLE]


def test_it_names_whatever_lives_and_may_have_stood_somewhere():
    story = succeeding(published()).written("env")
    assert to_revoke(story.view) == ("t1", "t2")

    story = published().rotated().rotated().retired_to(K.DISABLED, "t1")
    assert to_revoke(story.view) == ("t3", "t2")


def test_it_does_not_name_what_never_stood_anywhere():
    assert to_revoke(published().planned().minted().view) == ("t1",)
    assert to_revoke(Story().view) == ()


def test_it_names_the_token_that_is_to_be_taken_over_while_there_is_no_other():
    assert to_revoke(Story().view, "t0") == ("t0",)
    assert to_revoke(published().view, "t0") == ("t1",)
    bare = revoke(published(), without_successor=True)
    assert to_revoke(bare.tell(K.DISABLED, token_id="t1").view, "t1") == ()


def test_while_one_is_unfinished_it_names_the_same_tokens_and_never_their_cure():
    story = succeeding(leaked()).written("env")

    assert to_revoke(story.view) == ("t1",)
    story = leaked().tell(K.DISABLED, token_id="t1").tell(K.DELETED, token_id="t1").tell(K.RETIRED, token_id="t1")
    assert to_revoke(story.view) == ("t1",)


def test_one_that_is_finished_names_the_cure_of_the_last_one():
    story = succeeding(leaked()).written().read_back().confirmed().tell(K.DISABLED, token_id="t1")

    assert to_revoke(story.view) == ("t2",)


def test_a_target_that_is_away_for_days_keeps_nobody_from_revoking_the_cure():
    story = succeeding(leaked()).written("env").tell(K.DISABLED, token_id="t1")

    assert to_revoke(story.view) == ("t2",)
    assert to_revoke(story.tell(K.DELETED, token_id="t1").tell(K.RETIRED, token_id="t1").view) == ("t2",)
