"""Whether a file's content could end up in a git repository: tracked, or there and not ignored.

Cloudflare revokes a token that turns up in a public repository, so a value must not get that near to one. git itself is
asked where it is installed and trusts the repository; else the index and the ignore files are read here, without the
user's global ignore file. This module only answers; `target` decides.

Formats: https://git-scm.com/docs/index-format, https://git-scm.com/docs/gitignore
"""

import os
import re
import struct
import subprocess
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Final

GIT_TIMEOUT: Final = 5.0
"""Seconds for one question to git; a repository on a sleeping network disk must not hold up a rotation."""

_FIXED_ENTRY = 62  # stat data, SHA-1 and flags of an index entry
_EXTENDED = 0x4000


class Exposure(StrEnum):
    """What git would do with the file."""

    NONE = "none"
    """Outside every repository, or ignored."""
    TRACKED = "tracked"
    NOT_IGNORED = "not_ignored"
    UNKNOWN = "unknown"
    """It lies in a repository that cannot be read."""


def exposure(path: Path) -> Exposure:
    """Look at the real file behind `path`, which need not exist. Never raises; waits at most two `GIT_TIMEOUT`."""
    real = Path(os.path.realpath(path))
    root = next((folder for folder in real.parents if (folder / ".git").exists()), None)
    if root is None:
        return Exposure.NONE
    tracked = _ask_git(root, "ls-files", "--error-unmatch", "--", str(real))
    ignored = _ask_git(root, "check-ignore", "--quiet", "--", str(real)) if tracked is False else None
    try:
        if tracked is None:
            tracked = _in_index(_git_folder(root) / "index", os.fsencode(real.relative_to(root)))
        if not tracked and ignored is None:
            ignored = _ignored(root, real)
    except (OSError, ValueError, IndexError, struct.error):
        return Exposure.UNKNOWN
    if tracked:
        return Exposure.TRACKED
    return Exposure.NONE if ignored else Exposure.NOT_IGNORED


def _ask_git(root: Path, *question: str) -> bool | None:
    """True or False as git exits with 0 or 1; None when it is missing, slow, or distrusts the repository."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment["GIT_OPTIONAL_LOCKS"] = "0"
    try:
        # Partial path on purpose: the operator's git. No value is among the arguments, and git's own check of the
        # repository's owner keeps a foreign repository's configuration from running anything.
        answer = subprocess.run(  # noqa: S603
            ["git", "-c", "core.fsmonitor=false", "-C", str(root), *question],  # noqa: S607
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
            timeout=GIT_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return {0: True, 1: False}.get(answer.returncode)


def _git_folder(root: Path) -> Path:
    """`.git`, or the folder to which it points in a worktree or submodule (a file with `gitdir: PATH`)."""
    place = root / ".git"
    if place.is_dir():
        return place
    return root / place.read_text(encoding="utf-8").removeprefix("gitdir:").strip()


def _in_index(index: Path, name: bytes) -> bool:
    """Whether the index (versions 2 to 4, SHA-1) lists `name`; ValueError for any other."""
    try:
        data = index.read_bytes()
    except FileNotFoundError:
        return False
    magic, version, count = struct.unpack_from(">4sLL", data)
    if magic != b"DIRC" or version not in (2, 3, 4):
        raise ValueError("unknown index format")
    position, previous = 12, b""
    for _ in range(count):
        (flags,) = struct.unpack_from(">H", data, position + _FIXED_ENTRY - 2)
        start = position + _FIXED_ENTRY + (2 if flags & _EXTENDED else 0)
        strip = 0
        if version == 4:
            strip, start = _offset_number(data, start)
        end = data.index(b"\0", start)
        found = previous[: len(previous) - strip] + data[start:end] if version == 4 else data[start:end]
        if found == name:
            return True
        previous = found
        position = end + 1 if version == 4 else position + (end - position + 8) // 8 * 8
    return False


def _offset_number(data: bytes, position: int) -> tuple[int, int]:
    """The variable-width number of version 4 entries, as in packs' offset deltas, and the position behind it."""
    byte = data[position]
    number = byte & 0x7F
    while byte & 0x80:
        position += 1
        byte = data[position]
        number = ((number + 1) << 7) | (byte & 0x7F)
    return number, position + 1


def _ignored(root: Path, real: Path) -> bool:
    """Whether a pattern of the repository ignores the file or a folder above it."""
    parts = real.relative_to(root).parts
    for depth in range(1, len(parts) + 1):
        verdict = False
        for folder, pattern in _patterns(root, parts[: depth - 1]):
            below = "/".join(parts[folder:depth])
            verdict = pattern.verdict(below, is_folder=depth < len(parts), before=verdict)
        if verdict:
            return True  # what lies in an ignored folder cannot be taken back in
    return False


def _patterns(root: Path, folders: tuple[str, ...]) -> Iterator[tuple[int, "_Pattern"]]:
    """All patterns with the depth of their folder, the ones that decide last at the end."""
    sources = [(0, _git_folder(root) / "info" / "exclude")]
    sources += [(depth, root.joinpath(*folders[:depth]) / ".gitignore") for depth in range(len(folders) + 1)]
    for depth, source in sources:
        try:
            lines = source.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
        except OSError:
            continue
        for line in lines:
            text = re.sub(r"(?<!\\)[ \t]+$", "", line)
            if text and not text.startswith("#"):
                yield depth, _Pattern(text)


class _Pattern:
    def __init__(self, text: str) -> None:
        self._takes_back = text.startswith("!")
        text = text.removeprefix("!")
        self._folders_only = text.endswith("/")
        text = text.rstrip("/")
        self._whole_path = "/" in text
        self._regex = re.compile(_translate(text.removeprefix("/")) + r"\Z", re.DOTALL)

    def verdict(self, path: str, *, is_folder: bool, before: bool) -> bool:
        if self._folders_only and not is_folder:
            return before
        subject = path if self._whole_path else path.rpartition("/")[2]
        return not self._takes_back if self._regex.match(subject) else before


_TOKEN = re.compile(
    r"(?P<deep>(?:(?<=/)|\A)\*\*/)|(?P<rest>/\*\*\Z)|(?P<many>\*+)|(?P<one>\?)|(?P<set>\[[!^]?\]?[^\]]*\])|\\?(?P<char>.)",
    re.DOTALL,
)


def _translate(pattern: str) -> str:
    pieces = []
    for token in _TOKEN.finditer(pattern):
        match token.lastgroup:
            case "deep":
                pieces.append(r"(?:.*/)?")
            case "rest":
                pieces.append(r"/.*")
            case "many":
                pieces.append(r"[^/]*")
            case "one":
                pieces.append(r"[^/]")
            case "set":
                inner = token["set"][1:-1].replace("\\", "\\\\")
                pieces.append("[" + re.sub(r"^!", "^", inner) + "]")
            case _:
                pieces.append(re.escape(token["char"]))
    return "".join(pieces)
