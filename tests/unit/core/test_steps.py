"""Which fact may follow which: the tables as a whole, then each guard of the journal by one story."""

from dataclasses import replace
from itertools import pairwise

import pytest

from rotator.core import encoding
from rotator.core.credential import Policy, Strategy, Terms
from rotator.core.errors import IllegalFact
from rotator.core.facts import Kind, Paused, Unknown
from rotator.core.protocol.decide import TABLES
from rotator.core.protocol.fold import FOLDERS
from rotator.core.protocol.steps import GUARDS, NEXT, RETIREMENT_NEXT, legal, step_of_rotation
from rotator.core.protocol.view import AttemptState, Rotation, View
from rotator.testing.simulation.store import Store
from tests.unit.core.story import START, Story, published

K = Kind
MOVING = sorted({kind for table in NEXT.values() for after in table.values() for kind in after})
STEPS = [(strategy, step) for strategy, table in NEXT.items() for step in table]


def at_step(strategy: Strategy, step: Kind) -> View:
    terms = Terms(policy=Policy(strategy=strategy), targets=frozenset({"env"}), required=frozenset({"env"}))
    rotation = Rotation(
        rid="r", terms=terms, step=step, since=START, started=START, token_id="t", attempt_name="n", fingerprint="v"
    )
    return View(rotation=rotation, attempts={"n": AttemptState.INTENT})


# --- the tables


def test_every_strategy_has_a_table():
    assert set(NEXT) == set(Strategy)


def test_every_kind_of_fact_changes_the_view_in_a_way_that_is_written_down():
    assert set(FOLDERS) == set(Kind)


@pytest.mark.parametrize("strategy", Strategy)
def test_every_step_is_reached_from_planned(strategy):
    reached, open_steps = {K.PLANNED}, [K.PLANNED]
    while open_steps:
        for kind in NEXT[strategy].get(open_steps.pop(), frozenset()) - reached:
            reached.add(kind)
            open_steps.append(kind)

    assert set(NEXT[strategy]) <= reached


@pytest.mark.parametrize(("strategy", "step"), STEPS)
def test_every_step_reaches_an_end(strategy, step):
    reached, open_steps = {step}, [step]
    while open_steps:
        for kind in NEXT[strategy].get(open_steps.pop(), frozenset()) - reached:
            reached.add(kind)
            open_steps.append(kind)

    assert reached - set(NEXT[strategy]), "a rotation could never end"


@pytest.mark.parametrize(("strategy", "step"), STEPS)
def test_every_step_can_be_displaced_but_those_that_only_lead_to_one_that_can(strategy, step):
    passing = {(Strategy.RECREATE, K.INTENT)}

    assert (K.DISPLACED in NEXT[strategy][step]) is ((strategy, step) not in passing)


@pytest.mark.parametrize("kind", MOVING)
def test_every_fact_that_moves_a_rotation_is_held_to_the_table(kind):
    guarded = step_of_rotation in GUARDS[kind]

    assert guarded or kind is K.CAPTURED, "only a capture is accepted in any step: the value is shown once"


@pytest.mark.parametrize(("strategy", "step"), STEPS)
def test_every_step_has_a_row_that_decides(strategy, step):
    assert TABLES.rotations[strategy][step]


def test_no_row_decides_for_a_step_that_does_not_exist():
    assert {(s, k) for s, table in TABLES.rotations.items() for k in table} == set(STEPS)


def test_every_step_of_a_retirement_has_a_row_that_decides():
    assert set(TABLES.retire) == {K.RETIREMENT, K.SUPERSEDED, K.CONDEMNED, K.DISABLED, K.DELETED}


def test_a_retirement_runs_from_open_to_retired():
    order = [K.RETIREMENT, K.SUPERSEDED, K.DISABLED, K.DELETED, K.RETIRED]

    assert all(RETIREMENT_NEXT[after] is before for before, after in pairwise(order))


@pytest.mark.parametrize("kind", [k for k in MOVING if k is not K.CAPTURED])
@pytest.mark.parametrize(("strategy", "step"), STEPS)
def test_the_journal_allows_what_the_table_allows_and_nothing_else(strategy, step, kind):
    fresh = "another" if kind is K.INTENT else "n"
    draft = encoding.draft(kind, at=START, rid="r", token_name=fresh, token_id="t")
    allowed = kind in NEXT[strategy][step]

    why = legal(at_step(strategy, step), draft)

    assert (why == "") == allowed, why


@pytest.mark.parametrize(("strategy", "step"), STEPS)
def test_a_late_capture_is_legal_in_every_step_and_moves_nothing(strategy, step):
    view = at_step(strategy, step)
    draft = encoding.draft(K.CAPTURED, at=START, rid="r", token_name="late", token_id="t9", fingerprint="v9")

    assert legal(view, draft) == ""
    after = FOLDERS[K.CAPTURED](view, draft.what, draft)
    assert after.rotation == view.rotation
    assert after.values["v9"] == "t9"


