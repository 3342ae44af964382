"""The sweep of a token whose creation was never answered, dying at each of its points."""

import pytest

from tests.crash.matrix import points, sweep

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def verdict_on(on_a_file):
    return on_a_file(sweep)


@pytest.mark.parametrize("point", points("sweep"))
def test_a_sweep_survives_a_crash(verdict_on, point):
    verdict_on(point)
