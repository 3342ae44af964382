"""Which kind of file system holds a path, and whether it is one that several machines may share.

SQLite's locks and write-ahead log are only safe on a local file system (https://www.sqlite.org/wal.html, "does not work
over a network filesystem"), so the journal asks here before it opens. What to do with the answer is its business.
"""

import ctypes
import os
import sys
from pathlib import Path

from rotator.host.attributes import mount_point

# statfs(2) f_type values, from the kernel's include/uapi/linux/magic.h and the file systems' own headers.
_MAGIC = {
    0x6969: "nfs",
    0xFF534D42: "cifs",
    0xFE534D42: "smb2",
    0x517B: "smb",
    0x01021997: "9p",
    0x65735546: "fuse",
    0x00C36400: "ceph",
    0x5346414F: "afs",
    0x6B414653: "kafs",
    0x73757245: "coda",
    0x564C: "ncp",
    0x0BD00BD0: "lustre",
    0x01161970: "gfs2",
    0x7461636F: "ocfs2",
    0x47504653: "gpfs",
    0x19830326: "beegfs",
    0x786F4256: "vboxsf",
    0xEF53: "ext",
    0x58465342: "xfs",
    0x9123683E: "btrfs",
    0x2FC12FC1: "zfs",
    0x01021994: "tmpfs",
    0x794C7630: "overlay",
    0xF2F52010: "f2fs",
    0xCA451A4E: "bcachefs",
    0x4D44: "vfat",
    0x2011BAB0: "exfat",
    0x5346544E: "ntfs",
    0x7366746E: "ntfs3",
}
_SHARED = frozenset(
    {"nfs", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "9p", "ceph", "afs", "kafs", "coda", "ncp"}
    | {"lustre", "gfs2", "ocfs2", "gpfs", "beegfs", "vboxsf", "afpfs", "webdav"}
)
_DARWIN_NAME_OFFSET = 72  # of f_fstypename[16] in struct statfs with 64-bit inodes


def filesystem_kind(path: str | os.PathLike[str]) -> str:
    """A short name such as `ext`, `xfs`, `tmpfs`, `nfs`, `fuse.sshfs`, or `0x…` for one that is not in the table.

    A path that does not exist yet is judged by its nearest existing folder. OSError when the system will not say.
    """
    place = _existing(Path(path))
    buffer = ctypes.create_string_buffer(4096)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.statfs(os.fsencode(place), buffer) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), str(place))
    if sys.platform == "darwin":
        return buffer.raw[_DARWIN_NAME_OFFSET : _DARWIN_NAME_OFFSET + 16].split(b"\0", 1)[0].decode("ascii")
    width = ctypes.sizeof(ctypes.c_long)
    magic = int.from_bytes(buffer.raw[:width], sys.byteorder) & 0xFFFFFFFF
    kind = _MAGIC.get(magic, f"{magic:#x}")
    return _mounted_type(place) or kind if kind == "fuse" else kind


def is_network_filesystem(path: str | os.PathLike[str]) -> bool:
    """Whether other machines may hold `path` open too. Every FUSE file system counts: what is behind it is unknown.

    fuseblk (a local disk through FUSE) is the exception.
    """
    kind = filesystem_kind(path)
    return kind in _SHARED or kind == "fuse" or kind.startswith("fuse.")


def _existing(path: Path) -> Path:
    place = path.absolute()
    while not place.exists() and place != place.parent:
        place = place.parent
    return place


def _mounted_type(place: Path) -> str | None:
    """The type of the mount that holds `place`, from /proc/self/mountinfo: statfs only says "some FUSE"."""
    real = os.path.realpath(place)
    best, answer = -1, None
    try:
        lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return None
    for line in lines:
        before, _, after = line.partition(" - ")
        point = mount_point(before)
        inside = real == point or real.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= best:  # the later of two mounts on one point hides the earlier
            best, answer = len(point), after.split()[0]
    return answer
