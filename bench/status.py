"""What `status` of 1,000 credentials costs: processor time of the verb in a process of its own, imports included.

The credentials have their first facts and no token yet, so that every row has a remark below it: the longest picture.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from bench.place import Place, environment, place
from bench.row import Row
from rotator.app import App
from rotator.journal.key_file import generate_key

CREDENTIALS = 1_000


def measure(folder: Path) -> list[Row]:
    """Measure; processor time, because a busy machine does not change it."""
    with place(folder, CREDENTIALS) as at:
        (at.folder / "state").mkdir(mode=0o700, exist_ok=True)
        generate_key(at.folder / "state" / "rotator.key")
        with App.open(at.config, "writer"):
            pass  # makes the journal and its streams
        rows = []
        for words in (("status", "--all"), ("status", "--state", "failing"), ("status", "-o", "json")):
            took = min(_took(at, words) for _ in range(3))
            said = f"`rotator {' '.join(words)}`, {CREDENTIALS:,} credentials"
            rows.append(Row(name=said, value=took, unit="s", goal=1.0, note="processor time, best of 3"))
    return rows


def _took(at: Place, words: tuple[str, ...]) -> float:
    """Processor seconds of a verb."""
    before = os.times()
    command = [sys.executable, "-m", "rotator", "-c", str(at.config), *words]
    subprocess.run(command, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system
