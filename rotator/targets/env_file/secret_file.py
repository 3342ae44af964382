"""A file that holds one secret and nothing else: the place behind `{file: PATH}` in the configuration, written by us.

It is written as a dotenv file is: whole, durable, under the same lock, mode 0600, never over what somebody else put
there meanwhile, never where git would take it up. What a value is good for is not its business.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rotator.core.errors import Refused
from rotator.core.secret import Secret
from rotator.host.crashpoints import crash_at
from rotator.targets.env_file import access
from rotator.targets.env_file.exposure import InGit, exposure
from rotator.targets.env_file.likeness import Ownership
from rotator.targets.env_file.writer import Writer

PRIVATE: Final = Ownership(mode=0o600)
LONGEST: Final = 512
"""Characters of a value at most; a rehearsal writes as many."""


@dataclass(frozen=True, slots=True)
class _Whole:
    """The content as it was seen, and all of what is to stand there instead."""

    before: bytes
    after: bytes

    def agrees(self, content: bytes) -> bool:
        return content == self.before

    def apply(self, content: bytes) -> bytes:
        return self.after


class SecretFile:
    """One such file. Holds nothing open."""

    def __init__(self, path: Path, lock_folder: Path, crash: Callable[[str], None] = crash_at) -> None:
        """Nothing is opened; `lock_folder` is shared by all processes of the instance."""
        self.path = path
        self._writer = Writer(lock_folder, crash)

    def content(self) -> bytes:
        """Return what stands there, empty where nothing does.

        Raises:
            Refused: no regular file.
            Unavailable: it cannot be read.
        """
        if not self.path.parent.is_dir():
            return b""
        found = access.read(self.path)
        return b"" if found is None else found.content

    def check(self) -> None:
        """Find out whether a value could be written now; nothing is left behind but the folder (0700), if it lacked.

        Raises:
            Refused: it would fail, or git would take the value up; cause and remedy.
            Unavailable: the disk is full, or nobody can tell.
        """
        self._make_folder()
        verdict = exposure(self.path).verdict
        if verdict is InGit.TRACKED:
            raise Refused(f"{self.path} is tracked by git", "`git rm --cached` it and add it to .gitignore")
        if verdict is not InGit.NONE:
            raise Refused(
                f"{self.path} lies in a git repository that does not ignore it",
                f"add it to .gitignore: `rotator init {self.path.parent}` does, or put it elsewhere",
            )
        access.probe(self.path, lambda _: b"x" * LONGEST, ownership=PRIVATE)

    def write(self, value: Secret, instead_of: bytes) -> None:
        """Put a value there, in place of exactly what was read before.

        Args:
            value: the file holds it and nothing else afterwards, without a line end.
            instead_of: what `content` returned.

        Raises:
            Conflict: somebody put something else there meanwhile; nothing was changed.
            Refused, Unavailable: nothing was changed.
            OutcomeUnknown: it is there, and not known to be durable.

        Crash: leaves the old file or the new one, whole.
        """
        self._writer.replace(self.path, _Whole(instead_of, value.reveal().encode()), lambda: None, ownership=PRIVATE)

    def _make_folder(self) -> None:
        folder = self.path.parent
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
        except FileNotFoundError:
            raise Refused(f"the folder {folder.parent} does not exist", "make it, or correct the path") from None
        except OSError as error:
            raise Refused(
                f"the folder {folder} cannot be made: {os.strerror(error.errno or 0)}", "make it, or correct the path"
            ) from None
