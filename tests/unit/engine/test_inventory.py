"""One listing of a scope for everybody."""

import threading

import pytest

from rotator.core.errors import Unavailable
from rotator.core.ports.source import TokenState
from rotator.engine.inventory import Inventory

ONE = (TokenState(id="t1", name="n", status="active", issued_at=0, modified_at=0),)


@pytest.fixture
def clock():
    return [100.0]


@pytest.fixture
def inventory(clock):
    return Inventory(lambda: clock[0], threading.Lock)


def never():
    raise AssertionError("it was asked")


def broken():
    raise Unavailable("listing tokens")


def test_a_listing_is_asked_once_while_it_is_fresh(inventory, clock):
    assert inventory.tokens("prod", 60, lambda: ONE) == ONE
    clock[0] += 60
    assert inventory.tokens("prod", 60, never) == ONE


def test_an_older_one_is_asked_anew(inventory, clock):
    inventory.tokens("prod", 60, lambda: ONE)
    clock[0] += 61

    assert inventory.tokens("prod", 60, lambda: ()) == ()


def test_its_age_counts_from_the_moment_it_was_asked_for(inventory, clock):
    def slow():
        clock[0] += 50
        return ONE

    inventory.tokens("prod", 60, slow)
    clock[0] += 11
    assert inventory.tokens("prod", 60, lambda: ()) == ()


def test_scopes_do_not_see_each_other(inventory):
    inventory.tokens("prod", 60, lambda: ONE)

    assert inventory.tokens("test", 60, lambda: ()) == ()


def test_a_listing_that_failed_leaves_the_old_one(inventory, clock):
    inventory.tokens("prod", 60, lambda: ONE)
    clock[0] += 61

    with pytest.raises(Unavailable):
        inventory.tokens("prod", 60, broken)
    assert inventory.last("prod") == ONE


def test_nothing_was_listed_before_somebody_asked(inventory):
    assert inventory.last("prod") is None
