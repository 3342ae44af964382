"""Provider time: what the simulated provider believes the time to be, and how it writes it.

Provider time is real time plus what the operator advanced it by, so that a test can move a token past its expiry
without waiting. This file knows nothing of tokens or HTTP beyond the two ways a time is spelled.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from email.utils import formatdate
from functools import lru_cache


class ProviderClock:
    """Real time, moved by `advance`."""

    def __init__(self, advanced: float = 0.0) -> None:
        self.advanced = advanced

    def now(self) -> float:
        """Provider time in seconds since 1970 (UTC)."""
        return time.time() + self.advanced

    def advance(self, seconds: float) -> None:
        """Move provider time by `seconds`; a negative number moves it back."""
        self.advanced += seconds


def rfc3339(moment: float) -> str:
    """`moment` as the API writes it: UTC, whole seconds (rounded down), `Z`."""
    return _rfc3339(int(moment))


@lru_cache(maxsize=4096)  # the same second is written thousands of times
def _rfc3339(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def rfc3339_or_none(moment: float | None) -> str | None:
    """As `rfc3339`, with None for a time that is not set."""
    return None if moment is None else rfc3339(moment)


def http_date(moment: float) -> str:
    """`moment` as an HTTP `Date` header (RFC 9110 section 5.6.7)."""
    return _http_date(int(moment))


@lru_cache(maxsize=16)
def _http_date(second: int) -> str:
    return formatdate(second, usegmt=True)


def parse_rfc3339(text: object) -> float:
    """The moment that `text` names, cut to whole seconds as the API stores it.

    Raises:
        ValueError: not a string, not RFC 3339, or without an offset from UTC.
    """
    if not isinstance(text, str):
        raise ValueError("not a string")  # noqa: TRY004 - wrong data of a client, not a wrong call
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("no offset from UTC")
    return float(int(moment.timestamp()))
