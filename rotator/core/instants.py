"""Points in time as text: RFC 3339, UTC with `Z`, whole seconds. The one place that writes and reads them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

LAST: Final = datetime.max.replace(tzinfo=UTC).timestamp()
"""The last moment that a calendar knows, in unix seconds."""


def rfc3339(at: float | None) -> str | None:
    """Return unix seconds as `2026-11-22T10:00:00Z`, fractions cut; None for never and what no calendar holds."""
    if at is None or not -LAST < at < LAST:
        return None
    try:
        return datetime.fromtimestamp(int(at), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return None


def unix(text: object) -> float | None:
    """Return an RFC 3339 time in unix seconds, None for anything else; one without a zone is taken as UTC."""
    if not isinstance(text, str):
        return None
    try:
        then = datetime.fromisoformat(text)
        return (then if then.tzinfo else then.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
