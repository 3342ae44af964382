"""What `check` says of a write-only target, of which only a marker can be seen."""

import pytest

from rotator.app.standing import Looked, standing
from rotator.core.errors import Unavailable
from rotator.core.findings import Level
from rotator.core.ports.target import Evidence, Reading
from rotator.core.protocol.view import blank


class Blind:
    """A write-only target that shows what the test gives it."""

    evidence = Evidence.MARKER

    def __init__(self, shown):
        self.shown = shown

    def read(self):
        if isinstance(self.shown, Exception):
            raise self.shown
        return Reading(version="1", marker=self.shown)


class Serving:
    """A credential with that one target."""

    def __init__(self, target):
        self.targets, self.credential = {"there": target}, None


def said(shown, *, replace=False):
    bound = Serving(Blind(shown))
    place = Looked(bound=bound, name="there", replace=replace, view=blank(), journal=None, serves=lambda *_: True)
    return list(standing("target there", place))


def test_what_stands_at_a_write_only_target_before_our_first_write_is_a_finding():
    [found] = said("since noon")

    assert (found.level, found.code, "cannot be read" in found.message) == (Level.WARN, "occupied", True)


@pytest.mark.parametrize("shown", ["", Unavailable("reading it: no answer")])
def test_an_empty_or_silent_write_only_target_is_none(shown):
    assert not said(shown)


def test_one_that_may_be_overwritten_is_none():
    assert not said("since noon", replace=True)
