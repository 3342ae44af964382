"""The port to time, chance, threads and telemetry, so that the same engine runs in the simulation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import Protocol


class Priority(IntEnum):
    """Who waits first when the rate budget runs low: the lowest."""

    SWEEP = 0
    WATCH = 1
    START = 2
    FINISH = 3


class Budget(Protocol):
    """The rate budget of one connection, shared by all processes on one journal."""

    def take(self, priority: Priority) -> None:
        """Count one request about to be sent.

        Raises:
            RateLimited: not now; `retry_after` says when to ask again. Nothing was counted.
        """

    def stop(self, seconds: float) -> None:
        """The provider answered 429: nobody sends anything on this connection for that long."""

    def remaining(self) -> int:
        """Requests left in the present window."""


class Runtime(Protocol):
    """Everything of the machine that the engine may touch."""

    def now(self, connection: str) -> float:
        """Provider time of the connection, in unix seconds; never behind what it answered before in this process."""

    def believed(self, connection: str) -> float:
        """Provider time as it was before a jump that is not yet confirmed; facts and expiries are written with it."""

    def token_hex(self, size: int) -> str:
        """Return `size` random bytes in hexadecimal."""

    def sleep(self, seconds: float) -> None:
        """Wait that long; only for retrying to make a captured value durable, never for a step of the protocol."""

    def stopping(self) -> bool:
        """Whether the process was asked to end: nothing new is minted, what is under way is captured."""

    def parallel(self, calls: Sequence[Callable[[], None]]) -> None:
        """Run all calls, at once where the machine can; returns when all have ended. Calls handle their own errors."""

    def event(self, name: str, **fields: object) -> None:
        """Say that something happened; `name` is one of the closed list of events, fields never hold a value."""

    def crash(self, point: str) -> None:
        """Pass a named crash point; in production nothing, in a crash test perhaps the end of the process."""
