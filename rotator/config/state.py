"""Where the journal and the key of its sealed values are: as configured, or by the custom of the system.

Decides paths only; it reads, creates and checks no file. That key and data lie together is said here (`generated`) and
judged by `check`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from rotator.config.fields import resolve, wrong
from rotator.config.secret_ref import SecretRef
from rotator.host.home import home

DATABASE: Final = "state.db"
KEY: Final = "rotator.key"
_SQLITE: Final = "sqlite:///"
_SERVER: Final = re.compile(r"postgres(ql)?://")


@dataclass(frozen=True, slots=True, kw_only=True)
class StatePlace:
    """Where the state is.

    Attributes:
        url: of an SQLite file with an absolute path, or of a PostgreSQL database without its password.
        database: path of the SQLite file; None on PostgreSQL.
        folder: of the database, its owner files and spools, and of the key where that is generated; on PostgreSQL of
            this machine's spools.
        encryption_key: where the key is read from.
        password: where the password of a PostgreSQL database is read from.
        generated: whether the key is ours to create (mode 0600) when it is not there: nobody configured one, so it lies
            beside the data that it seals.
    """

    url: str
    database: Path | None
    folder: Path
    encryption_key: SecretRef
    generated: bool
    password: SecretRef | None = None

    @property
    def name(self) -> str:
        """What to call it in a message: the file, or the address without its options."""
        return str(self.database) if self.database is not None else self.url.partition("?")[0]

    def there(self) -> bool:
        """Whether the file is there; True of a server, which tells whoever opens it."""
        return self.database is None or self.database.exists()


def state_folder(environ: Mapping[str, str], uid: int) -> Path:
    """Return the folder of the state when none is configured.

    `STATE_DIRECTORY` (systemd; the first of several), else /var/lib/rotator for root, else `$XDG_STATE_HOME/rotator`,
    which is ~/.local/state/rotator where that is not set or, as the XDG specification wants, not absolute.

    Raises:
        PydanticCustomError: there is no home.
    """
    given = environ.get("STATE_DIRECTORY", "").split(":", 1)[0]
    if given:
        return Path(given)
    if uid == 0:
        return Path("/var/lib/rotator")
    named = environ.get("XDG_STATE_HOME", "")
    if named.startswith("/"):
        return Path(named, "rotator")
    user = home(environ)
    if user is None:
        raise wrong(
            "this user has no home folder in which the state could be",
            "expected a place for it",
            "write state: {url: sqlite:////var/lib/rotator/state.db}, or set STATE_DIRECTORY or HOME",
        )
    return user / ".local/state/rotator"


def database_of(url: str, folder: Path) -> Path:
    """Return the absolute path of the file that an SQLite URL names; a relative one is relative to `folder`.

    Raises:
        PydanticCustomError: another database, one in memory, or URL options.
    """
    instead = "write for example sqlite:////var/lib/rotator/state.db"
    name = url.removeprefix(_SQLITE)
    if name == url or not name or "?" in name or "#" in name:
        raise wrong("this is not the URL of an SQLite file", "expected sqlite:/// and a path", instead)
    if name.startswith(":memory:") or name.startswith("file:"):
        raise wrong("a journal in memory is lost when the process ends", "expected a file", instead)
    return Path(os.path.abspath(Path(folder, resolve(name))))  # noqa: PTH100  # Path.resolve would follow links


def _on_server(url: str, key: SecretRef | None, password: SecretRef | None, folder: Path) -> StatePlace:
    instead = "write postgresql://user@host:5432/database?sslmode=verify-full"
    parts = urlsplit(url)
    if parts.password is not None or re.search(r"(^|&)(ssl)?password=", unquote(parts.query)):
        raise wrong(
            "there is a password in the URL, where everybody reads it",
            "expected none",
            "take it out and write `password: {file: /run/secrets/rotator-db}` beside the url",
        )
    if not parts.username or not parts.path.strip("/"):
        raise wrong("the URL does not name a user and a database", "expected both", instead)
    if password is None:
        raise wrong(
            "the password of the PostgreSQL database is missing",
            "expected where to read it from",
            "write `password: {file: /run/secrets/rotator-db}` beside the url",
        )
    if key is None:
        raise wrong(
            "the encryption key is missing: on PostgreSQL every machine must have the same one",
            "expected where to read it from",
            "make one with `rotator keygen FILE` and write `encryption_key: {file: FILE}` beside the url",
        )
    return StatePlace(url=url, database=None, folder=folder, encryption_key=key, generated=False, password=password)


def place_of(
    url: str | None,
    key: SecretRef | None,
    config_folder: Path,
    environ: Mapping[str, str],
    uid: int,
    password: SecretRef | None = None,
) -> StatePlace:
    """Return where the state is for what the `state` stanza says (None: nothing).

    Raises:
        PydanticCustomError: as `database_of`; or something is missing or too much for a PostgreSQL database.
    """
    if url is not None and _SERVER.match(url):
        return _on_server(url, key, password, state_folder(environ, uid))
    if password is not None:
        raise wrong("an SQLite file has no password", "expected a PostgreSQL url beside it", "remove `password`")
    database = state_folder(environ, uid) / DATABASE if url is None else database_of(url, config_folder)
    database = Path(os.path.abspath(database))  # noqa: PTH100
    return StatePlace(
        url=f"{_SQLITE}{database}",
        database=database,
        folder=database.parent,
        encryption_key=key or SecretRef(file=database.parent / KEY),
        generated=key is None,
    )
