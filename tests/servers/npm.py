"""What the tests take from npm: under a lock file with hashes and without download addresses, outside the checkout."""

import shutil
import subprocess
import sys
from pathlib import Path

LOCKED = ("package.json", "package-lock.json")


def install(what: str, locked_in: Path, scratch: Path) -> None:
    """Install into `scratch / "result"` exactly what the lock file in a folder says; no script of a package runs.

    Raises `FileNotFoundError` without npm, `subprocess.CalledProcessError` when npm fails (its output is on stderr).
    """
    print(f"installing {what} for the tests, once", file=sys.stderr, flush=True)
    folder = scratch / "result"
    folder.mkdir()
    for name in LOCKED:
        shutil.copy(locked_in / name, folder)
    command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
    subprocess.run(command, cwd=folder, check=True, stdout=sys.stderr)
