"""Changing a file that other people change too: whole, durable, under a lock, and without losing anybody's save.

The new content is written beside the file, flushed, and *exchanged* with it in one step; what was displaced is then
compared with what had been read. If somebody saved in between, their save is exchanged back and the change is made
again on top of it. (Measured elsewhere: rename after a compare loses a few saves in a thousand, this loses none.)

It knows nothing of keys: an `Edit` says what to change and whether the present content may be changed at all.

What it cannot promise: an editor that keeps the file open and writes *into* it after our exchange writes into a file
that no folder holds any more; the displaced file is compared once more just before it is removed, not for longer.
Hard links and mounts of a single file can only be written in place, where a reader may catch blank lines at the end.
"""

import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Final, Protocol

from rotator.core.errors import Conflict, OutcomeUnknown, Refused, Unavailable
from rotator.host import files
from rotator.host.crashpoints import Point, crash_at
from rotator.host.locks import FileLock
from rotator.targets.env_file.access import IN_PLACE_ERRORS, barrier, missing
from rotator.targets.env_file.likeness import AS_IT_IS, NotAlikeError, Ownership, make_alike, make_new, own
from rotator.targets.env_file.obstacles import beside, explain
from rotator.targets.env_file.place import Identity, Place, Snapshot

LOCK_TIMEOUT: Final = 30.0
"""Seconds to wait for another process of ours that writes to the same file."""

ATTEMPTS: Final = 200
"""How often to start again because somebody saved in between, before asking to come back later."""


class How(StrEnum):
    """How a file got its content; only the first three keep every promise."""

    UNCHANGED = "unchanged"
    CREATED = "created"
    EXCHANGED = "exchanged"
    RENAMED = "renamed"
    IN_PLACE = "in_place"


class Edit(Protocol):
    """A change of content. Both methods are pure and may be asked many times."""

    def agrees(self, content: bytes) -> bool:
        """Whether `content` still holds, at the managed keys, what it held when the change was decided."""

    def apply(self, content: bytes) -> bytes:
        """The content after the change; equal to `content` when it holds the change already."""


class _NotHereAtomic(Exception):
    """This file can only be written in place."""


class _Again(Exception):
    """Somebody changed the file in between; start over."""


class Writer:
    """Writes files of one host."""

    def __init__(self, lock_folder: Path, crash: Callable[[str], None] = crash_at) -> None:
        """`lock_folder` is shared by all processes of the instance, made (0700) if missing; `crash` passes a point."""
        self._lock_folder = lock_folder
        self._crash = crash

    def replace(
        self,
        path: Path,
        edit: Edit,
        still_mine: Callable[[], None],
        *,
        create: bool = True,
        ownership: Ownership = AS_IT_IS,
        apart: bool = False,
    ) -> How:
        """Apply `edit` to the file at `path`, or to an empty one where none is and `create` allows it.

        With `apart`, temporary files lie in a folder of their own that git ignores (see `Place`).

        `still_mine` is called right before the content becomes visible, and may raise to stop it. A crash inside leaves
        the complete old or the complete new file; a stray temporary file is cleaned up by the next call.

        Raises:
            Conflict: the managed keys hold something else than the edit expects; nothing was changed.
            Refused: a certain no: rights, kind of file, missing folder or file, detached mount.
            Unavailable: nothing was changed, later it may work: lock held, disk full, a file that never rests.
            OutcomeUnknown: the new content is visible but not known to be durable.
            Whatever `still_mine` or `edit.apply` raises; nothing was changed.
        """
        try:
            for _ in range(ATTEMPTS):
                with suppress(_Again), Place(path, self._crash, apart=apart) as place:
                    place.crash(Point.BEFORE_FILE_LOCK)
                    with self._lock(place):
                        place.crash(Point.AFTER_FILE_LOCK)
                        return _replace(place, edit, still_mine, create, ownership)
        except OSError as error:
            if isinstance(error.filename, str) and error.filename.startswith(str(self._lock_folder)):
                raise explain(Path(error.filename), error) from error
            raise explain(path, error, lambda: barrier(path)) from error
        raise Unavailable(
            f"{path} keeps changing; nothing was written", "look for a program that saves it all the time"
        )

    def _lock(self, place: Place) -> FileLock:
        """The lock of the real file. It lies apart: on the file itself a rename would lose it, beside it a mount."""
        if not self._lock_folder.is_dir():
            self._lock_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            files.give_to_owner_of_folder(self._lock_folder)
        name = hashlib.sha256(os.fsencode(place.real)).hexdigest()[:32]
        return FileLock(self._lock_folder / f"{name}.lock", LOCK_TIMEOUT)


