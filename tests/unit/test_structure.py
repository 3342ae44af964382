"""The shape of the program: no circle of imports, no file and no function that nobody can keep in mind.

It holds for what measures, documents and tests the program, too.
The direction between packages is import-linter's; this is about modules. Imports inside functions count, and those for
types alone (`if TYPE_CHECKING`): whoever reads one of two modules that name each other must read both.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "rotator"

LONGEST_FILE = 400
LONGEST_FUNCTION = 60

# What is long because it is a list: a migration, which is never changed again.
LISTS = ("rotator/journal/migrations/versions/",)


def module(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {module(file): file for file in sorted(PACKAGE.rglob("*.py"))}
BESIDE = {module(file): file for part in ("bench", "docs", "tests") for file in sorted((ROOT / part).rglob("*.py"))}


def imported(tree: ast.AST, known: set[str]) -> Iterator[str]:
    """Every module of ours that a file imports, wherever in it, also for types alone."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                if whole in known:
                    yield whole
                elif node.module in known:
                    yield node.module


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Groups of modules that import each other, directly or not."""
    reach: dict[str, set[str]] = {}
    for start in graph:
        seen, todo = set(), [start]
        while todo:
            for found in graph[todo.pop()] - seen:
                seen.add(found)
                todo.append(found)
        reach[start] = seen
    groups = {frozenset([name, *(o for o in reach[name] if name in reach[o])]) for name in graph if name in reach[name]}
    return sorted(sorted(group) for group in groups)


def test_no_modules_import_each_other_in_a_circle() -> None:
    files = FILES | BESIDE
    known = set(files)
    graph = {name: set(imported(ast.parse(file.read_text()), known)) - {name} for name, file in files.items()}

    assert circles(graph) == []


def test_a_circle_is_found_wherever_its_imports_stand() -> None:
    known = {"a", "a.b", "c", "d", "e", "f"}
    sources = {
        "a": "def f():\n    from c import x\n",
        "a.b": "import c\n",
        "c": "def g():\n    from a import b\n",
        "d": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import e\n",
        "e": "import d\n",
        "f": "import d\n",
    }
    graph = {name: set(imported(ast.parse(text), known)) - {name} for name, text in sources.items()}

    assert circles(graph) == [["a.b", "c"], ["d", "e"]]


@pytest.mark.parametrize("name", FILES | BESIDE)
def test_a_file_can_be_kept_in_mind(name: str) -> None:
    file = (FILES | BESIDE)[name]
    text = file.read_text()
    if str(file.relative_to(ROOT)).startswith(LISTS):
        return
    long = [
        node.name
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno + 1 > LONGEST_FUNCTION
    ]

    assert (text.count("\n") <= LONGEST_FILE, long) == (True, [])


def test_half_of_the_files_are_short() -> None:
    lines = sorted(file.read_text().count("\n") for file in FILES.values())

    assert lines[len(lines) // 2] <= 150


IDS = {
    "token_id": "TokenId",
    "fingerprint": "Fingerprint",
    "rid": "RotationId",
    "fact_id": "FactId",
    "stream": "CredentialId",
    "credential_id": "CredentialId",
    "request_id": "RequestId",
}
"""What mypy tells apart only where everybody says which id it is."""


def plain_ids(tree: ast.AST) -> list[str]:
    """Fields and parameters that hold an id and say no more than that it is a text."""
    named = [
        (node.target.id, node.annotation)
        for node in ast.walk(tree)
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    ]
    named += [(node.arg, node.annotation) for node in ast.walk(tree) if isinstance(node, ast.arg) and node.annotation]
    return [
        name
        for name, said in named
        if name in IDS and "str" in {n.id for n in ast.walk(said) if isinstance(n, ast.Name)}
    ]


@pytest.mark.parametrize("package", ["core", "engine", "journal"])
def test_an_id_has_a_type_of_its_own(package: str) -> None:
    files = sorted((PACKAGE / package).rglob("*.py"))

    assert {str(file): found for file in files if (found := plain_ids(ast.parse(file.read_text())))} == {}


def test_an_id_that_is_a_plain_text_is_found_in_fields_and_parameters() -> None:
    tree = ast.parse("class A:\n    rid: str = ''\ndef f(token_id: str | None, stream: CredentialId, name: str): ...\n")

    assert plain_ids(tree) == ["rid", "token_id"]
