"""The one value that everybody renders: every state, every need of an operator, and what people read."""

import json
from dataclasses import asdict

import pytest

from rotator.core.credential import DAY, HOUR, NEVER, Policy, State, Strategy
from rotator.core.durations import human
from rotator.core.facts import Draft, Unknown
from rotator.core.protocol.fold import fold
from rotator.core.protocol.rules import Operator
from rotator.core.reasons import OperatorCode, Reason
from tests.unit.core.story import LIFE, START, Story, credential, published
from tests.unit.core.told import K, asked, said, status


def rejected() -> Story:
    story = Story().planned()
    for _ in range(5):
        story.minted().of_rotation(K.ABANDONED, detail={"rejected": True})
    return story


def unmanaged() -> Story:
    story = published()
    story.credential = credential(managed=False)
    return story


STORIES = {
    State.UNINITIALIZED: Story,
    State.IDLE: published,
    State.ROTATING: lambda: published().planned(),
    State.FAILING: lambda: published().planned().failed("mint"),
    State.PAUSED: lambda: published().tell(K.PAUSED, detail={"reason": "freeze"}),
    State.NEEDS_OPERATOR: lambda: published().tell(K.OVERRIDDEN, target="env", fingerprint="x"),
    State.UNMANAGED: unmanaged,
}


def test_every_state_has_a_story():
    assert set(STORIES) == set(State)


@pytest.mark.parametrize("state", State)
def test_every_state_is_reached_and_can_be_written_as_json(state):
    found = status(STORIES[state]())

    assert found.state is state
    assert found.message
    assert json.loads(json.dumps(asdict(found)))["state"] == state.value


def test_what_left_the_configuration_is_unmanaged_whatever_else():
    story = published().planned().tell(K.OVERRIDDEN, target="env", fingerprint="x").tell(K.PAUSED)
    story.credential = credential(managed=False)

    assert status(story).state is State.UNMANAGED
    assert status(story).next_rotation is None
    assert status(story).message == "somebody else changed the managed key at env", "what is open is still said"
    assert status(unmanaged()).message == "gone from the configuration; nothing is revoked"


def test_what_left_the_configuration_with_nothing_open_needs_no_operator():
    story = published().tell(K.OVERRIDDEN, target="env", fingerprint="x")
    story.credential = credential(managed=False)

    assert status(story).needs_operator is None
    assert status(story).message == "gone from the configuration; nothing is revoked"


def test_an_operator_is_needed_since_the_first_foreign_value_whatever_followed_it():
    story = published().tell(K.OVERRIDDEN, target="env", fingerprint="x").later(60)
    story.tell(K.OVERRIDDEN, target="env", fingerprint="y")
    again = published().tell(K.OVERRIDDEN, target="env", fingerprint="x").tell(K.OVERRIDE_ENDED, target="env")
    again.later(60).tell(K.OVERRIDDEN, target="env", fingerprint="x")

    assert status(story).needs_operator.since == START
    assert status(again).needs_operator.since == START + 60


def test_an_operators_need_goes_before_a_pause():
    assert status(STORIES[State.NEEDS_OPERATOR]().tell(K.PAUSED)).state is State.NEEDS_OPERATOR


def test_a_pause_goes_before_failing():
    assert status(published().planned().failed("mint").tell(K.PAUSED)).state is State.PAUSED


def test_a_pause_that_is_over_is_none():
    story = published().tell(K.PAUSED, detail={"until": START + 60, "reason": "x"}).later(60)

    assert status(story).state is State.IDLE
    assert status(story).paused is None


def test_a_rotation_that_works_again_fails_no_more():
    story = published().planned().failed("mint").minted().verified().publishing().written().read_back().confirmed()

    assert status(story).state is State.IDLE
    assert status(story).failing_since is None


def newer(story: Story) -> Story:
    """A newer version worked on it, and then the older one came back."""
    fact = Draft(what=Unknown(word="teleported", passed_over=False), at=story.at)
    story.view = fold(story.view, fact)
    return story


