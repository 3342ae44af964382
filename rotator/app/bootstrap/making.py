"""A management token that is made with the Global API Key: room, intent, one request, capture."""

from __future__ import annotations

import secrets
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from rotator.app.bootstrap.ledger import Attempt, Captured, Ledger
from rotator.app.bootstrap.settling import Tell
from rotator.core.credential import NEVER
from rotator.core.durations import DAY
from rotator.core.errors import JournalUnsafe, OutcomeUnknown, RotatorError
from rotator.host.crashpoints import Point, crash
from rotator.sources.cloudflare.authority import Authority
from rotator.sources.cloudflare.policies import TokenPolicy

STAGGER: Final = 30 * DAY
"""Seconds by which the standby ends earlier at most, so that the two never end in one week."""


def token_name(connection: str, role: str) -> str:
    """Return a name that no other token has, at most 120 characters."""
    return f"rotator {role} {connection} {secrets.token_hex(4)}"


def ends(role: str, now: float, lifetime: float) -> float:
    """Return when a token of that role shall end, in unix seconds."""
    if lifetime == NEVER:
        return NEVER
    return now + lifetime - (min(STAGGER, lifetime / 12) if role == "standby" else 0)


def make(
    authority: Authority,
    ledger: Ledger,
    attempt: Attempt,
    policies: tuple[TokenPolicy, ...],
    expires_at: float,
    tell: Tell,
) -> Captured:
    """Make one token; its value is durable when this returns.

    Args:
        authority: who makes it.
        ledger: what is durable.
        attempt: with the name, the owner and the account of the token.
        policies: that it gets.
        expires_at: unix seconds, or `NEVER`.
        tell: takes a warning.

    Raises:
        Refused, RateLimited, Unavailable, JournalUnsafe: no token was made.
        OutcomeUnknown: one may exist whose value is lost; the next run looks for it and deletes it.

    Crash: leaves nothing, an attempt that the next run looks for, or a value that it puts into its place.
    """
    with _signals_held():
        ledger.intend(attempt)
        crash(Point.BEFORE_CREATE_SEND)
        try:
            minted = authority.mint(attempt.owner, attempt.account_id, attempt.name, policies, expires_at)
        except OutcomeUnknown as lost:
            message = lost.message
        except RotatorError:
            ledger.close(attempt)  # certainly nothing was made
            raise
        else:
            crash(Point.AFTER_CREATE_SEND)
            try:
                return ledger.capture(attempt, minted.token_id, minted.value)
            except JournalUnsafe as error:  # its place is the next chance to be durable
                tell(f"warning: {error.message}; going on without")
                return Captured(attempt=attempt, token_id=minted.token_id, value=minted.value)
    raise OutcomeUnknown(
        message, "run the same command again in a minute: it looks for that token, deletes it, and makes another one"
    )


@contextmanager
def _signals_held() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM wait until a value that may be under way is durable."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    before = {number: signal.signal(number, lambda n, _: came.append(n)) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if came:
            raise KeyboardInterrupt
