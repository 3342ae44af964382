"""A flag that is set once and for all, which a signal handler may do, and on which any thread may wait.

`threading.Event` is neither: a handler that sets it while the main thread is inside `wait` takes a lock that the main
thread may hold, and where the C library is old its waits are counted by the wall clock, so that a clock that is set
back by an hour makes them an hour longer. A pipe has no lock, and the kernel counts `poll` by the monotonic clock.
"""

from __future__ import annotations

import os
import select
import weakref


class Latch:
    """A flag over a pipe: set stays set. Safe to share between threads, and to set from a signal handler."""

    def __init__(self) -> None:
        """Not set. Takes two file descriptors, and gives them back with the object."""
        self._read, self._write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK) if hasattr(os, "pipe2") else _pipe()
        weakref.finalize(self, _close, self._read, self._write)
        self._set = False

    def set(self) -> None:
        """Set it; everybody who waits goes on. Harmless to repeat."""
        if not self._set:
            self._set = True
            try:
                os.write(self._write, b"!")
            except BlockingIOError:  # never: one byte, or a few of threads that raced here
                return

    def is_set(self) -> bool:
        """Whether it was set."""
        return self._set

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until it is set, at most `seconds` (>= 0, monotonic; None: for ever); return whether it is set."""
        wait_for_any(seconds, self)
        return self._set

    def fileno(self) -> int:
        """The descriptor that is readable once it is set."""
        return self._read


def wait_for_any(seconds: float | None, *latches: Latch) -> None:
    """Wait until one of them is set, at most `seconds` (>= 0, monotonic; None: for ever)."""
    poll = select.poll()
    for latch in latches:
        poll.register(latch, select.POLLIN)
    # rounded up: a wait that ends a moment too early would be asked for again and again
    poll.poll(None if seconds is None else min(int(max(0.0, seconds) * 1000) + 1, 2**31 - 1))


def _pipe() -> tuple[int, int]:
    ends = os.pipe()  # closed on exec already (PEP 446)
    for end in ends:
        os.set_blocking(end, False)
    return ends


def _close(*descriptors: int) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
