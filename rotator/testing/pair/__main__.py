"""`python -m rotator.testing.pair FROM-TO`: run seeds of simulated management pairs; exit 1 where a law was broken."""

from __future__ import annotations

import sys

from rotator.testing.pair.world import breaches


def main(argv: list[str]) -> int:
    """Run the seeds, print those that broke a law."""
    first, _, last = argv[0].partition("-")
    bad = 0
    for seed in range(int(first), int(last or first) + 1):
        found = breaches(seed)
        bad += bool(found)
        for breach in found[:3]:
            print(f"seed {seed}: {breach.law}: {breach.why}")  # noqa: T201 - what it is for
    print(f"{int(last or first) - int(first) + 1} seeds, {bad} broke a law")  # noqa: T201 - likewise
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
