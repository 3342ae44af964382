"""Pages of a list: `page`, `per_page` and `direction` as the API takes them, and the `result_info` it answers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from rotator.sandbox.call import Answer
from rotator.sandbox.errors import Refusal

PER_PAGE_LEAST: Final = 5
PER_PAGE_MOST: Final = 50
PER_PAGE_USUAL: Final = 20


def whole_number(query: Mapping[str, str], name: str, usual: int, least: int, most: int | None = None) -> int:
    """The number that a query parameter gives.

    Raises:
        Refusal: 400 when it is no whole number within bounds.
    """
    text = query.get(name)
    if text is None:
        return usual
    if not (text.isascii() and text.isdigit() and len(text) <= 9) or not least <= int(text) <= (most or 10**9):
        bounds = f"at least {least}" if most is None else f"between {least} and {most}"
        raise Refusal("bad_query", why=f"{name} must be {bounds}")
    return int(text)


def truth(query: Mapping[str, str], name: str) -> bool:
    """The boolean that a query parameter gives; absent is false.

    Raises:
        Refusal: 400 when it is neither `true` nor `false`.
    """
    text = query.get(name, "false").lower()
    if text not in ("true", "false"):
        raise Refusal("bad_query", why=f"{name} must be true or false")
    return text == "true"


def descending(query: Mapping[str, str], *, usual: bool) -> bool:
    """Whether the newest comes first.

    Raises:
        Refusal: 400 when `direction` is neither `asc` nor `desc`.
    """
    direction = query.get("direction", "desc" if usual else "asc")
    if direction not in ("asc", "desc"):
        raise Refusal("bad_query", why="direction must be asc or desc")
    return direction == "desc"


def page(query: Mapping[str, str], rows: Sequence[Any]) -> Answer:
    """One page of `rows`, with its `result_info`. A page past the end is empty, not an error."""
    number = whole_number(query, "page", 1, 1)
    size = whole_number(query, "per_page", PER_PAGE_USUAL, PER_PAGE_LEAST, PER_PAGE_MOST)
    shown = list(rows[(number - 1) * size : number * size])
    info = {
        "page": number,
        "per_page": size,
        "count": len(shown),
        "total_count": len(rows),
        "total_pages": math.ceil(len(rows) / size),
    }
    return Answer(shown, info=info)
