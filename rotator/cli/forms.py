"""Rows for other programs: CSV for a spreadsheet, Markdown for a ticket. What others named stays text in both."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from rotator.cli.layout import plain, span


def as_csv(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return a line of column names and one line for each row."""
    made = io.StringIO()
    writer = csv.writer(made, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_harmless(_printable(cell)) for cell in row])
    return made.getvalue().splitlines()


def as_markdown(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return a table."""
    found = [columns, ["---"] * len(columns), *([_cell(_printable(cell)) for cell in row] for row in rows)]
    return [f"| {' | '.join(row)} |" for row in found]


def _printable(cell: str) -> str:
    return plain((span(cell),))


def _harmless(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula: somebody else may have named what it says."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@")) else cell


def _cell(value: str) -> str:
    return value.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("`", "\\`")
