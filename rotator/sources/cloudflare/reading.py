"""One token object, read by the management token."""

from __future__ import annotations

from typing import Any

from rotator.core.ids import TokenId
from rotator.sources.cloudflare import tokens
from rotator.sources.cloudflare.calls import Call
from rotator.sources.cloudflare.connection import CloudflareConnection
from rotator.sources.cloudflare.inventory import tokens_path


def read_token(
    connection: CloudflareConnection, owner: str, account_id: str | None, token_id: TokenId
) -> dict[str, Any]:
    """Return the token object of that id.

    Raises:
        Unavailable, RateLimited: no usable answer, or no such token that the management token may read.
    """
    path = f"{tokens_path(owner, account_id)}/{token_id}"
    call = Call(operation="get", doing="reading the token's policies", method="GET", path=path)
    reply = connection.calls.call(call)
    shown = reply.envelope.result if reply.envelope and reply.verdict is None else None
    if not isinstance(shown, dict) or tokens.state(shown) is None:
        raise connection.calls.failure(call, reply)
    return shown
