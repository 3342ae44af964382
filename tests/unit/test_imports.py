"""Heavy libraries: each has one home, and is imported inside the function that needs it.

The direction of imports between our own packages is import-linter's (pyproject.toml); this is about libraries.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "rotator"

# Which files may import the library at all, as patterns below rotator/.
HOMES = {
    "hvac": ("targets/vault/*.py", "targets/vault.py"),
    "boto3": ("targets/aws_secrets_manager/*.py", "targets/aws_secrets_manager.py"),
    "botocore": ("targets/aws_secrets_manager/*.py", "targets/aws_secrets_manager.py"),
    "requests": ("targets/vault/*.py",),
    "urllib3": ("host/network/*.py", "targets/aws_secrets_manager/transport.py"),
    "truststore": ("host/network/trust.py",),
    "httpcore": ("sources/*/http.py", "notify/*.py"),
    "psycopg": ("journal/*postgres*.py", "journal/transfer_server.py"),
    "apscheduler": ("host/ticks.py",),
    "jinja2": ("web/page/render.py",),
    "joserfc": ("web/page/oidc.py",),
    "httpx": ("sources/*/http.py", "notify/*.py"),
}
HEAVY = (*HOMES, "alembic", "sqlalchemy", "cryptography", "starlette", "uvicorn", "prometheus_client")


def imports() -> Iterator[tuple[Path, str]]:
    """Every import of the package: (file below rotator/, top-level name of what it imports)."""
    for file in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                names = [node.module]
            else:
                continue
            for name in names:
                yield file.relative_to(PACKAGE), name.split(".")[0]


@pytest.mark.parametrize("library", HOMES)
def test_a_library_is_imported_in_its_home_only(library: str) -> None:
    strangers = {
        str(file)
        for file, name in imports()
        if name == library and not any(file.match(home) for home in HOMES[library]) and file.parts[0] != "testing"
    }
    assert strangers == set()


def test_importing_the_program_imports_no_heavy_library() -> None:
    module = "rotator.__main__" if (PACKAGE / "__main__.py").exists() else "rotator"
    code = f"import sys, {module}; print(*sorted(set(sys.modules) & set({HEAVY!r})))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert run.stdout.split() == []
