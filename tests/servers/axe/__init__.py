"""axe, which finds what keeps people from using a page; installed once from the lock file beside this one."""

from pathlib import Path

from tests.servers import cache, npm

HERE = Path(__file__).parent
HOW = "run `make test-servers` (needs npm on PATH)"


def find() -> Path | None:
    """The script, or None when it was not installed; installs nothing."""
    script = _script(_entry())
    return script if script.exists() else None


def ensure() -> Path:
    """The script, installed when it is not there.

    Raises `FileNotFoundError` without npm, `subprocess.CalledProcessError` when npm fails (its output is on stderr).
    """
    return _script(cache.make_once(_entry(), lambda scratch: npm.install("axe", HERE, scratch)))


def _entry() -> Path:
    return cache.entry("axe", HERE / "package.json", HERE / "package-lock.json")


def _script(folder: Path) -> Path:
    return folder / "node_modules" / "axe-core" / "axe.min.js"
