"""Which Vault the tests run: `vault` or `bao` from PATH, else the core built once from `main.go` beside this file.

The build costs minutes and gigabytes from nothing, so its caches are its own and are removed; the binary stays.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.servers import cache

HERE = Path(__file__).parent
HOW = "run `make test-servers` (needs Go >= 1.21 and a few minutes), or put `vault` or `bao` on PATH"


@dataclass(frozen=True)
class Binary:
    """An executable and whether it is our own core (its own flags) or a stock server (a configuration file)."""

    path: Path
    ours: bool


def find() -> Binary | None:
    """The Vault that is there now, or None; builds nothing."""
    for name in ("vault", "bao"):
        if found := shutil.which(name):
            return Binary(Path(found), ours=False)
    built = _entry()
    return Binary(built, ours=True) if built.exists() else None


def ensure() -> Binary:
    """The Vault for the tests, built when there is none.

    Raises `FileNotFoundError` without Go, `subprocess.CalledProcessError` when the build fails (it says why on stderr).
    """
    return find() or Binary(cache.make_once(_entry(), _build), ours=True)


def _entry() -> Path:
    return cache.entry("vault", HERE / "go.mod", HERE / "go.sum", HERE / "main.go")


def _build(scratch: Path) -> None:
    print("building the Vault core for the tests, once (about five minutes from nothing)", file=sys.stderr, flush=True)
    env = os.environ | {
        "GOMODCACHE": str(scratch / "modules"),
        "GOCACHE": str(scratch / "objects"),
        "GOFLAGS": "-modcacherw -mod=readonly",
        "CGO_ENABLED": "0",
    }
    command = ["go", "build", "-tags", "minimal", "-trimpath", "-ldflags=-s -w", "-o", str(scratch / "result"), "."]
    subprocess.run(command, cwd=HERE, env=env, check=True, stdout=sys.stderr)
