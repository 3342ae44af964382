"""Search the states: `python -m rotator.testing.cover [FAMILY ...]`; prints the table of `docs/testing.md`."""

from __future__ import annotations

import sys

from rotator.testing.cover.families import FAMILIES
from rotator.testing.cover.search import Search


def main(arguments: list[str]) -> int:
    """Run the families that are named, or all."""
    names = arguments
    states = transitions = bad = 0
    seconds = 0.0
    for family in FAMILIES:
        if names and family.name not in names:
            continue
        found = Search(family).run()
        states, transitions, seconds = states + found.states, transitions + found.transitions, seconds + found.seconds
        sys.stdout.write(f"| {family.name} | {family.most} | {found.states:,} | {found.transitions:,} |\n")
        sys.stderr.write(f"{found.seconds:.1f} s\n")
        if found.violation:
            bad += 1
            sys.stdout.write(f"  {found.violation}\n")
            sys.stdout.write("".join(f"    {label}\n" for label, _ in found.trace))
    sys.stdout.write(f"all: {states} states, {transitions} transitions, {seconds:.1f} s\n")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
