"""How long people wait for the program, beside the bare interpreter: help, status, and the daemon until it is ready."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from bench.place import Place, environment, place
from bench.row import Row

ROUNDS = 15
STARTS = 5
CREDENTIALS = 20
BARE = ("-c", "pass")


def timed(arguments: tuple[str, ...], folder: Path) -> tuple[float, float]:
    """Run the interpreter to its end; return wall and processor time in milliseconds."""
    began = time.perf_counter()
    pid = os.posix_spawn(
        sys.executable,
        [sys.executable, *arguments],
        {**environment(), "PYTHONPYCACHEPREFIX": str(folder / "pyc")},
        file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)],
    )
    _, status, used = os.wait4(pid, 0)
    wall = time.perf_counter() - began
    if status:
        raise RuntimeError(f"{' '.join(arguments)} ended with {os.waitstatus_to_exitcode(status)}")
    return 1e3 * wall, 1e3 * (used.ru_utime + used.ru_stime)


def ready(at: Place) -> float:
    """Start the daemon, end it when it says that it is ready, return the milliseconds until then."""
    command = [sys.executable, "-m", "rotator", "-c", str(at.config), "--log-format", "json", "run"]
    variables = {**environment(), "PYTHONPYCACHEPREFIX": str(at.folder / "pyc")}
    began = time.perf_counter()
    with subprocess.Popen(command, env=variables, stderr=subprocess.PIPE, text=True) as daemon:
        assert daemon.stderr is not None
        for line in daemon.stderr:
            if json.loads(line)["event"] == "daemon_ready":
                took = 1e3 * (time.perf_counter() - began)
                break
        else:
            raise RuntimeError("the daemon never became ready")
        daemon.terminate()
        daemon.communicate()
    return took


def measure(folder: Path) -> list[Row]:
    """Measure, the candidates in turns, so that a busy moment of the machine hits all of them."""
    with place(folder, CREDENTIALS) as at:
        verbs = {
            "rotator --help": ("-m", "rotator", "--help"),
            "rotator status": ("-m", "rotator", "-c", str(at.config), "status"),
        }
        first = ready(at)
        runs: dict[str, list[tuple[float, float]]] = {"bare": [], **{name: [] for name in verbs}}
        for number in range(ROUNDS + 1):
            for name, arguments in {"bare": BARE, **verbs}.items():
                taken = timed(arguments, folder)
                if number:  # the first one compiles
                    runs[name].append(taken)
        starts = [ready(at) for _ in range(STARTS)]
    wall = {name: statistics.median(w for w, _ in taken) for name, taken in runs.items()}
    cpu = {name: statistics.median(c for _, c in taken) for name, taken in runs.items()}
    rows = [
        Row(
            name=name,
            value=wall[name],
            unit="ms",
            baseline=wall["bare"],
            against="python -c pass",
            goal=goal,
            note=f"processor time {cpu[name]:.0f} ms, {cpu[name] / cpu['bare']:.1f} times; {CREDENTIALS} credentials",
        )
        for name, goal in zip(verbs, (14.0, 40.0), strict=True)
    ]
    rows.append(
        Row(
            name="rotator run until daemon_ready",
            value=statistics.median(starts),
            unit="ms",
            baseline=wall["bare"],
            against="python -c pass",
            note=f"{CREDENTIALS} credentials; the very first start, which also compiles, {first:.0f} ms",
        )
    )
    return rows
