"""Advisory locks between processes *and* threads: flock(2) on a file that exists for nothing else.

The kernel drops such a lock when its holder dies, however it dies, so there is no stale lock to clean up. It says
nothing about who holds it and gives no fencing number: that is what leases and epochs are for.
"""

import errno
import fcntl
import os
import time
from pathlib import Path
from types import TracebackType

from rotator.host.files import open_or_create

_POLL_SECONDS = 0.02
"""flock(2) cannot wait with a time limit; a blocked writer asks this often."""


class FileLock:
    """One exclusive lock on `path`. Not reentrant; two objects exclude each other also inside one process."""

    def __init__(self, path: str | os.PathLike[str], timeout: float | None = None) -> None:
        """`timeout` in seconds for the `with` form; None waits for ever, 0 tries once."""
        self.path = Path(path)
        self._timeout = timeout
        self._fd: int | None = None

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""
        return self._fd is not None

    def acquire(self, timeout: float | None = None) -> bool:
        """Take the lock, creating the file (0600) if need be; False when another holds it past `timeout` seconds.

        None waits for ever, 0 tries once. OSError when the file cannot be opened, RuntimeError when already held.
        """
        if self._fd is not None:
            raise RuntimeError(f"this lock on {self.path} is held already")
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            fd = self._try_once()
            if fd is not None:
                self._fd = fd
                return True
            if deadline is not None and time.monotonic() >= deadline:
                return False
            time.sleep(_POLL_SECONDS)

    def release(self) -> None:
        """Give the lock back; the file stays, because removing it would let two holders in. Harmless when not held."""
        fd, self._fd = self._fd, None
        if fd is not None:
            os.close(fd)

    def __enter__(self) -> "FileLock":
        if not self.acquire(self._timeout):
            raise TimeoutError(errno.ETIMEDOUT, "another process holds the lock", str(self.path))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def _try_once(self) -> int | None:
        try:
            fd = open_or_create(self.path)
        except FileExistsError:  # another one has just made it
            return None
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Someone may have removed the file between our open and our lock: then we hold a lock on nothing.
            here, there = os.fstat(fd), self.path.stat()
            if (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino):
                return fd
        except (BlockingIOError, FileNotFoundError):
            pass
        except BaseException:
            os.close(fd)
            raise
        os.close(fd)
        return None


def is_locked(path: str | os.PathLike[str]) -> bool:
    """Whether some process holds the lock on `path`; False when the file is missing. Takes it for an instant to ask.

    It takes it shared: two that ask at once must not take each other for the holder. A file that we may not open counts
    as locked, because nobody can tell.
    """
    try:
        fd = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except PermissionError:
        return True
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(fd)
