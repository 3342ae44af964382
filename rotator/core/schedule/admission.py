"""Which starts are held back. The breaker paces a fleet that is due all at once, it never stops one. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from rotator.core.credential import DAY, HOUR
from rotator.core.ids import CredentialId

SMALL: Final = 10
"""Fleets below that are never paced."""

MANY: Final = 0.2
"""Share of a fleet that may be due, or dead, at once without being remarkable."""

PER_HOUR: Final = 0.1
"""Share of a fleet that starts in an hour while it is paced."""

FEW: Final = 3
"""Dead values below that number are never an incident, however small the fleet."""


@dataclass(frozen=True, slots=True)
class Renewal:
    """What pacing needs to know of one credential; times in provider time.

    Attributes:
        due_at: when its ordinary rotation becomes due.
        expires_at: when its current token ends.
        lifetime: how long its tokens live, in seconds.
        planned_at: when its last rotation was planned.
    """

    due_at: float
    expires_at: float
    lifetime: float
    planned_at: float


def may_start(stream: CredentialId, fleet: Mapping[str, Renewal], now: float) -> bool:
    """Whether an ordinary rotation of that credential may start now.

    While more than a fifth of a fleet of ten or more is due, a tenth of it starts in an hour, the soonest expiry first.
    Lifetimes under a day are not paced, and what is not due itself waits for nobody: asked at every step, it answers
    without looking at the fleet.
    """
    mine = fleet.get(stream)
    if mine is None or mine.due_at > now or len(fleet) < SMALL or mine.lifetime < DAY:
        return True
    due = [(r.expires_at, name) for name, r in fleet.items() if r.due_at <= now]
    if len(due) <= MANY * len(fleet):
        return True
    started = sum(now - HOUR < r.planned_at <= now for r in fleet.values())
    room = max(1, int(PER_HOUR * len(fleet))) - started
    return room > 0 and (mine.expires_at, stream) in sorted(due)[:room]


def is_incident(dead: int, fleet: int) -> bool:
    """Whether so many of a connection's published values died at once that the provider, or we, must be wrong."""
    return dead >= FEW and dead > MANY * fleet
