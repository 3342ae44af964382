"""A log into memory, closed after the test."""

import io
import json
from collections.abc import Callable, Iterator

import pytest

from rotator.observability.logs import Log, configure


class Lines(io.StringIO):
    """What was logged."""

    @property
    def json(self) -> list[dict]:
        return [json.loads(line) for line in self.getvalue().splitlines()]


@pytest.fixture
def lines() -> Lines:
    return Lines()


@pytest.fixture
def logging_to(lines: Lines) -> Iterator[Callable[..., Log]]:
    made: list[Log] = []

    def start(level: str = "debug", format: str = "json", **options: bool) -> Log:
        made.append(configure(level, format, lines, **options))
        return made[-1]

    yield start
    for log in reversed(made):
        log.close()


@pytest.fixture
def log(logging_to: Callable[..., Log]) -> Log:
    return logging_to()
