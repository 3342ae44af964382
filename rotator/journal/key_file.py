"""The key file: made, read, and given a further line. What its keys do with a value is `sealing`'s.

One `rotator-key-v1:<8 hex>:<base64 of 32 bytes>` per line, `#` comments allowed; the first key seals, all of them open.
A key that was ever written to a file is never lost here: no file is overwritten, and a further line keeps the others.
"""

from __future__ import annotations

import base64
import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rotator.core.errors import ConfigError
from rotator.core.secret import Secret
from rotator.host.files import create_whole, flush, flush_folder, write_all
from rotator.host.locks import FileLock

MAKE_ONE: Final = "`rotator keygen FILE` makes one; state.encryption_key says where the daemon looks for it"
_KEY_LINE: Final = re.compile(r"^rotator-key-v1[: ]([0-9a-f]{8})[: ]([A-Za-z0-9+/]{43}=)$")
_LARGEST: Final = 65536


@dataclass(frozen=True, slots=True)
class Key:
    """One key: its id, which is random and no digest, and its 32 bytes."""

    id: str
    secret: bytes

    def __repr__(self) -> str:
        """Return it without its bytes."""
        return f"Key({self.id})"


def parse(text: Secret) -> tuple[Key, ...]:
    """Return the keys of a key file, in its order.

    Raises:
        ConfigError: it holds no key, a line is no key, or two keys have one id.
    """
    found: dict[str, Key] = {}
    for number, line in enumerate(text.reveal().splitlines(), start=1):
        content = line.strip()
        if not content or content.startswith("#"):
            continue
        match = _KEY_LINE.match(content)
        if match is None:
            raise ConfigError(f"reading the encryption key: line {number} is not a rotator key", MAKE_ONE)
        key = Key(match[1], base64.b64decode(match[2]))
        if found.setdefault(key.id, key).secret != key.secret:
            raise ConfigError(
                f"reading the encryption key: line {number} is another key with the id {key.id}",
                "put the key file back as it was; nobody can tell which of the two opens what",
            )
    if not found:
        raise ConfigError("reading the encryption key: it is empty", MAKE_ONE)
    return tuple(found.values())


def generate_key(path: Path) -> str:
    """Write a new key file (mode 0600) and return the key's id; an existing file is never overwritten.

    Raises:
        ConfigError: the file exists, or cannot be written.

    Crash: leaves no file, or a whole one.
    """
    key_id, line = _new()
    try:
        create_whole(path, line.encode(), 0o600)
    except FileExistsError as error:
        raise ConfigError(
            f"writing a new key to {path}: the file exists, and a key is never overwritten",
            "name another file, or let `--add` put a key before those that are there; a key that is lost makes every "
            "value in its journal unreadable",
        ) from error
    except OSError as error:
        raise ConfigError(
            f"writing a new key to {path}: {error.strerror}", "name a file in a writable folder"
        ) from error
    return key_id


def add_key(path: Path) -> tuple[str, tuple[str, ...]]:
    """Put a new key before those of a key file; return its id, and the ids of those that were there.

    The file keeps its mode and its owner. Two that do this at once come one after the other.

    Raises:
        ConfigError: there is no such key file, it is a link or mounted, or it cannot be written.

    Crash: leaves the file as it was, or with its new line; and at most one stray `.NAME.XXXX.tmp`.
    """
    if path.is_symlink():
        raise ConfigError(
            f"adding a key to {path}: it is a link",
            "name the file that it leads to; where the file is mounted, add a line to what it is mounted from",
        )
    before = parse(read_key(path))
    try:
        with FileLock(path.with_name(f".{path.name}.lock"), timeout=10):
            before = parse(read_key(path))
            key_id, line = _new()
            _replace(path, line.encode() + path.read_bytes())
    except OSError as error:
        raise ConfigError(
            f"adding a key to {path}: {error.strerror}", "run it as the owner of the file, in a folder it may write to"
        ) from error
    return key_id, tuple(key.id for key in before)


def read_key(path: Path) -> Secret:
    """Return the content of a key file.

    Raises:
        ConfigError: it is missing, unreadable, empty, or others may write to it.
    """
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            text = file.read(_LARGEST).decode("ascii", errors="replace")
    except OSError as error:
        raise ConfigError(f"reading the encryption key {path}: {error.strerror}", MAKE_ONE) from error
    if mode & 0o022:
        raise ConfigError(f"reading the encryption key {path}: others may write to it", f"chmod go-w {path}")
    if not text.strip():
        raise ConfigError(f"reading the encryption key {path}: it is empty", MAKE_ONE)
    return Secret(text)


def _new() -> tuple[str, str]:
    key_id, key = secrets.token_hex(4), base64.b64encode(os.urandom(32)).decode()
    return key_id, f"rotator-key-v1:{key_id}:{key}\n"


def _replace(path: Path, content: bytes) -> None:
    """Exchange the content of a file in one step; mode and owner stay."""
    found = path.stat()
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        try:
            write_all(fd, content)
            if (found.st_uid, found.st_gid) != (os.geteuid(), os.getegid()):
                os.fchown(fd, found.st_uid, found.st_gid)
            os.fchmod(fd, found.st_mode & 0o7777)
            flush(fd)
        finally:
            os.close(fd)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    flush_folder(path.parent)
