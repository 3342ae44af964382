"""Opened connections: kept over a reload, closed when they are outdated and nobody is in the middle of a call."""

from types import SimpleNamespace

import pytest

from rotator.app.connections import Connections
from rotator.core.errors import ConfigError


class Adapter:
    def __init__(self, stanza):
        self.options, self.closed = stanza.options, 0

    def close(self):
        self.closed += 1


def stanzas(**options):
    return {name: SimpleNamespace(name=name, options=value) for name, value in options.items()}


@pytest.fixture
def connections():
    made = Connections(Adapter)
    made.configure(stanzas(prod="a", vault="v"))
    return made


def test_one_is_opened_when_it_is_first_asked_for_and_once(connections):
    assert connections.get("prod") is connections.get("prod")


def test_one_outlives_a_reload_while_its_options_stay(connections):
    before = connections.get("prod")
    assert connections.configure(stanzas(prod="a", vault="other")) == set()
    assert connections.get("prod") is before
    assert before.closed == 0


def test_one_whose_options_changed_is_closed_and_opened_anew(connections):
    before = connections.get("prod")
    assert connections.configure(stanzas(prod="b", vault="v")) == {"prod"}
    assert before.closed == 1
    assert connections.get("prod").options == "b"


def test_one_that_left_the_configuration_is_closed_and_not_to_be_had(connections):
    before = connections.get("vault")
    connections.configure(stanzas(prod="a"))
    assert before.closed == 1
    with pytest.raises(ConfigError, match="not configured any more"):
        connections.get("vault")


def test_one_is_not_closed_while_somebody_may_be_in_the_middle_of_a_call(connections):
    before = connections.get("prod")
    with connections.in_use(), connections.in_use():
        connections.configure(stanzas(prod="b"))
        with connections.in_use():
            connections.get("prod")
        assert before.closed == 0
    assert before.closed == 1


def test_whoever_came_after_the_change_does_not_keep_the_old_one_open(connections):
    before = connections.get("prod")
    connections.configure(stanzas(prod="b"))
    with connections.in_use():
        connections.get("prod")
        assert before.closed == 1


def test_at_the_end_all_are_closed_once(connections):
    first = connections.get("prod")
    with connections.in_use():
        connections.configure(stanzas(prod="b"))
        second = connections.get("prod")
        connections.close()
    connections.close()
    assert (first.closed, second.closed) == (1, 1)
