"""What an act is about to do, shown on a terminal before it does it, with one question."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated, Final

import typer

from rotator.cli.output import is_terminal, say

LONGEST: Final = 20
"""Lines of a preview; the rest is counted."""

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask; nobody is asked without a terminal.")]


def agreed(lines: Sequence[str], *, yes: bool) -> bool:
    """Return whether the act goes on: show what it will do and ask once where a person sits at a terminal.

    Args:
        lines: what it will do, one line for each credential.
        yes: whether `--yes` was given; then, and where standard input or error is no terminal, nobody is asked.
    """
    if yes or not (is_terminal(sys.stdin) and is_terminal(sys.stderr)):
        return True
    more = len(lines) - LONGEST
    say("\n".join([*lines[:LONGEST], *([f"and {more} more"] if more > 0 else [])]))
    sys.stderr.write("go on? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() in ("y", "yes"):
        return True
    say("nothing was done")
    return False
