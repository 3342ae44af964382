"""Durable files: flushing, creating at once and whole, exchanging two names in one step.

Knows the system calls and their differences between Linux and macOS. It does not know what the files hold, and it
decides no fallback: it says what the file system cannot do and the caller chooses.
"""

import ctypes
import errno
import fcntl
import functools
import os
import secrets
import sys
from contextlib import suppress
from pathlib import Path

_RENAME_NOREPLACE = 1
_RENAME_EXCHANGE = 2
_DARWIN_RENAME_SWAP = 2
_DARWIN_RENAME_EXCL = 4
_DARWIN_AT_FDCWD = -2
_LINUX_AT_FDCWD = -100

EXCHANGE_UNSUPPORTED = frozenset({errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP})
"""What `exchange` raises where kernel or file system cannot do it: old kernels, FUSE, some overlays, seccomp."""

_NO_FLUSH_OF_FOLDERS = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EBADF})


def flush(fd: int) -> None:
    """Make content *and* metadata of `fd` durable; OSError when the disk says no.

    On macOS fsync(2) stops at the drive's cache, so F_FULLFSYNC is asked first.
    """
    full = getattr(fcntl, "F_FULLFSYNC", None)
    if full is not None:
        try:
            fcntl.fcntl(fd, full)
        except OSError:
            pass
        else:
            return
    os.fsync(fd)


def flush_data(fd: int) -> None:
    """Make the content of `fd` durable, and of the metadata only what reading it back needs (fdatasync)."""
    if hasattr(os, "fdatasync") and not hasattr(fcntl, "F_FULLFSYNC"):
        os.fdatasync(fd)
    else:
        flush(fd)


def flush_folder(folder: str | os.PathLike[str] | int) -> None:
    """Make the names in `folder` (a path or a descriptor) durable: a rename without this may be undone by a power cut.

    File systems that cannot flush a folder (some network and FUSE ones) are passed over; a real I/O error is raised.
    """
    fd = folder if isinstance(folder, int) else os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        flush(fd)
    except OSError as error:
        if error.errno not in _NO_FLUSH_OF_FOLDERS:
            raise
    finally:
        if not isinstance(folder, int):
            os.close(fd)


def write_all(fd: int, content: bytes, offset: int | None = None) -> None:
    """Write all of `content` at `offset` (or at the descriptor's position), short writes included."""
    view = memoryview(content)
    while view:
        done = os.write(fd, view) if offset is None else os.pwrite(fd, view, offset)
        view = view[done:]
        if offset is not None:
            offset += done


def open_or_create(path: str | os.PathLike[str]) -> int:
    """Open `path` for reading and writing, no link followed; a missing one is made (0600) for the owner of its folder.

    FileExistsError where somebody else makes it in the same instant.
    """
    flags = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return os.open(path, flags)
    except FileNotFoundError:
        fd = os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o600)
    give_to_owner_of_folder(path, fd)
    return fd


def give_to_owner_of_folder(path: str | os.PathLike[str], fd: int | None = None) -> None:
    """Let what this process has just made (a folder, or the file behind `fd`) belong to the owner of its folder.

    Only root can, and should: the daemon, which runs as another user, could not open what `sudo rotator …` left there.
    SQLite does the same with its own files. Never call it for what was there before: that may be a trap.
    """
    if os.geteuid() != 0:
        return
    with suppress(OSError):  # a root without that right, or a file system without owners: then it stays as it is
        owner = Path(path).absolute().parent.stat()
        os.chown(path if fd is None else fd, owner.st_uid, owner.st_gid)


def make_folder(folder: Path) -> None:
    """Make `folder` and the folders above it that are missing (0700), durably, whoever makes them at the same time.

    What is there stays as it is. OSError where it cannot be made, NotADirectoryError where a file is in the way.
    A crash inside leaves some of the upper folders.
    """
    if folder.is_dir():
        return
    if not folder.parent.is_dir():
        make_folder(folder.parent)
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        if not folder.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder)) from None
    else:
        give_to_owner_of_folder(folder)
    flush_folder(folder.parent)  # also by who came second: the first may not be there yet


def create_whole(path: str | os.PathLike[str], content: bytes, mode: int = 0o600) -> None:
    """Create `path` with `content` so that no reader ever sees part of it; FileExistsError when it is there already.

    A temporary file beside it is written, flushed, linked to its name and unlinked. A crash inside leaves nothing at
    `path`, or all of it, and at most one stray `.NAME.XXXX.tmp`.
    """
    target = Path(path)
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(8)}.tmp")
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        try:
            write_all(fd, content)
            os.fchmod(fd, mode)
            flush(fd)
        finally:
            os.close(fd)
        move_to_free_name(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    flush_folder(target.parent)


def move_to_free_name(
    source: str | os.PathLike[str], target: str | os.PathLike[str], *, dir_fd: int | None = None
) -> None:
    """Rename `source` to `target` unless that exists (FileExistsError), in one step where the system can.

    link(2) and unlink(2) where the system has no such rename; where it has no links either (FAT) the last resort is a
    look and a rename, with a gap between the two.
    """
    try:
        _rename_with(os.fspath(source), os.fspath(target), dir_fd, _RENAME_NOREPLACE, _DARWIN_RENAME_EXCL)
        return
    except OSError as error:
        if error.errno not in EXCHANGE_UNSUPPORTED:
            raise
    try:
        os.link(source, target, src_dir_fd=dir_fd, dst_dir_fd=dir_fd, follow_symlinks=False)
    except OSError as error:
        if error.errno not in {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}:
            raise
    else:
        os.unlink(source, dir_fd=dir_fd)
        return
    try:
        os.stat(target, dir_fd=dir_fd, follow_symlinks=False)
    except FileNotFoundError:
        os.rename(source, target, src_dir_fd=dir_fd, dst_dir_fd=dir_fd)
        return
    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), os.fspath(target))


def exchange(a: str | os.PathLike[str], b: str | os.PathLike[str], *, dir_fd: int | None = None) -> None:
    """Swap what two names of one file system stand for, in one step: renameat2(2) or renamex_np(2).

    Neither name is ever missing, and whatever stood at `b` at that very moment is found at `a` afterwards. Relative
    names are relative to `dir_fd`. OSError with an errno of `EXCHANGE_UNSUPPORTED` where it cannot be done, ENOENT when
    one of them is missing, EBUSY for a mount point, EXDEV across file systems. Durable only after `flush_folder`.
    """
    _rename_with(os.fspath(a), os.fspath(b), dir_fd, _RENAME_EXCHANGE, _DARWIN_RENAME_SWAP)


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _rename_with(a: str, b: str, dir_fd: int | None, linux_flag: int, darwin_flag: int) -> None:
    darwin = sys.platform == "darwin"
    try:
        call = _libc().renameatx_np if darwin else _libc().renameat2
    except AttributeError:  # musl before 1.2.4, glibc before 2.28
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS), b) from None
    here = dir_fd if dir_fd is not None else (_DARWIN_AT_FDCWD if darwin else _LINUX_AT_FDCWD)
    flag = ctypes.c_uint(darwin_flag if darwin else linux_flag)
    if call(ctypes.c_int(here), os.fsencode(a), ctypes.c_int(here), os.fsencode(b), flag) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), a, None, b)
