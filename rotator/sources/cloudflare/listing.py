"""A list of the API, read to its end or not at all: absence from a list is a reason to act, so half a list is none.

The answer's own `result_info` decides where the list ends, not what was asked for: a page may hold fewer rows than the
`per_page` of the request. Source: `page`, `per_page` and `result_info` on
https://developers.cloudflare.com/fundamentals/api/how-to/make-api-calls/
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from rotator.core.errors import Unavailable
from rotator.sources.cloudflare.calls import Call, Calls

PAGES: Final = 500
"""With pages of 20 far more than the highest quota that is documented; a longer list is refused, not cut."""
TRIES: Final = 2
"""How often a list that changed under the reading is read."""


def read_all(calls: Calls, call: Call) -> tuple[Mapping[str, Any], ...]:
    """Return all rows of a list, in its order, without repetition.

    Args:
        calls: the wire.
        call: the request for the first page; its query may name a page size, which is only a wish.

    Raises:
        Unavailable: a page failed or is odd, or the list kept changing, so it is not known to be complete.
        RateLimited: not now.
    """
    for _ in range(TRIES):
        found = _read(calls, call)
        if found is not None:
            return found
    raise Unavailable(f"{call.doing}: the list changed while it was read, twice", "it is tried again automatically")


def _read(calls: Calls, call: Call) -> tuple[Mapping[str, Any], ...] | None:
    """One reading; None where the pages do not add up to the total that each of them told."""
    found: dict[str, Mapping[str, Any]] = {}
    total: int | None = None
    for page in range(1, PAGES + 1):
        query = {**(call.query or {}), "page": str(page)} if page > 1 or call.query else None
        reply = calls.call(replace(call, query=query))
        rows = reply.envelope.result if reply.envelope and reply.verdict is None else None
        if reply.envelope is None or not isinstance(rows, list):
            raise calls.failure(call, reply)
        for row in rows:
            if not isinstance(row, dict) or not isinstance(row.get("id"), str):
                raise calls.failure(call, reply)
            if row["id"] in found:
                return None
            found[row["id"]] = row
        info = reply.envelope.info
        said = _number(info, "total_count")
        if said is not None:
            if total is not None and said != total:
                return None
            total = said
        if _ended(info, rows, page, len(found), total, asked=_number(call.query or {}, "per_page")):
            return tuple(found.values()) if total in (None, len(found)) else None
    raise Unavailable(f"{call.doing}: there are more than {PAGES} pages", "delete what nobody uses")


def _ended(
    info: Mapping[str, object], rows: list[Any], page: int, found: int, total: int | None, *, asked: int | None
) -> bool:
    """Whether this was the last page: by the total, else by the number of pages, else by a page that is not full."""
    if not rows:
        return True
    if total is not None:
        return found >= total
    pages = _number(info, "total_pages")
    if pages is not None:
        return page >= pages
    full = _number(info, "per_page") or asked
    return full is None or len(rows) < full


def _number(found: Mapping[str, object], key: str) -> int | None:
    value = found.get(key)
    if isinstance(value, str) and value.isdecimal():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
