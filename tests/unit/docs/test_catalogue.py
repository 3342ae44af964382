"""The catalogue of faults: each row is shown by tests that are there, or says what is missing."""

import ast
from pathlib import Path

import pytest

from docs.pages.catalogue import faults

TESTS = Path(__file__).parents[2]
ROWS = faults()


def functions(file: str) -> set[str]:
    tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_a_row_is_shown_by_tests_that_are_there(row):
    missing = [test for test in row.tests if test.partition("::")[2] not in functions(test.partition("::")[0])]
    assert not missing


def test_a_row_without_a_test_says_that_it_is_open():
    assert [row.id for row in ROWS if not row.tests and not row.open] == []


def test_a_row_that_is_open_or_stood_in_for_says_why():
    assert [row.id for row in ROWS if row.open and row.instead] == []
    assert all(len(row.instead or row.open) > 20 for row in ROWS if row.standing != "proven")


def test_every_row_has_its_own_number():
    assert len({row.id for row in ROWS}) == len(ROWS) == 127
