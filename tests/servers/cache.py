"""Where built servers and installed tools are kept: outside the checkout, one folder per content.

The name of an entry carries a hash of what it is made from, so a changed recipe makes a new entry and an unchanged one
is never made twice, by whichever checkout.
"""

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp

from filelock import FileLock


def root() -> Path:
    """`${XDG_CACHE_HOME:-~/.cache}/rotator-test`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rotator-test"


def entry(name: str, *made_from: Path) -> Path:
    """The path of the entry `name` for these inputs, there or not."""
    digest = hashlib.sha256(b"\0".join(path.read_bytes() for path in made_from)).hexdigest()
    return root() / f"{name}-{digest[:16]}"


def make_once(path: Path, build: Callable[[Path], None]) -> Path:
    """Return `path`, built by `build(scratch)` when absent: it leaves its result in `scratch / "result"`.

    Processes that want the same entry wait for the first. A crash inside leaves a scratch folder and no entry.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{path}.lock"):
        if not path.exists():
            scratch = Path(mkdtemp(prefix="build-", dir=path.parent))
            try:
                build(scratch)
                (scratch / "result").rename(path)
            finally:
                shutil.rmtree(scratch, ignore_errors=True)
    return path
