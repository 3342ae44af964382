"""Which starts are held back. The breaker paces a fleet that is due all at once, it never stops one. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from heapq import nsmallest
from typing import Final

from rotator.core.credential import DAY, HOUR

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


def paced(mine: Renewal | None, size: int, now: float) -> bool:
    """Whether the pace of a fleet of that size holds for a credential at all.

    Not where it has no token, is not due itself, or lives less than a day, and not in a fleet of less than ten.
    """
    return mine is not None and mine.due_at <= now and size >= SMALL and mine.lifetime >= DAY


def admitted(fleet: Mapping[str, Renewal], now: float) -> frozenset[str] | None:
    """Return the streams of which an ordinary rotation may start now; None while no more than usual is due.

    While more than a fifth of a fleet is due, a tenth of it starts in an hour, the soonest expiry first. It looks at
    the whole fleet, so keep the answer for a moment.
    """
    due = [(r.expires_at, name) for name, r in fleet.items() if r.due_at <= now]
    if len(due) <= MANY * len(fleet):
        return None
    started = sum(now - HOUR < r.planned_at <= now for r in fleet.values())
    room = max(1, int(PER_HOUR * len(fleet))) - started
    return frozenset(name for _, name in nsmallest(max(0, room), due))


def is_incident(dead: int, fleet: int) -> bool:
    """Whether so many of a connection's published values died at once that the provider, or we, must be wrong."""
    return dead >= FEW and dead > MANY * fleet
