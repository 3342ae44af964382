"""A roll that dies at each of its points: it heals, with the same token and one value everywhere."""

import pytest

from tests.crash.matrix import points, roll

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def verdict_on(on_a_file):
    return on_a_file(roll)


@pytest.mark.parametrize("point", points("roll"))
def test_a_roll_survives_a_crash(verdict_on, point):
    verdict_on(point)
