"""What the first process of a container owes to the others: it reaps whoever loses its parent, and passes signals on.

A `command:` that reads a secret may leave helpers behind. In a container without an init they become children of
process 1 and, once ended, zombies for as long as it lives. So where this program is process 1 it splits before anything
else is imported: the first half is the init, the second is the program. Nothing here may import much.
"""

from __future__ import annotations

import contextlib
import os
import signal
from typing import Final

_KERNEL: Final = 0x80
"""Linux' si_code of a signal of the terminal (SI_KERNEL): the whole foreground group has got it already."""

_KEPT: Final = frozenset({signal.SIGCHLD, signal.SIGTTIN, signal.SIGTTOU, signal.SIGTSTP, signal.SIGPIPE})
"""What is not passed on: ours, or about a terminal."""


def split_if_first() -> None:
    """As process 1: go on as its child, while process 1 reaps and passes signals on until that child ends.

    Anywhere else, where the system does not let a process wait for signals (macOS, which has no containers), and where
    it allows no second process, nothing happens. Process 1 ends with the child's exit code, 128 and its signal where
    one killed it.
    """
    if os.getpid() != 1 or not hasattr(signal, "sigwaitinfo"):
        return
    every = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, every)
    try:
        child = os.fork()
    except OSError:  # no room for two; better alone than not at all
        child = 0
    if child == 0:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return
    os._exit(_look_after(child, every))


def _look_after(child: int, every: set[signal.Signals]) -> int:
    """Reap everybody and pass signals on until `child` has ended; return its exit code."""
    while True:
        with contextlib.suppress(InterruptedError):
            found = signal.sigwaitinfo(every)
            if found.si_signo not in _KEPT and found.si_code != _KERNEL:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, found.si_signo)
        # whatever woke us: several children that end at once are one signal
        while True:
            try:
                ended, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if ended == 0:
                break
            if ended == child:
                return os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)
