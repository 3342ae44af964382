"""Journals under test, each with processes that can be opened, killed and stopped, and a clock that the test moves."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar, Protocol

import pytest

from rotator.core.ports.journal import Journal
from rotator.core.secret import Secret
from rotator.journal.key_file import generate_key
from rotator.journal.open import Where, open_journal
from rotator.journal.store import SqlJournal
from rotator.testing.simulation.door import Door
from rotator.testing.simulation.hub import Hub, Process
from rotator.testing.simulation.journal import SimJournal
from rotator.testing.simulation.store import Store
from tests.servers.postgres import Postgres, shared


class Bench(Protocol):
    """One journal, empty but for its streams."""

    def open(self) -> Journal:
        """Another process opens the journal."""

    def kill(self, journal: Journal) -> None:
        """The process that opened it is gone, without a word."""

    def advance(self, seconds: float) -> None:
        """Let that much time pass on the machine."""

    def stream(self, name: str) -> str:
        """The id of a stream."""

    def close(self) -> None:
        """End everything."""


class TestClock:
    """Boot time and wall time that stand still until a test moves them."""

    __test__ = False

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.boot_name = "boot-one"

    def utc(self) -> float:
        return 1_700_000_000.0 + self.seconds

    def boot(self) -> float:
        return self.seconds

    def boot_id(self) -> str:
        return self.boot_name

    def wait(self, seconds: float) -> bool:
        self.seconds += seconds
        return False


def no_crash(name: str) -> None:
    """Pass a crash point."""


class Template:
    """A migrated journal and its key, made once and copied: a migration takes longer than most tests."""

    _made: ClassVar[Template | None] = None

    def __init__(self, folder: Path) -> None:
        self.key = folder / "journal.key"
        generate_key(self.key)
        self._state = folder / "state.db"
        open_journal(f"sqlite:///{self._state}", self.key).close()

    @classmethod
    def shared(cls, factory: pytest.TempPathFactory) -> Template:
        """The one template of this test process."""
        if cls._made is None:
            cls._made = cls(factory.mktemp("journal"))
        return cls._made

    def copy(self, folder: Path) -> Path:
        """A journal of its own in `folder`; all copies are one instance, with one key."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Path(shutil.copy(self._state, folder / "state.db"))


class RealBench:
    """A journal in a database. Its "processes" live in this one, each with a file and caches of its own."""

    def __init__(self, where: str | Where, key: Path) -> None:
        self.where = where
        self.key = key
        self.clock = TestClock()
        self.passed: list[str] = []
        self.opened: list[SqlJournal] = []
        self._streams: dict[str, str] = {}

    def open(self, **options: Any) -> SqlJournal:
        options = {"clock": self.clock, "crash": self.passed.append, "patience": 0.0, **options}
        journal = open_journal(self.where, self.key, **options)
        self.opened.append(journal)
        return journal

    def kill(self, journal: Journal) -> None:
        assert isinstance(journal, SqlJournal)
        journal._work.owners._lock.release()  # what the kernel does
        journal._db.close()

    def advance(self, seconds: float) -> None:
        self.clock.seconds += seconds

    def stream(self, name: str) -> str:
        if name not in self._streams:
            with self.opening() as journal:
                self._streams = journal.streams.register([(n, "prod", None) for n in {*self._streams, name}])
        return self._streams[name]

    @contextmanager
    def opening(self, **options: Any) -> Iterator[SqlJournal]:
        """A process that does something and leaves."""
        journal = open_journal(self.where, self.key, clock=self.clock, crash=no_crash, **options)
        try:
            yield journal
        finally:
            journal.close()

    def close(self) -> None:
        for journal in self.opened:
            if (writing := journal._writing) is not None:  # as a crash leaves it: its descriptors are closed, no more
                writing.owners.spool.close()
                writing.owners._lock.release()
            journal._db.close()


class SqliteBench(RealBench):
    """The journal on SQLite."""

    def __init__(self, template: Template, folder: Path) -> None:
        self.path = template.copy(folder)
        self.url = f"sqlite:///{self.path}"
        super().__init__(self.url, template.key)


@dataclass(frozen=True)
class PostgresPlace:
    """A database on the cluster of the tests, and the folder of one machine."""

    url: str
    folder: Path

    @property
    def password(self) -> PostgresPlace:
        return self

    def read(self) -> Secret:
        return Secret(Postgres.password)


