"""Tables and blocks as lines of text: aligned, at most as wide as the terminal, never wrapped where there is none.

Pure: data in, lines out. A line is a tuple of spans, each with a style that `output` shows on a terminal and drops
everywhere else. Every text is made printable here, whatever a provider, an operator or a file has put into it.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from rotator.observability.loggable import printable

GAP: Final = 2
"""Spaces between two columns."""

NARROWEST: Final = 12
"""Characters below which a column is never folded."""


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a line; `style` is a word of `output.STYLES` or empty."""

    text: str
    style: str = ""


Line = tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its title, and whether it is aligned to the right."""

    title: str
    right: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A row: a cell for each column, and notes that are written below it, each indented."""

    cells: Sequence[Span | str]
    notes: Sequence[Span | str] = ()


@dataclass(slots=True)
class Table:
    """A table to be laid out."""

    columns: Sequence[Column]
    rows: list[Row] = field(default_factory=list)


def span(value: Span | str) -> Span:
    """Return a span of printable text."""
    found = value if isinstance(value, Span) else Span(value)
    return Span(printable(found.text), found.style)


def plain(line: Line) -> str:
    """Return the text of a line."""
    return "".join(piece.text for piece in line).rstrip()


def text(value: str, style: str = "") -> Line:
    """Return a line of one span."""
    return (span(Span(value, style)),)


def table(found: Table, width: int | None) -> list[Line]:
    """Lay a table out.

    Args:
        found: the table.
        width: columns of the terminal, None where there is none: then nothing is folded or wrapped.
    """
    rows = [[span(cell) for cell in row.cells] for row in found.rows]
    titles = [column.title for column in found.columns]
    sizes = [max([len(t), *(len(row[i].text) for row in rows)]) for i, t in enumerate(titles)]
    sizes = _fit(sizes, titles, width)
    lines = [_line([Span(title, "title") for title in titles], found.columns, sizes)]
    for row, source in zip(rows, found.rows, strict=True):
        folded = [_fold(cell, size) for cell, size in zip(row, sizes, strict=True)]
        for level in range(max(len(cell) for cell in folded)):
            lines.append(_line([c[level] if level < len(c) else Span("") for c in folded], found.columns, sizes))
        for note in source.notes:
            lines += wrapped(note, width, indent=2, hang=2)
    return lines


def wrapped(value: Span | str, width: int | None, indent: int = 0, hang: int = 0) -> list[Line]:
    """Return a paragraph as lines, indented by `indent`, its later lines by `hang` more; one line without a width."""
    found = span(value)
    if width is None:
        return [(Span(" " * indent), found)]
    lines = textwrap.wrap(
        found.text,
        max(width - indent, NARROWEST),
        subsequent_indent=" " * hang,
        break_on_hyphens=False,
        break_long_words=False,
    )
    return [(Span(" " * indent), Span(line, found.style)) for line in lines or [""]]


def block(pairs: Iterable[tuple[str, Span | str]], width: int | None, indent: int = 0) -> list[Line]:
    """Return label and text, one pair a line, the texts aligned."""
    found = [(label, span(value)) for label, value in pairs]
    size = max((len(label) for label, _ in found), default=0) + GAP
    lines: list[Line] = []
    for label, value in found:
        head = Span(" " * indent + label.ljust(size), "label")
        body = wrapped(value, None if width is None else width - indent - size)
        lines += [
            (head if number == 0 else Span(" " * (indent + size)), *piece[1:]) for number, piece in enumerate(body)
        ]
    return lines


def _fit(sizes: list[int], titles: Sequence[str], width: int | None) -> list[int]:
    """Make the widest columns narrower until the table fits, none narrower than its title."""
    sizes = list(sizes)
    while width is not None and sum(sizes) + GAP * (len(sizes) - 1) > width:
        room = [(size, i) for i, size in enumerate(sizes) if size > max(len(titles[i]), NARROWEST)]
        if not room:
            break
        sizes[max(room)[1]] -= 1
    return sizes


def _fold(cell: Span, size: int) -> list[Span]:
    """Break a cell into pieces of its column's width, at spaces where there are some."""
    if len(cell.text) <= size:
        return [cell]
    return [Span(piece, cell.style) for piece in textwrap.wrap(cell.text, size, break_on_hyphens=False)]


def _line(cells: Sequence[Span], columns: Sequence[Column], sizes: Sequence[int]) -> Line:
    pieces = []
    for number, (cell, column, size) in enumerate(zip(cells, columns, sizes, strict=True)):
        space = " " * (size - len(cell.text))
        last = number == len(cells) - 1
        pieces += [Span(space), cell] if column.right else [cell, Span("" if last else space)]
        pieces.append(Span("" if last else " " * GAP))
    return tuple(pieces)
