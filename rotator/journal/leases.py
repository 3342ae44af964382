"""Who may work on a stream or write to a place, and the fencing number of that right.

A lease whose holder is dead (its owner file can be locked) is taken over at once, one of a stopped process after its
time to live, by boot time. Every change of hands raises the epoch, and the epoch never falls.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

from rotator.core.errors import Fenced, JournalUnsafe, Unavailable
from rotator.core.ids import CredentialId
from rotator.core.ports.journal import Lease
from rotator.journal.database import Database, run
from rotator.journal.owners import Clock, Owners

TTL_SECONDS: Final = 30.0
"""How long a process that lives but does nothing (stopped, suspended) keeps a lease."""

_RENEW_BELOW: Final = TTL_SECONDS * 2 / 3
_PLACE: Final = "place:"

_TAKE: Final = (
    "INSERT INTO lease (name, holder, epoch, expires, boot_id) VALUES (:name, :by, 1, :until, :boot)"
    " ON CONFLICT (name) DO UPDATE SET epoch = epoch + (holder <> excluded.holder), holder = excluded.holder,"
    " expires = excluded.expires, boot_id = excluded.boot_id"
    " WHERE holder IN ('', :by, :of) OR boot_id <> :boot OR expires <= :now"
    " RETURNING epoch, (SELECT woken_at IS NOT NULL FROM stream WHERE id = :name)"
)
_NOTE: Final = (
    "UPDATE stream SET next_at = min(coalesce(:at, next_at), coalesce(woken_at, :at, next_at)), woken_at = NULL,"
    " why = :why WHERE id = :name"
    " AND EXISTS (SELECT 1 FROM lease WHERE name = :name AND holder = :by AND epoch = :epoch) RETURNING 1"
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
            self._free(lease)

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
            fresh, _ = self.standing(connection, lease)
        if not fresh:
            with self._db.write(durable=False, single=True) as connection:
                self.renew(connection, lease)

    def standing(self, connection: sqlite3.Connection, lease: Lease) -> tuple[bool, int]:
        """Return whether the lease needs no renewal yet, and at which position its stream ends: all that a fact asks.

        Raises:
            Fenced: it is somebody else's.
        """
        row = run(
            connection,
            "SELECT holder, epoch, expires, boot_id, (SELECT coalesce(max(position), 0) FROM fact WHERE stream = name)"
            " FROM lease WHERE name = ?",
            (lease.stream,),
        )
        if not row or row[0][:2] != (lease.holder, lease.epoch):
            raise _fenced(lease)
        _, _, expires, boot_id, ends = row[0]
        return boot_id == self._clock.boot_id() and expires - self._clock.boot() > _RENEW_BELOW, int(ends)

    def renew(self, connection: sqlite3.Connection, lease: Lease) -> None:
        """Extend the lease in the caller's transaction, or raise `Fenced`."""
        renewed = run(
            connection,
            "UPDATE lease SET expires = ?, boot_id = ? WHERE name = ? AND holder = ? AND epoch = ? RETURNING 1",
            (self._clock.boot() + TTL_SECONDS, self._clock.boot_id(), lease.stream, lease.holder, lease.epoch),
        )
        if not renewed:
            raise _fenced(lease)

    def mine(self, connection: sqlite3.Connection, stream: CredentialId) -> bool:
        """Whether this process has the lease of the stream, as far as the table says."""
        row = run(connection, "SELECT holder FROM lease WHERE name = ?", (stream,))
        return bool(row) and row[0][0] == self._owners.me

    def raise_epoch(self, lease: Lease, above: int) -> Lease:
        """Let the epoch go on above `above`; raise `Fenced` when the lease is somebody else's."""
        with self._db.write() as connection:
            raised = run(
                connection,
                "UPDATE lease SET epoch = max(epoch, ?) + 1 WHERE name = ? AND holder = ? AND epoch = ?"
                " RETURNING epoch",
                (above, lease.stream, lease.holder, lease.epoch),
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
                self._free(taken)

    def _free(self, lease: Lease) -> None:
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
                row = run(connection, "SELECT holder FROM lease WHERE name = ?", (name,))
            holder = str(row[0][0]) if row else ""
            if holder and not self._owners.alive(holder.partition("/")[0]):
                lease, wished = self._take(name, by, of=holder)
        return lease, wished

    def _take(self, name: str, by: str, of: str) -> tuple[Lease | None, bool]:
        """Write the lease for `by` where it is free, has ended, is ours already, or still that of the dead `of`."""
        now, boot_id = self._clock.boot(), self._clock.boot_id()
        with self._db.write(durable=False, single=True) as connection:
            row = run(
                connection,
                _TAKE,
                {"name": name, "by": by, "until": now + TTL_SECONDS, "boot": boot_id, "now": now, "of": of},
            )
        return (Lease(CredentialId(name), row[0][0], by), bool(row[0][1])) if row else (None, False)


def _fenced(lease: Lease) -> Fenced:
    return Fenced(f"working on stream {lease.stream} under epoch {lease.epoch}: another process took over")
