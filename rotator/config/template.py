"""The template of a fleet: a credential whose texts may name columns, `{column}`, and its copy for each row.

A text that is one column and nothing else becomes that column's value, whatever its type; an empty one leaves its key
out. `{{` and `}}` are braces. Parts without columns are the same object in every copy, so they are checked once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from rotator.config.document import Spot, Tree, shown
from rotator.config.explain import Problems, nearest
from rotator.config.fields import as_written
from rotator.config.inventory import Row

_PART: Final = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")

_ABSENT: Final = object()
"""In place of what an empty column leaves out."""


@dataclass(slots=True)
class Template:
    """A compiled template.

    Attributes:
        tree: as it is written.
        columns: column -> where it is named first.
    """

    tree: Tree
    problems: Problems
    columns: dict[str, Spot] = field(default_factory=dict)
    _texts: dict[int, list[str | tuple[str]]] = field(default_factory=dict)
    _keys: dict[str, list[str | tuple[str]]] = field(default_factory=dict)
    _moving: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Find every column."""
        self._compile(self.tree)

    def copies(self, rows: list[Row]) -> Iterator[Tree]:
        """Iterate over the credentials of rows that have all columns; the others are noted as wrong."""
        if not rows:
            return  # empty, or with something wrong that was noted already
        known = frozenset[str]().union(*(row.columns for row in rows))
        for column in self.columns.keys() - known:
            meant = nearest(column, known)
            self.problems.add(
                self.columns[column],
                f"the inventory has no column `{shown(column)}`",
                f"expected one of {', '.join(sorted(known))}",
                f"write `{{{meant}}}`" if meant else "add it, or write {{ and }} for braces",
            )
        wanted = self.columns.keys() & known
        for row in rows:
            missing = sorted(wanted - row.columns.keys())
            if self.columns.keys() <= row.columns.keys():
                yield self._copy(self.tree, row)
            for column in missing:
                self.problems.add(
                    row.spot,
                    f"the column `{shown(column)}` is missing in this row",
                    "expected it, as other rows have it",
                    "add it; null leaves out a key that holds nothing else",
                )

    def _compile(self, tree: Tree) -> bool:
        """Whether anything in the tree depends on a row."""
        moves = False
        if isinstance(tree.value, dict):
            for key, inner in tree.items():
                parts = self._parts(key, tree.keys[key])
                self._keys[key] = parts
                moves |= self._compile(inner) | any(isinstance(part, tuple) for part in parts) | (parts != [key])
        elif isinstance(tree.value, list):
            for inner in tree.value:
                moves |= self._compile(inner)
        elif isinstance(tree.value, str):
            parts = self._parts(tree.value, tree.spot)
            self._texts[id(tree)] = parts
            moves = parts != [tree.value]
        if moves:
            self._moving.add(id(tree))
        return moves

    def _parts(self, text: str, spot: Spot) -> list[str | tuple[str]]:
        """Text and columns (in tuples), in turns; one text at least, and no two beside each other."""
        found: list[str | tuple[str]] = [""]
        end = 0
        for match in _PART.finditer(text):
            before, end = text[end : match.start()], match.end()
            column = match[1]
            if column is None and match[0] not in ("{{", "}}"):
                self.problems.add(
                    spot, "a brace stands alone", "expected {column}", "write {{ or }} for a brace that stays"
                )
                return [text]
            found[-1] = f"{found[-1]}{before}" if column is not None else f"{found[-1]}{before}{match[0][0]}"
            if column is not None:
                self.columns.setdefault(column, spot)
                found += [(column,), ""]
        found[-1] = f"{found[-1]}{text[end:]}"
        return found

    def _copy(self, tree: Tree, row: Row) -> Any:
        if id(tree) not in self._moving:
            return tree
        if isinstance(tree.value, dict):
            made = Tree(row.spot, {})
            for key, inner in tree.value.items():
                value = self._copy(inner, row)
                if value is not _ABSENT:
                    name = self._keys[key]
                    filled = key if name == [key] else str(self._filled(name, row))
                    if filled in made.value:
                        self.problems.add(
                            row.spot,
                            f"the key `{shown(filled)}` comes twice",
                            "expected each key once",
                            "use other columns in the keys of the template",
                        )
                    made.value[filled], made.keys[filled] = value, tree.keys[key]
            return made
        if isinstance(tree.value, list):
            copies = [self._copy(inner, row) for inner in tree.value]
            return Tree(row.spot, [copy for copy in copies if copy is not _ABSENT])
        value = self._filled(self._texts[id(tree)], row)
        return _ABSENT if value is None else Tree.of(value, row.spot)

    def _filled(self, parts: list[str | tuple[str]], row: Row) -> Any:
        if len(parts) == 3 and parts[0] == parts[2] == "":
            return row.columns[parts[1][0]]
        text = ""
        for part in parts:
            if isinstance(part, str):
                text += part
                continue
            value = as_written(row.columns[part[0]])
            if not isinstance(value, str | int | float) or isinstance(value, bool) or value == "":
                self.problems.add(
                    row.spot,
                    f"the column `{shown(part[0])}` is {_found(value)}, and stands inside a text",
                    "expected a text or a number",
                    "fill it in",
                )
                continue
            text += str(value)
        return text


def _found(value: object) -> str:
    return "empty" if value in (None, "") else "neither a text nor a number"
