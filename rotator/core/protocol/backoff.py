"""How long a failed act waits before it is tried again: a pure function of its failures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rotator.core.durations import HOUR
from rotator.core.protocol.view import Failure

CAP: Final = HOUR
"""Longest back-off in seconds; retries never end silently, they only get rarer."""


def delay(retry: float, count: int) -> float:
    """Return the wait after `count` failures in a row (>= 1), doubling from `retry` seconds up to one hour."""
    return float(min(retry * 2 ** min(count - 1, 20), max(CAP, retry)))


def not_before(
    failures: Mapping[tuple[str, str], Failure], act: str, target: str, retry: float, *, urgent: bool = False
) -> float:
    """Return the provider time before which the act is not tried again; 0 where nothing failed.

    `urgent` (the emergency window) keeps the wait at its shortest.
    """
    found = failures.get((act, target))
    return found.last + delay(retry, 1 if urgent else found.count) if found else 0.0
