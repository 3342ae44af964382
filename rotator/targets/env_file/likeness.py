"""Making a new file like the one that it is to replace: owner, mode, access list, attributes, and never more readers.

The content comes last, when the file is as closed as it will be.
"""

import errno
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rotator.host import files
from rotator.host.crashpoints import Point
from rotator.targets.env_file.place import Place, Snapshot

_ACL: Final = "system.posix_acl_access"
_ACCESS: Final = frozenset({_ACL, "system.nfs4_acl", "security.NTACL", "security.SMACK64"})
"""Attributes that decide who may read the file, beside its mode bits."""

_KEPT: Final = re.compile(r"user\..*|security\.selinux")


@dataclass(frozen=True, slots=True)
class Ownership:
    """Mode bits and numeric owner that the configuration asks for; None keeps what the file has."""

    mode: int | None = None
    uid: int | None = None
    gid: int | None = None


AS_IT_IS: Final = Ownership()


class NotAlikeError(Exception):
    """A new file cannot be made to be read by the same people only: it must be written in place."""


def make_alike(place: Place, fd: int, found: Snapshot, content: bytes, ownership: Ownership) -> None:
    """Give the empty file `fd` everything of the file in `found`, then `content`; nothing is flushed.

    Raises:
        NotAlikeError: this user may not, or the file system cannot.
        OSError: the content could not be written.
    """
    try:
        own(
            fd,
            found.status.st_uid if ownership.uid is None else ownership.uid,
            found.status.st_gid if ownership.gid is None else ownership.gid,
        )
    except PermissionError:
        raise NotAlikeError from None
    if not _copy_attributes(place.real, fd):
        raise NotAlikeError
    # After the access list, which sets the group bits, and after the owner, whose change may clear some.
    os.fchmod(fd, found.status.st_mode & 0o777 if ownership.mode is None else ownership.mode)
    fill(place, fd, content)


def make_new(place: Place, fd: int, content: bytes, ownership: Ownership) -> None:
    """Give the empty file `fd` its first owner, mode and `content`. What root makes belongs to its folder's owner."""
    folder = os.fstat(place.folder)
    as_root = os.geteuid() == 0
    own(
        fd,
        ownership.uid if ownership.uid is not None else (folder.st_uid if as_root else None),
        ownership.gid if ownership.gid is not None else (folder.st_gid if as_root else None),
    )
    _drop_inherited(fd, frozenset())
    os.fchmod(fd, 0o600 if ownership.mode is None else ownership.mode)
    fill(place, fd, content)


def fill(place: Place, fd: int, content: bytes) -> None:
    """Write all of `content` into the new file."""
    place.crash(Point.BEFORE_FILE_TEMP_WRITE)
    files.write_all(fd, content)
    place.crash(Point.AFTER_FILE_TEMP_WRITE)


def own(fd: int, uid: int | None, gid: int | None) -> None:
    """Change the owner of an open file where it is another; PermissionError where this user may not."""
    status = os.fstat(fd)
    wanted = (status.st_uid if uid is None else uid, status.st_gid if gid is None else gid)
    if wanted != (status.st_uid, status.st_gid):
        os.fchown(fd, *wanted)


def _copy_attributes(source: Path, target: int) -> bool:
    """Copy user attributes, SELinux label and access lists from `source` to the open file `target`, as far as allowed.

    False when an access list could not be copied, or one that the folder hands down could not be taken away: without
    that the file could become readable to more people than before.
    """
    if not hasattr(os, "listxattr"):
        return True
    try:
        names = set(os.listxattr(source, follow_symlinks=False))
    except OSError:
        names = set()
    for name in sorted(names):
        if name not in _ACCESS and _KEPT.fullmatch(name) is None:
            continue
        try:
            os.setxattr(target, name, os.getxattr(source, name, follow_symlinks=False))
        except OSError:
            if name in _ACCESS:
                return False
    return _drop_inherited(target, frozenset(names))


def _drop_inherited(target: int, kept: frozenset[str]) -> bool:
    """Take away the access list that a default one of the folder has put on a new file, unless it is in `kept`."""
    if not hasattr(os, "removexattr") or _ACL in kept:
        return True
    try:
        os.removexattr(target, _ACL)
    except OSError as error:
        return error.errno in {errno.ENODATA, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}
    return True
