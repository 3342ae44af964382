"""How a fact gets into its stream: judged, chained and inserted in one transaction, on the fold of all before it.

Views are cached, so that the facts of a stream are folded once; every transaction asks for what others wrote since.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from rotator.core.errors import IllegalFact, JournalUnsafe
from rotator.core.facts import Fact
from rotator.core.ids import CredentialId
from rotator.core.protocol.fold import fold
from rotator.core.protocol.steps import legal
from rotator.core.protocol.view import View, blank
from rotator.journal import chain, records
from rotator.journal.captures import Envelope
from rotator.journal.crash_names import around
from rotator.journal.database import Clock, Connection, Database, run
from rotator.journal.sealing import Seal, Sealed
from rotator.journal.stored import StoredViews
from rotator.journal.streams import keep

_CACHED_VIEWS: Final = 20_000
"""Views kept in memory, the least recently used going first: some 5 KiB each."""

_ENDS: Final = (
    "SELECT stream, position, hash FROM fact WHERE (stream, position) IN"
    " (SELECT stream, max(position) FROM fact GROUP BY stream)"
)

End = tuple[int, str]
"""Position and hash of the last fact of a stream; position 0 of an empty one."""

Judge = Callable[[Connection], End | None]
"""Raises what forbids the write; may return where the stream ends, so that nobody asks for it again."""

Beside = Callable[[Connection], None]
"""What else is written in the same transaction, once the fact is judged."""


@dataclass(frozen=True, slots=True)
class _Head:
    """The end of a stream as it was last seen: nothing before it is read again."""

    position: int
    hash: str
    view: View


class Ledger:
    """The facts of all streams. Safe to share between threads."""

    def __init__(
        self, db: Database, clock: Clock, crash: Callable[[str], None], instance: str, seal: Seal | None
    ) -> None:
        """Without a `seal` it can be read and nothing more."""
        self._db = db
        self._clock = clock
        self._crash = crash
        self._instance = instance
        self._seal = seal
        self._stored = StoredViews(db, seal)
        self._heads: OrderedDict[CredentialId, _Head] = OrderedDict()
        self._lock = threading.Lock()

    def view(self, stream: CredentialId) -> View:
        """Return the fold of all facts of the stream, as of now."""
        with self._db.read() as connection:
            head, news = self._head(connection, stream)
        if news:
            self._remember(stream, head)
        return head.view

    def views(self) -> dict[str, View]:
        """Return the views of all streams that have facts: only what was written since the last time is read."""
        found: dict[str, View] = {}
        with self._db.read() as connection:
            for stream, position, ends in run(connection, _ENDS):
                head, news = self._head(connection, stream, (position, ends))
                if news:
                    self._remember(stream, head)
                found[stream] = head.view
        return found

    def insert(self, fact: Fact, sealed: Sealed | None, judge: Judge, beside: Beside) -> View:
        """Insert a fact (and the value that it brings) with `beside`, if it is legal; return the view with it.

        Raises:
            IllegalFact: the protocol does not allow it now.
            JournalUnsafe: it is not known to be durable.

        Crash: leaves the fact with its value, or nothing.
        """
        before, behind = around(fact.kind)
        self._crash(before)

        def work(connection: Connection) -> _Head:
            head, _ = self._head(connection, fact.stream, judge(connection))
            why = legal(head.view, fact)
            if why:
                raise IllegalFact(f"recording {fact.kind} in stream {fact.stream}: {why}")
            beside(connection)
            return self._chain(connection, head, fact, sealed)

        head = self._db.transact(work, fact_id=fact.fact_id, stream=fact.stream)
        self._remember(fact.stream, head)
        self._crash(behind)
        return head.view

    def capture(self, envelope: Envelope, beside: Beside) -> View:
        """Insert a capture unless it is there; never refused, whatever the protocol thinks: it may be the only copy.

        Raises:
            JournalUnsafe: it is not known to be durable.

        Crash: leaves the capture, or nothing.
        """
        fact = envelope.fact
        before, behind = around(fact.kind)
        self._crash(before)

        def work(connection: Connection) -> _Head:
            known = run(
                connection,
                "SELECT 1 FROM fact WHERE stream = ? AND rid = ? AND attempt = ? AND fingerprint = ?"
                " AND kind = 'captured'",
                envelope.key,
            )
            head, _ = self._head(connection, fact.stream)
            if not known:
                if not head.position:
                    keep(connection, fact.stream)
                beside(connection)
                head = self._chain(connection, head, fact, envelope.sealed)
            return head

        head = self._db.transact(work, fact_id=fact.fact_id, stream=fact.stream)
        self._remember(fact.stream, head)
        self._crash(behind)
        return head.view

    def _chain(self, connection: Connection, head: _Head, fact: Fact, sealed: Sealed | None) -> _Head:
        if self._seal is None:
            raise JournalUnsafe("writing to the journal: it was opened without its key", "set state.encryption_key")
        fact = replace(fact, position=head.position + 1)
        clock = self._clock
        record = records.record(
            fact, instance=self._instance, boot_id=clock.boot_id(), boot_time=clock.boot(), previous=head.hash
        )
        record = chain.link(self._seal.chain_key, record, sealed.digest if sealed else "")
        if sealed is not None:
            records.insert_sealed(connection, self._seal.current(sealed))
        records.insert(connection, record)
        return _Head(fact.position, record.hash, fold(head.view, fact))

    def _head(self, connection: Connection, stream: CredentialId, ends: End | None = None) -> tuple[_Head, bool]:
        """The end of the stream (at `ends`, if that is known), and whether it moved since it was last remembered.

        What is remembered counts only while the database still holds it: one that lost commits is folded anew.
        """
        with self._lock:
            known = self._heads.get(stream)
        head = known or self._start(connection, stream)
        fresh = known is None and head.position > 0
        if ends is not None and ends[0] == head.position and (ends[0] == 0 or ends[1] == head.hash):
            return head, fresh
        found = records.after(connection, stream, max(0, head.position - 1))
        if head.position and found and (found[0].position, found[0].hash) == (head.position, head.hash):
            del found[0]
        elif head.position:
            with self._lock:
                self._heads.pop(stream, None)
            head = _Head(0, chain.genesis(stream), blank())
            found = records.after(connection, stream, 0)
        for record in found:
            head = _Head(record.position, record.hash, fold(head.view, record.fact()))
        return head, fresh or bool(found)

    def _start(self, connection: Connection, stream: CredentialId) -> _Head:
        """Where folding begins: after the view that is kept of a stream, else before its first fact."""
        kept = self._stored.load(connection, stream)
        return _Head(0, chain.genesis(stream), blank()) if kept is None else _Head(*kept)

    def keep(self, limit: int) -> None:
        """Keep the views of streams that have grown, at most `limit` of them, for the next start.

        Raises:
            JournalUnsafe: the journal cannot be written; nothing but time is lost by that.
        """
        with self._lock:
            grown = [(s, head) for s, head in self._heads.items() if self._stored.wants(s, head.position)][:limit]
        self._stored.keep((s, (head.position, head.hash, head.view)) for s, head in grown)

    def _remember(self, stream: CredentialId, head: _Head) -> None:
        """Keep what is committed; of two threads the one that saw more wins."""
        with self._lock:
            known = self._heads.get(stream)
            if known is None or known.position < head.position:
                self._heads[stream] = head
            self._heads.move_to_end(stream)
            if len(self._heads) > _CACHED_VIEWS:
                self._heads.popitem(last=False)