@dataclass(frozen=True)
class FilePlace:
    """The place of a journal in a file."""

    path: Path

    password = None

    @property
    def url(self) -> str:
        return f"sqlite:///{self.path}"

    @property
    def folder(self) -> Path:
        return self.path.parent


class PostgresBench(RealBench):
    """The journal on PostgreSQL, with a clock of the database that the test moves."""

    _migrated: ClassVar[Path | None] = None

    def __init__(self, template: Template, folder: Path) -> None:
        self.database = shared.database(self._template(template))
        super().__init__(PostgresPlace(self.address(self.database), folder), template.key)

    @staticmethod
    def address(database: str) -> str:
        """The URL under which a database is reached."""
        return shared.cluster().url(database)

    @staticmethod
    def _template(template: Template) -> str:
        name = "template_journal"
        if PostgresBench._migrated is None:  # one for all, whatever leads to the copies
            shared.database("template_clock", name)
            PostgresBench._migrated = template.key.parent / "postgres"
            place = PostgresPlace(shared.cluster().url(name), PostgresBench._migrated)
            open_journal(place, template.key, clock=TestClock(), crash=no_crash).close()
        return name

    def kill(self, journal: Journal) -> None:
        """And let the time pass after which processes on other machines, who see no lock, believe it."""
        super().kill(journal)
        self.advance(31)

    def advance(self, seconds: float) -> None:
        super().advance(seconds)
        shared.move(self.database, seconds)

    def sql(self, statement: str) -> list[tuple[object, ...]]:
        """What an administrator does there."""
        return shared.cluster().sql(statement, self.database)


class PooledBench(PostgresBench):
    """The same through a pooler in transaction mode: no two transactions need have the same session."""

    @staticmethod
    def address(database: str) -> str:
        return shared.cluster().url(database, port=shared.pooler().port)


class SimulatedBench:
    """The journal of the simulation. Every call runs in a greenlet of its process, as the engine's calls do."""

    def __init__(self, folder: Path) -> None:
        self.hub = Hub()
        self._live: dict[int, Process] = {}
        self._names = iter(range(1000))
        self.world = SimpleNamespace(
            hub=self.hub,
            store=Store(frozenset()),
            instance="0badcafe",
            mutants=frozenset(),
            locks={},
            calls=0,
            trace=None,
            faults=SimpleNamespace(at=lambda *call: None),
            alive=lambda: {process.me for process in self._live.values()},
            judge=SimpleNamespace(spooled=lambda stream, draft: None),
        )
        self.happenings = SimpleNamespace(world=self.world, appended=lambda stream, draft: None)

    def open(self) -> Any:
        process = Process(f"p{next(self._names)}")
        journal = _OnHub(self.hub, process, SimJournal(Door(self.happenings, process)))
        self._live[id(journal)] = process
        return journal

    def kill(self, journal: Journal) -> None:
        del self._live[id(journal)]

    def advance(self, seconds: float) -> None:
        self.hub.now += seconds

    def stream(self, name: str) -> str:
        return name

    def close(self) -> None:
        self._live.clear()


class _OnHub:
    """Runs every method of a simulated journal on the hub, and returns or raises what it did."""

    def __init__(self, hub: Hub, process: Process, journal: SimJournal) -> None:
        self._hub = hub
        self._process = process
        self._journal = journal

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._journal, name)
        if name == "instance":
            return found
        if name == "place":
            return lambda *arguments: self._place(*arguments)
        return lambda *arguments: self._run(lambda: found(*arguments))

    def _run(self, call: Callable[[], Any]) -> Any:
        outcome: list[Any] = []

        def body() -> None:
            try:
                outcome.append((call(), None))
            except Exception as error:  # noqa: BLE001 - it is raised again below, on the test's own stack
                outcome.append((None, error))

        self._hub.spawn(self._process, body)
        self._hub.run(float("inf"), lambda: bool(outcome))
        found, error = outcome[0]
        if error is not None:
            raise error
        return found

    @contextmanager
    def _place(self, *arguments: Any) -> Iterator[None]:
        manager = self._journal.place(*arguments)
        self._run(manager.__enter__)
        try:
            yield
        finally:
            self._run(lambda: manager.__exit__(None, None, None))


class Died(Exception):
    """What stands for the end of the process."""


def dies(point: str, passage: int) -> Callable[[str], None]:
    """Ends the process at the given passage of a point."""
    left = [passage]

    def crash(name: str) -> None:
        if name == point:
            left[0] -= 1
            if not left[0]:
                raise Died

    return crash
