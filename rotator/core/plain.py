"""How values stand in JSON: plain data, and the one way to write a time or length that never comes."""

from __future__ import annotations

from typing import Final, TypeAlias

from rotator.core.durations import NEVER as NEVER

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"

BEYOND: Final = 1e15
"""Earlier versions wrote a number from here on for never."""


def bounded(at: float) -> float | None:
    """Return a time or length as it stands in JSON: null for never."""
    return None if at == NEVER else at


def unbounded(found: object) -> float:
    """Read a time or length: never for null, for what is absent, and for what earlier versions wrote for it."""
    known = isinstance(found, int | float) and not isinstance(found, bool)
    return float(found) if known and found < BEYOND else NEVER  # type: ignore[arg-type, operator]  # known is a number
