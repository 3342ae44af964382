"""This process's own file beside the journal: its lock says that it lives, its content survives the journal's refusal.

A capture goes here first: one write into preallocated space and one flush, which need neither a free block nor SQLite.
Records are opaque bytes (the store encrypts what must be). A record is valid when its checksum is, so that a torn one
was never acknowledged; every process may read every spool, because importing a record twice is harmless.
"""

from __future__ import annotations

import hashlib
import os
import struct
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from rotator.host.files import flush, flush_data, write_all

ROOM: Final = 1 << 20
"""Bytes reserved by `reserve`: a capture takes about 2 KiB, and a process has at most a few dozen in flight."""

_HEADER: Final = struct.Struct(">4sI32s")
_LIVE, _GONE = b"RSP1", b"GONE"


class Spool:
    """The spool of one process. Safe to share between its threads."""

    def __init__(self, path: Path, crash: Callable[[str], None]) -> None:
        """Open or create `path`, mode 0600. The descriptor stays open: a mint must not need a free one."""
        self.path = path
        self._crash = crash
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        self._lock = threading.Lock()
        self._live: dict[int, int] = {}
        self._end = 0
        self._room = 0

    def reserve(self) -> None:
        """Make room for `ROOM` bytes more than are in use; OSError when the disk has none.

        Crash: leaves a longer file, nothing else.
        """
        with self._lock:
            if self._room - self._end >= ROOM // 2:
                return
            self._crash("before_spool_preallocate")
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(self._fd, self._end, ROOM)
            else:
                write_all(self._fd, bytes(ROOM), self._end)
            flush(self._fd)
            self._room = self._end + ROOM
            self._crash("after_spool_preallocate")

    def write(self, payload: bytes) -> int:
        """Make a record durable and return its handle; OSError when the disk refuses.

        Crash: leaves the whole record, or one that readers pass over.
        """
        record = _HEADER.pack(_LIVE, len(payload), hashlib.sha256(payload).digest()) + payload
        with self._lock:
            handle = self._end
            self._crash("before_spool_write")
            write_all(self._fd, record, handle)
            flush_data(self._fd)
            self._crash("after_spool_write")
            self._live[handle] = len(record)
            self._end = handle + len(record)
        return handle

    def drop(self, handle: int) -> None:
        """Wipe a record that the journal holds now; harmless when it was dropped before.

        Not flushed: a record that comes back after a power cut is imported again, which changes nothing.
        """
        with self._lock:
            size = self._live.pop(handle, 0)
            if not size:
                return
            if self._live:
                wiped = _HEADER.pack(_GONE, size - _HEADER.size, bytes(32)) + bytes(size - _HEADER.size)
                write_all(self._fd, wiped, handle)
            else:
                end, self._end = self._end, 0  # first: behind a wipe that broke off no reader would find a record
                write_all(self._fd, bytes(end), 0)

    def pending(self) -> int:
        """How many records the journal does not hold yet."""
        with self._lock:
            return len(self._live)

    def close(self) -> bool:
        """Close the descriptor and take nothing more; True when nothing is pending. The file stays; safe to repeat."""
        with self._lock:
            fd, self._fd = self._fd, -1  # the number is another file's soon, and a late write must not land there
            if fd >= 0:
                os.close(fd)
            return not self._live


def records(path: Path) -> list[bytes]:
    """Return the valid records of any process's spool, oldest first; an empty list when the file is gone."""
    try:
        content = path.read_bytes() if _starts_live(path) else b""
    except FileNotFoundError:
        return []
    found, offset = [], 0
    while offset + _HEADER.size <= len(content):
        magic, size, checksum = _HEADER.unpack_from(content, offset)
        payload = content[offset + _HEADER.size : offset + _HEADER.size + size]
        if magic == _LIVE and hashlib.sha256(payload).digest() == checksum:
            found.append(payload)
        elif magic != _GONE:
            break
        offset += _HEADER.size + size
    return found


def _starts_live(path: Path) -> bool:
    """Whether anything was ever written since the spool was last empty: reading four bytes instead of a megabyte."""
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        return os.pread(fd, 4, 0) in (_LIVE, _GONE)
    finally:
        os.close(fd)
