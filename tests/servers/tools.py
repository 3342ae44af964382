"""Where tools are: promtool and Chromium from PATH, hadolint from the environment that runs the tests."""

import os
import shutil
import sys
from pathlib import Path

PROMTOOL_HOW = "install Prometheus (Debian: apt-get install prometheus) or put `promtool` on PATH"
CHROMIUM_HOW = "install Chromium (Debian: apt-get install chromium) or name one in `CHROME`"
HADOLINT_HOW = "run `make setup-dev`"


def promtool() -> Path | None:
    """The promtool on PATH, or None."""
    return _path(shutil.which("promtool"))


def hadolint() -> Path | None:
    """The hadolint of this environment, else the one on PATH, or None."""
    return _path(shutil.which("hadolint", path=str(Path(sys.executable).parent)) or shutil.which("hadolint"))


def chromium() -> Path | None:
    """The browser that `CHROME` names, else the one on PATH, or None."""
    named = os.environ.get("CHROME")
    names = [named] if named else ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
    return next((found for name in names if (found := _path(shutil.which(name)))), None)


def _path(found: str | None) -> Path | None:
    return Path(found) if found else None
