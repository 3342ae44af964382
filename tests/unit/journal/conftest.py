"""A fresh journal per test, copied from one that was migrated once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rotator.journal.key_file import generate_key
from tests.contract.journal.benches import SqliteBench, Template


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    return Template.shared(tmp_path_factory)


@pytest.fixture
def bench(template: Template, tmp_path: Path) -> Iterator[SqliteBench]:
    made = SqliteBench(template, tmp_path / "state")
    yield made
    made.close()


@pytest.fixture
def key(tmp_path: Path) -> Path:
    generate_key(tmp_path / "journal.key")
    return tmp_path / "journal.key"
