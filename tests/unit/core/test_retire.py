"""The rows of a retirement, asked with a hand-made case."""

from dataclasses import replace

import pytest

from rotator.core.credential import DAY, Can, Policy
from rotator.core.facts import Kind
from rotator.core.protocol.decide import decide_retirements
from rotator.core.protocol.rules import Look, Result, Seen, Sight, Verdict, Wait
from tests.unit.core.story import START, Story, act, acts, published, waits

K, S, R = Kind, Sight, Result
FREE = (S.UNPUBLISHED, "t1", R.GOOD)
IN_SYNC = (S.IN_SYNC, "", R.GOOD)
QUIET = (S.QUIET, "t1", R.GOOD)


def old() -> Story:
    """t1 was replaced by t2 a second ago."""
    return published().later(100).rotated().later(1)


def drained() -> Story:
    return old().later(DAY + 1)


def of(story: Story, *seen: tuple[Sight, str, Result], token: str = "t1", **more: float) -> Verdict:
    return decide_retirements(story.case(*seen, **more))[token]


def test_an_old_token_is_first_looked_for_at_every_target():
    assert acts(of(old())) == [("unpublished", "t1")]


def test_a_token_that_a_target_still_holds_stays_alive():
    assert waits(of(drained(), (S.UNPUBLISHED, "t1", R.BAD)))[1] == "still_published"


@pytest.mark.parametrize("unknown", [S.UNPUBLISHED, S.QUIET])
def test_a_provider_that_does_not_answer_is_told_as_that_and_not_as_a_target_or_a_user(unknown):
    seen = [(S.UNPUBLISHED, "t1", R.UNSURE)] if unknown is S.UNPUBLISHED else [FREE, IN_SYNC, (S.QUIET, "t1", R.UNSURE)]

    assert waits(of(drained(), *seen))[1] == "provider_silent"


def test_grace_counts_from_the_last_moment_a_target_was_seen_to_hold_the_old_value():
    story = old()
    let_go = story.at - 1

    assert waits(of(story, FREE)) == (let_go + DAY + 1, "grace")
    story.later(DAY / 2).tell(K.SEEN, target="env", token_id="t2", detail={"old": "t1"})
    assert waits(of(story, FREE)) == (story.at + DAY + 1, "grace")


def test_grace_counts_from_the_opening_where_no_target_was_seen_to_let_go():
    story = published().tell(K.RETIREMENT, token_id="t9", token_name="n9", detail={"policy": Policy().to_json()})

    assert waits(of(story, (S.UNPUBLISHED, "t9", R.GOOD), token="t9")) == (START + DAY + 1, "grace")


def test_a_token_that_the_provider_calls_dead_needs_no_grace():
    story = old()
    seen = {Look(S.UNPUBLISHED, "t1"): Seen(story.at, R.DEAD)}

    (action,) = decide_retirements(replace(story.case(), seen=seen))["t1"].actions
    assert action.look == Look(S.IN_SYNC)


def test_after_grace_every_required_target_must_hold_the_new_value():
    story = drained()

    assert act(of(story, FREE)) == "in_sync"
    assert waits(of(story, FREE, (S.IN_SYNC, "", R.BAD)))[1] == "targets_not_in_sync"


def test_a_token_that_is_still_used_is_held():
    story = drained()

    assert acts(of(story, FREE, IN_SYNC)) == [("quiet", "t1")]
    assert waits(of(story, FREE, IN_SYNC, (S.QUIET, "t1", R.BAD)))[1] == "still_used"


def test_a_drained_token_is_superseded():
    assert act(of(drained(), FREE, IN_SYNC, QUIET)) == "superseded"


def test_a_reading_older_than_thirty_seconds_destroys_nothing():
    story = old().retired_to(K.SUPERSEDED, "t1")

    assert act(of(story, FREE, age=31)) == "unpublished"
    assert act(of(story, FREE, age=29)) == "disable"


