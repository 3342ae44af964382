"""A roll that dies at each of its points: it heals, with the same token and one value everywhere."""

import pytest

from rotator.host.crashpoints import Point
from tests.crash.matrix import points, roll

pytestmark = pytest.mark.slow


LOST = {Point.AFTER_ROLL_SEND, Point.BEFORE_SPOOL_WRITE}
"""Between the answer and the spool nobody can save the value; only there may a second roll be needed."""


@pytest.fixture(scope="module")
def verdict_on(on_a_file):
    def rolled_no_more_than_needed(site, point):
        [token] = site.place.tokens()
        assert len(token.former) == (2 if point in LOST else 1)

    return on_a_file(roll, rolled_no_more_than_needed)


@pytest.mark.parametrize("point", points("roll"))
def test_a_roll_survives_a_crash(verdict_on, point):
    verdict_on(point)
