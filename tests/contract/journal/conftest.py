"""Which journals go through the contract: every implementation of the port, real and simulated."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.contract.journal.benches import Bench, SimulatedBench, SqliteBench, Template

BUILDERS: dict[str, Callable[[Template, Path], Bench]] = {
    "sqlite": lambda template, folder: SqliteBench(template, folder),
    "simulated": lambda template, folder: SimulatedBench(folder),
}


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    return Template.shared(tmp_path_factory)


@pytest.fixture(params=sorted(BUILDERS))
def bench(request: pytest.FixtureRequest, template: Template, tmp_path: Path) -> Iterator[Bench]:
    """Every journal: the laws on which the protocol rests."""
    made = BUILDERS[request.param](template, tmp_path / "state")
    yield made
    made.close()


@pytest.fixture
def real(template: Template, tmp_path: Path) -> Iterator[SqliteBench]:
    """Journals that outlive a process: the laws that the simulation has no use for."""
    made = SqliteBench(template, tmp_path / "state")
    yield made
    made.close()
