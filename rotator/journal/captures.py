"""Captures on their way to safety: sealed once, spooled, then committed; and the import of others' spools.

A capture is accepted at any epoch and from anybody, because it may be the only copy of a value. What is written to the
spool is the very fact that goes into the journal, so that repeating any part of the way changes nothing.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from rotator.core.errors import JournalUnsafe
from rotator.core.facts import Draft, Fact, Kind
from rotator.journal.database import unsafe
from rotator.journal.owners import Owners
from rotator.journal.records import DRAFT, make
from rotator.journal.sealing import Sealed, pack, unpack
from rotator.journal.spool import records

_PLACE: Final = ("fact_id", "stream", "epoch", "writer", "sealed_id")


@dataclass(frozen=True, slots=True)
class Envelope:
    """A capture before it has its position: the fact (position 0), and the sealed value."""

    fact: Fact
    sealed: Sealed

    @property
    def key(self) -> tuple[str, str, int, str]:
        """What makes a capture unique."""
        return (self.fact.stream, self.fact.rid, self.fact.attempt, self.fact.fingerprint)

    def to_bytes(self) -> bytes:
        """Return the record for a spool; the value in it is encrypted."""
        fact = {
            name: getattr(self.fact, name) for name in (*DRAFT, "fact_id", "stream", "epoch", "writer", "sealed_id")
        }
        return json.dumps({"fact": {**fact, "detail": dict(self.fact.detail)}, "sealed": pack(self.sealed)}).encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> Envelope:
        """Read what `to_bytes` wrote.

        Raises:
            ValueError: it is something else.
        """
        try:
            data = json.loads(content)
            place = {name: data["fact"][name] for name in _PLACE}
            found = {name: data["fact"][name] for name in DRAFT}
            draft = Draft(**{**found, "kind": Kind(found["kind"])})
            return cls(make(draft, position=0, **place), unpack(data["sealed"]))
        except (KeyError, TypeError) as error:
            raise ValueError("this is not a spooled capture") from error


class Captures:
    """The captures of this process that are spooled, and the spools of all others."""

    def __init__(self, owners: Owners, crash: Callable[[str], None]) -> None:
        self._owners = owners
        self._crash = crash
        self._lock = threading.Lock()
        self._spooled: dict[tuple[str, str, int, str], tuple[int, Envelope]] = {}

    def spool(self, envelope: Envelope) -> None:
        """Make a capture durable in this process's file; once is enough.

        Raises:
            JournalUnsafe: the disk refuses; the value lives in memory alone.

        Crash: leaves the whole capture, or none.
        """
        if self.find(envelope.key) is not None:
            return
        try:
            handle = self._owners.spool.write(envelope.to_bytes())
        except OSError as error:
            raise unsafe("spooling a captured value", error) from error
        with self._lock:
            self._spooled[envelope.key] = (handle, envelope)

    def find(self, key: tuple[str, str, int, str]) -> Envelope | None:
        """Return the spooled capture with that key, if this process has it."""
        with self._lock:
            found = self._spooled.get(key)
        return found[1] if found else None

    def drop(self, key: tuple[str, str, int, str]) -> None:
        """Wipe the spooled copy of what the journal holds now; a disk that refuses leaves a harmless copy."""
        with self._lock:
            found = self._spooled.pop(key, None)
        if found:
            try:
                self._owners.spool.drop(found[0])
            except OSError:
                return

    def collect(self, commit: Callable[[Envelope], object]) -> None:
        """Commit every capture that lies in any spool, this process's own included, and bury the dead.

        Files of living processes are read too: one of them may be stopped between its spool and its commit.

        Raises:
            JournalUnsafe: one of them could not be committed; nothing was removed.

        Crash: leaves spools whose captures are imported again, which changes nothing.
        """
        with self._lock:
            own = [envelope for _, envelope in self._spooled.values()]
        for envelope in own:
            commit(envelope)
            self.drop(envelope.key)
        for owner in self._owners.others():
            dead = not self._owners.alive(owner)
            try:
                found = [Envelope.from_bytes(record) for record in records(self._owners.path(owner))]
            except (OSError, ValueError) as error:
                raise JournalUnsafe(
                    f"importing the spool {self._owners.path(owner)}: {error}",
                    "keep that file: it may hold the only copy of a value; move it away once you know that it does not",
                ) from error
            for envelope in found:
                self._crash("before_spool_import")
                commit(envelope)
                self._crash("after_spool_import")
            if dead:
                self._owners.bury(owner)
