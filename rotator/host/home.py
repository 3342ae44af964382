"""The home folder, which a process need not have: a container may run as a user that nobody knows, without HOME.

It looks the folder up; what is done without one is the caller's.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from rotator.core.errors import ConfigError


def home(environ: Mapping[str, str] | None = None) -> Path | None:
    """Return $HOME, else what the system's user database says, None where neither knows."""
    given = (os.environ if environ is None else environ).get("HOME")
    try:
        return Path(given) if given else Path("~").expanduser()
    except RuntimeError:
        return None


def expanded(path: str | Path) -> Path:
    """Return `path` with `~` expanded.

    Raises:
        ConfigError: it begins with the home of a user that nobody knows.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise ConfigError(f"{path}: ~ has no home folder here", "write the whole path, or set HOME") from None