def _replace(place: Place, edit: Edit, still_mine: Callable[[], None], create: bool, ownership: Ownership) -> How:
    if os.path.realpath(place.path) != str(place.real):
        raise _Again  # the link was turned while we waited for the lock
    place.recover()
    found = place.read()
    if found is None and not create:
        raise missing(place.path)
    content = b"" if found is None else found.content
    changed = edit.apply(content)
    if found is not None and changed == content:
        return How.UNCHANGED
    if not edit.agrees(content):
        raise Conflict(
            f"{place.path}: somebody else changed a managed key since it was read; nothing was written",
            "`rotator status` shows what was found; resolve it there",
        )
    obstacle = beside(place, found)  # found out before a file with the value lies there and cannot be removed
    if found is None:
        if obstacle is not None:
            raise obstacle.refused(place.path)
        return _create(place, changed, still_mine, ownership)
    try:
        if obstacle is not None:
            raise _NotHereAtomic
        return _exchange(place, found, changed, still_mine, ownership)
    except _NotHereAtomic:
        return _write_in_place(place, found, changed, still_mine, ownership)


def _create(place: Place, content: bytes, still_mine: Callable[[], None], ownership: Ownership) -> How:
    name = place.temporary_name()
    fd = place.create(name)
    try:
        try:
            make_new(place, fd, content, ownership)
            _flush(place, fd)
        finally:
            os.close(fd)
        still_mine()
        place.crash(Point.BEFORE_FILE_EXCHANGE)
        try:
            files.move_to_free_name(name, place.name, dir_fd=place.folder)
        except (FileExistsError, FileNotFoundError):  # somebody was first, or took ours for a leftover
            raise _Again from None
    except Exception:
        place.remove(name)
        raise
    place.crash(Point.AFTER_FILE_EXCHANGE)
    _flush_folder(place)
    return How.CREATED


def _exchange(
    place: Place, found: Snapshot, content: bytes, still_mine: Callable[[], None], ownership: Ownership
) -> How:
    name, ours = _prepare(place, found, content, ownership)
    try:
        still_mine()
        status = place.look()
        if status is None or Identity.of(status) != found.identity or _access(status) != _access(found.status):
            raise _Again  # nothing is visible yet: the cheap way out of most races
        place.crash(Point.BEFORE_FILE_EXCHANGE)
        try:
            files.exchange(name, place.name, dir_fd=place.folder)
        except FileNotFoundError:
            raise _Again from None
        except OSError as error:
            if error.errno in IN_PLACE_ERRORS:
                raise _NotHereAtomic from error
            if error.errno not in files.EXCHANGE_UNSUPPORTED:
                raise
            return _rename(place, found, name)
    except Exception:
        place.remove(name)
        raise
    place.crash(Point.AFTER_FILE_EXCHANGE)
    place.crash(Point.BEFORE_FILE_DISPLACED_CHECK)
    _restore_unless(_is_still(place, name, found), place, name, ours)
    place.crash(Point.AFTER_FILE_DISPLACED_CHECK)
    _flush_folder(place)
    _restore_unless(_is_still(place, name, found), place, name, ours)
    place.crash(Point.BEFORE_FILE_UNLINK)
    place.remove(name)
    place.crash(Point.AFTER_FILE_UNLINK)
    return How.EXCHANGED


def _prepare(place: Place, found: Snapshot, content: bytes, ownership: Ownership) -> tuple[str, Identity]:
    """Write the temporary file. Its final name records it and what it replaces, for the recovery after a crash."""
    name = place.temporary_name()
    try:
        fd = place.create(name)
    except OSError as error:
        if error.errno in IN_PLACE_ERRORS:
            raise _NotHereAtomic from error
        raise
    try:
        try:
            try:
                make_alike(place, fd, found, content, ownership)
            except NotAlikeError:
                raise _NotHereAtomic from None
            _flush(place, fd)
            ours = Identity.of(os.fstat(fd))
        finally:
            os.close(fd)
        marked = place.temporary_name(ours, found.identity)
        try:
            os.rename(name, marked, src_dir_fd=place.folder, dst_dir_fd=place.folder)
        except FileNotFoundError:  # an instance with another lock folder took it for a leftover
            raise _Again from None
    except Exception:
        place.remove(name)
        raise
    return marked, ours


