"""What the tests of recreate share."""

from rotator.core.facts import Kind
from rotator.core.protocol.decide import decide_rotation
from rotator.core.protocol.rules import Result, Sight
from tests.unit.core.story import Story

K, S, R = Kind, Sight, Result


def accept(story: Story, result: Result, age: float = 0.0) -> object:
    return decide_rotation(story.case((S.ACCEPTED, "t1", result), age=age))
