"""A fleet of 10,000 credentials: read from YAML, started, and how much memory that takes."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

from bench.place import Place, environment, place
from bench.row import Row, cpu_seconds, cpu_seconds_of, rss_mib
from rotator.config.load import load
from rotator.registry import kinds

CREDENTIALS = 10_000
SETTLE = 10.0
FLEET = """\
fleet:
  inventory: fleet.jsonl
  template:
    name: "{name}"
    grants: [{ permissions: [Workers Scripts Write] }]
    targets: [{ type: env_file, path: "app/{name}.env" }]
"""


def loaded(config: Path) -> float:
    """Return the processor time of reading a configuration, imports aside."""
    known = kinds()
    began = cpu_seconds()
    load(config, known)
    return cpu_seconds() - began


def inventoried(at: Place) -> Path:
    """Write the same credentials as a template and an inventory; return that configuration."""
    rows = (json.dumps({"name": f"bench-{number:05d}"}) for number in range(CREDENTIALS))
    (at.folder / "fleet.jsonl").write_text("\n".join(rows) + "\n")
    made = at.folder / "fleet.yaml"
    made.write_text(at.config.read_text().partition("credentials:\n")[0] + FLEET)
    return made


def started(at: Place) -> tuple[float, float, float]:
    """Start the daemon; return the processor time until it is ready, its memory then, and a while later (MiB)."""
    command = [sys.executable, "-m", "rotator", "-c", str(at.config), "--log-format", "json", "run"]
    log = at.folder / "daemon.log"
    with log.open("w") as said, subprocess.Popen(command, env=environment(), stderr=said) as daemon:
        while not any(json.loads(line)["event"] == "daemon_ready" for line in log.read_text().splitlines()):
            if daemon.poll() is not None:
                raise RuntimeError(f"the daemon ended with {daemon.returncode}")
            time.sleep(0.1)
        took, memory = cpu_seconds_of(daemon.pid), rss_mib(daemon.pid)
        time.sleep(SETTLE)
        later = rss_mib(daemon.pid)
        daemon.terminate()
        daemon.wait()
    return took, memory, later


def measure(folder: Path) -> list[Row]:
    """Measure; processor time, because that is what both are made of and what a busy machine does not change."""
    with place(folder, CREDENTIALS) as at:
        few = at.folder / "few.yaml"
        few.write_text("".join(at.config.read_text().partition("  - name: bench-0001")[:1]))
        loaded(few)  # imports
        listed, read = loaded(inventoried(at)), loaded(at.config)
        took, memory, later = started(at)
    fleet = f"{CREDENTIALS:,} credentials"
    return [
        Row(name=f"{fleet} read from YAML", value=read, unit="s", goal=4.0, note="processor time"),
        Row(name=f"{fleet} read from JSON Lines", value=listed, unit="s", goal=2.0, note="processor time"),
        Row(
            name=f"{fleet} started",
            value=took - read,
            unit="s",
            goal=5.0,
            note="processor time from the configuration read to daemon_ready, imports and the first journal included",
        ),
        Row(
            name=f"memory with {fleet}",
            value=memory,
            unit="MiB",
            goal=150.0,
            note=f"when ready; {later:.0f} MiB {SETTLE:.0f} s later, in the middle of the first creations",
        ),
    ]
