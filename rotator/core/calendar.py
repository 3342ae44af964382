"""When a rotation may begin by the calendar: maintenance windows by the clock on the wall, freezes, groups. Pure.

A window is a matter of wall clocks: it is open whenever the clock in its zone shows a time within it. So where a clock
is put forward, a window that would begin in the hour that does not exist begins right after it; where it is put back,
a window in the hour that comes twice is open twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final

from rotator.core.durations import NEVER

MINUTE: Final = 60.0
MIDNIGHT: Final = 24 * 60
"""The end of a day, in minutes."""

EVERY_DAY: Final = frozenset(range(7))

_AHEAD: Final = 9
"""Days in which a weekly window must begin again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Hours of a week in which a rotation may begin.

    Attributes:
        days: weekdays on which it begins, Monday is 0.
        start: minutes after midnight at which it begins.
        end: minutes after midnight at which it ends; not later than `start` where it crosses midnight.
        zone: whose wall clock counts.
        zone_name: as people know the zone.
    """

    days: frozenset[int] = EVERY_DAY
    start: int = 0
    end: int = MIDNIGHT
    zone: tzinfo = UTC
    zone_name: str = "UTC"

    def holds(self, at: float) -> bool:
        """Whether a moment (unix seconds) lies within."""
        local = datetime.fromtimestamp(at, self.zone)
        minutes, day = local.hour * 60 + local.minute, local.weekday()
        if self.start < self.end:
            return day in self.days and self.start <= minutes < self.end
        before = (day - 1) % 7 in self.days
        return (day in self.days and minutes >= self.start) or (before and minutes < self.end)

    def opens(self, at: float) -> float:
        """Return the first moment from `at` on that lies within; `NEVER` where none comes."""
        if self.holds(at):
            return at
        today = datetime.fromtimestamp(at, self.zone).date()
        days = (today + timedelta(days=ahead) for ahead in range(_AHEAD))
        return min((found for day in days for found in self._begins(day) if found > at), default=NEVER)

    def _begins(self, day: date) -> Iterable[float]:
        """Moments of a day at which it begins: two where that hour comes twice, the next hour where there is none."""
        if day.weekday() not in self.days:
            return
        wall = datetime(day.year, day.month, day.day, self.start // 60, self.start % 60, tzinfo=self.zone)
        first, second = sorted(wall.replace(fold=fold).timestamp() for fold in (0, 1))
        found = first
        while found <= second:
            if self.holds(found) and not self.holds(found - MINUTE):
                yield found
            found += MINUTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Freeze:
    """A time in which no rotation begins; `since` and `until` in unix seconds, `reason` for people."""

    since: float
    until: float
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Credentials that are never rotated together; `min_gap` seconds lie between two of their rotations."""

    name: str
    min_gap: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """What the calendar says of one credential; without windows every hour is one."""

    windows: tuple[Window, ...] = ()
    freezes: tuple[Freeze, ...] = ()
    group: Group | None = field(default=None)

    def frozen(self, at: float) -> Freeze | None:
        """Return the freeze that lasts at a moment, the one that ends last where there are several."""
        lasting = [freeze for freeze in self.freezes if freeze.since <= at < freeze.until]
        return max(lasting, key=lambda freeze: freeze.until, default=None)

    def opens(self, at: float) -> float:
        """Return the first moment from `at` on at which a rotation may begin; `NEVER` where none comes."""
        while True:
            freeze = self.frozen(at)
            after = freeze.until if freeze else min((window.opens(at) for window in self.windows), default=at)
            if after in (at, NEVER):
                return after
            at = after


ALWAYS: Final = Hours()


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """What a group needs to know of one of its members.

    Attributes:
        name: its name.
        rotating: whether a rotation of it is open that is not confirmed yet.
        last: when its last rotation began or was confirmed, unix seconds; 0 before any.
    """

    name: str
    rotating: bool
    last: float


@dataclass(frozen=True, slots=True)
class Turn:
    """Whether a member of a group may begin: the member that rotates now, else when the gap after the last one ends."""

    rotating: str = ""
    until: float = 0.0


def turn(group: Group, peers: Sequence[Peer]) -> Turn:
    """Return what the other members of a group leave to one of them."""
    busy = min((peer.name for peer in peers if peer.rotating), default="")
    last = max((peer.last for peer in peers), default=0.0)
    return Turn(rotating=busy, until=last + group.min_gap if last and group.min_gap else 0.0)
