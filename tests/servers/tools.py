"""Where the small checkers are: promtool from PATH, hadolint from the environment that runs the tests."""

import shutil
import sys
from pathlib import Path

PROMTOOL_HOW = "install Prometheus (Debian: apt-get install prometheus) or put `promtool` on PATH"
HADOLINT_HOW = "run `make setup-dev`"


def promtool() -> Path | None:
    """The promtool on PATH, or None."""
    return _path(shutil.which("promtool"))


def hadolint() -> Path | None:
    """The hadolint of this environment, else the one on PATH, or None."""
    return _path(shutil.which("hadolint", path=str(Path(sys.executable).parent)) or shutil.which("hadolint"))


def _path(found: str | None) -> Path | None:
    return Path(found) if found else None
