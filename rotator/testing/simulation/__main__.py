"""Replay one seed: `python -m rotator.testing.simulation SEED [FOCUS] [--trace]`; a range `0-2000` prints a summary."""

from __future__ import annotations

import sys
import time
from collections import Counter

from rotator.testing.simulation.scenario import build


def main(arguments: list[str]) -> int:
    """Run seeds and print what was violated."""
    words = [a for a in arguments if not a.startswith("--")]
    first, _, last = words[0].partition("-")
    focus = words[1] if len(words) > 1 else ""
    bad, count, calls, began = 0, Counter[str](), 0, time.perf_counter()
    for seed in range(int(first), int(last or int(first) + 1)):
        world = build(seed, focus, trace="--trace" in arguments).run()
        calls += world.calls
        count.update(world.faults.count)
        count.update({k: v for k, v in world.count.items() if k.startswith("fact ") or k == "mint"})
        for line in world.trace or []:
            sys.stdout.write(line + "\n")
        for violation in world.violations:
            bad += 1
            sys.stdout.write(f"seed {seed} {focus}: {violation.law} at {violation.at}: {violation.text}\n")
    seconds = time.perf_counter() - began
    sys.stdout.write(f"{bad} violations, {calls} port calls, {seconds:.1f} s, {dict(sorted(count.items()))}\n")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
