"""Captures on their way to safety: sealed once, spooled, then committed; and the import of others' spools.

A capture is accepted at any epoch and from anybody, because it may be the only copy of a value. What is written to the
spool is the very fact that goes into the journal, so that repeating any part of the way changes nothing.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, cast

from rotator.core.encoding import COLUMNS, decode, encode
from rotator.core.errors import JournalUnsafe
from rotator.core.facts import Captured, Draft, Fact, What
from rotator.journal.database import unsafe
from rotator.journal.owners import Owners
from rotator.journal.records import placed
from rotator.journal.sealing import Sealed, pack, unpack
from rotator.journal.spool import records

_SAID: Final = ("at", "rid", "actor", "principal", "owner")
_PLACE: Final = ("fact_id", "stream", "epoch", "writer", "sealed_id")


@dataclass(frozen=True, slots=True)
class Envelope:
    """A capture before it has its position: the fact (position 0), and the sealed value."""

    fact: Fact
    sealed: Sealed

    @property
    def key(self) -> tuple[str, str, int, str]:
        """What makes a capture unique."""
        return (self.fact.stream, self.fact.rid, self.what.attempt, self.what.fingerprint)

    @property
    def what(self) -> Captured:
        """What the capture tells."""
        return cast("Captured", self.fact.what)

    def to_bytes(self) -> bytes:
        """Return the record for a spool; the value in it is encrypted."""
        columns, detail = encode(self.fact.what)
        fact = {name: getattr(self.fact, name) for name in (*_SAID, *_PLACE)}
        fact |= {"kind": self.fact.kind.value, **dict(zip(COLUMNS, columns, strict=True)), "detail": detail}
        return json.dumps({"fact": fact, "sealed": pack(self.sealed)}).encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> Envelope:
        """Read what `to_bytes` wrote.

        Raises:
            ValueError: it is something else.
        """
        try:
            data = json.loads(content)
            found = data["fact"]
            place = {name: found[name] for name in _PLACE}
            what = decode(found["kind"], tuple(found[name] for name in COLUMNS), found["detail"])
            draft = Draft(what=_capture(what), **{name: found[name] for name in _SAID})
            return cls(placed(draft, position=0, **place), unpack(data["sealed"]))
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError("this is not a spooled capture") from error


def _capture(what: What) -> Captured:
    if not isinstance(what, Captured):
        raise TypeError("it is another kind of fact")
    return what


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

    def rewrap(self, wrap: Callable[[Sealed], Sealed]) -> None:
        """Spool what lies in this process's file once more as `wrap` returns it, and wipe what was there.

        Raises:
            JournalUnsafe: the disk refuses; the old copy stays.

        Crash: leaves the old copy, the new one, or both.
        """
        with self._lock:
            found = dict(self._spooled)
        for key, (handle, envelope) in found.items():
            new = replace(envelope, sealed=wrap(envelope.sealed))
            try:
                place = self._owners.spool.write(new.to_bytes())
                with self._lock:
                    there = self._spooled.get(key)
                    if there is not None:
                        self._spooled[key] = (place, new)
                self._owners.spool.drop(handle if there is not None else place)
            except OSError as error:
                raise unsafe("spooling a captured value under another key", error) from error

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
