"""Helm and Kustomize for `make test-deploy`: built once from `main.go` beside this file, out of their Go modules.

`python -m tests.servers.kubernetes.build` builds it before the tests, for no test may last as long as that.

The caches of the build are its own and are removed; the binary stays, outside the checkout.
"""

import os
import subprocess
import sys
from pathlib import Path

from tests.servers import cache

HERE = Path(__file__).parent


def ensure() -> Path:
    """The binary, built when there is none.

    Raises `FileNotFoundError` without Go, `subprocess.CalledProcessError` when the build fails (it says why on stderr).
    """
    inputs = (HERE / "go.mod", HERE / "go.sum", HERE / "main.go")
    return cache.make_once(cache.entry("kubernetes", *inputs), _build)


def _build(scratch: Path) -> None:
    print("building Helm and Kustomize for the tests, once (a few minutes from nothing)", file=sys.stderr, flush=True)
    env = os.environ | {
        "GOMODCACHE": str(scratch / "modules"),
        "GOCACHE": str(scratch / "objects"),
        "GOFLAGS": "-modcacherw -mod=readonly",
        "CGO_ENABLED": "0",
    }
    command = ["go", "build", "-trimpath", "-ldflags=-s -w", "-o", str(scratch / "result"), "."]
    subprocess.run(command, cwd=HERE, env=env, check=True, stdout=sys.stderr)


if __name__ == "__main__":
    ensure()
