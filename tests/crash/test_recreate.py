"""A recreate that dies at each of its points: no value is dead or lost, and the next run brings it to rest."""

import pytest

from tests.crash.matrix import points, recreate

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def verdict_on(on_a_file):
    return on_a_file(recreate)


@pytest.mark.parametrize("point", points("recreate"))
def test_a_recreate_survives_a_crash(verdict_on, point):
    verdict_on(point)
