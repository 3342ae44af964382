"""The real wrangler: installed once from the lock file beside this one, outside the checkout.

The lock file carries hashes and no download addresses, so it works with whichever registry or mirror npm is set to.
"""

import os
import shutil
from pathlib import Path

from tests.servers import cache, npm

HERE = Path(__file__).parent
HOW = "run `make test-servers` (needs Node >= 20 and npm on PATH)"

# No telemetry, no questions, no update check.
QUIET = {"WRANGLER_SEND_METRICS": "false", "CI": "1", "NO_UPDATE_NOTIFIER": "1", "NO_COLOR": "1"}


def find() -> Path | None:
    """The executable, or None when it was not installed or there is no Node; installs nothing."""
    executable = _executable(_entry())
    return executable if executable.exists() and shutil.which("node") else None


def ensure() -> Path:
    """The executable, installed when it is not there.

    Raises `FileNotFoundError` without npm, `subprocess.CalledProcessError` when npm fails (its output is on stderr).
    """
    return _executable(cache.make_once(_entry(), _install))


def environment() -> dict[str, str]:
    """The environment to run it in: this process's, made quiet."""
    return os.environ | QUIET


def _entry() -> Path:
    return cache.entry("wrangler", HERE / "package.json", HERE / "package-lock.json")


def _executable(folder: Path) -> Path:
    return folder / "node_modules" / ".bin" / "wrangler"


def _install(scratch: Path) -> None:
    npm.install("wrangler", HERE, scratch)
