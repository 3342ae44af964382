"""All tokens of an owner, complete or not at all: absence from a list is a reason to act, so half a list is none.

Source: GET /user/tokens and /accounts/{account_id}/tokens: `page`, `per_page` (5..50), `result_info` in the answer.
"""

from __future__ import annotations

from typing import Final

from rotator.core.errors import Unavailable
from rotator.core.ports.runtime import Priority
from rotator.core.ports.source import TokenState
from rotator.sources.cloudflare import tokens
from rotator.sources.cloudflare.calls import Call, Calls

PER_PAGE: Final = 50
PAGES: Final = 200
"""More than ten times the highest quota that is documented (500 tokens); beyond it the list is refused, not cut."""
TRIES: Final = 2
"""How often a list that changed under the reading is read."""


def tokens_path(owner: str, account_id: str | None) -> str:
    """Return the path of the tokens of an owner: a user's own, or an account's."""
    return "/user/tokens" if owner == "user" else f"/accounts/{account_id}/tokens"


def list_tokens(calls: Calls, path: str, priority: Priority) -> tuple[TokenState, ...]:
    """Return every token below `path`; expired ones may be absent.

    Raises:
        Unavailable: a page failed or is odd, or the list kept changing, so it is not known to be complete.
        RateLimited: not now.
    """
    for _ in range(TRIES):
        found = _read(calls, path, priority)
        if found is not None:
            return found
    raise Unavailable("listing tokens: the list changed while it was read, twice", "it is tried again automatically")


def _read(calls: Calls, path: str, priority: Priority) -> tuple[TokenState, ...] | None:
    """One reading; None where the pages do not add up to the total that each of them told."""
    found: dict[str, TokenState] = {}
    total: int | None = None
    for page in range(1, PAGES + 1):
        # Oldest first: a token that is created meanwhile comes last and moves nothing.
        query = {"page": str(page), "per_page": str(PER_PAGE), "direction": "asc"}
        call = Call(operation="list", doing="listing tokens", method="GET", path=path, priority=priority, query=query)
        reply = calls.call(call)
        rows = reply.envelope.result if reply.envelope and reply.verdict is None else None
        if reply.envelope is None or not isinstance(rows, list):
            raise calls.failure(call, reply)
        states = [tokens.state(row) for row in rows]
        for state in states:
            if state is None:
                raise calls.failure(call, reply)
            if state.id in found:
                return None
            found[state.id] = state
        said = reply.envelope.info.get("total_count")
        if isinstance(said, int):
            if total is not None and said != total:
                return None
            total = said
        if len(rows) < PER_PAGE or (total is not None and len(found) >= total):
            return tuple(found.values()) if total in (None, len(found)) else None
    raise Unavailable(f"listing tokens: there are more than {PAGES * PER_PAGE}", "delete tokens that nobody uses")
