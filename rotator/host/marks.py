"""A mark on a file of somebody else's: whoever lives by it says so, for as long as it lives, without writing anything.

It is a shared flock(2) on the file itself, so it goes with its process, whichever user, container or environment asks,
and a file that may only be read can carry it. It excludes nobody.
"""

from __future__ import annotations

import fcntl
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

_LOCKS: Final = Path("/proc/locks")
_TRIES: Final = 5
_PAUSE: Final = 0.02
"""Seconds between two tries: whoever asks holds the file for an instant, too."""


class Mark:
    """The mark of this process on one path; `follow` moves it to the file that stands there now."""

    def __init__(self, path: Path) -> None:
        """Nothing is marked yet."""
        self._path = path
        self._fd: int | None = None

    def follow(self) -> None:
        """Mark the file that the path leads to; editors put a new one in its place. Where that cannot be, nothing."""
        with suppress(OSError):
            there = self._path.stat()
            if self._fd is not None:
                here = os.fstat(self._fd)
                if (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino):
                    return
            fd = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
            try:
                for _ in _tries():
                    with suppress(BlockingIOError):
                        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
                        break
            except OSError:
                os.close(fd)
                raise
            self.release()
            self._fd = fd

    def release(self) -> None:
        """Take the mark away; harmless to repeat."""
        fd, self._fd = self._fd, None
        if fd is not None:
            os.close(fd)


def is_marked(path: Path) -> bool:
    """Whether another process has its mark on the file; False where that cannot be told."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        for _ in _tries():
            with suppress(BlockingIOError):
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return False
    except OSError:  # a file system without such locks
        return False
    else:
        return True
    finally:
        os.close(fd)


def marker(path: Path) -> int | None:
    """Return the id of a process that has its mark on the file, None where the system does not tell."""
    try:
        found = path.stat()
        wanted = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}:{found.st_ino}"
    except OSError:
        return None
    return next((pid for pid, file in _shared() if file == wanted), None)


def held(most: int) -> Iterator[bytes]:
    """Yield the first `most` bytes of each file that carries another process's mark, wherever it lies or lay.

    So a file is still found after it was deleted, renamed or hidden. Files of processes that are not ours to look into
    are left out; on systems without /proc there are none.
    """
    for pid, file in _shared():
        folder = Path("/proc", str(pid), "fd")
        with suppress(OSError):
            for fd in folder.iterdir():
                with suppress(OSError):
                    status = fd.stat()
                    # by its number alone: what /proc says of the device is another one on an overlay or on btrfs
                    if stat.S_ISREG(status.st_mode) and file.endswith(f":{status.st_ino}"):
                        with fd.open("rb") as content:
                            yield content.read(most)
                        break


def _shared() -> Iterator[tuple[int, str]]:
    """All shared locks of this kind on the machine: (id of a process that has it, "device:number" of the file)."""
    try:
        lines = _LOCKS.read_text("ascii").splitlines()
    except (OSError, ValueError):
        return
    for line in lines:
        fields = line.split()
        if fields[1:2] == ["FLOCK"] and fields[3:4] == ["READ"] and len(fields) > 5 and fields[4].isdecimal():
            yield int(fields[4]), fields[5]


def _tries() -> Iterator[int]:
    for number in range(_TRIES):
        if number:
            time.sleep(_PAUSE)
        yield number


@contextmanager
def marked(path: Path) -> Iterator[Mark]:
    """Within the block the file carries our mark."""
    mark = Mark(path)
    mark.follow()
    try:
        yield mark
    finally:
        mark.release()
