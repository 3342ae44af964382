"""Times as people and programs read them: `in 61 d`, `2 h ago`, RFC 3339 UTC with `Z`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from rotator.core.durations import human
from rotator.core.instants import rfc3339
from rotator.core.instants import unix as moment

__all__ = ["both", "drawn_at", "moment", "relative", "rfc3339"]


def drawn_at(document: Mapping[str, object]) -> float:
    """Return when a document was made, in unix seconds."""
    return moment(document["time"]) or 0.0


def relative(text: object, now: float, none: str = "-") -> str:
    """Return an RFC 3339 time relative to `now` (unix seconds): `in 5 h`, `3 d ago`, `now`; `none` for None."""
    at = moment(text)
    if at is None:
        return none
    if abs(at - now) < 1:
        return "now"
    return f"in {human(at - now)}" if at > now else f"{human(now - at)} ago"


def both(text: object, now: float, none: str = "-") -> str:
    """Return an RFC 3339 time in full with its distance: `2026-11-22 10:00:00 UTC, in 61 d`."""
    at = moment(text)
    if at is None:
        return none
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} UTC, {relative(text, now)}"
