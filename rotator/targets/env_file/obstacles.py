"""Why a file cannot be written, said by its true cause and with the remedy for that cause.

Looks at what a write would meet, without changing anything: rights, read-only mounts, chattr(1), sticky folders, mounts
of single files, full disks. And names the cause behind an error of the system.
"""

import errno
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rotator.core.errors import Refused, RotatorError, Unavailable
from rotator.host.attributes import is_append_only, is_immutable, is_mount_point
from rotator.targets.env_file.place import Place, Snapshot


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One cause; `code` is a short stable word, `what` a sentence about a path, `remedy` what to do."""

    code: str
    what: str
    remedy: str

    def refused(self, path: object) -> Refused:
        """Return the error for a write to `path` that this stands in the way of."""
        said = self.what if str(path) in self.what else f"{path} cannot be written: {self.what}"
        return Refused(said, self.remedy, code=self.code)


def into(place: Place, found: Snapshot) -> Obstacle | None:
    """Return what stands in the way of writing into the file itself, if anything does."""
    return _chattr(place, place.real) or _barred(place.real, os.W_OK, found.status)


def beside(place: Place, found: Snapshot | None) -> Obstacle | None:
    """Return what stands in the way of a new file in the folder that takes the place of the old one, if anything."""
    folder = place.real.parent
    in_folder = _chattr(place, folder) or _barred(folder, os.W_OK | os.X_OK, folder.stat())
    if in_folder is not None or found is None:
        return in_folder
    return _chattr(place, place.real) or _irreplaceable(place, found.status)


def _chattr(place: Place, path: Path) -> Obstacle | None:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:  # whoever may not read it does not learn more by this
        return None
    try:
        if is_immutable(fd):
            return Obstacle("immutable", f"{path} is immutable (`chattr +i`)", f"`chattr -i {path}`")
        if is_append_only(fd):
            return Obstacle("append_only", f"{path} may only grow (`chattr +a`)", f"`chattr -a {path}`")
    finally:
        os.close(fd)
    return None


def _barred(path: Path, mode: int, status: os.stat_result) -> Obstacle | None:
    if os.access(path, mode, effective_ids=os.access in os.supports_effective_ids):
        return None
    if os.statvfs(path).f_flag & os.ST_RDONLY:
        return _read_only(path)
    return Obstacle(
        "permission",
        f"{path} may not be written by this user (user {os.geteuid()}; it belongs to user {status.st_uid} and group "
        f"{status.st_gid}, mode {stat.S_IMODE(status.st_mode):04o})",
        "give the daemon's user the right to write the file's folder, or the file itself",
    )


def _irreplaceable(place: Place, file: os.stat_result) -> Obstacle | None:
    """Why the file cannot make way for a new one although its folder can be written."""
    me, groups = os.geteuid(), {os.getegid(), *os.getgroups()}
    if file.st_nlink > 1:
        return Obstacle("hard_link", f"{place.real} has {file.st_nlink} names (hard links)", "keep one of its names")
    if is_mount_point(place.real):
        return Obstacle("mount", f"{place.real} is a mount of a single file", "mount the folder instead of the file")
    if me != 0 and (file.st_uid != me or file.st_gid not in groups):
        return Obstacle(
            "owner",
            f"{place.real} belongs to user {file.st_uid} and group {file.st_gid}, which this user may not give a file",
            "let the daemon's user own the file and be a member of its group",
        )
    return None


def _read_only(path: object) -> Obstacle:
    return Obstacle(
        "read_only",
        f"{path} lies on a file system that is mounted read-only",
        "mount it writable (in a container without `:ro` or `readOnly`), or name another place",
    )


# Errors of the system. Certain ones say no; the others may be over at the next try.

_CERTAIN: Final[dict[int, tuple[str, str, str]]] = {
    errno.EPERM: (
        "permission",
        "the system forbids it, whatever the rights say",
        "look for what forbids it: `lsattr`, SELinux, AppArmor, a sticky folder",
    ),
    errno.ELOOP: ("link", "its links lead in a circle", "correct the link, or name the real file"),
    errno.ENAMETOOLONG: ("name", "its name is too long", "give it a shorter name"),
    errno.ETXTBSY: ("busy", "it is being executed", "name a file that is no program"),
}
_LATER: Final[dict[int, tuple[str, str]]] = {
    errno.ENOSPC: ("no space is left on its file system", "free some space, or inodes (`df -h`, `df -i`)"),
    errno.EDQUOT: ("the disk quota is used up", "remove files of this user, or raise its quota"),
    errno.EFBIG: ("the system lets no file grow so far", "raise the limit (`ulimit -f`)"),
    errno.EIO: ("the disk answered with an error", "look at the disk and at the kernel's log (`dmesg`)"),
    errno.ESTALE: ("the network file system does not know it any more", "mount it again"),
    errno.EMFILE: ("this process has too many files open", "raise the limit (`ulimit -n`)"),
    errno.ENFILE: ("this machine has too many files open", "look which program opens them"),
}


def explain(path: Path, error: OSError, barred: Callable[[], Obstacle | None] = lambda: None) -> RotatorError:
    """Return the error of this program for one of the system that came before anything was changed.

    `barred` looks for what stands in the way, where the error alone does not say it.
    """
    if isinstance(error, TimeoutError):
        return Unavailable(f"{path}: another process holds its lock and goes on holding it", "look what it does")
    if error.errno == errno.EROFS:
        return _read_only(path).refused(path)
    if error.errno in (errno.EPERM, errno.EACCES):
        found = barred()
        if found is not None:
            return found.refused(path)
        if error.errno == errno.EACCES:
            return Refused(
                f"{path} may not be written by this user (user {os.geteuid()})",
                "give the daemon's user the right to write its folder, or the file itself",
                code="permission",
            )
    if error.errno in _CERTAIN:
        code, what, remedy = _CERTAIN[error.errno]
        return Refused(f"{path} cannot be written: {what}", remedy, code=code)
    what, remedy = _LATER.get(error.errno or 0, (error.strerror or type(error).__name__, "look at the disk"))
    return Unavailable(f"{path} could not be written: {what}; it is as it was", remedy)
