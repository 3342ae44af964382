"""What `rotate --wait` waits for."""

from __future__ import annotations

from enum import StrEnum


class Until(StrEnum):
    """What `rotate --wait` waits for."""

    CONFIRMED = "confirmed"
    DONE = "done"
