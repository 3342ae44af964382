"""Installations for the acceptance scenarios: real processes, a provider in this one."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.installation import Installation
from tests.prepared import Templates, created, due


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """Prepared states, made once in this process."""
    return Templates(tmp_path_factory.mktemp("templates"))


@pytest.fixture
def opened() -> Iterator[Callable[..., Installation]]:
    """Opens installations that end with the test: `opened(folder, *credentials, **sections)`."""
    made: list[Installation] = []

    def make(folder: Path, *arguments: object, **sections: object) -> Installation:
        made.append(Installation(folder, *arguments, **sections))  # type: ignore[arg-type]  # handed through
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def fresh(templates: Templates, opened: Callable[..., Installation]) -> Installation:
    """One credential, created and published; nothing is due for forty minutes of provider time."""
    return opened(templates.copy(created))


@pytest.fixture
def renewal(templates: Templates, opened: Callable[..., Installation]) -> Installation:
    """One credential, created and published; its rotation is due."""
    return opened(templates.copy(due))
