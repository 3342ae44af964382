"""One listing of an owner scope's tokens for everybody who needs one: watch, sweep, quota.

It decides how old a listing may be; it must not decide what a token means.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable
from contextlib import AbstractContextManager

from rotator.core.ports.source import TokenState

Listing = tuple[TokenState, ...]


class Inventory:
    """The newest complete listing of each scope."""

    def __init__(self, now: Callable[[], float], lock: Callable[[], AbstractContextManager[object]]) -> None:
        """`now` in seconds that never go back; `lock` makes a lock, so that one scope is listed once at a time."""
        self._now, self._lock = now, lock
        self._guard = lock()
        self._locks: dict[Hashable, AbstractContextManager[object]] = {}
        self._listings: dict[Hashable, tuple[float, Listing]] = {}

    def tokens(self, scope: Hashable, fresh: float, ask: Callable[[], Listing]) -> Listing:
        """Return the scope's tokens as listed at most `fresh` seconds ago, asking where nothing that new is known.

        Raises:
            Unavailable, RateLimited: the listing failed; the old one stays for callers that can do with it.
        """
        with self._guard:
            lock = self._locks.setdefault(scope, self._lock())
        with lock:
            found = self._listings.get(scope)
            if found is not None and self._now() - found[0] <= fresh:
                return found[1]
            began = self._now()
            listing = ask()
            self._listings[scope] = (began, listing)
            return listing

    def age(self, scope: Hashable) -> float:
        """Return how many seconds ago the newest listing began; endless where there is none."""
        found = self._listings.get(scope)
        return self._now() - found[0] if found else math.inf

    def last(self, scope: Hashable) -> Listing | None:
        """Return the newest listing, however old."""
        found = self._listings.get(scope)
        return found[1] if found else None
