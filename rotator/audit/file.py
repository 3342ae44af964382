"""A file as a sink: appended to, flushed, and rotated by others, by rename or by copying and cutting it.

The file is made with mode 0600. It is opened anew whenever its name leads to another file. Half a line, which a kill or
a full disk left, is ended by a line break and never joined with the next one.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from rotator.audit.lines import read
from rotator.audit.ports import Found, SinkDown

_TAIL: Final = 1 << 20
"""Bytes at the end of a file among which its last line is looked for; a line is at most a tenth of that."""

_DISK: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class FileSink:
    """One file. It is locked, so that two programs never mix their lines in it."""

    def __init__(self, path: Path) -> None:
        """Nothing is opened yet."""
        self._path = path
        self._fd = -1
        self._size = 0
        self._half = False

    def look(self) -> Found:
        """Open the file anew where it is another one now, and say what it holds; see `Sink.look`."""
        try:
            if self._fd >= 0 and self._moved():
                self.close()
            if self._fd < 0:
                return self._open()
            size = os.fstat(self._fd).st_size
            if size < self._size:
                os.ftruncate(self._fd, 0)  # what we wrote after it was cut is told again behind an opening checkpoint
                self._size = 0
                return Found.LESS
            if size > self._size or self._half:
                self._size = size
                self._half = self._ends_in_half_a_line()
        except OSError as error:
            raise self._down("opening", error) from None
        if self._half:
            return Found.HALF_A_LINE
        return Found.THE_LINE_BEFORE if self._size else Found.NOTHING

    def write(self, lines: Sequence[str]) -> None:
        """Append lines and flush them to the disk; what was written of them is cut off where not all fit."""
        content = "".join(f"{line}\n" for line in lines).encode()
        content = b"\n" + content if self._half else content
        try:
            self._append(content)
            os.fsync(self._fd)
        except OSError as error:
            self._undo()
            raise self._down("writing to", error) from None
        self._half = False
        self._size += len(content)

    def close(self) -> None:
        """Close the file."""
        if self._fd >= 0:
            os.close(self._fd)
        self._fd, self._size, self._half = -1, 0, False

    def _moved(self) -> bool:
        """Whether the name leads to another file than the open one, or to none."""
        try:
            there = self._path.lstat()
        except FileNotFoundError:
            return True
        mine = os.fstat(self._fd)
        return (there.st_dev, there.st_ino) != (mine.st_dev, mine.st_ino)

    def _open(self) -> Found:
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        fd = os.open(self._path, flags, 0o600)
        try:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                raise OSError(errno.EINVAL, "it is no regular file")
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BaseException:
            os.close(fd)
            raise
        self._fd, self._size = fd, os.fstat(fd).st_size
        self._half = self._ends_in_half_a_line()
        if self._half:
            return Found.HALF_A_LINE
        return Found.THE_LINE_BEFORE if self._size else Found.NOTHING

    def _ends_in_half_a_line(self) -> bool:
        """Whether the last line is none: cut off, or cut off and ended by a line break already.

        A whole line whose line break alone is missing is ended here.
        """
        tail = os.pread(self._fd, min(self._size, _TAIL), max(0, self._size - _TAIL))
        if not tail:
            return False
        last = tail.removesuffix(b"\n").rpartition(b"\n")[2]
        whole = read(last.decode("utf-8", "surrogateescape")) is not None
        if whole and not tail.endswith(b"\n"):
            self._append(b"\n")
            self._size += 1
        return not whole

    def _append(self, content: bytes) -> None:
        left = memoryview(content)
        while left:
            left = left[os.write(self._fd, left) :]

    def _undo(self) -> None:
        """Cut off what was written of a batch; where that fails, the next look finds half a line."""
        with suppress(OSError):
            os.ftruncate(self._fd, self._size)
            return
        self._half = True

    def _down(self, doing: str, error: OSError) -> SinkDown:
        if error.errno in _DISK:
            remedy = "free space on its file system; facts wait in the journal meanwhile"
        elif error.errno in (errno.EWOULDBLOCK, errno.EAGAIN):
            return SinkDown(f"{doing} {self._path}: another process exports to it", "give each its own file")
        elif error.errno == errno.ELOOP:
            remedy = "it is a symbolic link, which is not followed: write the path of the file itself"
        else:
            remedy = "make its folder, and let the daemon's user write there; facts wait in the journal meanwhile"
        return SinkDown(f"{doing} {self._path}: {error.strerror or error}", remedy)
