"""The journal: `core.ports.journal.Journal` and what status, history and audit ask beyond it.

It decides nothing: `protocol.steps.legal` judges every fact, inside the transaction that inserts it. The work is done
by the modules beside this one; here they meet.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import replace

from rotator.core.errors import IllegalFact, JournalUnsafe
from rotator.core.facts import UNFENCED, Captured, Draft, Fact, Kind, OfValue
from rotator.core.ids import NO_CREDENTIAL, CredentialId, Fingerprint, RotationId, TokenId
from rotator.core.ports.journal import Due, Lease
from rotator.core.protocol.view import View
from rotator.core.secret import Secret
from rotator.journal import owners, records, stored
from rotator.journal.audit import Audit
from rotator.journal.budget import SharedBudget
from rotator.journal.captures import Envelope
from rotator.journal.cursors import Cursors
from rotator.journal.database import Clock, Connection, Database, run
from rotator.journal.failover import Failover
from rotator.journal.ledger import End, Ledger
from rotator.journal.pace import Pace
from rotator.journal.presence import Presence
from rotator.journal.rekey import Rekeyed
from rotator.journal.room import counts
from rotator.journal.sealing import Seal, Sealed
from rotator.journal.streams import Streams, forget, wake
from rotator.journal.writing import Writing, writing

_DESTROY = "UPDATE sealed SET wrapped_key = NULL, destroyed_at = ? WHERE credential = ? AND destroyed_at IS NULL"


class SqlJournal:
    """`Journal` over one database. Safe to share between threads; made by `open.open_journal`.

    One that was opened for reading answers what needs no write, and what needs no key unless one was given.
    """

    def __init__(
        self,
        db: Database,
        clock: Clock,
        crash: Callable[[str], None],
        *,
        instance: str,
        seal: Seal | None,
        me: owners.Owners | None,
        patience: float = 5.0,
    ) -> None:
        self.instance = instance
        self.watch_values: Callable[[Secret], None] = lambda value: None
        """Told of every value that passes, so that the log can scrub it wherever it turns up."""
        self.elsewhere: Callable[[CredentialId], bool] = lambda stream: False
        """Whether another machine has to do the work of a stream: it is neither due nor to be claimed here."""
        self._db = db
        self._clock = clock
        self._crash = crash
        self._seal_or_none = seal
        self.streams = Streams(db)
        self.presence = Presence(db, clock)
        self.audit = Audit(db, self._seal)
        self.pace = Pace(db)
        self._ledger = Ledger(db, clock, crash, instance, seal)
        self._epochs: dict[str, int] = {}
        self._failover = Failover(db, clock)
        self._writing: Writing | None = None
        if me is not None and seal is not None:
            self._writing = writing(db, me, clock, crash, seal, patience)
        self.cursors = Cursors(db, self._writing.leases if self._writing else None)

    # ------------------------------------------------------------------------------------------------ the right to work

    def claim(self, stream: CredentialId) -> Lease | None:
        """Take or renew the lease; None while a living process holds it, or it is another machine's. See `Journal`."""
        if self.elsewhere(stream):
            return None
        self._failover.take_up(self._work.captures)
        lease = self._work.leases.claim(stream)
        if lease is not None:
            self._epochs[stream] = lease.epoch
            # After the lease, not before: a holder that died this instant may have spooled a value this instant.
            self.import_spools()
            self._failover.mark(lease, self.append)
        return lease

    def release(self, lease: Lease, next_at: float | None, why: str = "") -> None:
        """Give the lease back; nothing happens when it is somebody else's. See `Journal.release`."""
        self._work.leases.release(lease, next_at, why)

    def noted(self, stream: CredentialId) -> str:
        """Return the last word that was noted on release. See `Journal.noted`."""
        return self.streams.noted(stream)

    def check(self, lease: Lease) -> None:
        """Renew the lease, or raise `Fenced`."""
        self._work.leases.check(lease)

    def raise_epoch(self, lease: Lease, above: int) -> Lease:
        """Let epochs go on above one that was seen outside."""
        raised = self._work.leases.raise_epoch(lease, above)
        self._epochs[lease.stream] = raised.epoch
        return raised

    def place(self, lease: Lease, place: str) -> AbstractContextManager[None]:
        """Hold the lease of a place while writing to it. See `Journal.place`."""
        return self._work.leases.place(lease, place)

    # -------------------------------------------------------------------------------------------------------- the facts

    def view(self, stream: CredentialId) -> View:
        """Return the fold of all facts of the stream, as of now."""
        return self._ledger.view(stream)

    def append(self, lease: Lease, draft: Draft, value: Secret | None = None) -> View:
        """Make a fact durable, fenced. See `Journal.append`.

        Crash: leaves the fact, with its sealed value, or nothing.
        """
        sealed: Sealed | None = None
        if value is not None:
            draft, sealed = self._sealed(lease.stream, draft, value)
        fact, leases, fresh = self._fact(lease.stream, lease.epoch, draft, sealed), self._work.leases, True

        def fenced(connection: Connection) -> End:
            nonlocal fresh
            fresh, ends = leases.standing(connection, lease)
            return ends

        def renewed(connection: Connection) -> None:
            if not fresh:
                leases.renew(connection, lease)

        view = self._ledger.insert(fact, sealed, fenced, renewed)
        self._work.captures.settle(lease.stream, view)
        return view

    def note(self, stream: CredentialId, draft: Draft) -> View:
        """Append an operator's fact, and wake the stream. See `Journal.note`."""
        if draft.kind not in UNFENCED or draft.kind is Kind.CAPTURED:
            raise IllegalFact(f"noting {draft.kind} in stream {stream}: only the holder of its lease may do that")

        def woken(connection: Connection) -> None:
            wake(connection, stream, 0.0)

        fact = self._fact(stream, self._epochs.get(stream, 0), draft, None)
        return self._ledger.insert(fact, None, lambda connection: None, woken)

    def forget(self, stream: CredentialId, draft: Draft) -> None:
        """Let go of a credential that left the configuration: its last fact, and with it the keys of its values.

        Raises:
            IllegalFact: it is configured, or something of it is open.

        Crash: leaves everything as it was, or all of it done.
        """

        def ended(connection: Connection) -> None:
            if not forget(connection, stream):
                raise IllegalFact(f"forgetting stream {stream}: it stands in the configuration")
            run(connection, _DESTROY, (self._clock.utc(), stream))

        fact = self._fact(stream, self._epochs.get(stream, 0), draft, None)
        self._ledger.insert(fact, None, lambda connection: None, ended)
        self._work.room.forget()

    def stream_of(self, rid: RotationId, *, managed: bool = False) -> CredentialId:
        """Return the stream whose rotation has that id, or an empty string. See `Journal.stream_of`.

        It passes over all facts, so ask it rarely.
        """
        with self._db.read() as connection:
            found = run(
                connection,
                "SELECT stream.id FROM fact JOIN stream ON stream.id = fact.stream"
                " WHERE rid = ? AND managed >= ? LIMIT 1",
                (rid, managed),
            )
        return CredentialId(found[0][0]) if found else NO_CREDENTIAL

    def owner_of(self, fingerprint: Fingerprint, but: CredentialId) -> tuple[CredentialId, TokenId, bool] | None:
        """Return (stream, token id, managed) of a value of another stream than `but`. See `Journal.owner_of`."""
        with self._db.read() as connection:
            found = run(
                connection,
                "SELECT stream.id, sealed.token_id, stream.managed FROM stream JOIN sealed"
                " ON sealed.credential = stream.id AND sealed.fingerprint = ? WHERE stream.id != ?"
                " ORDER BY stream.managed DESC LIMIT 1",
                (fingerprint, but),
            )
        return (CredentialId(found[0][0]), TokenId(found[0][1]), bool(found[0][2])) if found else None

    def facts(self, stream: CredentialId | None = None, after: int = 0, limit: int | None = None) -> Iterator[Fact]:
        """Yield the facts of one stream after a position, or of all in the order in which they were written.

        Args:
            stream: id, or None for the whole journal.
            after: a position, or with None how many facts of the journal to pass over.
            limit: at most that many.
        """
        if stream is not None:
            with self._db.read() as connection:
                found = records.after(connection, stream, after)
            yield from (record.fact() for record in found[:limit])
            return
        with self._db.read() as connection:
            for record in records.ordered(connection, by_stream=False, since=after, limit=limit):
                yield record.fact()

    def views(self) -> dict[str, View]:
        """Return the views of all streams that have facts: for `status` of a whole fleet."""
        return self._ledger.views()

    # ------------------------------------------------------------------------------------------------------- the values

    def spool(self, stream: CredentialId, draft: Draft, value: Secret) -> None:
        """Make a capture durable in this process's own file: the first statement after a mint. See `Journal.spool`."""
        self._work.captures.spool(self._envelope(stream, draft, value))

    def capture(self, stream: CredentialId, draft: Draft, value: Secret) -> View:
        """Make a capture durable at any epoch; repeating it is harmless. See `Journal.capture`."""
        envelope = self._envelope(stream, draft, value)
        view = self._commit_capture(envelope)
        self._work.captures.committed(envelope.key)
        return view

    def import_spools(self) -> None:
        """Bring every spooled capture of every process, dead or alive, into the journal."""
        self._work.captures.collect(self._commit_capture)

    def reveal(self, stream: CredentialId, fingerprint: Fingerprint) -> Secret:
        """Open the sealed value with that fingerprint. See `Journal.reveal`."""
        with self._db.read() as connection:
            found = records.sealed_of(connection, stream, fingerprint)
        for sealed in found:
            if sealed.wrapped_key:
                value = self._seal().open(sealed)
                self.watch_values(value)
                return value
        why = "the key was destroyed with its token" if found else "no value with that fingerprint was ever sealed"
        raise KeyError(f"revealing a value of stream {stream}: {why}")

    def fingerprint(self, value: Secret) -> Fingerprint:
        """Return the HMAC of the value under the instance's sealed key, in hexadecimal."""
        self.watch_values(value)
        return self._seal().fingerprint(value)

    def canary(self) -> None:
        """Prove room: a row written, read back on a connection of its own and decrypted; the spool preallocated."""
        self._work.room.prove(self._seal())

    def destroy(self, stream: CredentialId, token_id: TokenId) -> None:
        """Destroy the keys of the sealed values of a token that is deleted. See `Journal.destroy`.

        Crash: leaves the keys, or none of them; the write-ahead log is emptied at the next heartbeat at the latest.
        """
        self._crash("before_key_destroy")
        with self._db.write(single=True) as connection:
            run(connection, f"{_DESTROY} AND token_id = ?", (self._clock.utc(), stream, token_id))
        self._work.room.forget()
        self._crash("after_key_destroy")

    # --------------------------------------------------------------------------------------------- streams and due-ness

    def due(self, connection: str, now: float, limit: int) -> Sequence[Due]:
        """Return streams of the connection whose noted time is at most `now` (provider time), soonest first."""
        wanted = limit
        while True:
            found = self.streams.due(connection, now, wanted)
            ours = [due for due in found if not self.elsewhere(due.stream)]
            if len(ours) >= limit or len(found) < wanted:
                return ours[:limit]
            wanted *= 2

    def wake(self, streams: Iterable[CredentialId], at: float = 0.0) -> None:
        """Let streams be due no later than `at`, also those that somebody works on just now."""
        self.streams.wake(streams, at)

    def budget(self, connection: str, requests: int, window: float) -> SharedBudget:
        """Return the shared rate budget of a connection: at most `requests` in every sliding `window` seconds."""
        return SharedBudget(self._db, self._clock, connection, requests, window)

    # ----------------------------------------------------------------------------------------------------- housekeeping

    @property
    def owner(self) -> str:
        """Id of this process: holder of its leases and writer of its facts."""
        return self._work.owners.me

    def in_place(self) -> None:
        """Raise `JournalUnsafe` when the file was removed or replaced under us."""
        self._work.room.in_place()

    def heartbeat(self, listener: str | None = None) -> None:
        """Say that this process lives, and where it listens; look whether file and key are still the same.

        Raises:
            JournalUnsafe: the file was removed or replaced under us.
        """
        self.in_place()
        self._failover.take_up(self._work.captures, look=True)
        self._work.owners.beat(listener)
        self._work.keys.refresh()
        self._work.room.tidy()
        self._ledger.keep(stored.AT_ONCE)

    def rekey(self, patience: float) -> Rekeyed:
        """Wrap the key of every living value with the first key of the key file, and open each once; see `Keys`."""
        return self._work.keys.rekey(patience, self.import_spools)

    def counts(self) -> dict[str, int]:
        """Return sizes: facts, credentials, values, values_destroyed, spooled, database_bytes, log_bytes."""
        return {**counts(self._db), "spooled": self._writing.captures.waiting() if self._writing else 0}

    def close(self) -> None:
        """Give back every lease, leave, and close the file. Never raises `JournalUnsafe`: it is the last act."""
        if self._writing is not None:
            with suppress(JournalUnsafe):
                self._ledger.keep(stored.AT_THE_END)
            with suppress(JournalUnsafe):
                self._writing.leases.release_all()
            with suppress(JournalUnsafe):
                self._db.tidy()
            self._writing.owners.leave()
        self._db.close()

    # ------------------------------------------------------------------------------------------------------- the inside

    def _commit_capture(self, envelope: Envelope) -> View:
        """Insert a capture; whoever works on its stream instead of us must look at it.

        Raises:
            JournalUnsafe: it is not known to be durable, or the file was replaced meanwhile; keep the spooled copy.
        """

        def woken(connection: Connection) -> None:
            if not self._work.leases.mine(connection, envelope.fact.stream):
                wake(connection, envelope.fact.stream, 0.0)

        view = self._ledger.capture(envelope, woken)
        self._work.room.in_place()  # what stands in a file that no name leads to any more ends with this process
        return view

    def _fact(self, stream: CredentialId, epoch: int, draft: Draft, sealed: Sealed | None) -> Fact:
        return records.placed(
            draft,
            fact_id=secrets.token_hex(16),
            stream=stream,
            position=0,
            epoch=epoch,
            writer=self.owner,
            sealed_id=sealed.sealed_id if sealed else "",
        )

    def _envelope(self, stream: CredentialId, draft: Draft, value: Secret) -> Envelope:
        """The spooled capture of that value where there is one, else a new one."""
        fingerprint = self._seal().fingerprint(value)
        attempt = draft.what.attempt if isinstance(draft.what, Captured) else 0
        known = self._work.captures.find((stream, draft.rid, attempt, fingerprint))
        if known is not None:
            return known
        draft, sealed = self._sealed(stream, draft, value)
        return Envelope(self._fact(stream, self._epochs.get(stream, 0), draft, sealed), sealed)

    def _sealed(self, stream: CredentialId, draft: Draft, value: Secret) -> tuple[Draft, Sealed]:
        """A fact that brings a value, with the value's fingerprint, and the sealed value."""
        what = draft.what
        if not isinstance(what, OfValue):
            raise IllegalFact(f"recording {draft.kind} in stream {stream}: it brings no value")
        attempt = what.attempt if isinstance(what, Captured) else 0
        sealed = self._seal().seal(stream, draft.rid, attempt, what.token_id, value)
        return replace(draft, what=replace(what, fingerprint=sealed.fingerprint)), sealed

    @property
    def _work(self) -> Writing:
        if self._writing is None:
            raise JournalUnsafe("writing to the journal: it was opened for reading")
        return self._writing

    def _seal(self) -> Seal:
        if self._seal_or_none is None:
            raise JournalUnsafe("decrypting the journal: it was opened without its key", "set state.encryption_key")
        return self._seal_or_none
