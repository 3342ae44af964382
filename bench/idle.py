"""What a daemon with nothing to do takes: memory ten seconds after it became ready, and processor time after that."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

from bench.place import environment, place
from bench.row import Row, cpu_seconds_of, rss_mib

CREDENTIALS = 20
SETTLE, WATCHED = 10.0, 20.0


def measure(folder: Path) -> list[Row]:
    """Measure."""
    with place(folder, CREDENTIALS) as at:
        command = [sys.executable, "-m", "rotator", "-c", str(at.config), "--log-format", "json", "run"]
        log = (folder / "daemon.log").open("w+")
        with log, subprocess.Popen(command, env=environment(), stderr=log) as daemon:
            time.sleep(SETTLE)
            memory, before = rss_mib(daemon.pid), cpu_seconds_of(daemon.pid)
            began = time.monotonic()
            time.sleep(WATCHED)
            busy = (cpu_seconds_of(daemon.pid) - before) / (time.monotonic() - began)
            daemon.terminate()
            daemon.wait()
        events = [json.loads(line)["event"] for line in (folder / "daemon.log").read_text().splitlines()]
    confirmed = events.count("rotation_confirmed")
    return [
        Row(
            name="memory of an idle daemon",
            value=memory,
            unit="MiB",
            goal=90.0,
            note=f"{CREDENTIALS} credentials, {confirmed} of them made in the {SETTLE:.0f} s before",
        ),
        Row(
            name="processor time of an idle daemon", value=100 * busy, unit="% of a core", note=f"over {WATCHED:.0f} s"
        ),
    ]
