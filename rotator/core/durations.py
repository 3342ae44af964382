"""Lengths of time in seconds, and how people read them. The one place that knows how long a day is."""

from __future__ import annotations

from typing import Final

MINUTE: Final = 60.0
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

NEVER: Final = float("inf")
"""No expiry, no end: infinite in code, null in JSON."""


def human(seconds: float) -> str:
    """Return a duration (>= 0 seconds) in human words: `45 s`, `12 min`, `5 h`, `61 d`, `never` for an infinite one."""
    if seconds == NEVER:
        return "never"
    for length, unit in ((DAY, "d"), (HOUR, "h"), (MINUTE, "min")):
        if seconds >= 2 * length or (seconds >= length and unit == "d"):
            return f"{seconds / length:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"
