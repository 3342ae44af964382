"""Threads of this process, and what a machine says that has no room for one more: a limit, never a mystery.

Under a limit of threads or of memory Python answers with errors of several kinds. Here they become one that says which
limit it was, so that a daemon can say it and end instead of living on without its hands.
"""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable
from typing import Final

from rotator.core.errors import RotatorError

_THREADS: Final = (
    "allow more processes (`ulimit -u`, TasksMax= of the unit, pids_limit of the container) or memory (`ulimit -v`)"
)
_MEMORY: Final = "allow more memory (`ulimit -v`, MemoryMax= of the unit, mem_limit of the container)"


class Exhausted(RotatorError):
    """The system gives this process no more memory, or no more threads."""


def start_thread(call: Callable[[], object], name: str) -> threading.Thread:
    """Start a daemon thread, which never delays the end of the process, and return it.

    Raises:
        Exhausted: the system allows no more threads; nothing was started.
    """
    thread = threading.Thread(target=call, name=name, daemon=True)
    try:
        thread.start()
    except (RuntimeError, MemoryError) as error:
        found = exhaustion(error)
        if found is None:
            raise
        raise found from error
    return thread


def exhaustion(error: BaseException) -> Exhausted | None:
    """Return what an error says about the limits of this process; None where it says nothing about them."""
    if isinstance(error, Exhausted):
        return error
    if isinstance(error, RuntimeError) and "start new thread" in str(error):
        return Exhausted("the system lets this process start no more threads", _THREADS)
    memory = isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM)
    # a shared library that does not fit is an import error without a number
    if isinstance(error, ImportError):
        memory = any(said in str(error) for said in ("map segment", "allocate memory", "allocate TLS"))
    return Exhausted("the system gives this process no more memory", _MEMORY) if memory else None
