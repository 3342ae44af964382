"""Reading the file as a whole, and whether it may be written: what needs neither a lock nor a temporary file.

Here also stands what an error of the system means for a write that has changed nothing yet.
"""

import errno
import os
from pathlib import Path

from rotator.core.errors import Refused, RotatorError, Unavailable
from rotator.targets.env_file.place import Place, Snapshot

_CERTAIN_NO = frozenset({errno.EROFS, errno.EACCES, errno.EPERM, errno.ELOOP, errno.ENAMETOOLONG, errno.ETXTBSY})


def read(path: Path) -> Snapshot | None:
    """What stands at `path`, read whole and through links; None where no file is (but its folder).

    Raises:
        Refused: no regular file, too large, detached mount.
        Unavailable: it cannot be read, or its folder is missing.
    """
    try:
        with Place(path) as place:
            return place.read()
    except OSError as error:
        raise Unavailable(f"{path} cannot be read: {error.strerror}", "let the daemon's user read it") from error


def probe(path: Path, *, create: bool = True) -> None:
    """Say whether `replace` would be allowed now, without changing anything.

    Raises:
        Refused: it would not, and what to do about it.
        Unavailable: the disk is full, or nobody can tell.
    """
    try:
        with Place(path) as place:
            found = place.read()
            if found is None and not create:
                raise missing(path)
            beside = _may(place.real.parent, os.W_OK | os.X_OK) and (found is None or _may_give_away(found.status))
            into = found is not None and _may(place.real, os.W_OK)
            if not beside and not into:
                raise Refused(
                    f"{path} may not be written by this user",
                    "give the daemon's user the right to write the file, or the folder and the owner's rights",
                    code="permission",
                )
            room = os.statvfs(place.real.parent)
            if room.f_blocks and room.f_bavail == 0:
                raise Unavailable(f"{path}: no space left on its file system", "free some space")
    except OSError as error:
        raise explain(path, error) from error


def _may_give_away(status: os.stat_result) -> bool:
    """Whether this process may make a new file that belongs to the owner in `status`, and one link is all there is."""
    groups = {os.getegid(), *os.getgroups()}
    mine = os.geteuid() == 0 or (status.st_uid == os.geteuid() and status.st_gid in groups)
    return mine and status.st_nlink == 1


def _may(path: Path, mode: int) -> bool:
    return os.access(path, mode, effective_ids=os.access in os.supports_effective_ids)


def missing(path: Path) -> Refused:
    """The error for a file that is not there and must not be created."""
    return Refused(
        f"{path} does not exist, and `create: false` says not to create it",
        "create the file, or set `create: true`",
        code="not_found",
    )


def explain(path: Path, error: OSError) -> RotatorError:
    """The error of this program for one of the system that came before anything was changed."""
    why = error.strerror or type(error).__name__
    if isinstance(error, TimeoutError):
        return Unavailable(f"{path}: another process keeps holding its lock", "see what that process does")
    if error.errno in _CERTAIN_NO:
        return Refused(
            f"{path} cannot be written: {why}",
            "give the daemon's user the right to write the folder, or mount it writable",
            code="permission",
        )
    return Unavailable(f"{path} could not be written: {why}; it is as it was", "look at the disk")
