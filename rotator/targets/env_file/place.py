"""One file and its folder: reading it whole, naming what was read, and the temporary files beside it.

All later steps go through the descriptor of the *real* folder, so a link that is swapped meanwhile leads nowhere. This
module knows no keys and decides nothing about merging; `writer` does.
"""

import errno
import hashlib
import os
import re
import secrets
import stat
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final

from rotator.core.errors import Refused, Unavailable
from rotator.host import files
from rotator.host.crashpoints import crash_at

MAX_SIZE: Final = 1 << 20
"""One MiB: far above any dotenv file, and small enough that a wrong path cannot fill the memory."""

_READ_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_LONGEST_PLAIN_NAME = 70
_IGNORED: Final = ".gitignore"


@dataclass(frozen=True, slots=True)
class Identity:
    """Which file of a folder, and which state of it, as far as stat(2) tells; not its mode, owner or names."""

    inode: int
    size: int
    modified_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> "Identity":
        """The identity in a stat result."""
        return cls(status.st_ino, status.st_size, status.st_mtime_ns)

    def __str__(self) -> str:
        return f"-{self.inode:x}-{self.size:x}-{self.modified_ns:x}"


@dataclass(frozen=True, slots=True, repr=False)
class Snapshot:
    """What stood in the file at one moment; its `repr` holds no content."""

    content: bytes
    identity: Identity
    status: os.stat_result


