"""What a daemon with nothing to do takes: memory ten seconds after it became ready, and processor time after that."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

from bench.place import Place, environment, place
from bench.row import Row, cpu_seconds_of, rss_mib

CREDENTIALS = 20
SETTLE, WATCHED = 10.0, 20.0


def watched(at: Place) -> tuple[float, float, int]:
    """Run a daemon; return its memory (MiB), its share of a core, and how many rotations it confirmed."""
    command = [sys.executable, "-m", "rotator", "-c", str(at.config), "--log-format", "json", "run"]
    log = at.folder / "daemon.log"
    with log.open("w") as said, subprocess.Popen(command, env=environment(), stderr=said) as daemon:
        time.sleep(SETTLE)
        memory, before, began = rss_mib(daemon.pid), cpu_seconds_of(daemon.pid), time.monotonic()
        time.sleep(WATCHED)
        busy = (cpu_seconds_of(daemon.pid) - before) / (time.monotonic() - began)
        daemon.terminate()
        daemon.wait()
    events = [json.loads(line)["event"] for line in log.read_text().splitlines()]
    return memory, busy, events.count("rotation_confirmed")


def measure(folder: Path) -> list[Row]:
    """Measure the very first start, which makes the journal and every token, and the one after it."""
    with place(folder, CREDENTIALS) as at:
        first, again = watched(at), watched(at)
    return [
        Row(
            name=f"memory of an idle daemon, {when}",
            value=found[0],
            unit="MiB",
            goal=90.0,
            note=f"{CREDENTIALS} credentials, {found[2]} of them made in the {SETTLE:.0f} s before",
        )
        for when, found in (("very first start", first), ("later starts", again))
    ] + [
        Row(
            name="processor time of an idle daemon",
            value=100 * again[1],
            unit="% of a core",
            note=f"over {WATCHED:.0f} s",
        )
    ]
