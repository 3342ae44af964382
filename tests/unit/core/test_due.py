"""Is a rotation due, and why? A table of sentences, then jitter and the emergency window."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotator.core.credential import DAY, HOUR, NEVER, Policy
from rotator.core.facts import Kind
from rotator.core.protocol.rules import Case, Result, Sight
from rotator.core.protocol.view import Token, View, blank
from rotator.core.schedule.due import CHECKS, JITTER, Due, deadline, emergency_at, jitter, renewal_at, why_due
from tests.unit.core.story import LIFE, START, Story, credential, published

K = Kind
YEARLY = Policy(lifetime=NEVER, every=365 * DAY)
DEAD = (Sight.ALIVE, "v1", Result.DEAD)


def without_expiry(policy: Policy = YEARLY) -> Story:
    return Story(credential(policy=policy)).seen_first().rotated(life=NEVER)


TABLE: dict[str, tuple[Callable[[], Case], str]] = {
    "a credential that was never published is due": (lambda: Story().case(), "first"),
    "a fresh one is not": (lambda: published().case(), ""),
    "a dead value is due": (lambda: published().case(DEAD), "dead"),
    "a value that is dead together with many others is not believed": (
        lambda: published().case(DEAD, incident=True),
        "",
    ),
    "what an operator asked for is due": (
        lambda: published().tell(K.REQUEST, detail={"request_id": "q"}).case(),
        "requested",
    ),
    "the successor of a displaced rotation is due": (
        lambda: published().planned().tell(K.DISPLACED).case(),
        "displaced",
    ),
    "four days before expiry it is an emergency": (lambda: published().later(LIFE - 4 * DAY).case(), "emergency"),
    "twenty-five days before expiry it is due": (lambda: published().later(LIFE - 25 * DAY).case(), "renewal"),
    "forty days before expiry it is not": (lambda: published().later(LIFE - 40 * DAY).case(), ""),
    "a token without expiry is due when its time came round": (
        lambda: without_expiry().later(365 * DAY).case(),
        "renewal",
    ),
    "a token without expiry is not due before": (lambda: without_expiry().later(364 * DAY).case(), ""),
    "a token without expiry and without `every` is never due": (
        lambda: without_expiry(Policy(lifetime=NEVER)).later(9999 * DAY).case(),
        "",
    ),
    "a dead value goes before what an operator asked for": (
        lambda: published().tell(K.REQUEST, detail={"request_id": "q"}).case(DEAD),
        "dead",
    ),
}


@pytest.mark.parametrize("sentence", TABLE)
def test_due(sentence):
    case, why = TABLE[sentence]

    assert (why_due(case()) or "") == why


def test_every_reason_but_drift_has_a_check_and_pacing_holds_back_only_ordinary_ones():
    assert set(CHECKS) == set(Due) - {Due.DRIFT}
    assert [why.value for why in CHECKS if not why.urgent] == [
        "unreadable",
        "unknown",
        "displaced",
        "changed",
        "renewal",
    ]


# --- renewal


def test_every_counts_from_the_last_rotation():
    story = Story(credential(policy=Policy(every=7 * DAY))).seen_first().rotated().later(7 * DAY).rotated()

    assert renewal_at(story.credential, story.view) == story.at + 7 * DAY


def test_every_counts_from_issue_where_nothing_was_rotated_yet():
    view = View(current="t0", tokens={"t0": Token(id="t0", born=START)})

    assert renewal_at(credential(policy=YEARLY), view) == START + 365 * DAY


def test_a_token_without_expiry_under_a_lifetime_is_renewed_as_if_it_ended_that_long_after_its_issue():
    view = View(current="t0", tokens={"t0": Token(id="t0", born=START)})
    ending = View(current="t0", tokens={"t0": Token(id="t0", born=START, expires_at=START + 90 * DAY)})
    ninety = credential(policy=Policy(lifetime=90 * DAY))

    assert renewal_at(ninety, view) == renewal_at(ninety, ending) < START + 90 * DAY
    assert renewal_at(credential(policy=Policy(lifetime=NEVER)), view) == NEVER


def test_a_rolled_token_whose_end_was_moved_is_renewed_before_that_end_however_old_it_is():
    story = Story().seen_first().rotated()
    token = story.view.tokens[story.view.current]
    moved = replace(token, expires_at=token.expires_at + LIFE)
    view = replace(story.view, tokens={**story.view.tokens, token.id: moved})

    assert renewal_at(story.credential, view) == renewal_at(story.credential, story.view) + LIFE


def test_expiry_and_every_are_both_kept():
    story = Story(credential(policy=Policy(every=365 * DAY))).rotated()

    assert renewal_at(story.credential, story.view) < START + LIFE


def test_before_the_first_token_it_is_due_at_once():
    assert renewal_at(credential(), blank()) == 0


@given(st.text(min_size=1, max_size=40), st.integers(0, 10_000))
def test_jitter_stays_within_a_tenth_and_is_stable(name, generation):
    assert -JITTER <= jitter(name, generation) < JITTER == 0.1
    assert jitter.__wrapped__(name, generation) == jitter(name, generation)


def test_jitter_is_the_same_in_every_process_and_version():
    assert jitter("c", 1) == pytest.approx(-0.0026453015709976047)
    assert jitter("c", 2) == pytest.approx(-0.025524416695502997)


def test_jitter_spreads_a_fleet_that_was_made_in_one_hour():
    moved = sorted(jitter(f"c{i}", 1) for i in range(1000))

    assert moved[0] < -0.09
    assert moved[-1] > 0.09
    assert len(set(moved)) == 1000


def test_jitter_changes_with_the_generation():
    assert len({jitter("c", generation) for generation in range(100)}) == 100


@given(st.integers(0, 50))
def test_the_renewal_moves_by_at_most_a_tenth_of_renew_before(generation):
    story = published()
    view = View(current="t1", tokens=story.view.tokens, generation=generation)
    plain = START + LIFE - 1 - 30 * DAY

    assert abs(renewal_at(story.credential, view) - plain) <= 3 * DAY


# --- emergency window and deadline


@pytest.mark.parametrize(
    ("lifetime", "renew_before", "window"),
    [
        (90 * DAY, 30 * DAY, 9 * DAY),
        (10 * DAY, 10 * DAY, 3 * DAY),
        (DAY, 8 * HOUR, 4 * HOUR),
        (365 * DAY, 20 * DAY, 10 * DAY),
        (NEVER, 30 * DAY, 3 * DAY),
    ],
    ids=["a tenth of life", "at least three days", "at most half of renew_before", "both ends", "no expiry"],
)
def test_the_emergency_window(lifetime, renew_before, window):
    assert Policy(renew_before=renew_before).emergency(lifetime) == window


def test_the_emergency_opens_a_second_early():
    story = published()

    assert emergency_at(story.credential, story.view) == START + LIFE - 1 - 9 * DAY


def test_the_deadline_leaves_room_for_settle_and_propagation():
    story = published()

    assert deadline(story.credential, story.view) == START + LIFE - 1 - 60 - 150


@pytest.mark.parametrize("at", [emergency_at, deadline])
def test_what_has_no_expiry_has_neither(at):
    story = without_expiry()

    assert at(story.credential, story.view) == NEVER
    assert at(story.credential, blank()) == NEVER
