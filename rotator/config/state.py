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

from rotator.config.fields import resolve, wrong
from rotator.config.secret_ref import SecretRef
from rotator.host.home import home

DATABASE: Final = "state.db"
KEY: Final = "rotator.key"
_SQLITE: Final = "sqlite:///"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatePlace:
    """Where the state is.

    Attributes:
        url: SQLAlchemy URL with an absolute path.
        database: path of the SQLite file.
        encryption_key: where the key is read from.
        generated: whether the key is ours to create (mode 0600) when it is not there: nobody configured one, so it lies
            beside the data that it seals.
    """

    url: str
    database: Path
    encryption_key: SecretRef
    generated: bool

    @property
    def folder(self) -> Path:
        """The folder of the database, its owner files and spools; and of the key where that is generated."""
        return self.database.parent


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
        PydanticCustomError: another database (not in this version), one in memory, or URL options.
    """
    instead = "write for example sqlite:////var/lib/rotator/state.db"
    if re.match(r"postgres", url):
        raise wrong("PostgreSQL is not in this version", "expected an SQLite URL", instead)
    name = url.removeprefix(_SQLITE)
    if name == url or not name or "?" in name or "#" in name:
        raise wrong("this is not the URL of an SQLite file", "expected sqlite:/// and a path", instead)
    if name.startswith(":memory:") or name.startswith("file:"):
        raise wrong("a journal in memory is lost when the process ends", "expected a file", instead)
    return Path(os.path.abspath(Path(folder, resolve(name))))  # noqa: PTH100  # Path.resolve would follow links


def place_of(
    url: str | None, key: SecretRef | None, config_folder: Path, environ: Mapping[str, str], uid: int
) -> StatePlace:
    """Return where the state is for what the `state` stanza says (None: nothing); errors as `database_of`."""
    database = state_folder(environ, uid) / DATABASE if url is None else database_of(url, config_folder)
    database = Path(os.path.abspath(database))  # noqa: PTH100
    return StatePlace(
        url=f"{_SQLITE}{database}",
        database=database,
        encryption_key=key or SecretRef(file=database.parent / KEY),
        generated=key is None,
    )
