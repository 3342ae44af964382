"""`python -m bench`: runs every benchmark in a process of its own, prints one table and writes the same as JSON."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.place import environment

BENCHMARKS = ("due", "startup", "idle", "facts", "history", "fleet", "status", "page", "outage", "rotations")
RESULTS = Path(__file__).with_name("results.json")


def main() -> int:
    """Run what is asked for; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="BENCHMARK", help=f"of {', '.join(BENCHMARKS)}; all by default")
    parser.add_argument("--json", type=Path, default=RESULTS, metavar="FILE", help="where the results go")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if unknown := set(given.names) - set(BENCHMARKS):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    if given.here:
        json.dump(here(given.names[0]), sys.stdout)
        return 0
    rows: list[dict[str, Any]] = []
    for name in given.names or BENCHMARKS:
        print(f"measuring {name} ...", file=sys.stderr, flush=True)
        done = subprocess.run(
            [sys.executable, "-m", "bench", "--here", name], env=environment(), stdout=subprocess.PIPE, check=True
        )
        rows += json.loads(done.stdout)
    about = {
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "python": platform.python_version(),
        "machine": platform.platform(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
    }
    given.json.write_text(json.dumps({**about, "rows": rows}, indent=2) + "\n")
    print(table(rows))
    print(", ".join(f"{key} {value}" for key, value in about.items()))
    return 1 if any(row["met"] is False for row in rows) else 0


def here(name: str) -> list[dict[str, Any]]:
    """Run one benchmark in this process."""
    with tempfile.TemporaryDirectory(prefix="rotator-bench-") as folder:
        found = importlib.import_module(f"bench.{name}").measure(Path(folder))
    return [{**asdict(row), "ratio": row.ratio, "met": row.met} for row in found]


def table(rows: list[dict[str, Any]]) -> str:
    """Return the rows as text, a note below each."""
    lines = [("what", "value", "baseline", "ratio", "goal", "")]
    for row in rows:
        base = row["baseline"]
        goal, sign = row["goal"], ">=" if row["at_least"] else "<="
        lines.append(
            (
                row["name"],
                f"{row['value']:.4g} {row['unit']}",
                "" if base is None else f"{base:.4g} {row['unit']} ({row['against']})",
                "" if row["ratio"] is None else f"{row['ratio']:.2f}",
                "" if goal is None else f"{sign} {goal:g}",
                {True: "met", False: "MISSED", None: ""}[row["met"]],
            )
        )
    widths = [max(len(line[column]) for line in lines) for column in range(6)]
    shown = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    notes = [""] + [f"    {row['note']}" if row["note"] else "" for row in rows]
    return "\n".join(text for pair in zip(shown, notes, strict=True) for text in pair if text)


if __name__ == "__main__":
    sys.exit(main())
