"""Times as people and programs read them: `in 61 d`, `2 h ago`, RFC 3339 UTC with `Z`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from rotator.core.credential import NEVER


def rfc3339(at: float | None) -> str | None:
    """Return unix seconds as RFC 3339 UTC with `Z`, whole seconds; None for None, never and what no calendar holds."""
    if at is None or at in (NEVER, -NEVER):
        return None
    try:
        return datetime.fromtimestamp(int(at), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, ValueError, OSError):
        return None


def moment(text: object) -> float | None:
    """Return unix seconds of an RFC 3339 text, None for None."""
    return datetime.fromisoformat(text).timestamp() if isinstance(text, str) else None


def drawn_at(document: Mapping[str, object]) -> float:
    """Return when a document was made, in unix seconds."""
    return moment(document["time"]) or 0.0


def relative(text: object, now: float, none: str = "-") -> str:
    """Return an RFC 3339 time relative to `now` (unix seconds): `in 5 h`, `3 d ago`, `now`; `none` for None."""
    from rotator.core.sentences import human  # it loads the protocol, which `--help` can do without

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
