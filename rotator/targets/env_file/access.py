"""Reading the file as a whole, and whether it may be written: what needs neither a lock nor a temporary file."""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from rotator.core.errors import Refused, RotatorError, Unavailable
from rotator.targets.env_file.likeness import AS_IT_IS, NotAlikeError, Ownership, make_alike, make_new
from rotator.targets.env_file.obstacles import Obstacle, beside, explain, into
from rotator.targets.env_file.place import Place, Snapshot

_NO_UNNAMED_FILES: Final = frozenset({errno.EOPNOTSUPP, errno.ENOTSUP, errno.EISDIR, errno.ENOENT, errno.EINVAL})
IN_PLACE_ERRORS: Final = frozenset({errno.EBUSY, errno.EXDEV, errno.EROFS, errno.EACCES, errno.EPERM})
"""What the system says where a new file cannot take the place of the old one, but the old one may be written."""


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
        raise Unavailable(f"{path} cannot be read: {error.strerror}", _to_read(error)) from error


def probe(
    path: Path, change: Callable[[bytes], bytes], *, create: bool = True, ownership: Ownership = AS_IT_IS
) -> Obstacle | None:
    """Do what a write would do, as far as nothing changes by it, with the content after `change`.

    The whole is done on a file without a name where the system has such files: right, room, quota, owner and access
    list are then proven and not guessed.

    Returns why a write would go into the file where it stands, or None where a new one would take its place.

    Raises:
        Refused: it would fail; the cause and what to do about it.
        Unavailable: the disk is full, or nobody can tell.
        Whatever `change` raises.
    """
    try:
        with Place(path, _pass_by) as place:
            found = place.read()
            if found is None and not create:
                raise missing(path)
            changed = change(b"" if found is None else found.content)
            obstacle = beside(place, found) or _rehearse(place, found, changed, ownership)
            if obstacle is not None:
                barred = obstacle if found is None else into(place, found)
                if barred is not None:
                    raise barred.refused(path)
            _require_room(place)
            return obstacle
    except OSError as error:
        raise explain(path, error, lambda: barrier(path)) from error


def barrier(path: Path) -> Obstacle | None:
    """Return what stands in the way of every write to `path`, as far as a look can tell."""
    try:
        with Place(path, _pass_by) as place:
            found = place.read()
            return beside(place, None) if found is None else into(place, found)
    except (OSError, RotatorError):
        return None


def _to_read(error: OSError) -> str:
    if error.errno in (errno.EACCES, errno.EPERM):
        return "let the daemon's user read it"
    return "look at the disk, or at the program that changes the file all the time"


def _rehearse(place: Place, found: Snapshot | None, content: bytes, ownership: Ownership) -> Obstacle | None:
    unnamed = getattr(os, "O_TMPFILE", None)
    if unnamed is None:
        return None
    try:
        fd = os.open(".", unnamed | os.O_RDWR | os.O_CLOEXEC, 0o600, dir_fd=place.folder)
    except OSError as error:
        if error.errno in _NO_UNNAMED_FILES:
            return None
        if error.errno not in IN_PLACE_ERRORS:
            raise
        return _no_new_file(place)
    try:
        if found is None:
            make_new(place, fd, content, ownership)
        else:
            make_alike(place, fd, found, content, ownership)
    except NotAlikeError:
        return Obstacle(
            "owner",
            f"this user cannot make a file that is read by the same people as {place.real}",
            "let the daemon's user own the file and be a member of its group",
        )
    finally:
        os.close(fd)
    return None


def _no_new_file(place: Place) -> Obstacle:
    return Obstacle(
        "permission",
        f"the system lets this user make no file in {place.real.parent}",
        "let the daemon's user make files there (SELinux, AppArmor and the like included)",
    )


def _require_room(place: Place) -> None:
    room = os.statvfs(place.real.parent)
    if room.f_blocks and (room.f_bfree if os.geteuid() == 0 else room.f_bavail) == 0:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _pass_by(point: str) -> None:
    """No crash point is passed: nothing is written."""


def missing(path: Path) -> Refused:
    """The error for a file that is not there and must not be created."""
    return Refused(
        f"{path} does not exist, and `create: false` says not to create it",
        "create the file, or set `create: true`",
        code="not_found",
    )
