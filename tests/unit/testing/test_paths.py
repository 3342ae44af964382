"""The judge of the journals that crash tests leave behind says no where a fact may not follow, or a law is broken."""

from dataclasses import replace

import pytest

from rotator.core.facts import Confirmed, Kind, PublishIntent
from rotator.testing.cover.families import FAMILIES, first
from rotator.testing.cover.model import NAME
from rotator.testing.cover.moves import moves
from rotator.testing.simulation.store import Store
from tests.crash.paths import is_a_path


@pytest.fixture(scope="module")
def facts():
    """The facts of one undisturbed first creation."""
    family = replace(next(f for f in FAMILIES if f.name == "first creation"), most=0)
    model, said = first(family), []
    kept = Store.put

    def put(store, stream, draft, value, epoch):
        said.append(draft)
        return kept(store, stream, draft, value, epoch)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Store, "put", put)
        while not any(draft.kind is Kind.CONFIRMED for draft in said):
            model = next(move for move in moves(model, family) if move.natural).model
    assert model.store.stream(NAME).view.current
    return said


def test_a_whole_first_creation_is_a_path(facts):
    assert is_a_path(facts).current


def test_a_fact_that_may_not_follow_is_told(facts):
    without = [fact for fact in facts if fact.kind is not Kind.CAPTURED]

    with pytest.raises(AssertionError, match="ONE_STEP"):
        is_a_path(without)


def test_what_is_confirmed_was_read_back_everywhere(facts):
    without = [fact for fact in facts if fact.kind is not Kind.READ_BACK]

    assert any(isinstance(fact.what, Confirmed) for fact in without)
    with pytest.raises(AssertionError, match="CONFIRMED"):
        is_a_path(without)


def test_nothing_is_published_that_the_journal_does_not_hold(facts):
    def strange(what):
        return replace(what, fingerprint="another") if isinstance(what, PublishIntent) else what

    with pytest.raises(AssertionError, match="CAPTURE_FIRST"):
        is_a_path([replace(fact, what=strange(fact.what)) for fact in facts])
