"""Which journals go through the contract: every implementation of the port, real and simulated."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.journal.benches import (
    Bench,
    PooledBench,
    PostgresBench,
    RealBench,
    SimulatedBench,
    SqliteBench,
    Template,
)

BUILDERS: dict[str, Callable[[Template, Path], Bench]] = {
    "pooled": lambda template, folder: PooledBench(template, folder),
    "postgres": lambda template, folder: PostgresBench(template, folder),
    "sqlite": lambda template, folder: SqliteBench(template, folder),
    "simulated": lambda template, folder: SimulatedBench(folder),
}


LONG = frozenset({"test_no_sliding_window_ever_holds_more_than_the_budget"})
"""Thousands of transactions, which a pooler makes longer and not harder: other tests of the budget run behind it."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the longest searches out where every transaction goes through a pooler."""
    left, out = list[pytest.Item](), list[pytest.Item]()
    for item in items:
        long = getattr(item, "originalname", "") in LONG and "[pooled" in item.name
        (out if long else left).append(item)
    if out:
        config.hook.pytest_deselected(items=out)
        items[:] = left


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    return Template.shared(tmp_path_factory)


def _marked(names: Iterable[str]) -> list[Any]:
    return [
        pytest.param(name, marks=[pytest.mark.postgres] if name in ("pooled", "postgres") else []) for name in names
    ]


@pytest.fixture(params=_marked(sorted(BUILDERS)))
def bench(request: pytest.FixtureRequest, template: Template, tmp_path: Path) -> Iterator[Bench]:
    """Every journal: the laws on which the protocol rests."""
    made = BUILDERS[request.param](template, tmp_path / "state")
    yield made
    made.close()


@pytest.fixture(params=_marked(["pooled", "postgres", "sqlite"]))
def real(request: pytest.FixtureRequest, template: Template, tmp_path: Path) -> Iterator[RealBench]:
    """Journals that outlive a process: the laws that the simulation has no use for."""
    made = BUILDERS[request.param](template, tmp_path / "state")
    assert isinstance(made, RealBench)
    yield made
    made.close()


@pytest.fixture
def sqlite(template: Template, tmp_path: Path) -> Iterator[SqliteBench]:
    """The journal in a file: what only a file and a machine of its own can have."""
    made = SqliteBench(template, tmp_path / "state")
    yield made
    made.close()
