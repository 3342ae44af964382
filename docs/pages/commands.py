"""The page of the commands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def commands() -> str:
    """Return the page of the commands, from their `--help`."""
    import typer
    from typer.testing import CliRunner

    from rotator.cli.main import app

    runner = CliRunner()

    def help_of(*words: str) -> str:
        result = runner.invoke(
            app, [*words, "--help"], prog_name="rotator", env={"COLUMNS": "88", "TERM": "dumb", "NO_COLOR": "1"}
        )
        return "\n".join(line.rstrip() for line in result.output.strip().splitlines())

    text = (
        "# Command reference\n\n"
        "What every `--help` says.\n"
        "`-c`, `-o` and `--log-format` may stand before or after the verb.\n"
        "Results go to standard output, logs and progress to standard error.\n"
        "[The JSON documents](../json.md) of `-o json` have a page of their own.\n\n"
        f"```text\n{help_of()}\n```\n"
    )
    for words, _ in verbs(typer.main.get_command(app)):
        text += f"\n## `rotator {' '.join(words)}`\n\n```text\n{help_of(*words)}\n```\n"
    return text


def verbs(group: Any, before: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every verb that `--help` shows: its words and its command."""
    for name, command in group.commands.items():
        if command.hidden:
            continue
        if hasattr(command, "commands"):
            yield from verbs(command, (*before, name))
        else:
            yield (*before, name), command
