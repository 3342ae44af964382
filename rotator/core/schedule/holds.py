"""What holds back a rotation that is due: clock, pace, windows, freezes, the turn of a group. Pure.

A table says which reasons for a rotation each of them holds back: nothing but a clock that nobody believes holds back
what is dead or about to die, and nothing at all what was revoked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rotator.core.calendar import Peer
from rotator.core.credential import Strategy
from rotator.core.durations import NEVER
from rotator.core.protocol.rules import TICK, Case, Look, Result, Sight, Verdict, Wait, look
from rotator.core.protocol.view import View
from rotator.core.reasons import Reason
from rotator.core.schedule.due import Due

TURN_FRESH: Final = 5.0
"""How old a look at the other members of a group may be, in seconds; when a rotation is planned they are asked anew."""

PATIENT: Final = frozenset(due for due in Due if not due.urgent)

HOLDS_BACK: Final[Mapping[Reason, frozenset[Due]]] = {
    Reason.CLOCK_SUSPECT: frozenset(Due) - {Due.REVOKED},
    Reason.PACING: PATIENT,
    Reason.FREEZE: PATIENT,
    Reason.WINDOW: PATIENT,
    Reason.GROUP: PATIENT | {Due.REQUESTED, Due.MOVED},
    Reason.GROUP_GAP: PATIENT,
}
"""A person who asks for a rotation is there when it happens; two of a group at once is what a group is against."""


def peer_of(name: str, view: View) -> Peer:
    """Return what a group needs to know of one of its members; the healing of drift is no rotation."""
    rotation = view.rotation
    rotating = rotation is not None and rotation.strategy is not Strategy.REPUBLISH
    return Peer(name=name, rotating=rotating, last=max(view.planned_at, view.confirmed_at))


def held_back(case: Case, why: Due) -> Verdict | None:
    """Return what a rotation that is due waits for, or what must be looked at first; None where it may begin."""
    hours, soon = case.credential.hours, case.now + case.watch
    if case.start and why in HOLDS_BACK[case.start]:
        return Wait(soon, case.start)
    if waits := by_calendar(case, why):
        return waits
    if hours.group is None or why not in HOLDS_BACK[Reason.GROUP]:
        return None
    seen = case.seen.get(Look(Sight.TURN))
    if seen is None or case.age(seen) > TURN_FRESH:
        return look(Sight.TURN)
    if seen.result is Result.BAD:
        return Wait(min(seen.at + TURN_FRESH + TICK, soon), Reason.GROUP, seen.subject)
    if case.now < seen.until and why in HOLDS_BACK[Reason.GROUP_GAP]:
        return Wait(min(seen.until + TICK, soon), Reason.GROUP_GAP, hours.group.name)
    return None


def by_calendar(case: Case, why: Due) -> Wait | None:
    """Return the freeze or the closed windows that a rotation waits for."""
    if why not in PATIENT:
        return None
    hours = case.credential.hours
    reason = Reason.FREEZE if hours.frozen(case.now) else Reason.WINDOW
    opens = hours.opens(case.now)
    if opens <= case.now:
        return None
    return Wait(case.now + case.watch if opens == NEVER else min(opens + TICK, case.now + case.watch), reason)
