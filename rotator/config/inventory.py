"""The inventory of a fleet: one row for each credential, from JSON Lines, CSV, or a list in the configuration.

A row is a mapping from columns to values that knows its place. What a column means is the template's (`template`).
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rotator.config.document import Spot, Tree, shown
from rotator.config.explain import Problems
from rotator.config.fields import WrittenFloat, WrittenInt

LARGEST: Final = 64 * 1024 * 1024
"""Bytes of an inventory."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: where it stands, and what stands in its columns; an empty cell of CSV is None, as null is."""

    spot: Spot
    columns: dict[str, Any]


def rows_of(name: str, content: bytes, problems: Problems) -> list[Row]:
    """Return the rows of an inventory file, blank lines left out; what is wrong goes to `problems`, line by line.

    Args:
        name: the file as people know it; its end says which format it has.
        content: its bytes.
        problems: takes what is wrong.
    """
    expected = "expected text in UTF-8"
    if len(content) > LARGEST:
        problems.add(
            Spot(1, 1, name), f"the inventory is larger than {LARGEST // 2**20} MiB", "expected less", "split it"
        )
        return []
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        problems.add(Spot(line, 1, name), "this line is not text in UTF-8", expected, "save the file as UTF-8")
        return []
    return list(_READERS[Path(name).suffix](name, text, problems))


def listed(tree: Tree, problems: Problems) -> list[Row]:
    """Return the rows of a list that stands in the configuration itself."""
    rows = []
    for entry in tree.value:
        if isinstance(entry.value, dict):
            rows.append(Row(entry.spot, entry.plain()))
        else:
            problems.add(entry.spot, "this entry of the inventory is not a mapping", "expected columns", "write {…}")
    return rows


def _jsonl(name: str, text: str, problems: Problems) -> Iterator[Row]:
    decode = json.JSONDecoder(object_pairs_hook=_once, parse_int=_integer, parse_float=_real, parse_constant=_refuse)
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            found = decode.decode(line)
        except json.JSONDecodeError as error:
            spot = Spot(number, error.pos + 1, name)
            problems.add(spot, "the line is not JSON", "expected one object a line", 'write for example {"name": "a"}')
        except _TwiceError as error:
            problems.add(
                Spot(number, 1, name),
                f"the column `{shown(str(error))}` stands twice in this line",
                "expected each column once",
                "remove one of them",
            )
        except (ValueError, RecursionError):
            problems.add(
                Spot(number, 1, name),
                "nobody can read this line",
                "expected plain values",
                "put long numbers in quotes",
            )
        else:
            if isinstance(found, dict):
                yield Row(Spot(number, 1, name), found)
            else:
                spot = Spot(number, 1, name)
                problems.add(spot, "the line is no object", "expected columns", 'write for example {"name": "a"}')


def _csv(name: str, text: str, problems: Problems) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    head: list[str] = []
    ended = 0
    try:
        for cells in reader:
            spot, ended = Spot(ended + 1, 1, name), reader.line_num
            if not any(cells):
                continue
            if not head:
                head = [cell.strip() for cell in cells]
                twice = next((column for column in head if head.count(column) > 1), None)
                if twice is not None:
                    problems.add(
                        spot, f"two columns are called `{shown(twice)}`", "expected names of their own", "rename one"
                    )
                    return
            elif len(cells) != len(head):
                problems.add(
                    spot,
                    f"the line has {len(cells)} cells",
                    f"expected {len(head)}, as the first line has",
                    "add or remove commas; put a text with commas in quotes",
                )
            else:
                yield Row(spot, {column: cell or None for column, cell in zip(head, cells, strict=True)})
    except csv.Error:
        spot = Spot(ended + 1, 1, name)
        problems.add(spot, "the line is not CSV", "expected cells with commas between them", "close its quotes")


_READERS: Final[dict[str, Callable[[str, str, Problems], Iterator[Row]]]] = {".jsonl": _jsonl, ".csv": _csv}
ENDS: Final = tuple(_READERS)
"""How the name of an inventory may end."""


class _TwiceError(Exception):
    """A column stands twice."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise _TwiceError(next(name for name in names if names.count(name) > 1))
    return found


def _integer(text: str) -> WrittenInt:
    number = WrittenInt(text)
    number.text = text
    return number


def _real(text: str) -> WrittenFloat:
    number = WrittenFloat(text)
    number.text = text
    return number


def _refuse(text: str) -> Any:
    raise ValueError(text)
