"""A recreate that dies at each of its points: no value is dead or lost, and the next run brings it to rest."""

import pytest

from rotator.host.crashpoints import Point
from tests.crash.matrix import points, recreate

pytestmark = pytest.mark.slow


LOST = {Point.AFTER_CREATE_SEND, Point.BEFORE_SPOOL_WRITE}
"""Between the answer and the spool nobody can save the value; only there may a second token be needed."""


@pytest.fixture(scope="module")
def verdict_on(on_a_file):
    def minted_no_more_than_needed(site, point):
        assert len(site.place.tokens()) == (3 if point in LOST else 2)

    return on_a_file(recreate, minted_no_more_than_needed)


@pytest.mark.parametrize("point", points("recreate"))
def test_a_recreate_survives_a_crash(verdict_on, point):
    verdict_on(point)