class Place:
    """The real file behind a path: a descriptor of its folder, and its name there. Use as a context manager."""

    def __init__(self, path: Path, crash: Callable[[str], None] = crash_at, *, apart: bool = False) -> None:
        """Resolve links and open the folder; `crash` passes a named crash point.

        With `apart`, temporary files lie in a folder of their own, which git ignores whatever `.gitignore` says.

        Raises:
            Unavailable: the folder does not exist; it may be a disk that is not mounted now.
            Refused: a link of another user leads out of that user's files.
            OSError: the folder cannot be opened.
        """
        self.path = path
        self.crash = crash
        self._apart = apart
        self.real = Path(os.path.realpath(path))
        self.name = self.real.name
        _refuse_foreign_link(path, self.real)
        try:
            self.folder = os.open(self.real.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except PermissionError:  # may still be passed through, and the file written where it stands
            self.folder = os.open(self.real.parent, getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError):
            raise Unavailable(
                f"{path}: the folder {self.real.parent} does not exist", "create or mount it, or correct `path`"
            ) from None

    def __enter__(self) -> "Place":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._tidy()
        os.close(self.folder)

    def read(self, name: str | None = None) -> Snapshot | None:
        """What stands under `name` (default: the file itself), read whole, no link followed; None where nothing does.

        Raises:
            Refused: no regular file, larger than `MAX_SIZE`, or a mount of a file that its host has replaced.
            OSError: it cannot be read.
        """
        name = self.name if name is None else name
        for _ in range(100):
            status = self.look(name)
            if status is None:
                return None
            self._refuse_strange(status)
            try:
                fd = os.open(name, _READ_FLAGS | os.O_NOFOLLOW, dir_fd=self.folder)
            except FileNotFoundError:
                return None
            try:
                before = os.fstat(fd)
                self._refuse_strange(before)
                content = _read_all(fd)
                after = os.fstat(fd)
            finally:
                os.close(fd)
            self._refuse_strange(after)
            # A save in the middle of our reading: half of each is nothing anybody wrote.
            if Identity.of(before) == Identity.of(after) and len(content) == after.st_size:
                return Snapshot(content, Identity.of(after), after)
        raise BlockingIOError(errno.EAGAIN, "the file keeps changing while it is read", str(self.path))

    def look(self, name: str | None = None) -> os.stat_result | None:
        """stat(2) of `name` (default: the file itself), links not followed; None where nothing is."""
        try:
            return os.stat(self.name if name is None else name, dir_fd=self.folder, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def _refuse_strange(self, status: os.stat_result) -> None:
        if not stat.S_ISREG(status.st_mode):
            raise Refused(
                f"{self.path} is not a regular file",
                "name a file; devices, pipes and folders are refused",
                code="not_a_file",
            )
        if status.st_size > MAX_SIZE:
            raise Refused(
                f"{self.path} is larger than 1 MiB, which no dotenv file is", "correct `path`", code="too_large"
            )
        if status.st_nlink == 0 and self.detached(Identity.of(status)):
            raise Refused(
                f"{self.path} is a mount of a single file that was replaced on the host: whatever is written here, "
                "nobody else will see",
                "restart the container, and mount the folder instead of the file",
                code="detached",
            )

    def detached(self, identity: Identity) -> bool:
        """Whether the name still leads to this file although no folder holds it any more (a stale bind mount)."""
        status = self.look()
        return status is not None and status.st_nlink == 0 and status.st_ino == identity.inode

    # Temporary files. The name says what a crash would leave behind, see `recover`.

    def temporary_name(self, *marks: Identity) -> str:
        """A fresh name of a hidden file; two `marks` record our file and the one that it is to replace.

        It begins and ends like the file's own name (`.env.rotator-….env`), so that what people write into .gitignore
        for the file covers it, too: `.env*`, `.env.*`, `*.env`, `.dev.vars*`.
        """
        before, after = _temporary_frame(self.name)
        name = f"{before}{secrets.token_hex(4)}{''.join(map(str, marks))}{after}"
        return f"{self._own_folder}/{name}" if self._apart else name

    @property
    def _own_folder(self) -> str:
        """Name of the folder for temporary files that `.gitignore` would not cover beside the file."""
        return f"uid{os.geteuid()}".join(_temporary_frame(self.name))

    def _set_apart(self) -> None:
        """Make that folder (0700), with an ignore file that covers all in it; one of somebody else is not used."""
        with suppress(FileExistsError):
            os.mkdir(self._own_folder, 0o700, dir_fd=self.folder)
        status = self.look(self._own_folder)
        if status is None or not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
            raise Refused(
                f"{self.path}: {self._own_folder} stands beside it and is in the way", "remove it", code="in_the_way"
            )
        flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        fd = os.open(f"{self._own_folder}/{_IGNORED}", flags, 0o600, dir_fd=self.folder)
        try:
            files.write_all(fd, b"*\n", 0)
            files.flush(fd)
        finally:
            os.close(fd)

    def _tidy(self) -> None:
        """Remove that folder once nothing lies in it; where that fails, the next write does it."""
        with suppress(OSError):
            if self._listed(self._own_folder) == [_IGNORED]:
                os.unlink(f"{self._own_folder}/{_IGNORED}", dir_fd=self.folder)
            os.rmdir(self._own_folder, dir_fd=self.folder)

    def _listed(self, folder: str) -> list[str]:
        """Names in a folder below the file's own; OSError where it is none, or a link."""
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self.folder)
        try:
            return _names(fd)
        finally:
            os.close(fd)

    def create(self, name: str) -> int:
        """Create `name` (0600, never through a link, never over something) and open it for reading and writing."""
        if self._apart:
            self._set_apart()
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        return os.open(name, flags, 0o600, dir_fd=self.folder)

    def remove(self, name: str) -> None:
        """Unlink `name`; where that fails, the next `recover` does it."""
        with suppress(OSError):
            os.unlink(name, dir_fd=self.folder)

    def recover(self) -> None:
        """Clean up what dead writers left beside the file. Call it under the place lock.

        A temporary file holds either content of ours or what we had read: both are removed. Or it holds what somebody
        saved in the instant before our exchange, and the writer died before it could put that back: then it is put back
        now, unless a later save stands at the path already. Files of other users are left alone.
        """
        try:
            names = _names(self.folder)
        except OSError:  # a folder that we may not list is one in which we created nothing
            return
        with suppress(OSError):
            names += [f"{self._own_folder}/{name}" for name in self._listed(self._own_folder)]
        before, after = map(re.escape, _temporary_frame(self.name))
        pattern = re.compile(before + r"[0-9a-f]{8}((?:-[0-9a-f]+){3})?((?:-[0-9a-f]+){3})?" + after)
        for name in names:
            match = pattern.fullmatch(name.removeprefix(f"{self._own_folder}/"))
            status = self.look(name) if match else None
            if match is None or status is None or not stat.S_ISREG(status.st_mode):
                continue
            current = self.look()
            if status.st_uid not in {os.geteuid(), current.st_uid if current else os.geteuid()}:
                continue
            ours, replaced = match[1], match[2]
            foreign = replaced and str(Identity.of(status)) not in {ours, replaced}
            if foreign and current is not None and str(Identity.of(current)) == ours:
                self.put_back(name, Identity.of(current))
            else:
                self.remove(name)

    def put_back(self, name: str, ours: Identity) -> None:
        """Exchange a displaced file back to its path; what then stands under `name` is removed.

        When yet another save has landed on `ours` meanwhile, the later save wins, as it would have without us. Files
        are told apart by their whole identity: the number of an inode is given out again as soon as it is free. A crash
        inside leaves a complete file at the path, and the rest to `recover`.
        """
        known = {ours}
        for _ in range(100):
            held = self.look(name)
            try:
                files.exchange(name, self.name, dir_fd=self.folder)
            except FileNotFoundError:  # the path was deleted meanwhile: a save is not ours to lose
                with suppress(FileNotFoundError, FileExistsError):
                    files.move_to_free_name(name, self.name, dir_fd=self.folder)
                break
            except OSError as error:
                if error.errno not in files.EXCHANGE_UNSUPPORTED:
                    raise
                os.rename(name, self.name, src_dir_fd=self.folder, dst_dir_fd=self.folder)
                break
            displaced = self.look(name)
            if displaced is None or Identity.of(displaced) in known:
                self.remove(name)
                break
            known.update([Identity.of(held)] if held else [])
        files.flush_folder(self.folder)


def example_of_temporary_name(path: Path) -> str:
    """Return a name such as the file behind `path` has beside it during a write."""
    before, after = _temporary_frame(os.path.basename(os.path.realpath(path)))  # noqa: PTH119  # of a text
    return f"{before}0{after}"


def _temporary_frame(name: str) -> tuple[str, str]:
    if len(os.fsencode(name)) > _LONGEST_PLAIN_NAME:  # a name has 255 bytes; the marks need the rest
        name = hashlib.sha256(os.fsencode(name)).hexdigest()[:32]
    plain = name.lstrip(".")
    return f".{plain}.rotator-", f".{plain}"


def _names(folder: int) -> list[str]:
    with os.scandir(folder) as entries:
        return [entry.name for entry in entries]


def _read_all(fd: int) -> bytes:
    pieces = []
    left = MAX_SIZE + 1
    while left > 0 and (piece := os.read(fd, left)):
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)


def _refuse_foreign_link(path: Path, real: Path) -> None:
    """A link of an ordinary user must not lead a privileged writer to files of somebody else (see CVE-2026-28684)."""
    try:
        link = path.lstat()
    except OSError:
        return
    if not stat.S_ISLNK(link.st_mode) or link.st_uid in {0, os.geteuid()}:
        return
    goal = real if real.exists() else real.parent
    if goal.exists() and goal.stat().st_uid != link.st_uid:
        raise Refused(
            f"{path} is a link of another user than the owner of {real}, to which it leads",
            "name the real file in `path`, or let the link belong to root",
            code="foreign_link",
        )
