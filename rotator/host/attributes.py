"""What a file or folder has beside its mode bits: the attributes of chattr(1), and whether it is a mount of its own.

Both forbid changes that the mode bits allow, root included. What the system does not tell counts as absent.
"""

import fcntl
import os
import stat
import struct
from pathlib import Path
from typing import Final

# ioctl_iflags(2): _IOR('f', 1, long), and the two flags that matter.
_GET_FLAGS: Final = (2 << 30) | (struct.calcsize("l") << 16) | (ord("f") << 8) | 1
_APPEND: Final = 0x20
_IMMUTABLE: Final = 0x10


def is_immutable(fd: int) -> bool:
    """Whether nobody may change, rename or remove what `fd` is open on (`chattr +i`, on macOS `chflags uchg`)."""
    return bool(_flags(fd) & _IMMUTABLE)


def is_append_only(fd: int) -> bool:
    """Whether it may only grow (`chattr +a`): no byte of a file is replaced, no name in a folder removed."""
    return bool(_flags(fd) & _APPEND)


def is_mount_point(path: str | os.PathLike[str]) -> bool:
    """Whether something is mounted at this very path, a single file for instance; links in it are not followed."""
    wanted = os.path.abspath(path)  # noqa: PTH100  # Path.absolute keeps `..`
    try:
        lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return os.path.ismount(path)
    return any(mount_point(line) == wanted for line in lines)


def mount_point(line: str) -> str:
    """Return where a line of /proc/self/mountinfo (proc_pid_mountinfo(5)) says that something is mounted."""
    return (
        line.split(" ", 5)[4].replace("\\040", " ").replace("\\011", "\t").replace("\\012", "\n").replace("\\134", "\\")
    )


def _flags(fd: int) -> int:
    status = os.fstat(fd)
    flags = getattr(status, "st_flags", None)
    if flags is not None:  # BSD and macOS
        immutable, append = stat.UF_IMMUTABLE | stat.SF_IMMUTABLE, stat.UF_APPEND | stat.SF_APPEND
        return (_IMMUTABLE if flags & immutable else 0) | (_APPEND if flags & append else 0)
    buffer = bytearray(struct.calcsize("l"))
    try:
        fcntl.ioctl(fd, _GET_FLAGS, buffer)
    except OSError:  # the file system has no such flags, or `fd` is only a path
        return 0
    return int(struct.unpack_from("i", buffer)[0])
