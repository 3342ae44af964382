"""Whatever a text of this project tells people to run, there is: in messages, docstrings, pages, alerts, examples."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer.main

from rotator.cli.main import app

ROOT = Path(__file__).parents[3]
PLACES = ("rotator/**/*.py", "docs/**/*.md", "*.md", "deploy/**/*.y*ml", "config/**/*.y*ml", "Dockerfile", "Makefile")
FILES = sorted(file for pattern in PLACES for file in ROOT.glob(pattern))

COMMAND = re.compile(r"(?:`|\$ |--rm |^ {4,}|^)rotator ([a-z][a-z-]*)(?= |`|$|,|;|\.)", re.MULTILINE)
"""`rotator VERB` where a command stands: in backticks, after a prompt, or at the start of an (indented) line."""

PROSE = frozenset({"is", "talks"})
"""Words that follow the program's name at the start of a line of prose."""


def verbs() -> set[str]:
    group = typer.main.get_command(app)
    return set(group.commands)  # type: ignore[attr-defined]  # it is a group


def named(file: Path) -> set[str]:
    text = re.sub(r"`rotator [a-z]+` is not in this version", "", file.read_text())
    return set(COMMAND.findall(text)) - PROSE


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_command_that_a_text_names_exists(file: Path) -> None:
    assert named(file) - verbs() == set()


def test_commands_are_found_where_they_stand() -> None:
    found = {verb for file in FILES for verb in named(file)}

    assert found >= {"check", "status", "rotate", "resolve", "once", "run", "keygen", "history", "healthcheck"}


@pytest.mark.parametrize(
    "text",
    ["`rotator discover`", "see `rotator discover` for ids", "$ rotator discover --all", "      rotator discover"],
)
def test_a_command_that_does_not_exist_is_found(text: str, tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text(text)

    assert named(tmp_path / "page.md") == {"discover"}