def test_an_illegal_fact_is_refused_and_nothing_changes():
    store = Store(frozenset())
    before = store.stream("c").view

    with pytest.raises(IllegalFact, match="not open"):
        store.put("c", encoding.draft(K.CONFIRMED, at=START, rid="r"), None, 1)

    assert store.stream("c").view is before
    assert store.log == []


# --- the guards of a rotation


def test_a_second_rotation_may_not_open():
    story = Story().planned()
    assert story.why_not(K.PLANNED, rid="r2", detail=story.view.opened.terms.to_json()) == "rotation r1 is open already"


def test_a_fact_of_another_rotation_is_refused():
    assert "r0 is not open" in Story().planned().why_not(K.DISPLACED, rid="r0")


def test_a_fact_of_a_rotation_is_refused_when_none_is_open():
    assert "? is not open" in Story().why_not(K.DISPLACED)


def test_an_attempt_name_is_used_once():
    story = Story().planned().intent()
    name = story.view.opened.attempt_name
    story.tell(K.ABANDONED, token_name=name)

    assert story.why_not(K.INTENT, token_name=name) == f"attempt {name} was used before"


def test_an_attempt_is_not_abandoned_once_its_value_was_captured():
    story = Story().planned().intent()
    name = story.view.opened.attempt_name
    story.captured()

    assert story.why_not(K.ABANDONED, token_name=name) == f"attempt {name} is captured"


def test_an_unknown_attempt_is_not_abandoned():
    assert Story().planned().intent().why_not(K.ABANDONED, token_name="who") == "attempt who is unknown"


def test_a_captured_token_may_be_turned_down_before_it_was_published():
    story = Story().planned().minted()
    name = story.view.opened.attempt_name

    assert story.why_not(K.ABANDONED, token_name=name, token_id="t1", detail={"rejected": True}) == ""


@pytest.mark.parametrize("token", ["t0", ""])
def test_only_the_captured_token_itself_is_turned_down(token):
    story = Story().planned().minted()
    name = story.view.opened.attempt_name

    assert story.why_not(K.ABANDONED, token_name=name, token_id=token, detail={"rejected": True})


def test_a_token_that_was_published_is_never_turned_down():
    story = published().planned().minted(token="t1")
    name = story.view.opened.attempt_name

    assert story.why_not(K.ABANDONED, token_name=name, token_id="t1", detail={"rejected": True})


# --- publication


def test_nothing_is_published_before_publishing():
    story = Story().planned().minted().verified()

    assert story.why_not(K.PUBLISH_INTENT, target="env", generation=0) == "no publication of this rotation is under way"


@pytest.mark.parametrize("kind", [K.PUBLISH_INTENT, K.WRITTEN, K.READ_BACK, K.UNWRITTEN])
def test_an_older_generation_is_never_published(kind):
    story = Story().planned().minted().verified().publishing()

    assert story.why_not(kind, target="env", token_id="t1", generation=0) == "generation 0 is not under way"


@pytest.mark.parametrize("kind", [K.PUBLISH_INTENT, K.WRITTEN, K.READ_BACK, K.UNWRITTEN])
def test_a_fact_of_another_publication_is_refused(kind):
    story = Story().planned().minted().verified().publishing()

    assert story.why_not(kind, rid="r0", target="env", generation=1)


@pytest.mark.parametrize("mark", [K.SUPERSEDED, K.CONDEMNED])
@pytest.mark.parametrize("kind", [K.VERIFIED, K.PUBLISHING, K.PUBLISH_INTENT])
def test_no_transition_publishes_a_marked_token(mark, kind):
    steps = {K.VERIFIED: K.CAPTURED, K.PUBLISHING: K.VERIFIED, K.PUBLISH_INTENT: K.PUBLISHING}
    rotation = at_step(Strategy.RECREATE, steps[kind]).opened
    view = View(rotation=rotation, marked={"t": mark})

    assert legal(view, encoding.draft(kind, at=START, rid="r", token_id="t")) == f"token t is {mark}"
    assert legal(view, encoding.draft(kind, at=START, rid="r")) == f"token t is {mark}", "the rotation's own is meant"


# --- retirements


def test_the_current_token_gets_no_retirement():
    assert published().why_not(K.RETIREMENT, token_id="t1") == "token t1 is in use"


def test_the_token_of_the_open_rotation_gets_no_retirement():
    assert Story().planned().minted().why_not(K.RETIREMENT, token_id="t1") == "token t1 is in use"


