"""Which configuration file is meant. It looks at names only and reads no content."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from rotator.core.errors import ConfigError
from rotator.host.home import expanded, home

FILE_NAME: Final = "rotator.yaml"
VARIABLE: Final = "ROTATOR_CONFIG"


def places(environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Return where a configuration is looked for when nobody names one, first come first served."""
    named = environ.get("XDG_CONFIG_HOME", "")
    user = home(environ)
    # the XDG specification: a relative path there is invalid and to be ignored
    folder = Path(named) if named.startswith("/") else user / ".config" if user else None
    own = () if folder is None else (folder / "rotator" / FILE_NAME,)
    return (Path(FILE_NAME), *own, Path("/etc/rotator", FILE_NAME))


def find(flag: str | None, environ: Mapping[str, str] | None = None) -> Path:
    """Return the configuration file: `flag` (the value of -c), else `ROTATOR_CONFIG`, else the first of `places`.

    A named file need not exist; reading it says so with its name.

    Raises:
        ConfigError: nothing is named and nothing is found; the message lists where was looked.
    """
    environ = os.environ if environ is None else environ
    named = flag or environ.get(VARIABLE)
    if named:
        return expanded(named)
    looked = places(environ)
    for path in looked:
        if os.path.exists(path):  # noqa: PTH110 - Path.exists raises where a folder above may not be entered
            return path
    raise ConfigError(
        f"there is no configuration file; looked for {', '.join(map(str, looked))}",
        f"write one (see config/rotator.example.yaml), or name it with -c FILE or {VARIABLE}",
    )
