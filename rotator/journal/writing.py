"""What only a journal that was opened for writing has: this process's own file, its leases, its captures, its keys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rotator.journal.captures import Captures
from rotator.journal.database import Clock, Database
from rotator.journal.leases import Leases
from rotator.journal.owners import Owners
from rotator.journal.rekey import Keys
from rotator.journal.room import Room
from rotator.journal.sealing import Seal


@dataclass(frozen=True, slots=True)
class Writing:
    """The parts with which a process writes to one journal."""

    owners: Owners
    leases: Leases
    captures: Captures
    room: Room
    keys: Keys


def writing(
    db: Database, me: Owners, clock: Clock, crash: Callable[[str], None], seal: Seal, patience: float
) -> Writing:
    """Return the parts; `patience` in seconds as `Leases` has it."""
    captures, room = Captures(me, crash, outlive=db.loses), Room(db, me, crash)
    keys = Keys(db, clock, crash, seal.keys, me, captures, room)
    return Writing(me, Leases(db, me, clock, crash, patience), captures, room, keys)
