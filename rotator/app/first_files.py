"""Writes the first files of a project, all or none, and finds the account where a management token is there already."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rotator.app import initial
from rotator.app.initial import PRIVATE, Answers, configuration, ignored, lacking
from rotator.app.initial_fleet import INVENTORY
from rotator.app.read_only import ReadOnlyBudget
from rotator.config.load import load
from rotator.config.secret_ref import SecretRef
from rotator.core.errors import ConfigError, RotatorError
from rotator.host.files import create_whole
from rotator.journal.key_file import generate_key
from rotator.registry import kinds
from rotator.sources.cloudflare import accounts
from rotator.sources.cloudflare.connection import CloudflareConnection
from rotator.sources.cloudflare.management import ManagementToken
from rotator.sources.cloudflare.pasted import refuse
from rotator.targets.env_file.exposure import InGit, exposure

REQUESTS: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What was written.

    Attributes:
        files: paths.
        ignored: lines that were added to `.gitignore`.
        remarks: what a person should know.
    """

    files: tuple[Path, ...]
    ignored: tuple[str, ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The account that was given or found, or None; and what is to be said of it, or an empty text."""

    account_id: str | None = None
    said: str = ""


def write(folder: Path, answers: Answers) -> Written:
    """Write configuration, key and ignored files; what exists is never written over.

    Args:
        folder: of the configuration; made if it is not there.
        answers: what a person said.

    Raises:
        ConfigErrors: what was said makes no configuration; nothing was written.
        RotatorError: the configuration exists by now.
        OSError: the folder cannot be written.

    Crash: leaves some of the files, each whole; the configuration comes last.
    """
    target = folder / "rotator.yaml"
    content = configuration(answers).encode()
    listed, there = _inventory(folder, answers)
    # Whatever is wrong is told before anything is written.
    load(folder.absolute() / target.name, kinds(), content=content, inventory=listed)
    folder.mkdir(parents=True, exist_ok=True)
    files: list[Path] = []
    added = _ignore(folder, answers)
    if added:
        files.append(folder / ".gitignore")
    key = folder / PRIVATE / "rotator.key"
    if not key.exists():
        key.parent.mkdir(mode=0o700, exist_ok=True)
        generate_key(key)
        files.append(key)
    for path, text in ((folder / INVENTORY, None if there else listed), (target, content)):
        if text is None:
            continue
        try:
            create_whole(path, text, 0o644)
        except FileExistsError:
            raise _exists(path) from None
        files.append(path)
    return Written(files=tuple(files), ignored=added, remarks=tuple(_remarks(folder, answers)))


def _inventory(folder: Path, answers: Answers) -> tuple[bytes | None, bool]:
    """The inventory of a fleet, and whether it is there already: one with all rows stays as it is.

    Raises:
        RotatorError: another one is there.
    """
    rows, path = initial.inventory(answers), folder / INVENTORY
    if rows is None:
        return None, False
    before = path.read_bytes() if path.exists() else None
    if before is None:
        return rows.encode(), False
    if not set(rows.encode().splitlines()) <= set(before.splitlines()):
        raise _exists(path)
    return before, True


def _exists(path: Path) -> RotatorError:
    return RotatorError(f"{path} exists, and is not written over", "edit it, or name another folder")


def _ignore(folder: Path, answers: Answers) -> tuple[str, ...]:
    """Add to `.gitignore` what it lacks; what stands there stays."""
    path = folder / ".gitignore"
    before = path.read_bytes() if path.exists() else b""
    added = lacking(before.decode(errors="surrogateescape"), ignored(answers))
    if not added:
        return ()
    head = b"" if not before or before.endswith(b"\n") else b"\n"
    with path.open("ab") as file:
        file.write(head + b"# secrets, kept by rotator\n" + "".join(f"{line}\n" for line in added).encode())
    return added


def _remarks(folder: Path, answers: Answers) -> list[str]:
    """Files that git takes up all the same."""
    found = []
    for path in initial.files(answers):
        verdict = exposure(folder / path).verdict
        if verdict is InGit.TRACKED:
            found.append(f"warning: git tracks {path}: `git rm --cached {path}`, and think of its history")
        elif verdict is InGit.NOT_IGNORED:
            found.append(f"warning: git does not ignore {path}: add it to the .gitignore of its repository")
    return found


def account_of(folder: Path, token_file: str, api_url: str, given: str | None) -> Found:
    """Return the account that is meant: as given, or the only one that the management token reaches.

    Without a management token that can be read and asked, what was given counts as it is.

    Raises:
        ConfigError: what was given is the id of something else.
    """
    path = folder / Path(token_file).expanduser()
    try:
        value = SecretRef(file=path.absolute()).read()
        refuse(value, "the management token")
    except RotatorError:
        return Found(account_id=given)
    connection = CloudflareConnection(
        "cloudflare",
        token=lambda: value,
        budget=ReadOnlyBudget(None, REQUESTS, 300.0),
        api_url=api_url,
        account_id=given,
    )
    try:
        if given is not None:
            told = accounts.tell(connection, ManagementToken(role="management"), given)
            if told.reached is False:
                raise ConfigError(f"{given} is no account that can be used: {told.wrong}", told.remedy)
            return Found(account_id=given)
        known = accounts.reached(connection)
    finally:
        connection.close()
    listed = ", ".join(f"{account_id} ({name})" for account_id, name in known.items())
    if len(known) == 1:
        return Found(account_id=next(iter(known)), said=f"the management token belongs to the account {listed}")
    return Found(said=f"the management token reaches several accounts: {listed}" if known else "")
