"""Nothing decides on a sentence for people: what a program must know stands in fields, codes and types.

A sentence may be shown, joined and cut into lines. Whoever compares it, searches it or takes it apart depends on words
that the next author will improve.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "rotator"

SENTENCES = frozenset({"message", "remedy", "problem", "differs", "wrong", "instead"})
"""Attributes of this program that hold sentences."""

TAKEN_APART = frozenset(
    {"split", "rsplit", "partition", "rpartition", "startswith", "endswith", "find", "index", "count"}
    | {"removeprefix", "removesuffix"}
)

NO_OTHER_WAY = {"host/threads.py"}
"""CPython says in words alone that the system gives no thread more."""


def is_sentence(node: ast.AST) -> bool:
    """Whether an expression is a sentence: an attribute that holds one, or what an exception says."""
    if isinstance(node, ast.Attribute):
        return node.attr in SENTENCES
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "str" and node.args:
        asked = node.args[0]
        return isinstance(asked, ast.Name) and asked.id in ("error", "failure", "exc")
    return False


def decided_on(tree: ast.AST) -> Iterator[int]:
    """Lines where a sentence is taken apart, searched, or compared with another text than the empty one."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr in TAKEN_APART and is_sentence(node.func.value):
                yield node.lineno
        elif isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            words = [side for side in sides if isinstance(side, ast.Constant) and isinstance(side.value, str)]
            if any(map(is_sentence, sides)) and any(word.value for word in words):
                yield node.lineno


def test_nothing_decides_on_a_sentence_for_people() -> None:
    found = {
        str(file.relative_to(PACKAGE)): lines
        for file in sorted(PACKAGE.rglob("*.py"))
        if (lines := list(decided_on(ast.parse(file.read_text()))))
    }

    assert found.keys() == NO_OTHER_WAY, found


def test_a_decision_on_a_sentence_is_found() -> None:
    lines = [
        'wrong, _, instead = str(error).partition("; ")',
        'if "revoked" in error.message: ...',
        'if found.remedy == "wait": ...',
        'if wait.problem.startswith("failed"): ...',
    ]
    harmless = [
        'if error.message == "": ...',
        'print(error.message.splitlines(), f"{error.remedy}")',
        "if known.message != error.message: ...",
        'if name.partition("~")[0]: ...',
    ]

    assert list(decided_on(ast.parse("\n".join([*lines, *harmless])))) == [1, 2, 3, 4]