@pytest.mark.parametrize("step", [K.RETIREMENT, K.SUPERSEDED, K.DISABLED])
def test_a_pause_stops_retirements(step):
    story = drained()
    if step is not K.RETIREMENT:
        story.retired_to(step, "t1")
    story.tell(K.PAUSED, detail={"until": story.at + 60})

    assert waits(of(story, FREE, IN_SYNC, QUIET)) == (story.at + 60, "paused")
    assert not isinstance(of(story.later(DAY + 1), FREE, IN_SYNC, QUIET), Wait)


def test_a_superseded_token_is_disabled():
    verdict = of(old().retired_to(K.SUPERSEDED, "t1"), FREE)

    assert act(verdict) == "disable"
    assert verdict.actions[0].token_id == "t1"


def test_a_token_that_came_back_to_a_target_is_not_disabled():
    assert waits(of(old().retired_to(K.SUPERSEDED, "t1"), (S.UNPUBLISHED, "t1", R.BAD)))[1] == "still_published"


def test_a_target_that_came_back_with_the_old_value_and_let_it_go_after_the_mark_gives_its_consumers_their_grace():
    story = old().retired_to(K.SUPERSEDED, "t1").later(60)
    story.tell(K.SEEN, target="env", token_id="t2", detail={"old": "t1"})

    assert waits(of(story, FREE)) == (story.at + DAY + 1, "grace")
    assert act(of(story.later(DAY + 2), FREE)) == "disable"


def test_a_disable_that_failed_backs_off():
    story = old().retired_to(K.SUPERSEDED, "t1").failed("disable", token_id="t1")

    assert waits(of(story, FREE)) == (story.at + 30, "failed")


def test_a_disabled_token_soaks_before_it_is_deleted():
    story = old().retired_to(K.DISABLED, "t1")

    assert waits(of(story)) == (story.at + DAY + 1, "soak")
    story.later(DAY + 1)
    assert act(of(story)) == "in_sync"
    assert act(of(story, IN_SYNC)) == "unpublished"
    assert act(of(story, IN_SYNC, FREE)) == "delete"


def test_a_deleted_token_is_done_with_even_while_paused():
    assert act(of(old().retired_to(K.DELETED, "t1").tell(K.PAUSED))) == "retired"


def test_each_old_token_has_a_retirement_of_its_own():
    story = old().rotated()

    assert list(decide_retirements(story.case())) == ["t1", "t2"]


def test_retirement_goes_on_while_a_rotation_is_open():
    assert act(of(drained().planned().intent(), FREE, IN_SYNC, QUIET)) == "superseded"


# --- condemned: never published


def given_up() -> Story:
    return Story().planned().minted().tell(K.DISPLACED).later(1)


def test_a_token_that_was_never_published_needs_no_grace_only_silence():
    story = given_up()

    assert acts(of(story)) == [("quiet", "t1")]
    assert waits(of(story, (S.QUIET, "t1", R.BAD)))[1] == "still_used"
    assert act(of(story, QUIET)) == "condemned"


def test_a_condemned_token_is_disabled_after_the_targets_were_read():
    story = given_up().tell(K.CONDEMNED, token_id="t1")

    assert act(of(story)) == "unpublished"
    assert act(of(story, FREE)) == "disable"


def test_a_token_that_may_have_been_published_is_not_condemned():
    story = Story().planned().minted().verified().publishing()
    story.of_rotation(K.PUBLISH_INTENT, target="env", detail={"version": "1"}).tell(K.DISPLACED)

    assert act(of(story)) == "unpublished"


# --- a restored journal


def test_after_a_restore_nothing_older_is_retired_until_an_operator_confirmed_it():
    story = drained().tell(K.AHEAD)

    assert waits(of(story, sweep=300.0)) == (story.at + 300, "restored_journal")
    story.tell(K.RESOLVED, detail={"how": "retry"})
    assert act(of(story, FREE, IN_SYNC, QUIET)) == "superseded"


def test_a_token_born_after_the_restore_is_retired_all_the_same():
    story = published().tell(K.AHEAD).later(5).rotated().rotated().later(DAY + 2)

    assert act(of(story, (S.UNPUBLISHED, "t2", R.GOOD), token="t2")) == "in_sync"
    assert waits(of(story, token="t1"))[1] == "restored_journal"