def test_a_token_that_may_be_the_open_attempts_gets_no_retirement():
    story = Story().planned().intent()
    name = story.view.opened.attempt_name

    assert story.why_not(K.RETIREMENT, token_id="t9", token_name=name) == "token t9 may be the open attempt's"
    assert story.why_not(K.RETIREMENT, token_id="t9", token_name="else") == ""


def test_a_twin_of_a_captured_token_gets_a_retirement_although_its_name_is_ours():
    story = Story().planned().minted()

    assert story.why_not(K.RETIREMENT, token_id="t9", token_name=story.view.opened.attempt_name) == ""


def test_a_token_gets_one_retirement():
    story = published().rotated()

    assert story.why_not(K.RETIREMENT, token_id="t1") == "token t1 is being retired already"
    story.retired_to(K.DELETED, "t1").tell(K.RETIRED, token_id="t1")
    assert story.why_not(K.RETIREMENT, token_id="t1") == "token t1 is being retired already", "the mark stays for good"


@pytest.mark.parametrize("kind", [K.SUPERSEDED, K.CONDEMNED, K.DISABLED, K.DELETED, K.RETIRED])
def test_a_step_of_a_retirement_needs_one(kind):
    assert published().why_not(kind, token_id="t9") == "no retirement of token t9 is open"


@pytest.mark.parametrize("kind", [K.DISABLED, K.DELETED, K.RETIRED])
def test_nothing_is_destroyed_without_a_mark(kind):
    assert published().rotated().why_not(kind, token_id="t1") == f"{kind} may not follow retirement"


def test_a_condemned_token_goes_on_like_a_superseded_one():
    story = Story().planned().minted().tell(K.DISPLACED).later(1).tell(K.CONDEMNED, token_id="t1")

    assert story.why_not(K.DISABLED, token_id="t1") == ""
    assert story.why_not(K.DELETED, token_id="t1") == "deleted may not follow condemned"


@pytest.mark.parametrize("kind", [K.SUPERSEDED, K.CONDEMNED])
def test_a_token_that_came_back_into_use_is_not_marked(kind):
    story = published().rotated()
    story.view = View(current="t1", retirements=story.view.retirements, tokens=story.view.tokens)

    assert story.why_not(kind, token_id="t1") == "token t1 is in use"


@pytest.mark.parametrize("kind", [K.SUPERSEDED, K.CONDEMNED])
def test_the_token_under_way_is_not_marked(kind):
    story = published().rotated()
    story.planned().minted(token="t1", value="v9")

    assert story.why_not(kind, token_id="t1") == "token t1 is in use"


def test_a_published_token_is_superseded_never_condemned():
    assert published().rotated().why_not(K.CONDEMNED, token_id="t1") == "token t1 was published"


def test_a_token_of_no_known_attempt_is_not_condemned():
    story = Story().tell(K.RETIREMENT, token_id="t9", token_name="n9", detail={"born": START, "attempt_name": "n9"})

    assert story.why_not(K.CONDEMNED, token_id="t9") == "token t9 is of no attempt that this journal knows"


def test_a_token_older_than_the_restore_is_not_condemned():
    story = Story().planned().minted().tell(K.DISPLACED).tell(K.AHEAD)

    assert story.why_not(K.CONDEMNED, token_id="t1") == "token t1 is older than the restore of this journal"


# --- adoption


def test_a_marked_token_is_not_adopted_again():
    story = published().rotated().retired_to(K.SUPERSEDED, "t1")

    assert story.why_not(K.ADOPTED, token_id="t1", fingerprint="v1") == "token t1 is superseded"


def test_a_value_that_we_published_ourselves_is_not_adopted():
    assert published().rotated().why_not(K.ADOPTED, token_id="t1", fingerprint="v1") == "the value is known already"


def test_a_new_value_of_a_known_token_is_adopted():
    assert published().why_not(K.ADOPTED, token_id="t1", fingerprint="other") == ""


def test_operators_and_sights_are_never_refused():
    for kind in (K.REQUEST, K.PAUSED, K.RESUMED, K.RESOLVED, K.SEEN, K.BASELINE, K.FAILED, K.AHEAD, K.CONFIGURED):
        assert Story().planned().why_not(kind) == ""


def test_after_a_fact_that_only_a_newer_version_knows_nothing_is_legal_but_a_capture():
    story = published().planned().intent()
    story.view = replace(story.view, newer="teleported")

    assert "`teleported`" in story.why_not(K.PAUSED)
    assert story.captured().view.opened.token_id == "t2"


def test_a_kind_of_fact_that_this_version_does_not_know_is_kept_by_its_word():
    columns, data = encoding.encode(Paused())

    assert encoding.decode("teleported", columns, data) == Unknown(word="teleported", passed_over=False)
