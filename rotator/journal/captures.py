"""Captures on their way to safety: sealed once, spooled, then committed; and the import of others' spools.

A capture is accepted at any epoch and from anybody, because it may be the only copy of a value. What is written to the
spool is the very fact that goes into the journal, so that repeating any part of the way changes nothing.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final, cast

from rotator.core.encoding import COLUMNS, decode, encode
from rotator.core.errors import JournalUnsafe
from rotator.core.facts import Captured, Draft, Fact, Kind, What
from rotator.core.ids import CredentialId
from rotator.core.protocol.view import View
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


def under_way(view: View, envelope: Envelope) -> bool:
    """Whether what a capture was made for is not over: until its value is confirmed it may be lost, and given back.

    Args:
        view: of its stream.
        envelope: the capture.
    """
    member = view.pair.get(envelope.what.token_id)
    if member is not None:
        return member.captured == envelope.what.fingerprint
    rotation = view.rotation
    return rotation is not None and rotation.rid == envelope.fact.rid and rotation.step is not Kind.CONFIRMED


class Captures:
    """The captures of this process that are spooled, and the spools of all others.

    Where a database may lose what it has committed (a failover to a standby that was behind), the spooled copy outlives
    the commit, and goes when the value is confirmed, or what it was made for is over.
    """

    def __init__(self, owners: Owners, crash: Callable[[str], None], *, outlive: bool = False) -> None:
        """`outlive`: whether the database may lose commits."""
        self._owners = owners
        self._crash = crash
        self._outlive = outlive
        self._lock = threading.Lock()
        self._spooled: dict[tuple[str, str, int, str], tuple[int, Envelope]] = {}
        self._committed: dict[tuple[str, str, int, str], tuple[int, Envelope]] = {}

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
            found = self._spooled.get(key) or self._committed.get(key)
        return found[1] if found else None

    def waiting(self) -> int:
        """Return how many captures of this process the journal does not hold yet."""
        with self._lock:
            return len(self._spooled)

    def rewrap(self, wrap: Callable[[Sealed], Sealed]) -> None:
        """Spool what lies in this process's file once more as `wrap` returns it, and wipe what was there.

        Raises:
            JournalUnsafe: the disk refuses; the old copy stays.

        Crash: leaves the old copy, the new one, or both.
        """
        for held in (self._spooled, self._committed):
            with self._lock:
                found = dict(held)
            for key, (handle, envelope) in found.items():
                new = replace(envelope, sealed=wrap(envelope.sealed))
                try:
                    place = self._owners.spool.write(new.to_bytes())
                    with self._lock:
                        there = held.get(key)
                        if there is not None:
                            held[key] = (place, new)
                    self._owners.spool.drop(handle if there is not None else place)
                except OSError as error:
                    raise unsafe("spooling a captured value under another key", error) from error

    def committed(self, key: tuple[str, str, int, str]) -> None:
        """The journal holds a capture now: wipe the spooled copy, unless it has to outlive that."""
        if not self._outlive:
            self._drop(self._spooled, key)
            return
        with self._lock:
            found = self._spooled.pop(key, None)
            if found:
                self._committed[key] = found

    def settle(self, stream: CredentialId, view: View) -> None:
        """Wipe the copies that outlived their commit and are needed no more, as the `view` of their stream says."""
        with self._lock:
            over = [
                key
                for key, (_, envelope) in self._committed.items()
                if key[0] == stream and not under_way(view, envelope)
            ]
        for key in over:
            self._drop(self._committed, key)

    def again(self) -> None:
        """The database lost commits: what was kept of them is committed once more at the next import."""
        with self._lock:
            self._spooled |= self._committed
            self._committed.clear()

    def _drop(
        self, held: dict[tuple[str, str, int, str], tuple[int, Envelope]], key: tuple[str, str, int, str]
    ) -> None:
        """Wipe a spooled copy; a disk that refuses leaves a harmless one."""
        with self._lock:
            found = held.pop(key, None)
        if found:
            with suppress(OSError):
                self._owners.spool.drop(found[0])

    def collect(self, commit: Callable[[Envelope], View]) -> None:
        """Commit every capture that lies in any spool, this process's own included, and bury the dead.

        What a dead process had to keep, this one keeps. Files of living processes are read too: one of them may be
        stopped between its spool and its commit.

        Raises:
            JournalUnsafe: one of them could not be committed; nothing was removed.

        Crash: leaves spools whose captures are imported again, which changes nothing.
        """
        with self._lock:
            own = [envelope for _, envelope in self._spooled.values()]
        for envelope in own:
            commit(envelope)
            self.committed(envelope.key)
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
                view = commit(envelope)
                if dead and self._outlive and under_way(view, envelope):
                    self.spool(envelope)
                    self.committed(envelope.key)
                self._crash("after_spool_import")
            if dead:
                self._owners.bury(owner)
