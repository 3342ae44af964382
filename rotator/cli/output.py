"""Standard output for results, standard error for everything else; colours and widths on a terminal only."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
from collections.abc import Iterable, Mapping
from typing import Any, Final, TextIO

from rotator.cli.layout import Line, plain
from rotator.core.errors import RotatorError
from rotator.observability.loggable import printable

STYLES: Final[Mapping[str, str]] = {
    "title": "bold",
    "label": "dim",
    "good": "green",
    "busy": "cyan",
    "warn": "yellow",
    "bad": "bold red",
    "quiet": "dim",
}
"""Words for styles -> what they look like on a terminal."""


def is_terminal(stream: TextIO) -> bool:
    """Whether a stream is a terminal that a person looks at."""
    try:
        return stream.isatty() and os.environ.get("TERM") != "dumb"
    except ValueError:  # closed
        return False


def terminal_width() -> int | None:
    """Columns of the terminal behind standard output (at least 40), None where there is none."""
    return max(shutil.get_terminal_size((80, 24)).columns, 40) if is_terminal(sys.stdout) else None


def terminal_height() -> int | None:
    """Lines of the terminal behind standard output (at least 5), None where there is none."""
    return max(shutil.get_terminal_size((80, 24)).lines, 5) if is_terminal(sys.stdout) else None


def write_json(document: Mapping[str, Any]) -> None:
    """Write the one JSON document of a verb.

    Raises:
        ValueError: a number in it is no JSON number.
        RotatorError: standard output takes no more.
        BrokenPipeError: its reader went away.
    """
    _put(json.dumps(document, indent=2, ensure_ascii=_ascii_only(), allow_nan=False) + "\n")


def _ascii_only() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"


def draws_unicode() -> bool:
    """Whether standard output and the locale show more than ASCII.

    The locale is asked as well, because Python writes UTF-8 in the locale C, whose terminals need not show it; a
    LC_CTYPE of C.UTF-8 beside LANG=C is what Python itself made of that.
    """
    named = next((value for name in ("LC_ALL", "LC_CTYPE", "LANG") if (value := os.environ.get(name))), "")
    made = named == "C.UTF-8" and not os.environ.get("LC_ALL") and os.environ.get("LANG") in ("C", "POSIX")
    return not _ascii_only() and not made and (not named or "utf8" in named.lower().replace("-", ""))


def write_json_line(document: Mapping[str, Any]) -> None:
    """Write one JSON document on a line of its own, of a verb that goes on; raises as `write_json`."""
    _put(json.dumps(document, ensure_ascii=_ascii_only(), allow_nan=False) + "\n")


def write_error(document: Mapping[str, Any]) -> None:
    """Write the one JSON document of an error; one that nobody takes costs neither its words nor its exit code."""
    try:
        write_json({"error": document})
    except (OSError, RotatorError):
        discard()


def _put(text: str) -> None:
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        discard()
        raise unwritten(error) from None


def unwritten(error: OSError) -> RotatorError:
    """Return what to say where a result could not be written."""
    why = f"writing to standard output: {error.strerror or error}"
    return RotatorError(why, "make room there or write elsewhere; what the verb was to do is done")


def discard() -> None:
    """Send what is still to be written to standard output nowhere: its flush at the exit would fail once more."""
    with contextlib.suppress(OSError, ValueError):  # a stream that is no file, in a test
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def write_lines(lines: Iterable[Line]) -> None:
    """Write lines: styled on a terminal, plain everywhere else; errors as `write_json`."""
    if not is_terminal(sys.stdout):
        _put("".join(plain(line) + "\n" for line in lines))
    else:
        from rich.console import Console

        console = Console(file=sys.stdout, highlight=False, emoji=False)
        for line in lines:
            console.print(styled(line), soft_wrap=True)
        sys.stdout.flush()


def styled(line: Line) -> Any:
    """Return a line as rich text."""
    from rich.text import Text

    return Text.assemble(*((piece.text, STYLES.get(piece.style, "")) for piece in line))


def say(message: str) -> None:
    """Tell the person at the terminal something that is no result, on standard error."""
    with contextlib.suppress(OSError):  # a full or closed standard error must not change what a verb does
        sys.stderr.write("\n".join(printable(line) for line in message.splitlines()) + "\n")
        sys.stderr.flush()