def test_a_token_of_which_nothing_is_known_counts_as_older_than_the_restore():
    story = old().tell(K.AHEAD)
    story.view = replace(story.view, tokens={})

    assert waits(of(story))[1] == "restored_journal"


# --- a source that cannot do everything


def marked() -> Story:
    return drained().tell(K.SUPERSEDED, token_id="t1")


def modest(story: Story, *seen: tuple[Sight, str, Result]) -> Verdict:
    return decide_retirements(replace(story.case(*seen), can=Can(disable=False)))["t1"]


def test_where_nothing_can_be_disabled_the_soak_comes_before_the_delete():
    story = marked()

    assert waits(modest(story, FREE, IN_SYNC)) == (story.at + DAY + 1, "soak")
    story.later(DAY + 1)
    assert act(modest(story, FREE, IN_SYNC)) == "delete"


def test_where_nothing_can_be_disabled_the_targets_must_be_in_sync_before_the_delete():
    story = marked().later(DAY + 1)

    assert waits(modest(story, FREE, (S.IN_SYNC, "", R.BAD)))[1] == "targets_not_in_sync"


def test_a_delete_may_follow_the_mark_only_where_nothing_can_be_disabled():
    story = marked()

    assert story.why_not(K.DELETED, token_id="t1")
    assert not story.why_not(K.DELETED, token_id="t1", detail={"undisabled": True})


def test_a_token_that_is_dead_needs_no_consumers_word_at_a_write_only_target():
    dead = (S.UNPUBLISHED, "t1", R.DEAD)
    story = drained()
    alive = of(story, FREE, IN_SYNC, QUIET, markers=frozenset({"env"}), can=Can(last_use=False))

    assert waits(alive)[1] == "unacknowledged"
    assert acts(of(story, dead, IN_SYNC, QUIET, markers=frozenset({"env"}), can=Can(last_use=False)))


def test_a_token_whose_generation_a_restore_has_lost_needs_a_word_about_a_later_publication():
    story = drained().tell(K.AHEAD).later(5).rotated().later(DAY + 2).tell(K.RESOLVED, detail={"how": "retry"})
    env = story.view.at("env")
    kept = {token: n for token, n in env.generations.items() if token != "t1"}
    story.view = replace(story.view, targets={**story.view.targets, "env": replace(env, generations=kept)})
    silent = {"markers": frozenset({"env"}), "can": Can(last_use=False)}

    for generation in (story.view.ahead_generation, story.view.generation):
        assert waits(of(story, FREE, IN_SYNC, QUIET, **silent))[1] == "unacknowledged"
        story.tell(K.ACK, target="env", generation=generation)
    assert act(of(story, FREE, IN_SYNC, QUIET, **silent)) == "superseded"


def pasted(story):
    """The story of a credential whose target `env` is pasted elsewhere by somebody."""
    targets = tuple(replace(t, pasted=t.name == "env") for t in story.credential.targets)
    story.credential = replace(story.credential, targets=targets)
    return story


def test_a_value_that_is_pasted_elsewhere_keeps_the_old_one_alive_until_a_word_or_silence_that_was_seen():
    story = pasted(drained())
    seen = (FREE, IN_SYNC, QUIET)

    assert act(of(story, *seen)) == "superseded"
    assert waits(of(story, *seen, can=Can(last_use=False)))[1] == "unacknowledged"
    story.tell(K.ACK, target="env", generation=2)
    assert act(of(story, *seen, can=Can(last_use=False))) == "superseded"


def test_without_a_quiet_time_a_pasted_value_needs_the_word_of_whoever_pastes():
    story = pasted(drained())
    story.view = replace(
        story.view,
        retirements={
            token: replace(one, policy=replace(one.policy, quiet=0.0)) for token, one in story.view.retirements.items()
        },
    )

    assert waits(of(story, FREE, IN_SYNC, QUIET))[1] == "unacknowledged"
    story.tell(K.ACK, target="env", generation=1)
    assert waits(of(story, FREE, IN_SYNC, QUIET))[1] == "unacknowledged"
