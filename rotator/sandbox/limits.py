"""How often a caller may call: the rate limit, and the headers that tell of it.

Cloudflare's rule: N requests per window, per user (all its tokens and its key together) or per account token; who
goes over is blocked from everything for a whole further window. Time is provider time, so advancing the clock ends a
block. Quotas on the number of tokens are `tokens`, not here.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import Final

DOCUMENTED: Final = (1200, 300.0)  # what the headers say while no limit is set


@dataclass(frozen=True, slots=True)
class Standing:
    """What is left: `remaining` requests, `reset` seconds until room returns, `retry_after` seconds when blocked."""

    requests: int
    window: float
    remaining: int
    reset: int
    retry_after: int | None = None

    def headers(self) -> list[tuple[str, str]]:
        """`Ratelimit` and `Ratelimit-Policy` always, `Retry-After` only when blocked."""
        found = [
            ("Ratelimit", f'"default";r={self.remaining};t={self.reset}'),
            ("Ratelimit-Policy", f'"default";q={self.requests};w={math.ceil(self.window)}'),
        ]
        return found if self.retry_after is None else [*found, ("Retry-After", str(self.retry_after))]


FREE: Final = Standing(DOCUMENTED[0], DOCUMENTED[1], DOCUMENTED[0], int(DOCUMENTED[1]))


class RateLimiter:
    """Counts requests per purse. Not safe for threads by itself: the world's lock is held around it."""

    def __init__(self) -> None:
        self._spent: dict[str, deque[float]] = {}
        self._blocked_until: dict[str, float] = {}

    def clear(self) -> None:
        """Forget everything; a new limit starts from nothing."""
        self._spent.clear()
        self._blocked_until.clear()

    def charge(self, purse: str, limit: tuple[int, float] | None, now: float) -> Standing:
        """Count one request of `purse` at `now` and say where that leaves it."""
        if limit is None:
            return FREE
        requests, window = limit
        until = self._blocked_until.get(purse, 0.0)
        if now < until:
            return self._blocked(requests, window, until - now)
        spent = self._spent.setdefault(purse, deque())
        while spent and spent[0] <= now - window:
            spent.popleft()
        if len(spent) >= requests:
            spent.clear()
            self._blocked_until[purse] = now + window
            return self._blocked(requests, window, window)
        spent.append(now)
        return Standing(requests, window, requests - len(spent), max(1, math.ceil(spent[0] + window - now)))

    @staticmethod
    def _blocked(requests: int, window: float, wait: float) -> Standing:
        seconds = max(1, math.ceil(wait))
        return Standing(requests, window, 0, seconds, seconds)
