"""What stands beside our values, in the same file or beside it, and keeps a program from using them.

A published value may be right and still not be the one that a program takes. What is said here about wrangler was read
in version 4.86 (its `getAuthFromEnv`, `getVarsForDev` and `getDefaultEnvFiles`); other tools that load `.env.local` and
the like (Next.js, Vite, dotenv-flow) agree that the more special file wins.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from rotator.core.errors import RotatorError
from rotator.core.ports.target import Remark
from rotator.targets.env_file import access
from rotator.targets.env_file.document import Document, DocumentError

_TOKEN_KEYS: Final = ("CLOUDFLARE_API_TOKEN", "CF_API_TOKEN")
_OTHER_LOGINS: Final = ("CLOUDFLARE_API_KEY", "CF_API_KEY")
_ACCOUNT_KEYS: Final = ("CLOUDFLARE_ACCOUNT_ID", "CF_ACCOUNT_ID")
_WRANGLER_FILES: Final = ("wrangler.jsonc", "wrangler.json", "wrangler.toml")
_NOT_LOADED: Final = frozenset(
    {"example", "sample", "template", "tmpl", "tpl", "dist", "defaults", "default", "schema", "vault", "keys", "enc"}
    | {"encrypted", "sops", "age", "gpg", "asc", "bak", "backup", "old", "orig", "save", "swp", "swo", "tmp"}
)
"""Last parts of names of files that are there to be copied, kept or decrypted, and that no program loads."""

_MOST: Final = 50
"""Files beside ours that are looked at."""


def remarks(path: Path, keys: Mapping[str, str], document: Document | None) -> Iterator[Remark]:
    """Say what stands in the way of our `keys` (key -> output) in the file at `path`, now `document`.

    Reads files beside it; one that cannot be read or understood is passed over. Never raises.
    """
    yield from _logins(path, keys, document)
    yield from _comments(path, keys, document)
    yield from _siblings(path, keys, document)
    if path.name == ".envrc":
        yield Remark(
            code="direnv",
            message=f"direnv loads {path} only after `direnv allow`, and asks for it again after every change",
            remedy="publish to a .env beside it and write `dotenv` into .envrc; direnv does not ask for that file",
        )


def _logins(path: Path, keys: Mapping[str, str], document: Document | None) -> Iterator[Remark]:
    token = next((key for key in _TOKEN_KEYS if keys.get(key) == "token.value"), None)
    if token is None:
        return
    other = next((key for key in _OTHER_LOGINS if key not in keys and _value(document, key)), None)
    if other is not None:
        yield Remark(
            code="two_logins",
            message=f"{path} holds {other} beside {token}: wrangler and others take the global key and not the token",
            remedy=f"remove {other} and its email from the file",
        )
    if not any(key in keys or _value(document, key) for key in _ACCOUNT_KEYS) and not _names_account(path.parent):
        yield Remark(
            code="account_id_missing",
            message=f"{path} gets {token} without an account id, and by the token alone wrangler may find none",
            remedy="add `CLOUDFLARE_ACCOUNT_ID: account.id` to `keys`, or `account_id` to the wrangler configuration",
        )


def _names_account(folder: Path) -> bool:
    for name in _WRANGLER_FILES:
        try:
            if b"account_id" in (folder / name).read_bytes():
                return True
        except OSError:
            continue
    return False


def _comments(path: Path, keys: Mapping[str, str], document: Document | None) -> Iterator[Remark]:
    lines = sorted(line for key in keys for line in (document.commented(key) if document is not None else ()))
    if lines:
        yield Remark(
            code="comment_after_value",
            message=f"{path}: a comment follows the value on line {', '.join(map(str, lines))}, and systemd and docker "
            "take it for a part of the value",
            remedy="move the comment to a line of its own, if one of these reads the file",
        )


def _siblings(path: Path, keys: Mapping[str, str], document: Document | None) -> Iterator[Remark]:
    shadow = path.with_name(".dev.vars")
    if path.name.startswith(".env") and path.name != ".envrc" and shadow.exists():
        yield Remark(
            code="shadowed",
            message=f"wrangler takes a Worker's variables from {shadow}, and from {path} only its own login",
            remedy="publish what the Worker needs to .dev.vars as well, or remove that file",
            about=os.path.normpath(shadow),
        )
    for sibling in _loaded_beside(path):
        theirs = _parsed(sibling)
        if theirs is None:
            continue
        instead, assigned = path.name == ".dev.vars", set(theirs.keys())
        differing = [
            key
            for key in keys
            if (instead or key in assigned) and (document is None or _value(theirs, key) != _value(document, key))
        ]
        if differing:
            yield _outranked(path, sibling, differing, instead=instead)


def _outranked(path: Path, sibling: Path, keys: list[str], *, instead: bool) -> Remark:
    if instead:
        chosen = sibling.name.removeprefix(f"{path.name}.")
        message = f"with `--env {chosen}` wrangler reads {sibling} instead of {path}; {keys[0]} is not the same there"
    else:
        message = f"a program that loads {sibling} too takes {keys[0]} from there and not from {path}"
    return Remark(
        code="outranked",
        message=message,
        remedy=f"add a target for {sibling.name}, or take {keys[0]} out of it",
        about=os.path.normpath(sibling),
    )


def _loaded_beside(path: Path) -> list[Path]:
    """The files beside `path` that programs read after it, or instead of it."""
    try:
        names = sorted(entry.name for entry in os.scandir(path.parent))
    except OSError:
        return []
    found = [name for name in names if _is_loaded(name) and _wins(name, path.name)]
    return [path.with_name(name) for name in found[:_MOST]]


def _is_loaded(name: str) -> bool:
    last = name.rpartition(".")[2].lower()
    return last not in _NOT_LOADED and not name.endswith("~") and ".rotator-" not in name


def _wins(name: str, ours: str) -> bool:
    """Whether a program that loads both files takes a key from the file `name` and not from the file `ours`."""
    if ours == ".dev.vars":
        return name.startswith(".dev.vars.")
    if not name.startswith(".env.") or not (ours == ".env" or ours.startswith(".env.")):
        return False
    if ours == ".env":
        return True
    if ours == ".env.local":
        return name != ours
    return name == f"{ours}.local"


def _parsed(path: Path) -> Document | None:
    try:
        found = access.read(path)
        return None if found is None else Document(found.content)
    except (RotatorError, DocumentError):
        return None


def _value(document: Document | None, key: str) -> str:
    """The value of `key` that counts, empty where there is none or programs disagree on it."""
    if document is None:
        return ""
    try:
        return (document.get(key) or [""])[-1]
    except DocumentError:
        return ""