def _is_still(place: Place, name: str, found: Snapshot) -> bool:
    """Whether what stands under `name` is what had been read, byte for byte."""
    try:
        displaced = place.read(name)
    except (Refused, OSError):  # somebody put a pipe or the like there: foreign, in any case
        return False
    return (
        displaced is not None
        and displaced.identity == found.identity
        and displaced.content == found.content
        and _access(displaced.status) == _access(found.status)  # somebody has just closed it to others
    )


def _access(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_mode, status.st_uid, status.st_gid


def _restore_unless(undisturbed: bool, place: Place, name: str, ours: Identity) -> None:
    """After an exchange: when it displaced somebody's save, put that back and start over on top of it."""
    if undisturbed:
        return
    place.crash(Point.BEFORE_FILE_EXCHANGE_BACK)
    try:
        place.put_back(name, ours)
    except OSError as error:
        raise OutcomeUnknown(
            f"{place.path}: a save of somebody else was displaced and could not be put back: {error.strerror}",
            f"it lies beside the file as {name}; the next write puts it back",
        ) from error
    place.crash(Point.AFTER_FILE_EXCHANGE_BACK)
    raise _Again


def _rename(place: Place, found: Snapshot, name: str) -> How:
    """The way of file systems without exchange: compare once more, then rename; a save in between those two is lost."""
    if not _is_still(place, place.name, found):
        raise _Again
    os.rename(name, place.name, src_dir_fd=place.folder, dst_dir_fd=place.folder)
    place.crash(Point.AFTER_FILE_EXCHANGE)
    _flush_folder(place)
    return How.RENAMED


def _write_in_place(
    place: Place, found: Snapshot, content: bytes, still_mine: Callable[[], None], ownership: Ownership
) -> How:
    """Write into the existing file: for hard links, mounts of a single file, folders that we may not write.

    A reader, and a crash, see the old content, the new content, or one of them with blank lines behind it, as long as
    the kernel copies it in one piece (less than a page): the length changes only by line breaks at the end.
    """
    fd = os.open(place.name, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=place.folder)
    try:
        if Identity.of(os.fstat(fd)) != found.identity or os.pread(fd, len(found.content) + 1, 0) != found.content:
            raise _Again
        own(fd, ownership.uid, ownership.gid)
        if ownership.mode is not None:
            os.fchmod(fd, ownership.mode)
        still_mine()
        place.crash(Point.BEFORE_FILE_IN_PLACE)
        old, new = len(found.content), len(content)
        if new > old:  # room first: a full disk is found out while the content is still the old one
            try:
                files.write_all(fd, b"\n" * (new - old), old)
                files.flush(fd)
            except OSError:
                os.ftruncate(fd, old)
                raise
        try:
            files.write_all(fd, content + b"\n" * (old - new), 0)
            os.ftruncate(fd, new)
            files.flush(fd)
            status = os.fstat(fd)
        except OSError as error:
            raise OutcomeUnknown(
                f"{place.path}: writing in place broke off: {error.strerror}", "look at the file and its disk"
            ) from error
    finally:
        os.close(fd)
    place.crash(Point.AFTER_FILE_IN_PLACE)
    now = place.look()
    if now is None or now.st_ino != status.st_ino:
        raise _Again  # somebody replaced the file while we wrote into the old one
    place.read()  # refuses where the host replaced the file under our mount
    return How.IN_PLACE


def _flush(place: Place, fd: int) -> None:
    place.crash(Point.BEFORE_FILE_TEMP_FSYNC)
    files.flush(fd)
    place.crash(Point.AFTER_FILE_TEMP_FSYNC)


def _flush_folder(place: Place) -> None:
    place.crash(Point.BEFORE_FILE_DIR_FSYNC)
    try:
        files.flush_folder(place.folder)
    except OSError as error:
        raise OutcomeUnknown(
            f"{place.path}: written, but its folder could not be flushed: {error.strerror}", "look at the disk"
        ) from error
    place.crash(Point.AFTER_FILE_DIR_FSYNC)
