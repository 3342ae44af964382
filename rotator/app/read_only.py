"""The adapters of a process that only looks: no journal is made, none is written, nothing is locked.

It decides what such a process may send although it cannot count its requests where the others do. It must not be used
to drive: nothing here can capture a value.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from rotator.app.app import App
from rotator.app.fleet import ConfiguredFleet
from rotator.app.runtime import silent, uncounted
from rotator.core.errors import RateLimited
from rotator.core.ports.runtime import Budget, Priority


class ReadOnlyBudget:
    """A rate budget that only reads the shared one: it keeps to what is left there and counts its own by itself.

    The provider's own limit is four times the default budget, so a few requests that others do not see are no risk; a
    stop that the provider asked for is kept.
    """

    def __init__(self, shared: Budget | None, requests: int, window: float) -> None:
        """At most `requests` in all, as long as `shared` (None: nobody else sends anything) has room for them."""
        self._shared = shared
        self._requests, self._window = requests, window
        self._taken = 0
        self._stopped_until = 0.0

    def take(self, priority: Priority) -> None:
        """Count one request about to be sent; raise `RateLimited` when there is no room for it."""
        stopped = self._stopped_until - time.monotonic()
        if stopped > 0 or self.remaining() < 1:
            raise RateLimited(
                "the rate budget of the connection is used up for now", stopped if stopped > 0 else self._window
            )
        self._taken += 1

    def stop(self, seconds: float) -> None:
        """The provider asks to wait: this process sends nothing for `seconds`."""
        self._stopped_until = max(self._stopped_until, time.monotonic() + seconds)

    def remaining(self) -> int:
        """Requests that this process may still send."""
        left = self._requests if self._shared is None else self._shared.remaining()
        return max(0, left - self._taken)


def read_only_fleet(app: App, count: Callable[[str, str, str], None] | None = None) -> ConfiguredFleet:
    """Return the configured adapters of a reader; the caller closes them.

    Args:
        app: the opened instance.
        count: takes (connection, operation, status) of each request.
    """

    def budget(name: str, requests: int, window: float) -> Budget:
        shared = app.journal.budget(name, requests, window) if app.journal is not None else None
        return ReadOnlyBudget(shared, requests, window)

    fleet = ConfiguredFleet(budget, app.clock, silent, count or uncounted, app.config.state.folder / "locks")
    fleet.configure(app.config, app.ids)
    return fleet
