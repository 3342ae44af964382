"""Who may work on a stream or write to a place, and the fencing number of that right.

A lease whose holder is dead (its owner file can be locked) is taken over at once, one of a stopped process after its
time to live, by the time that all share. Among several machines no lock tells who is dead: there a lease also ends when
this process saw no sign of its holder for a while of its own time, so that a clock that goes back keeps nothing for
ever. Every change of hands raises the epoch, and the epoch never falls.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

from rotator.core.errors import Fenced, JournalUnsafe, Unavailable
from rotator.core.ids import CredentialId
from rotator.core.ports.journal import Lease
from rotator.journal.database import Clock, Connection, Database, run
from rotator.journal.ledger import End
from rotator.journal.owners import Owners

TTL_SECONDS: Final = 30.0
"""How long a process that lives but does nothing (stopped, suspended) keeps a lease."""

SILENT_SECONDS: Final = 45.0
"""How long a process among several machines must give no sign of life before its lease is taken, whatever it says."""

_RENEW_BELOW: Final = TTL_SECONDS * 2 / 3
_PLACE: Final = "place:"
_CONSUMER: Final = "consumer:"

_TAKE: Final = (
    "INSERT INTO lease (name, holder, epoch, expires, boot_id) VALUES (:name, :by, 1, :until, :boot)"
    " ON CONFLICT (name) DO UPDATE SET"
    " epoch = lease.epoch + CASE WHEN lease.holder = excluded.holder THEN 0 ELSE 1 END,"
    " holder = excluded.holder, expires = excluded.expires, boot_id = excluded.boot_id"
    " WHERE lease.holder IN ('', :by, :of) OR lease.boot_id <> :boot OR lease.expires <= :now"
    " RETURNING epoch, (SELECT woken_at IS NOT NULL FROM stream WHERE id = :name)"
)
_NOTE: Final = (
    "UPDATE stream SET next_at = CASE WHEN woken_at < coalesce(:at, next_at) THEN woken_at"
    " ELSE coalesce(:at, next_at) END, woken_at = NULL, why = :why WHERE id = :name"
    " AND EXISTS (SELECT 1 FROM lease WHERE name = :name AND holder = :by AND epoch = :epoch) RETURNING 1"
)
_STANDING: Final = (
    "SELECT holder, epoch, expires, boot_id,"
    " (SELECT max(position) FROM fact WHERE stream = lease.name),"
    " (SELECT hash FROM fact WHERE stream = lease.name ORDER BY position DESC LIMIT 1)"
    " FROM lease WHERE name = ?"
)


class Leases:
    """The table of leases, seen from one process."""

    def __init__(
        self, db: Database, owners: Owners, clock: Clock, crash: Callable[[str], None], patience: float
    ) -> None:
        """`patience`: seconds for which `place` waits for another writer before it gives up."""
        self._db = db
        self._owners = owners
        self._clock = clock
        self._crash = crash
        self._patience = patience
        self._seen: dict[str, tuple[object, float]] = {}

    def claim(self, stream: CredentialId) -> Lease | None:
        """Take or renew the lease of a stream; None while a living process holds it. Wishes so far are met now.

        Crash: leaves the lease of a dead process, which anybody may take; wishes that are forgotten only with its end.
        """
        self._crash("before_lease")
        # Not flushed: what is done under this epoch comes after a fact of it, whose commit keeps this one, too.
        lease, wished = self._obtain(stream, self._owners.me)
        if lease is None:
            return None
        if wished:
            with self._db.write(durable=False, single=True) as connection:
                run(connection, "UPDATE stream SET woken_at = NULL WHERE id = ?", (stream,))
        self._crash("after_lease")
        return lease

    def release(self, lease: Lease, next_at: float | None, why: str) -> None:
        """Give the lease back; the noted time is `next_at`, or earlier where somebody wished so meanwhile.

        A power cut may undo it: the lease then ends with the boot, and the credential is looked at once too often.

        Crash: leaves the note and the lease of a dead process, which anybody may take.
        """
        said = {"at": next_at, "why": why, "name": lease.stream, "by": lease.holder, "epoch": lease.epoch}
        with self._db.write(durable=False, single=True) as connection:
            noted = run(connection, _NOTE, said)
        if noted:
            self.free(lease)

    def consumer(self, name: str) -> Lease | None:
        """Take or renew the right to pass facts on for a consumer; None while another living process has it."""
        return self._obtain(_CONSUMER + name, self._owners.me)[0]

    def release_all(self) -> None:
        """Give back every lease of this process."""
        with self._db.write() as connection:
            run(
                connection,
                "UPDATE lease SET holder = '' WHERE holder = ? OR holder LIKE ?",
                (self._owners.me, f"{self._owners.me}/%"),
            )

    def check(self, lease: Lease) -> None:
        """Renew the lease, or raise `Fenced`. Writes only when a third of its time is over."""
        with self._db.read() as connection:
            fresh, _ = self.standing(connection, lease, lock=False)
        if not fresh:
            with self._db.write(durable=False, single=True) as connection:
                self.renew(connection, lease)

    def standing(self, connection: Connection, lease: Lease, *, lock: bool = True) -> tuple[bool, End]:
        """Return whether the lease needs no renewal yet, and where its stream ends: all that a fact asks.

        Raises:
            Fenced: it is somebody else's.
        """
        row = run(connection, _STANDING + (self._db.lock if lock else ""), (lease.stream,))
        if not row or row[0][:2] != (lease.holder, lease.epoch):
            raise _fenced(lease)
        _, _, expires, boot_id, position, hash_ = row[0]
        boot, now = self._db.now(connection, self._clock)
        return boot_id == boot and expires - now > _RENEW_BELOW, (position or 0, hash_ or "")

    def renew(self, connection: Connection, lease: Lease) -> None:
        """Extend the lease in the caller's transaction, or raise `Fenced`."""
        boot, now = self._db.now(connection, self._clock)
        renewed = run(
            connection,
            "UPDATE lease SET expires = ?, boot_id = ? WHERE name = ? AND holder = ? AND epoch = ? RETURNING 1",
            (now + TTL_SECONDS, boot, lease.stream, lease.holder, lease.epoch),
        )
        if not renewed:
            raise _fenced(lease)

    def mine(self, connection: Connection, stream: CredentialId) -> bool:
        """Whether this process has the lease of the stream, as far as the table says."""
        row = run(connection, "SELECT holder FROM lease WHERE name = ?", (stream,))
        return bool(row) and row[0][0] == self._owners.me

    def raise_epoch(self, lease: Lease, above: int) -> Lease:
        """Let the epoch go on above `above`; raise `Fenced` when the lease is somebody else's."""
        with self._db.write() as connection:
            raised = run(
                connection,
                "UPDATE lease SET epoch = CASE WHEN epoch > :above THEN epoch ELSE :above END + 1"
                " WHERE name = :name AND holder = :by AND epoch = :epoch RETURNING epoch",
                {"above": above, "name": lease.stream, "by": lease.holder, "epoch": lease.epoch},
            )
            if not raised:
                raise _fenced(lease)
        return Lease(lease.stream, raised[0][0], lease.holder)

    @contextmanager
    def place(self, lease: Lease, place: str) -> Iterator[None]:
        """Hold the lease of a place; waits a little for another writer.

        Raises:
            Unavailable: somebody else writes there, still.
            Fenced: the lease of the stream is somebody else's.
        """
        taken = self._take_place(lease, place)
        try:
            yield
        finally:
            # Whoever took it over meanwhile has it now; and if the journal fails, its time to live ends it.
            with suppress(JournalUnsafe):
                self.free(taken)

    def free(self, lease: Lease) -> None:
        """Give a lease back without a word; nothing happens when it is somebody else's."""
        with self._db.write(durable=False, single=True) as connection:
            run(
                connection,
                "UPDATE lease SET holder = '' WHERE name = ? AND holder = ? AND epoch = ?",
                (lease.stream, lease.holder, lease.epoch),
            )

    def _take_place(self, lease: Lease, place: str) -> Lease:
        # Threads of one process exclude each other here too, so the holder is this one write, not the process.
        name, holder = _PLACE + place, f"{lease.holder}/{secrets.token_hex(4)}"
        give_up = self._clock.boot() + self._patience
        while True:
            # Not flushed: a power cut ends every holder, and what is written under it follows a flushed publish intent.
            with self._db.write(durable=False, single=True) as connection:
                self.renew(connection, lease)
            taken, _ = self._obtain(name, holder)
            if taken is not None:
                return taken
            if self._clock.boot() >= give_up or self._clock.wait(0.05):
                raise Unavailable(
                    f"writing to {place}: another rotation writes there", "it is tried again automatically"
                )

    def _obtain(self, name: str, by: str) -> tuple[Lease | None, bool]:
        """Take a lease that is free, or whose holder is dead; also tell whether its stream was wished for meanwhile."""
        lease, wished = self._take(name, by, of="")
        if lease is None:
            with self._db.read() as connection:
                row = run(connection, "SELECT holder, epoch, expires FROM lease WHERE name = ?", (name,))
                holder = str(row[0][0]) if row else ""
                owner = holder.partition("/")[0]
                dead = bool(holder) and self._is_dead(connection, name, owner, row[0])
            if dead:
                lease, wished = self._take(name, by, of=holder)
        if lease is not None:
            self._seen.pop(name, None)
        return lease, wished

    def _is_dead(self, connection: Connection, name: str, owner: str, found: tuple[object, ...]) -> bool:
        """Whether the holder of a lease is dead: its lock says so, or it gave no sign of life while we looked."""
        if self._db.locks_tell:
            return not self._owners.alive(owner)
        beat = run(connection, "SELECT beat FROM process WHERE owner = ?", (owner,))
        sign, now = (*found, *beat), self._clock.boot()
        known, since = self._seen.setdefault(name, (sign, now))
        if known != sign:
            self._seen[name] = (sign, now)
            return False
        return now - since >= SILENT_SECONDS

    def _take(self, name: str, by: str, of: str) -> tuple[Lease | None, bool]:
        """Write the lease for `by` where it is free, has ended, is ours already, or still that of the dead `of`."""
        with self._db.write(durable=False, single=True) as connection:
            boot, now = self._db.now(connection, self._clock)
            row = run(
                connection,
                _TAKE,
                {"name": name, "by": by, "until": now + TTL_SECONDS, "boot": boot, "now": now, "of": of},
            )
        return (Lease(CredentialId(name), row[0][0], by), bool(row[0][1])) if row else (None, False)


def _fenced(lease: Lease) -> Fenced:
    return Fenced(f"working on stream {lease.stream} under epoch {lease.epoch}: another process took over")