NEEDS = {
    "target_occupied": (
        lambda: Story().tell(K.OVERRIDDEN, target="env", fingerprint="x"),
        {},
        "a value that is not ours stands at env",
    ),
    "target_overridden": (
        STORIES[State.NEEDS_OPERATOR],
        {},
        "somebody else changed the managed key at env",
    ),
    "rejected": (rejected, {}, "5 minted tokens were turned down in a row"),
    "management_token": (
        published,
        {"rotation": asked(OperatorCode.MANAGEMENT_TOKEN)},
        "the management token cannot do this",
    ),
    "mass_death": (
        published,
        {"start": asked(OperatorCode.MASS_DEATH)},
        "so many tokens of the connection died at once that the answers are not believed",
    ),
    "exposed_again": (
        published,
        {"start": asked(OperatorCode.EXPOSED_AGAIN)},
        "a value of it was found in public twice within a day: a target itself may be the leak",
    ),
    "newer_version": (
        lambda: newer(published()),
        {},
        "a newer version of rotator wrote `teleported` into its journal, which this one does not know",
    ),
    "restored_journal": (
        lambda: published().tell(K.AHEAD),
        {},
        "something outside is ahead of the journal: it was lost or restored",
    ),
}


def test_every_code_has_a_story():
    assert set(NEEDS) == set(OperatorCode)


@pytest.mark.parametrize("code", NEEDS)
def test_every_code_says_what_is_wrong_since_when_and_what_to_do(code):
    story, waits, message = NEEDS[code]
    found = status(story(), **waits).needs_operator

    assert found is not None
    assert (found.code, found.message, found.since) == (code, message, START)
    assert found.remedy == OperatorCode(code).remedy
    assert "{" not in found.message


@pytest.mark.parametrize("code", OperatorCode)
def test_only_what_keeps_it_from_being_fresh_is_its_state(code):
    story, waits, message = NEEDS[code]
    found = status(story(), **waits)

    assert (found.state is State.NEEDS_OPERATOR) == code.blocks
    assert (found.message == message) == code.blocks


def test_a_need_that_an_earlier_version_noted_without_a_time_counts_from_now():
    found = status(published().later(9), start=asked(OperatorCode.MASS_DEATH, since=0.0)).needs_operator

    assert found is not None
    assert found.since == START + 9


def test_a_restored_journal_that_was_confirmed_needs_nobody():
    story = published().tell(K.AHEAD).later(1).tell(K.RESOLVED, detail={"how": "retry"})

    assert status(story).needs_operator is None


def test_a_credential_before_its_first_value_has_no_times():
    found = status(Story())

    assert (found.expires_on, found.next_rotation, found.rotation_deadline, found.last_success) == (None,) * 4
    assert (found.token_id, found.token_name, found.next_attempt) == (None, None, None)
    assert not found.ready


def test_a_published_credential_says_when_it_expires_and_rotates():
    found = status(published())

    assert found.expires_on == START + LIFE
    assert START < found.next_rotation < found.rotation_deadline < found.expires_on
    assert found.last_success == START
    assert found.token_name == "deploy~i.r1.1.1"


def test_a_token_without_expiry_never_rotates_by_itself():
    story = Story(credential(policy=Policy(lifetime=NEVER))).seen_first().rotated(life=NEVER)

    assert status(story).next_rotation == NEVER
    assert status(story).message == "fresh; never expires"


def test_an_expired_value_is_not_ready():
    assert not status(published().later(LIFE)).ready


def test_what_is_due_says_so():
    found = status(published().later(LIFE - 10 * DAY))

    assert (found.reason, found.message) == (None, "due for rotation")


def test_a_fresh_one_says_when_it_rotates():
    assert status(published()).message.startswith("fresh; rotates in ")


