"""A very first start that dies: while the journal is made, and at the first sight of a target that exists already."""

import pytest

from rotator.host.crashpoints import Point
from tests.crash.matrix import Site, killed, points, recover
from tests.installation import BESIDE, Installation
from tests.verdict import other_bytes_are_kept

pytestmark = pytest.mark.slow

FIRST_SIGHT = [
    Point.BEFORE_FACT_COMMIT,
    Point.BEFORE_BASELINE_COMMIT,
    Point.AFTER_BASELINE_COMMIT,
    Point.AFTER_FACT_COMMIT,
]


@pytest.fixture(scope="module")
def verdict_on(ahead, tmp_path_factory):
    def run(point):
        with Installation(tmp_path_factory.mktemp("first-start")) as place:
            path = place.file()
            killed(place.run("once", crash=point), point)
            assert path.read_text() == BESIDE
            assert place.alive() == []
            recover(Site(place, lambda: {"env": place.value()}))
            other_bytes_are_kept(path, BESIDE)
            assert len(place.tokens()) == 1

    return ahead(run)


@pytest.mark.parametrize("point", [*points("migrate"), *FIRST_SIGHT])
def test_a_first_start_survives_a_crash(verdict_on, point):
    verdict_on(point)
