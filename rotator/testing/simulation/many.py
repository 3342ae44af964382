"""Many seeds on several processes, in portions that can be taken up again: `make simulate FROM=0 SEEDS=50000`.

Every seed has its focus, as in the tests: one that broke a law there breaks it here. A process that dies is said as a
broken seed, never passed over.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from typing import Final

from rotator.core.durations import human
from rotator.testing.simulation.scenario import FOCUSES, build, focus_of, replay

PORTION: Final = 20
"""Seeds that a process takes at once."""

EVERY_SECONDS: Final = 10.0
"""Time between two lines of progress."""


@dataclass(frozen=True, slots=True)
class Portion:
    """What came of some seeds that follow one another."""

    seeds: range
    count: Counter[str]
    broken: tuple[str, ...]


@dataclass(slots=True)
class Total:
    """What came of all of them; `end` is the first seed that has not run."""

    end: int
    count: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)

    def add(self, portion: Portion) -> None:
        """Take the next portion in."""
        self.end = portion.seeds.stop
        self.count += portion.count
        self.broken += portion.broken


def portion(seeds: range, focus: str) -> Portion:
    """Run seeds one after another; an exception inside a world is a broken seed like a broken law."""
    count, broken = Counter[str](), list[str]()
    for seed in seeds:
        what = focus or focus_of(seed)
        try:
            world = build(seed, what).run()
        except Exception as error:  # noqa: BLE001 - the search goes on, and says so
            broken.append(f"{type(error).__name__}: {error}\n  {replay(seed, what)}")
            continue
        count.update({f"{world.scenario.strategy} seeds": 1, "port calls": world.calls, "mints": world.count["mint"]})
        count["faults"] += world.faults.count.total()
        broken += [f"{violation}\n  {replay(seed, what)}" for violation in world.violations]
    return Portion(seeds, count, tuple(broken))


def run(first: int, seeds: int, focus: str, jobs: int, say: Callable[[str], None]) -> Total:
    """Run `seeds` seeds from `first` on, on `jobs` processes; every violation and the progress go to `say`.

    Ctrl-C ends it: what is told then are the seeds that ran without a gap, and where to go on.
    """
    total, end, began = Total(first), first + seeds, time.monotonic()
    parts = [range(at, min(at + PORTION, end)) for at in range(first, end, PORTION)]
    told = began
    try:
        for found in _portions(parts, focus, jobs):
            total.add(found)
            for line in found.broken:
                say(line)
            if (now := time.monotonic()) - told >= EVERY_SECONDS:
                told = now
                say(_progress(total, first, seeds, now - began))
    except KeyboardInterrupt:
        say("stopped")
    return total


def _portions(parts: list[range], focus: str, jobs: int) -> Iterator[Portion]:
    """In the order of the seeds, whoever is first."""
    if jobs == 1:
        yield from (portion(part, focus) for part in parts)
        return
    with ProcessPoolExecutor(jobs) as pool:
        try:
            yield from pool.map(portion, parts, [focus] * len(parts))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _progress(total: Total, first: int, seeds: int, seconds: float) -> str:
    done = total.end - first
    left = (seeds - done) * seconds / done
    return f"{done} of {seeds} seeds, {len(total.broken)} violations, {human(left)} left"


def summary(total: Total, first: int, seeds: int, seconds: float, commit: str) -> Iterable[str]:
    """The lines that a reader may quote: which seeds on which commit, what happened in them, what was broken."""
    done = total.end - first
    yield f"seeds {first} to {total.end - 1} on commit {commit}, {human(seconds)}" if done else "no seed ran"
    for name, number in sorted(total.count.items()):
        yield f"  {name:<16}{number:>14,}"
    yield f"  {'violations':<16}{len(total.broken):>14,}"
    if done < seeds:
        yield f"go on with: make simulate FROM={total.end} SEEDS={seeds - done}"


def main(arguments: list[str]) -> int:
    """Run what is asked for; 0 when no law was broken and every seed ran."""
    parser = argparse.ArgumentParser(prog="make simulate", description=__doc__.partition("\n")[0])
    parser.add_argument("--from", dest="first", type=int, default=0, metavar="SEED", help="the first seed (0)")
    parser.add_argument("--seeds", type=int, default=2000, help="how many (2000)")
    parser.add_argument("--focus", default="", choices=FOCUSES, help="one trouble in every world (each its own)")
    parser.add_argument("--jobs", type=int, default=2, help="processes (2)")
    parser.add_argument("--commit", default="unknown", help="what the totals are quoted with")
    asked = parser.parse_args(arguments)
    if asked.seeds < 1 or asked.jobs < 1 or asked.first < 0:
        parser.error("--seeds and --jobs are 1 or more, --from is 0 or more")
    began = time.monotonic()
    total = run(asked.first, asked.seeds, asked.focus, asked.jobs, _tell)
    for line in summary(total, asked.first, asked.seeds, time.monotonic() - began, asked.commit):
        sys.stdout.write(f"{line}\n")
    return 1 if total.broken or total.end < asked.first + asked.seeds else 0


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
