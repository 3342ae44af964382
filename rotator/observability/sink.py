"""Where finished log lines go. A stream that is full, stuck or closed costs lines, never a rotation.

A line is written at once, by the thread that says it (so that a killed process has said all it did), and only into a
descriptor that takes it: one that is full is waited for a moment, and after that first moment not at all until it moves
again. What cannot be written is dropped and counted.
"""

from __future__ import annotations

import contextlib
import io
import os
import select
import threading
from typing import Final, TextIO

CHUNK: Final = 4096
"""Bytes at a time: a pipe that polls as writable takes this many (PIPE_BUF) without blocking."""

PATIENCE: Final = 0.05
"""Seconds that a full descriptor is waited for, once."""


class Sink:
    """Writes lines to one text stream. Safe to share between threads; never raises, never blocks for long."""

    def __init__(self, stream: TextIO, patience: float = PATIENCE) -> None:
        """`stream`: with a descriptor (a terminal, pipe, socket or file), or one in memory. `patience` in seconds."""
        self._stream = stream
        self._descriptor = _descriptor(stream)
        self._patience = patience
        self._lock = threading.Lock()
        self._stuck = False
        self._torn = False
        self._dropped = 0

    @property
    def dropped(self) -> int:
        """How many lines were lost so far."""
        return self._dropped

    def write(self, line: str) -> None:
        """Write `line` and a line feed, or count it as dropped. A crash leaves at most one unfinished line."""
        with self._lock:
            try:
                done = self._put(line)
            except (OSError, ValueError):  # closed pipe, full disk, closed stream
                done = False
            self._dropped += not done

    def _put(self, line: str) -> bool:
        if self._descriptor is None:
            self._stream.write(line + "\n")
            self._stream.flush()
            return True
        data = (("\n" if self._torn else "") + line + "\n").encode("utf-8", "backslashreplace")
        written = 0
        try:
            while written < len(data):
                if not self._takes(self._descriptor):
                    return False
                written += os.write(self._descriptor, data[written : written + CHUNK])
                self._stuck = False
            return True
        except OSError:
            return False
        finally:
            if written:
                self._torn = written < len(data)

    def _takes(self, descriptor: int) -> bool:
        """Whether the descriptor takes a chunk now; once stuck, it is asked without waiting."""
        poll = select.poll()
        poll.register(descriptor, select.POLLOUT)
        ready = poll.poll(0 if self._stuck else self._patience * 1000)
        self._stuck = not ready
        return bool(ready)


def _descriptor(stream: TextIO) -> int | None:
    with contextlib.suppress(OSError, ValueError, AttributeError, io.UnsupportedOperation):
        stream.flush()
        return stream.fileno()
    return None
