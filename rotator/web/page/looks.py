"""One look at the fleet, shared by all who ask at a time: a large fleet is not asked about for every reader.

A look that is a moment old is good; one that is older still serves at once while the next is under way; one that is too
old is not shown. Used within one event loop.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from rotator.core.remarks import rank
from rotator.core.times import drawn_at
from rotator.web.answers import ANSWER_WITHIN, Flight
from rotator.web.page.board import Document

FRESH: Final = 1.0
"""Seconds for which a look is as good as a new one."""

REST: Final = 4.0
"""How many times as long as it took a look is as good as a new one: readers of a large fleet cost a fifth at most."""

PATIENCE: Final = 0.1
"""Seconds that somebody waits for a new look before an older one is shown: in a small fleet it is always new."""

USABLE: Final = 20.0
"""Seconds for which a look may be shown while the next is under way."""


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen.

    Attributes:
        document: of `status -o json`.
        now: when, unix seconds.
        worst_first: its credentials in the order in which people want them.
        digest: differs from that of the look before where something but the time has changed.
    """

    document: Document
    now: float
    worst_first: tuple[Document, ...]
    digest: str

    def of(self, name: str) -> Document | None:
        """One credential."""
        return next((one for one in self.document["credentials"] if one["name"] == name), None)


def look_at(document: Document) -> Look:
    """Return a document with what every page needs of it."""
    now = drawn_at(document)
    ordered = tuple(sorted(document["credentials"], key=lambda one: rank(one, now)))
    return Look(document, now, ordered, _digest(document))


def _digest(document: Document) -> str:
    daemons = [{k: v for k, v in one.items() if k != "last_tick"} for one in document["daemons"]]
    told: dict[str, Any] = {**document, "time": None, "daemons": daemons}
    return hashlib.blake2b(json.dumps(told, sort_keys=True, default=repr).encode(), digest_size=12).hexdigest()


class Looks:
    """Takes looks and keeps the last."""

    def __init__(
        self,
        status: Callable[[], Document],
        *,
        clock: Callable[[], float] = time.monotonic,
        within: float | None = None,
    ) -> None:
        """`within`: seconds that a look may take, by default what every answer may."""
        self._flight = Flight(lambda: look_at(status()), "status")
        self._clock, self._within = clock, ANSWER_WITHIN if within is None else within
        self._last: Look | None = None
        self._took = 0.0
        self._taken = 0.0
        self._under_way: asyncio.Task[Look] | None = None

    async def last(self, *, anew: bool = False) -> Look:
        """Return a look; with `anew` one that is taken after this call began.

        Raises:
            TimeoutError: there is none that may be shown, and the next did not come in time.
            Exception: what the question raised.
        """
        age = self._clock() - self._taken
        if anew:
            self._last = None
            if (
                self._under_way is not None and not self._under_way.done()
            ):  # it began before, so it may not have seen what is asked about
                await asyncio.wait([self._under_way])
            return await self._take()
        if self._last is not None and age < max(FRESH, REST * self._took):
            return self._last
        if self._last is not None and age < USABLE:
            under_way = self._begin()
            if self._took < PATIENCE:  # else it would be waited for in vain
                await asyncio.wait([under_way], timeout=PATIENCE)
            return self._last
        return await self._take()

    def _begin(self) -> asyncio.Task[Look]:
        if self._under_way is None or self._under_way.done():
            self._under_way = asyncio.ensure_future(self._look())
            self._under_way.add_done_callback(lambda task: task.cancelled() or task.exception())
        return self._under_way

    async def _take(self) -> Look:
        return await asyncio.shield(self._begin())

    async def _look(self) -> Look:
        began = self._clock()
        found = await self._flight.ask(self._within)
        self._last, self._taken, self._took = found, began, self._clock() - began
        return found
