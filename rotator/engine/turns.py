"""The turn of a credential in its group: the other members' facts are read, and one member plans at a time."""

from __future__ import annotations

from collections.abc import Callable

from rotator.core.calendar import turn
from rotator.core.errors import Unavailable
from rotator.core.protocol.rules import Look, Result, Seen, Sight
from rotator.core.schedule.holds import peer_of
from rotator.engine.work import Work


def taken(work: Work, of: str) -> Seen:
    """What do the other members of the group leave to this one?"""
    at, group = work.now, work.credential.hours.group
    if group is None:
        return Seen(at, Result.GOOD)
    peers = work.fleet.peers(work.credential)
    found = turn(group, [peer_of(name, work.journal.view(stream)) for stream, name in peers.items()])
    return Seen(at, Result.BAD if found.rotating else Result.GOOD, subject=found.rotating, until=found.until)


def in_turn(work: Work, plan: Callable[[], None], free: Callable[[], bool]) -> None:
    """Plan a rotation while nobody else of the group can.

    Two processes that both saw that nobody rotates would both begin; so the others are looked at again under a lease of
    the group, and `free` is asked again. Where it is not free any more nothing is done: the next decision waits.
    """
    group, seen = work.credential.hours.group, Look(Sight.TURN)
    if group is None:
        plan()
        return
    try:
        with work.journal.place(work.lease, f"group:{group.name}"):
            work.memory.seen[seen] = taken(work, "")
            if free():
                plan()
    except Unavailable:  # another member plans at this moment
        work.memory.seen[seen] = Seen(work.now, Result.BAD, subject=group.name)
