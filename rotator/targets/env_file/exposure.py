"""Whether a file's content could end up in a git repository: tracked, or there and not ignored.

Cloudflare revokes a token that turns up in a public repository, so a value must not get that near to one. git itself is
asked. Where it is missing, slow or does not trust the repository, the ignore files are read instead, and it is said
that nobody proved the file not to be tracked. This module only answers; `target` decides.
"""

import os
import pwd
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from rotator.targets.env_file.ignored import is_ignored

GIT_TIMEOUT: Final = 5.0
"""Seconds for one question to git; a repository on a sleeping network disk must not hold up a rotation."""


class InGit(StrEnum):
    """What git would do with the file."""

    NONE = "none"
    """Outside every repository, or ignored."""
    TRACKED = "tracked"
    NOT_IGNORED = "not_ignored"
    UNKNOWN = "unknown"
    """It lies in a repository that neither git nor we can read."""


@dataclass(frozen=True, slots=True)
class Exposure:
    """A verdict and how sure it is.

    Attributes:
        verdict: see there.
        unproven: why git could not be asked, so that nobody knows whether it tracks the file; empty where it answered.
        remedy: what lets git answer.
        bare: names beside the file that are not ignored.
    """

    verdict: InGit
    unproven: str = ""
    remedy: str = ""
    bare: tuple[str, ...] = ()


class _NoAnswerError(Exception):
    """git gave no answer; the arguments say why, and what to do."""

    def __init__(self, why: str, remedy: str) -> None:
        super().__init__(why)
        self.why, self.remedy = why, remedy


def exposure(path: Path, beside: Sequence[str] = ()) -> Exposure:
    """Look at the real file behind `path`, which need not exist, and at names `beside` it. Never raises.

    Waits for git, at most two `GIT_TIMEOUT`.
    """
    real = Path(os.path.realpath(path))
    root = next((folder for folder in real.parents if (folder / ".git").exists()), None)
    if root is None:
        return Exposure(InGit.NONE)
    try:
        if _tracked(root, real):
            return Exposure(InGit.TRACKED)
        ignored = _ignored_by_git(root, [real, *(real.with_name(name) for name in beside)])
        why = remedy = ""
    except _NoAnswerError as error:
        why, remedy = error.why, error.remedy
        try:
            ignored = {one for one in (real, *(real.with_name(name) for name in beside)) if is_ignored(root, one)}
        except (OSError, ValueError):
            return Exposure(InGit.UNKNOWN, why, remedy)
    verdict = InGit.NONE if real in ignored else InGit.NOT_IGNORED
    bare = tuple(name for name in beside if real.with_name(name) not in ignored)
    return Exposure(verdict, why, remedy, bare)


def _tracked(root: Path, path: Path) -> bool:
    answer = _ask(root, ["--literal-pathspecs", "ls-files", "--error-unmatch", "--", str(path)])
    if answer.returncode not in (0, 1):
        raise _silent(root, answer)
    return answer.returncode == 0


def _ignored_by_git(root: Path, paths: Sequence[Path]) -> set[Path]:
    asked = b"".join(os.fsencode(path) + b"\0" for path in paths)
    # Without the index, in which it would look for `[a]` as a pattern; some gits refuse to take it literally.
    answer = _ask(root, ["check-ignore", "--no-index", "-z", "--stdin"], asked)
    if answer.returncode not in (0, 1):
        raise _silent(root, answer)
    return {Path(os.fsdecode(name)) for name in answer.stdout.split(b"\0") if name}


def _ask(root: Path, question: Sequence[str], told: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
    command = ["git", "--no-pager", "-c", "core.fsmonitor=false", "-C", str(root), *question]
    try:
        # A partial path on purpose: it is the operator's git. No value is among the arguments.
        return subprocess.run(  # noqa: S603
            command, input=told, capture_output=True, timeout=GIT_TIMEOUT, check=False, **_as_owner(root)
        )
    except FileNotFoundError:
        raise _NoAnswerError("git is not installed here", "install git where the daemon runs") from None
    except subprocess.TimeoutExpired:
        why = f"git did not answer within {GIT_TIMEOUT:g} s"
        raise _NoAnswerError(why, "look at the disk of the repository") from None
    except (OSError, subprocess.SubprocessError) as error:
        why = f"git cannot be run ({getattr(error, 'strerror', None) or type(error).__name__})"
        raise _NoAnswerError(why, "let the daemon's user run git") from None


def _silent(root: Path, answer: "subprocess.CompletedProcess[bytes]") -> _NoAnswerError:
    if b"safe.directory" in answer.stderr:
        return _NoAnswerError(
            f"the repository {root} belongs to somebody else, so git does not trust it",
            f"as the daemon's user: `git config --global --add safe.directory {root}`",
        )
    return _NoAnswerError(f"git cannot read the repository {root}", f"`git -C {root} status` says why")


def _as_owner(root: Path) -> dict[str, Any]:
    """How git is run: with a clean environment, and by root as the owner of the repository.

    So git trusts the repository, reads the owner's own ignore file, and whatever the repository's configuration could
    make git run has no more rights than who wrote it.
    """
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "LC_ALL": "C",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_DISCOVERY_ACROSS_FILESYSTEM": "1",
    }
    status = (root / ".git").lstat()
    if os.geteuid() != 0 or status.st_uid == 0:
        return {"env": environment | _own_folders(os.environ)}
    try:
        home = pwd.getpwuid(status.st_uid).pw_dir
    except KeyError:
        home = "/nonexistent"
    return {
        "env": environment | {"HOME": home},
        "user": status.st_uid,
        "group": status.st_gid,
        "extra_groups": (),
    }


def _own_folders(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: environment[name] for name in ("HOME", "XDG_CONFIG_HOME") if name in environment}
