"""Real processes on one real journal."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.contract.journal.benches import PostgresPlace, SqliteBench, Template
from tests.servers.postgres import Postgres, shared

PATIENCE = 60.0
"""Seconds until a child that does not answer is a failure; a loaded machine is slow, not broken."""


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    return Template.shared(tmp_path_factory)


@pytest.fixture
def bench(template: Template, tmp_path: Path) -> Iterator[SqliteBench]:
    made = SqliteBench(template, tmp_path / "state")
    yield made
    made.close()


class Child:
    """One process; `ask` sends it a line and returns its answer."""

    def __init__(self, url: str, key: Path, kind: str, environment: dict[str, str], prefix: list[str]) -> None:
        command = [*prefix, sys.executable, "-m", "tests.integration.journal.child", url, str(key), kind]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment},
            cwd=Path(__file__).parents[3],
        )
        assert self._line() == "ready"

    def ask(self, line: str) -> str:
        """The answer to a line; fails when the child dies instead."""
        self.tell(line)
        return self._line()

    def tell(self, line: str) -> None:
        """Send a line without waiting."""
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def dies(self) -> int:
        """Wait for the end; the signal, as a negative number, or the exit code."""
        return self.process.wait(PATIENCE)

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def end(self) -> None:
        """Kill it, whatever its state."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(PATIENCE)
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert pipe is not None
            try:
                pipe.close()
            except BrokenPipeError:
                continue

    def _line(self) -> str:
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], PATIENCE)
        assert ready, "the child does not answer"
        line = self.process.stdout.readline()
        if not line:
            assert self.process.stderr is not None
            raise EOFError(self.process.stderr.read())
        return line.rstrip("\n")


@pytest.fixture
def spawn(bench: SqliteBench) -> Iterator[Callable[..., Child]]:
    """Starts children on the journal of the test."""
    made: list[Child] = []

    def start(*, kind: str = "once", url: str = "", prefix: tuple[str, ...] = (), **environment: str) -> Child:
        made.append(Child(url or bench.url, bench.key, kind, environment, list(prefix)))
        return made[-1]

    yield start
    for child in made:
        child.end()


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """A cluster that a test may stop, kill and set up wrongly."""
    shared.cluster()  # says what is missing
    made = Postgres()
    made.start()
    made.sql(f"CREATE ROLE rotator LOGIN PASSWORD '{made.password}'")
    yield made
    made.close()


@pytest.fixture
def place(server: Postgres, tmp_path: Path) -> Iterator[PostgresPlace]:
    """An empty database on it."""
    server.sql("CREATE DATABASE own OWNER rotator")
    yield PostgresPlace(server.url("own"), tmp_path / "state")
    server.sql("DROP DATABASE own WITH (FORCE)")
