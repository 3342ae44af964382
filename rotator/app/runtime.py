"""The machine behind the runtime port: real clocks, chance, threads and telemetry."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from rotator.engine.provider_time import ProviderTime
from rotator.host.clock import SystemClock
from rotator.host.crashpoints import crash_at
from rotator.host.entropy import SystemEntropy
from rotator.host.latch import Latch
from rotator.host.workers import run_side_by_side

Say = Callable[..., None]
Count = Callable[[str, str, str], None]
"""Takes (connection, operation, status) of each request."""


def silent(name: str, **fields: object) -> None:
    """Say nothing: where nobody listens."""


def uncounted(connection: str, operation: str, status: str) -> None:
    """Count nothing: where nobody reads it."""


class HostRuntime:
    """Fulfils `rotator.core.ports.runtime.Runtime`."""

    def __init__(
        self,
        clock: SystemClock,
        times: Mapping[str, ProviderTime],
        say: Say,
        stop: Latch,
    ) -> None:
        """`times` by connection may grow later; `say` is the log's `event`; `stop` is set when the process ends."""
        self._clock, self._times, self._say, self._stop = clock, times, say, stop
        self._entropy = SystemEntropy()

    def now(self, connection: str) -> float:
        """Provider time of the connection."""
        found = self._times.get(connection)
        return found.now() if found else self._clock.utc()

    def believed(self, connection: str) -> float:
        """Provider time as it was before a jump that is not yet confirmed."""
        found = self._times.get(connection)
        return found.believed() if found else self._clock.utc()

    def token_hex(self, size: int) -> str:
        """Random bytes in hexadecimal."""
        return self._entropy.token_hex(size)

    def sleep(self, seconds: float) -> None:
        """Wait, whatever the process was asked: a captured value is at stake."""
        time.sleep(seconds)

    def stopping(self) -> bool:
        """Whether the process was asked to end."""
        return self._stop.is_set()

    def parallel(self, calls: Sequence[Callable[[], None]]) -> None:
        """Run calls side by side in threads of their own."""
        for outcome in run_side_by_side(list(calls), "targets"):
            if isinstance(outcome, Exception):
                raise outcome

    def event(self, name: str, **fields: object) -> None:
        """Say what happened."""
        self._say(name, **{key: value for key, value in fields.items() if value not in (None, "")})

    def crash(self, point: str) -> None:
        """Pass a named crash point."""
        crash_at(point)
