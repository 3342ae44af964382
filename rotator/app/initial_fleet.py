"""The first files of a fleet: a line of the inventory for each token that is known by now, and the template. Pure text.

Columns are `name`, and `zone` or `file` where each token has its own.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import PurePath
from typing import Final

from rotator.core.errors import ConfigError

INVENTORY: Final = "fleet.jsonl"
USUAL: Final = "{name}.env"
"""Where a token goes that nobody gave a place."""

_COLUMN: Final = re.compile(r"\{[a-z_]+\}")


def rows_of(zones: Sequence[str], paths: Sequence[str]) -> list[dict[str, str]]:
    """Return the rows: one for each zone, else one for each file, else none.

    Args:
        zones: names or ids.
        paths: files as they were given; such as name a column serve all rows.

    Raises:
        ConfigError: several tokens would have to share a file.
    """
    own = [path for path in paths if not _COLUMN.search(path)]
    if own and (zones or len(own) < len(paths)):
        raise ConfigError(
            f"each token of a fleet needs a file of its own, and {own[0]} is one for all",
            f"--path '{PurePath(own[0]).parent / '{name}'}/{PurePath(own[0]).name}'",
        )
    things, column = (zones, "zone") if zones else (own, "file")
    named = _names([_slug(thing) for thing in things])
    return [{"name": name, column: thing} for name, thing in zip(named, things, strict=True)]


def inventory(rows: Sequence[dict[str, str]]) -> str:
    """Return the text of the inventory."""
    return "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)


def places(zones: Sequence[str], paths: Sequence[str]) -> tuple[str, ...]:
    """Return the paths as the template has them."""
    return ("{file}",) if any("file" in row for row in rows_of(zones, paths)) else tuple(paths)


def filled(path: str, rows: Sequence[dict[str, str]]) -> Iterator[str]:
    """Return a path of the template for every row."""
    for row in rows:
        yield _COLUMN.sub(lambda found, row=row: row.get(found[0][1:-1], found[0]), path)  # type: ignore[misc]


def any_of(path: str) -> str:
    """Return a pattern of git for all files that a path of the template can become."""
    return _COLUMN.sub("*", path)


def _slug(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60].strip("-") or "token"


def _names(slugs: Sequence[str]) -> list[str]:
    """Each name once: a second one is numbered."""
    found: list[str] = []
    for slug in slugs:
        free = (name for number in range(1, len(slugs) + 1) if (name := f"{slug}-{number}" if number > 1 else slug))
        found.append(next(name for name in free if name not in found))
    return found
