"""A retirement that dies at each of its points: the old token ends deleted, the new one untouched."""

import pytest

from tests.crash.matrix import points, retire

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def verdict_on(on_a_file):
    return on_a_file(retire)


@pytest.mark.parametrize("point", points("retire"))
def test_a_retirement_survives_a_crash(verdict_on, point):
    verdict_on(point)
