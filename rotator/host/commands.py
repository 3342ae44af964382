"""Running an operator's own command: without a shell, in a process group of its own, with a time limit.

Its output goes nowhere, for it may repeat what it read, and what it inherits of the environment is a short list, for
the rest may hold secrets of ours.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from rotator.core.errors import Refused

POLL: Final = 2.0
"""Seconds between two signs of life while a command runs."""

INHERITED: Final = (
    *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "TZ", "TMPDIR"),
    *("XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS"),
)
"""What a command may know of our environment."""


def find(program: str) -> None:
    """See whether a program is there and may be run, as `run` would look for it; it is not started.

    Raises:
        Refused: it is not, or this user may not run it.
    """
    if shutil.which(program) is None:
        there = "/" in program and Path(program).exists()
        raise _unstarted(os.strerror(errno.EACCES if there else errno.ENOENT))


def _unstarted(why: str | None) -> Refused:
    return Refused(f"it cannot be started: {why}", "install it, or correct the path")


def run(command: Sequence[str], more: Mapping[str, str], timeout: float, alive: Callable[[], None]) -> None:
    """Run a command to its end.

    Args:
        command: program and arguments.
        more: variables beside the inherited ones; never a value.
        timeout: seconds after which it is killed, with all that it started.
        alive: called every few seconds; what it raises kills the command and is raised again.

    Raises:
        Refused: it could not be started, took too long, or ended with another exit code than 0.
    """
    by_hand = "run it by hand as the user of rotator to see why"
    environment = {name: os.environ[name] for name in INHERITED if name in os.environ} | dict(more)
    try:
        process = subprocess.Popen(  # noqa: S603  # the operator's own, from the configuration
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,
        )
    except OSError as error:
        raise _unstarted(error.strerror) from None
    deadline, code = time.monotonic() + timeout, None
    with process:
        try:
            while code is None and (left := deadline - time.monotonic()) > 0:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    code = process.wait(min(POLL, left))
                if code is None:
                    alive()
        finally:
            if code is None:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, signal.SIGKILL)
    if code is None:
        raise Refused(f"it did not end within {timeout:.0f} s", "see what it waits for, or give it a longer `timeout`")
    if code:
        ended = f"ended with exit code {code}" if code > 0 else f"was ended by signal {-code}"
        raise Refused(f"it {ended}", by_hand)
