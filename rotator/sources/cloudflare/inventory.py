"""All tokens of an owner. Source: GET /user/tokens and /accounts/{account_id}/tokens, at most 50 rows to a page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rotator.core.ports.runtime import Priority
from rotator.core.ports.source import TokenState
from rotator.sources.cloudflare import tokens
from rotator.sources.cloudflare.calls import Call, Calls, Reply
from rotator.sources.cloudflare.listing import read_all

PER_PAGE: Final = 50


def tokens_path(owner: str, account_id: str | None) -> str:
    """Return the path of the tokens of an owner: a user's own, or an account's."""
    return "/user/tokens" if owner == "user" else f"/accounts/{account_id}/tokens"


def list_tokens(calls: Calls, path: str, priority: Priority) -> tuple[TokenState, ...]:
    """Return every token below `path`; expired ones may be absent.

    Raises:
        Unavailable: a page failed or is odd, or the list kept changing, so it is not known to be complete.
        RateLimited: not now.
    """
    return tuple(state for _, state in list_rows(calls, path, priority))


def list_rows(
    calls: Calls, path: str, priority: Priority, *, expired: bool = False
) -> tuple[tuple[Mapping[str, Any], TokenState], ...]:
    """Return every token below `path` as the provider shows it, with what that says; errors as `list_tokens`.

    Args:
        calls: the wire.
        path: of the tokens of an owner.
        priority: who waits first when the budget is low.
        expired: whether expired ones are listed as well.
    """
    # Oldest first: a token that is created meanwhile comes last and moves nothing.
    query = {"page": "1", "per_page": str(PER_PAGE), "direction": "asc"}
    if expired:
        query["include_expired"] = "true"
    call = Call(operation="list", doing="listing tokens", method="GET", path=path, priority=priority, query=query)
    found = []
    for row in read_all(calls, call):
        state = tokens.state(row)
        if state is None:
            raise calls.failure(call, Reply(envelope=None, date=None))
        found.append((row, state))
    return tuple(found)
