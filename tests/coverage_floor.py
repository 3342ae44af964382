"""`python -m tests.coverage_floor`: what the last run covered, package by package, and whether that is enough.

Reads the data that `pytest --cov` left, prints one line per package and ends with 1 where one lies under its floor.
Statements and branches count alike, as in coverage's own reports. Floors are per package because a total hides a hole:
what must never go wrong is small.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.servers.require import everything_is_required

FLOORS = {"rotator.core": 100.0, "rotator.engine": 95.0, "rotator.journal": 95.0}
"""In percent; every other package has the usual floor."""

USUAL = 90.0

SERVED = frozenset({"rotator.targets"})
"""Packages whose tests need real servers: where those may be missing, their floor is said and does not fail the run."""


@dataclass(frozen=True)
class Covered:
    """How much of a package ran: what could have run, and what did."""

    package: str
    could: int
    did: int

    @property
    def percent(self) -> float:
        return 100.0 * self.did / self.could if self.could else 100.0

    @property
    def floor(self) -> float:
        return FLOORS.get(self.package, USUAL)

    @property
    def is_enough(self) -> bool:
        return self.percent >= self.floor


def package_of(file: str) -> str:
    """`rotator/engine/look.py` -> `rotator.engine`; modules at the top are together."""
    parts = Path(file).parts
    return ".".join(parts[:2]) if len(parts) > 2 else parts[0]


def by_package(report: Mapping[str, Any]) -> list[Covered]:
    """What coverage's JSON report says, summed up, the least covered first."""
    sums: dict[str, tuple[int, int]] = {}
    for file, found in report["files"].items():
        summary, package = found["summary"], package_of(file)
        could, did = sums.get(package, (0, 0))
        sums[package] = (
            could + summary["num_statements"] + summary["num_branches"],
            did + summary["covered_lines"] + summary["covered_branches"],
        )
    found = [Covered(package, could, did) for package, (could, did) in sums.items()]
    return sorted(found, key=lambda one: (one.percent - one.floor, one.package))


def table(packages: list[Covered]) -> list[str]:
    """One aligned line per package."""
    width = max(len(one.package) for one in packages)
    lines = [f"{'package'.ljust(width)}  covered  floor"]
    for one in packages:
        # never rounded up: 99.99 % is not 100 %
        shown = int(one.percent * 10) / 10
        lines.append(
            f"{one.package.ljust(width)}  {shown:6.1f}%  {one.floor:4.0f}%{'' if one.is_enough else '  TOO LOW'}"
        )
    return lines


def verdict(packages: list[Covered], *, required: bool) -> int:
    """0 where every package has its floor; packages that need servers count where all servers are required."""
    return int(any(not one.is_enough and (required or one.package not in SERVED) for one in packages))


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder, "coverage.json")
        words = [sys.executable, "-m", "coverage", "json", "--quiet", "-o", str(made)]
        done = subprocess.run(words, capture_output=True, text=True)
        if not made.exists():
            print(f"coverage floors: {(done.stdout + done.stderr).strip() or 'no report was made'}")
            return 1
        packages = by_package(json.loads(made.read_text()))
    print("\n".join(table(packages)), flush=True)
    low = [one.package.replace(".", "/") for one in packages if not one.is_enough]
    if low:
        files = ",".join(f"{folder}/*.py,{folder}/*/*.py" if "/" in folder else f"{folder}/*.py" for folder in low)
        subprocess.run([sys.executable, "-m", "coverage", "report", "--show-missing", f"--include={files}"])
    return verdict(packages, required=everything_is_required())


if __name__ == "__main__":
    sys.exit(main())
