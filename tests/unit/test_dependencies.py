"""What is declared is what is imported: no more, no less, and the lock files hold it."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "rotator"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

BACKEND = {"hatchling", "editables"}
"""Locked beside the runtime, so that the project itself is built without fetching anything."""


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def named(requirements: list[str]) -> set[str]:
    return {normal(found[0]) for line in requirements if (found := re.match(r"[A-Za-z0-9][\w.-]*", line.strip()))}


@cache
def distributions() -> dict[str, list[str]]:
    return {name: sorted({normal(one) for one in found}) for name, found in packages_distributions().items()}


def statements(tree: ast.AST) -> Iterator[ast.stmt]:
    """Every statement that may run: what only a type checker reads is left out."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.stmt):
            yield node
        yield from statements(node)


def imported(*, testing: bool) -> set[str]:
    """The distributions that `rotator/testing` imports, or the rest of the package."""
    modules = set()
    for file in PACKAGE.rglob("*.py"):
        if (file.relative_to(PACKAGE).parts[0] == "testing") is not testing:
            continue
        for node in statements(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                modules |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                modules.add(node.module)
    tops = {module.split(".")[0] for module in modules} - set(sys.stdlib_module_names) - {"rotator"}
    # What is for other platforms only is not installed here; then a module is called as its distribution.
    return {distribution for top in tops for distribution in distributions().get(top, [normal(top)])}


def test_the_runtime_dependencies_are_exactly_what_the_package_imports() -> None:
    assert named(PROJECT["dependencies"]) == imported(testing=False)


def test_what_only_the_doubles_and_suites_import_is_an_extra() -> None:
    assert named(PROJECT["optional-dependencies"]["testing"]) == imported(testing=True) - imported(testing=False)


def test_the_lock_is_compiled_from_the_declared_dependencies() -> None:
    lines = [line for line in (ROOT / "requirements/runtime.in").read_text().splitlines() if not line.startswith("#")]
    assert sorted(line for line in lines if not named([line]) & BACKEND) == sorted(PROJECT["dependencies"])


def test_every_declared_dependency_is_locked() -> None:
    locked = named(re.findall(r"^[A-Za-z0-9].*==.*", (ROOT / "requirements/runtime.txt").read_text(), re.MULTILINE))
    assert named(PROJECT["dependencies"]) | BACKEND <= locked
