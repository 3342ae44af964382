"""A write into a file that dies at each of its points: readers see a whole file, and no temporary one stays."""

import pytest

from tests.crash.matrix import points, recreate

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def verdict_on(on_a_file):
    return on_a_file(recreate)


@pytest.mark.parametrize("point", points("env_file"))
def test_a_write_into_a_file_survives_a_crash(verdict_on, point):
    verdict_on(point)
