"""Build and install what the tests need: `python -m tests.servers.prepare`, progress on stderr, stdout silent.

A failure is one line and exit code 0, for its tests are skipped then; where everything is required, exit code 1.
"""

import shutil
import subprocess
import sys
from collections.abc import Callable

from tests.servers import axe, postgres, tools, wrangler
from tests.servers.postgres import pooler
from tests.servers.require import everything_is_required
from tests.servers.vault import build as vault


def main() -> int:
    """Prepare all; returns the exit code."""
    ready = [_prepare("Vault", vault.ensure, vault.HOW), _prepare("wrangler", wrangler.ensure, wrangler.HOW)]
    ready.append(_prepare("PostgreSQL", postgres.ensure, postgres.HOW))
    ready.append(_prepare("axe", axe.ensure, axe.HOW))
    for what, found, how in (
        ("promtool", tools.promtool(), tools.PROMTOOL_HOW),
        ("PgBouncer", pooler.binary(), pooler.HOW),
        ("Chromium", tools.chromium(), tools.CHROMIUM_HOW),
    ):
        if found is None:
            ready.append(False)
            _say(f"{what} is missing: {how}")
    return 1 if everything_is_required() and not all(ready) else 0


def _prepare(what: str, ensure: Callable[[], object], how: str) -> bool:
    try:
        ensure()
    except (OSError, shutil.Error, subprocess.CalledProcessError) as problem:
        _say(f"{what} is missing ({problem}): {how}")
        return False
    return True


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
