"""A machine that gives the daemon too little: it works, or says what it lacks and ends. It is never alive and mute."""

import subprocess
import sys

import pytest

from tests.rotator_place import eventually


def limited(place, kibibytes):
    """A daemon under a limit of address space."""
    number = len(place.processes)
    with (place.folder / f"out-{number}").open("w") as out, (place.folder / f"err-{number}").open("w") as err:
        process = subprocess.Popen(
            ["sh", "-c", f'ulimit -v {kibibytes}; exec "{sys.executable}" -m rotator run'],
            cwd=place.folder,
            env=place.environment(),
            stdout=out,
            stderr=err,
        )
    place.processes.append(process)
    return process


@pytest.mark.parametrize("mebibytes", [60, 140, 260, 300])
def test_a_daemon_with_too_little_memory_works_or_says_so_and_ends(place, mebibytes):
    process = limited(place, mebibytes << 10)
    eventually(lambda: process.poll() is not None or place.said(process, "rotation_confirmed"))

    if place.run("healthcheck").code == 0:
        return
    eventually(lambda: process.poll() is not None)
    said = place.log(process).splitlines()
    assert not any(line.startswith("Traceback") for line in said), said
    assert process.returncode in (1, 127), said[-3:]
    if process.returncode == 1:  # 127: not even the interpreter found room, and the system says so
        assert said[-2].startswith("error: the system "), said[-5:]
        assert said[-1].startswith("do: "), said[-3:]
