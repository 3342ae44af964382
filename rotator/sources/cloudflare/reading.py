"""What the provider shows of one token: the object by GET, whenever it is asked for; a value, once.

Here alone, so that nothing reads a token less strictly than what destroys one, or a value less forgivingly.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from rotator.core.errors import Unavailable
from rotator.core.ids import TokenId
from rotator.core.ports.runtime import Priority
from rotator.core.ports.source import Minted, TokenState
from rotator.sources.cloudflare import tokens
from rotator.sources.cloudflare.bearers import Bearer
from rotator.sources.cloudflare.calls import Call, Calls
from rotator.sources.cloudflare.errors import NOT_FOUND


@dataclass(frozen=True, slots=True)
class Shown:
    """A token object of a GET, and the state that it tells."""

    raw: dict[str, Any]
    state: TokenState


def read_token(
    calls: Calls,
    path: str,
    token_id: TokenId,
    doing: str,
    *,
    bearer: Bearer | None = None,
    priority: Priority = Priority.FINISH,
) -> Shown | None:
    """Return the token of that id, None where the provider says that there is none; strict, for tokens die by it.

    Args:
        calls: the login that asks.
        path: of the tokens of its owner, `inventory.tokens_path`.
        token_id: what is read.
        doing: the same for a person.
        bearer: who authenticates it; the management token if None.
        priority: who waits first when the budget is low.

    Raises:
        Unavailable: this is no id, no usable answer, or one that shows another token.
        RateLimited: not now.

    Source: GET .../tokens/{token_id}. A crash inside leaves nothing behind.
    """
    if not tokens.ID.fullmatch(token_id):
        raise Unavailable(f"{doing}: this is not the id of a token", "write the id as the provider shows it")
    call = Call(operation="get", doing=doing, method="GET", path=f"{path}/{token_id}", priority=priority)
    reply = calls.call(call, bearer)
    if reply.says(NOT_FOUND):
        return None
    raw = reply.envelope.result if reply.envelope and reply.verdict is None else None
    state = tokens.state(raw)
    if not isinstance(raw, dict) or state is None or state.id != token_id:
        raise calls.failure(call, reply)
    return Shown(raw, state)


def shown_once(
    calls: Calls, call: Call, bearer: Bearer | None = None, *, name: str, token_id: TokenId, expires_at: float
) -> Minted:
    """Send a create or a roll and return the value, before anything else is looked at, even a failure beside it.

    Args:
        calls: the login that asks.
        call: one whose answer holds a value (`secret`).
        bearer: who authenticates it; the management token if None.
        name: what was asked for.
        token_id: of a roll; empty for a create, whose answer tells it.
        expires_at: used where the answer does not say, unix seconds.

    Raises:
        Refused: a certain no.
        RateLimited: not now; nothing was done.
        Unavailable: nothing was sent.
        OutcomeUnknown: it may have been done, and the value is lost.

    A crash inside loses the value; the intent of whoever asked stands before.
    """
    reply = calls.call(call, bearer)
    if reply.envelope is not None:
        issued_at = time.time() if reply.date is None else reply.date
        found = tokens.minted(reply.envelope, name=name, token_id=token_id, issued_at=issued_at, expires_at=expires_at)
        if found is not None:
            return found
    calls.report()
    raise calls.failure(call, reply)