def test_drift_that_waits_to_be_healed_says_where_and_when():
    story = published().tell(K.SEEN, target="env", token_id="")

    found = status(story, start=said(story.at + 9, "drift"))

    assert (found.reason, found.message) == (Reason.DRIFT, "out of sync: env; healed again in 9 s")


@pytest.mark.parametrize("why", [Reason.PACING, Reason.CLOCK_SUSPECT])
def test_what_is_due_and_held_back_says_why(why):
    story = published().later(LIFE - 10 * DAY)
    found = status(story, start=said(story.at + 300, why))

    assert (found.reason, found.message) == (why, f"due for rotation ({why.text})")


def test_what_waits_for_another_of_its_group_says_for_which():
    waits = said(0.0, Reason.GROUP, subject="web-2")
    due, asked = published().later(LIFE - 10 * DAY), published().tell(K.REQUEST, detail={"request_id": "q"})

    assert status(due, start=waits).message == f"due for rotation ({Reason.GROUP.text}: web-2)"
    found = status(asked, start=waits)
    assert (found.reason, found.message) == (Reason.GROUP, f"a rotation is requested ({Reason.GROUP.text}: web-2)")


def test_what_was_due_and_is_fresh_again_says_nothing_of_an_old_wait():
    assert status(published(), start=said(START + 300, "pacing")).reason is Reason.FRESH


def test_the_open_rotation_says_what_it_waits_for():
    story = published().planned().intent()
    found = status(story, rotation=said(story.at + 61, "settle"))

    assert found.rotation is not None
    assert (found.rotation.step, found.rotation.reason) == ("intent", "settle")
    assert found.rotation.waiting_until == story.at + 61
    assert found.next_attempt is None, "nothing failed"
    assert found.message == "rotating: intent (a request may still be under way)"


def test_a_rotation_that_nobody_waited_for_yet_says_why_it_was_planned():
    found = status(published().planned())

    assert found.rotation is not None
    assert found.rotation.waiting_until is None
    assert found.message == "rotating: planned"


def test_a_failing_rotation_says_the_last_error_and_when_it_tries_again():
    story = published().planned().minted().verified().publishing()
    story.failed("write", "env", why="disk full").later(5).failed("write", "vault", why="sealed")
    found = status(story, rotation=said(story.at + 30, "failed", "env"))

    assert found.message == "rotating: publishing (sealed)"
    assert found.next_attempt == story.at + 30
    assert found.failing_since == story.at - 5


@pytest.mark.parametrize("why", ["target_unwritable", "journal_unsafe"])
def test_a_rotation_that_may_not_start_fails_although_nothing_was_tried(why):
    story = published().planned()
    found = status(story, rotation=said(story.at + 60, why))

    assert found.state is State.FAILING
    assert found.message == f"rotating: planned ({Reason(why).text})"
    assert found.next_attempt == story.at + 60
    assert found.failing_since is None


def test_an_error_without_words_says_what_it_waits_for():
    story = published().planned().failed("mint", why="")

    found = status(story, rotation=said(story.at + 30, "failed"))

    assert found.message == "rotating: planned (the last try failed and is repeated)"


def test_the_strategy_is_the_rotations_own_except_for_a_republish():
    assert status(published().planned(Strategy.ROLL)).strategy == "roll"
    assert status(published().planned(Strategy.REPUBLISH)).strategy == "recreate"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "0 s"), (0, "0 s"), (45, "45 s"), (119, "119 s"), (120, "2 min"), (HOUR, "60 min"), (2 * HOUR, "2 h"),
        (DAY - 1, "24 h"), (DAY, "1 d"), (61 * DAY, "61 d"), (NEVER, "never"),
    ],
)  # fmt: skip
def test_durations_in_human_words(seconds, words):
    assert human(seconds) == words


def test_a_wait_is_not_an_operators_need():
    assert Operator(OperatorCode.REJECTED, 0.0).subject == ""


def test_a_credential_that_is_only_watched_says_so():
    story = published()
    story.credential = credential(targets=())

    assert status(story).message == "watched only: it has no targets, so nothing is minted"
