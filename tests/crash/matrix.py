"""The crash matrix: a state just before the crash, a process that kills itself at a named point, a verdict, a recovery.

A `Template` is prepared once and copied for each point, provider included, so that no point sees what another left.
"""

import signal
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rotator.host.crashpoints import Point
from tests import verdict
from tests.crash import paths
from tests.installation import BESIDE, ROTATION, Done, Installation, credential
from tests.prepared import LATER, due, settled

WAIT = ("once", "--wait", "20s")


def points(path: str) -> list[Point]:
    """The points of a path, in the order of the table."""
    return [point for point in Point if path in point.paths]


def killed(done: Done, point: str) -> None:
    """The process died at the point, by its own SIGKILL; one that ended otherwise never passed it."""
    assert done.code == -signal.SIGKILL, f"{point} was not passed (exit code {done.code}):\n{done.err[-3000:]}"


@dataclass
class Site:
    """An installation and how its targets are read without the program."""

    place: Installation
    read: Callable[[], Mapping[str, str | None]]
    rolls: bool = False

    def judge_instant(self, scratch: Path) -> None:
        """What must hold whenever the power goes."""
        published = dict(self.read())
        if self.rolls:  # the old value of a roll is dead at once, and nobody can change that
            assert len(self.place.alive("deploy")) == 1
        else:
            verdict.published_values_are_alive(self.place, published.values())
        verdict.published_values_are_durable(self.place, published.values(), scratch)
        paths.are_paths(self.place, scratch / "state-as-it-was-left")

    def judge_rest(self) -> None:
        """What must hold once the program had the time to finish."""
        verdict.is_at_rest(self.place, "deploy", self.read())
        paths.are_paths(self.place)


@contextmanager
def env_file(folder: Path) -> Iterator[Site]:
    """A copied installation that publishes into `app/.env`."""
    with Installation(folder) as place:
        rolls = place.document["credentials"][0]["rotation"].get("strategy") == "roll"
        yield Site(place, lambda: {"env": place.value()}, rolls)
        verdict.other_bytes_are_kept(folder / "app" / ".env", BESIDE)


def recreate(folder: Path) -> None:
    """A recreate is due."""
    due(folder)


def roll(folder: Path) -> None:
    """A roll is due."""
    due(folder, credential(rotation={**ROTATION, "strategy": "roll", "outage_budget": "40s"}))


def retire(folder: Path) -> None:
    """A rotation was confirmed; its old token waits for its retirement."""
    due(folder)
    with Installation(folder) as place:
        settled(place.run("once"))
        assert len(place.alive("deploy")) == 2
        place.advance(LATER)


def sweep(folder: Path) -> None:
    """An answer was lost and its attempt abandoned: the provider has a token that nobody owns."""
    due(folder)
    with Installation(folder) as place:
        for point in ("after_create_send", "after_abandoned_commit"):
            killed(place.run("once", crash=point), point)
            place.advance(LATER)
        assert len(place.alive("deploy")) == 2


def cross(site: Site, point: str, scratch: Path) -> None:
    """Crash at the point, judge the instant, recover, judge the rest."""
    killed(site.place.run(*WAIT, crash=point), point)
    site.judge_instant(scratch)
    recover(site)


def recover(site: Site) -> None:
    """Let the program come to rest without a crash, and judge that."""
    site.place.advance(LATER)
    settled(site.place.run(*WAIT))
    site.judge_rest()


class Ahead:
    """Runs the next cases while one is awaited: most of a case is waiting for seconds of provider time."""

    def __init__(self, cases: list[Point], run: Callable[[Point], None]) -> None:
        self._cases, self._run = cases, run
        self._pool = ThreadPoolExecutor(2)
        self._futures: dict[Point, Future[None]] = {}

    def __call__(self, case: Point) -> None:
        """Wait for the verdict on a case; raises what it raised."""
        at = self._cases.index(case)
        for each in self._cases[at : at + 2]:
            if each not in self._futures:
                self._futures[each] = self._pool.submit(self._run, each)
        self._futures[case].result()

    def close(self) -> None:
        """Let what runs end."""
        self._pool.shutdown(cancel_futures=True)
