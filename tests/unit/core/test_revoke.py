"""A token that leaked: what names it, what it waits for, and what no longer waits for anything."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rotator.core.credential import Strategy
from rotator.core.facts import Kind
from rotator.core.protocol.decide import decide_rotation
from rotator.core.protocol.revoke import PATIENCE
from rotator.core.protocol.rules import Result, Sight
from rotator.core.reasons import Reason
from rotator.core.schedule.agenda import start
from tests.unit.core.revoking import SEEN, end_of, leaked, revoke, succeeding
from tests.unit.core.story import act, acts, credential, fact, plan, published, waits

K, S, R = Kind, Sight, Result


def test_it_marks_every_token_that_it_names_and_begins_their_ends():
    story = published().rotated()
    revoke(story, "t2", "t1")

    assert story.view.marked == {"t1": K.REVOKED, "t2": K.REVOKED}
    assert {t: r.step for t, r in story.view.retirements.items()} == {"t1": K.REVOKED, "t2": K.REVOKED}
    assert story.view.revoked["t2"].actor == "ops"


def test_a_token_that_was_superseded_keeps_its_mark_and_goes_on_without_soak():
    story = published().rotated().retired_to(K.SUPERSEDED, "t1")
    revoke(story, "t1")

    assert story.view.marked["t1"] is K.SUPERSEDED
    assert act(end_of(story)) == "disable"


def test_a_token_that_was_disabled_already_is_deleted_without_soak():
    story = published().rotated().retired_to(K.DISABLED, "t1")
    revoke(story, "t1")

    assert act(end_of(story)) == "delete"


def test_a_token_that_is_gone_stays_gone():
    story = published().rotated().retired_to(K.DELETED, "t1").tell(K.RETIRED, token_id="t1")
    revoke(story, "t1", "t2")

    assert set(story.view.retirements) == {"t2"}
    assert set(story.view.revoked) == {"t2"}


def test_a_second_revoke_joins_the_first_and_the_first_word_stays():
    story = leaked()
    revoke(story.later(20), "t1", reason="again")

    assert story.view.revoked["t1"].at == story.at - 20
    assert story.view.retirements["t1"].since == story.at - 20


def test_nothing_so_marked_is_published_again():
    story = published().planned(Strategy.REPUBLISH).of_rotation(K.VERIFIED).publishing()
    revoke(story)

    assert "revoked" in story.why_not(K.PUBLISH_INTENT, target="env", token_id="t1", generation=2, fingerprint="v1")


@pytest.mark.parametrize("strategy", [Strategy.REPUBLISH, Strategy.ROLL])
@pytest.mark.parametrize("steps", range(5))
def test_whatever_works_with_a_revoked_token_closes_in_every_step(strategy, steps):
    story = published().planned(strategy)
    ways = {
        Strategy.REPUBLISH: [story.verified, story.publishing, story.written, story.read_back],
        Strategy.ROLL: [story.intent, story.captured, story.verified, story.publishing],
    }
    for step in ways[strategy][:steps]:
        step()
    revoke(story)

    closed = fact(decide_rotation(story.case()))
    assert (closed.kind, closed.dead, closed.closed) == (K.DISPLACED, True, False)
    story.of_rotation(K.DISPLACED, detail={"dead": True})
    assert plan(start(story.case(*SEEN))) == ("recreate", "revoked")


def test_a_confirmed_roll_that_waits_for_its_settle_time_closes_too():
    story = published().planned(Strategy.ROLL).minted().verified().publishing().written().read_back().confirmed()
    revoke(story)

    assert fact(decide_rotation(story.case())).kind is K.DISPLACED


def test_a_recreate_whose_token_leaked_closes_and_an_unpublished_one_goes_on_as_the_cure():
    story = succeeding(published()).written("env")
    revoke(story, "t1", "t2")
    assert fact(decide_rotation(story.case())).kind is K.DISPLACED

    story = published().planned().minted()
    revoke(story)
    assert acts(decide_rotation(story.case())) == [("accepted", "t2")]


def test_its_successor_is_made_at_once_whatever_holds_other_rotations_back():
    story = leaked().tell(K.PAUSED, detail={"until": 2e9})
    held = {"start": Reason.CLOCK_SUSPECT, "incident": True}

    seen = ((S.STANDS, "env", R.ABSENT), (S.STANDS, "vault", R.CURRENT), (S.ALIVE, "v1", R.DEAD))
    assert plan(start(story.case(*seen, **held))) == ("recreate", "revoked")


def test_a_pause_holds_back_neither_its_mint_nor_its_end():
    story = leaked().tell(K.PAUSED, detail={"until": 2e9}).planned()

    ready = ((S.ROOM, "", R.GOOD), (S.WRITABLE, "", R.GOOD))
    assert act(decide_rotation(story.case(*ready))) == "mint"
    assert act(end_of(story.later(PATIENCE + 2))) == "disable"


def test_its_successor_yields_to_no_republish():
    story = leaked().planned()
    seen = ((S.ROOM, "", R.GOOD), (S.WRITABLE, "", R.BAD), (S.STANDS, "env", R.ABSENT), (S.STANDS, "vault", R.ABSENT))

    assert waits(decide_rotation(story.case(*seen)))[1] == Reason.TARGET_UNWRITABLE


def test_one_writable_target_is_enough_for_its_successor():
    story = leaked().planned()

    assert act(decide_rotation(story.case((S.ROOM, "", R.GOOD), (S.WRITABLE, "", R.SOME)))) == "mint"


def test_a_roll_is_no_cure_because_the_id_stays():
    story = revoke(published(policy=replace(credential().policy, strategy=Strategy.ROLL)))

    assert plan(start(story.case(*SEEN))) == ("recreate", "revoked")


def test_after_a_restore_nobody_is_waited_for():
    story = published().tell(K.AHEAD)
    revoke(story)

    assert act(end_of(story.later(PATIENCE + 2))) == "disable"


def test_an_old_token_that_leaked_ends_at_once_while_the_current_one_lives_on():
    story = published().rotated()
    revoke(story, "t1")

    assert act(end_of(story)) == "disable"
    assert not story.view.uncured


def test_failures_are_retried_every_retry_and_never_double():
    story = leaked().later(PATIENCE + 2)
    for _ in range(5):
        story.failed("disable", token_id="t1")
    retry = story.credential.policy.retry

    assert waits(end_of(story)) == (story.at + retry, Reason.FAILED)
    assert act(end_of(story.later(retry))) == "disable"

    story = leaked().planned()
    for _ in range(4):
        story.failed("mint")
    ready = ((S.ROOM, "", R.GOOD), (S.WRITABLE, "", R.GOOD))
    assert waits(decide_rotation(story.case(*ready))) == (story.at + retry, Reason.FAILED)
