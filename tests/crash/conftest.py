"""Templates and the look-ahead of the crash matrix."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rotator.host.crashpoints import Point
from tests.crash.matrix import Ahead, Site, cross, env_file
from tests.prepared import Templates


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """Prepared states, made once in this process."""
    return Templates(tmp_path_factory.mktemp("templates"))


@pytest.fixture(scope="module")
def ahead(request: pytest.FixtureRequest) -> Iterator[Callable[[Callable[[Point], None]], Ahead]]:
    """Makes the look-ahead over those points that this module's tests ask for in this process."""
    made: list[Ahead] = []
    mine = [item for item in request.session.items if item.path == request.path]
    cases = [item.callspec.params["point"] for item in mine if "point" in getattr(item, "fixturenames", ())]

    def over(run: Callable[[Point], None]) -> Ahead:
        made.append(Ahead(cases, run))
        return made[-1]

    yield over
    for one in made:
        one.close()


@pytest.fixture(scope="module")
def on_a_file(
    ahead: Callable[[Callable[[Point], None]], Ahead], templates: Templates, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Ahead]:
    """Makes what crosses a point on a copy of a prepared installation that publishes into a file."""

    def made(
        prepare: Callable[[Path], None], further: Callable[[Site, Point], None] = lambda site, point: None
    ) -> Ahead:
        def run(point: Point) -> None:
            with env_file(templates.copy(prepare)) as site:
                cross(site, point, tmp_path_factory.mktemp("scratch"))
                further(site, point)

        return ahead(run)

    return made
