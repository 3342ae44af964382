"""Whatever a page tells people to run is run by a test, or says why no test can run it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.pages import ROOT, Block, blocks

BLOCKS = list(blocks())
each = pytest.mark.parametrize("one", BLOCKS, ids=lambda one: f"{one.page}:{one.line}")


def run_by(one: Block) -> str:
    """The test that the page names, or nothing."""
    return one.mark.removeprefix("run by ") if one.mark.startswith("run by ") else ""


@each
def test_a_block_says_which_test_runs_it_or_why_none_does(one: Block) -> None:
    assert one.mark, (
        f"put `<!-- run by tests/... -->` or `<!-- not run: REASON -->` before line {one.line} of {one.page}"
    )


@pytest.mark.parametrize("one", [b for b in BLOCKS if run_by(b)], ids=lambda one: f"{one.page}:{one.line}")
def test_the_test_that_a_block_names_takes_it_from_the_page(one: Block) -> None:
    test = (ROOT / run_by(one)).read_text()
    taken = re.findall(r'block\(\s*"([^"]+)",\s*"([^"]+)"\s*\)', test)
    recipes = re.findall(r'recipe_page\(\s*"([^"]+)"', test)

    assert any(page == one.page and text in one.text for page, text in taken) or any(
        one.page == f"docs/recipes/{name}.md" for name in recipes
    )


def test_the_page_of_the_tests_says_how_many_are_run() -> None:
    run, all_ = sum(bool(run_by(one)) for one in BLOCKS), len(BLOCKS)

    said = f"Of the {all_} blocks of commands in these pages, tests run {run} as they stand"
    assert said in (ROOT / "docs/testing.md").read_text(), said


@pytest.mark.parametrize(
    ("broken", "test"),
    [
        (Block("docs/x.md", 1, "sh", "true\n", ""), test_a_block_says_which_test_runs_it_or_why_none_does),
        (
            Block("docs/x.md", 1, "sh", "true\n", "run by tests/integration/docs/test_typed.py"),
            test_the_test_that_a_block_names_takes_it_from_the_page,
        ),
    ],
)
def test_a_block_that_nobody_runs_is_found(broken: Block, test: Callable[[Block], None]) -> None:
    with pytest.raises(AssertionError):
        test(broken)
