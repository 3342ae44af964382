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
        """Take or renew the lease of a stream; None while a living process holds it. Wishes so far are met now."""
        with self._db.read() as connection:
            if self._taken(connection, stream, self._owners.me):
                return None
        self._crash("before_lease")
        # Not flushed: what is done under this epoch comes after a fact of it, whose commit keeps this one, too.
        with self._db.write(durable=False) as connection:
            if self._taken(connection, stream, self._owners.me):
                return None
            lease = self._take(connection, stream, self._owners.me)
            run(connection, "UPDATE stream SET woken_at = NULL WHERE id = ?", (stream,))
        self._crash("after_lease")
        return lease

    def release(self, lease: Lease, next_at: float | None, why: str) -> None:
        """Give the lease back; the noted time is `next_at`, or earlier where somebody wished so meanwhile.

        A power cut may undo it: the lease then ends with the boot, and the credential is looked at once too often.
        """
        with self._db.write(durable=False) as connection:
            freed = run(
                connection,
                "UPDATE lease SET holder = '' WHERE name = ? AND holder = ? AND epoch = ? RETURNING 1",
                (lease.stream, lease.holder, lease.epoch),
            )
            if freed:
                run(
                    connection,
                    "UPDATE stream SET next_at = min(coalesce(?1, next_at), coalesce(woken_at, ?1, next_at)),"
                    " woken_at = NULL, why = ?2 WHERE id = ?3",
                    (next_at, why, lease.stream),
                )

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
            fresh = self.holds(connection, lease)
        if not fresh:
            with self._db.write(durable=False) as connection:
                self.renew(connection, lease)

    def holds(self, connection: sqlite3.Connection, lease: Lease) -> bool:
        """Return whether the lease needs no renewal yet; raise `Fenced` when it is somebody else's."""
        row = run(connection, "SELECT holder, epoch, expires, boot_id FROM lease WHERE name = ?", (lease.stream,))
        if not row or row[0][:2] != (lease.holder, lease.epoch):
            raise _fenced(lease)
        expires, boot_id = float(row[0][2]), str(row[0][3])
        return boot_id == self._clock.boot_id() and expires - self._clock.boot() > _RENEW_BELOW

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
            with suppress(JournalUnsafe), self._db.write(durable=False) as connection:
                run(
                    connection,
                    "UPDATE lease SET holder = '' WHERE name = ? AND holder = ? AND epoch = ?",
                    (taken.stream, taken.holder, taken.epoch),
                )

    def _take_place(self, lease: Lease, place: str) -> Lease:
        # Threads of one process exclude each other here too, so the holder is this one write, not the process.
        name, holder = _PLACE + place, f"{lease.holder}/{secrets.token_hex(4)}"
        give_up = self._clock.boot() + self._patience
        while True:
            # Not flushed: a power cut ends every holder, and what is written under it follows a flushed publish intent.
            with self._db.write(durable=False) as connection:
                self.renew(connection, lease)
                if not self._taken(connection, name, holder):
                    return self._take(connection, name, holder)
            if self._clock.boot() >= give_up or self._clock.wait(0.05):
                raise Unavailable(
                    f"writing to {place}: another rotation writes there", "it is tried again automatically"
                )

    def _taken(self, connection: sqlite3.Connection, name: str, by: str) -> bool:
        row = run(connection, "SELECT holder, expires, boot_id FROM lease WHERE name = ?", (name,))
        if not row or row[0][0] in ("", by):
            return False
        holder, expires, boot_id = row[0]
        lasts = boot_id == self._clock.boot_id() and expires > self._clock.boot()
        return lasts and self._owners.alive(holder.partition("/")[0])

    def _take(self, connection: sqlite3.Connection, name: str, by: str) -> Lease:
        """Write the lease for `by`, in the caller's transaction, which has seen that it may be had."""
        row = run(
            connection,
            "INSERT INTO lease (name, holder, epoch, expires, boot_id) VALUES (?, ?, 1, ?, ?)"
            " ON CONFLICT (name) DO UPDATE SET epoch = epoch + (holder <> excluded.holder), holder = excluded.holder,"
            " expires = excluded.expires, boot_id = excluded.boot_id RETURNING epoch",
            (name, by, self._clock.boot() + TTL_SECONDS, self._clock.boot_id()),
        )
        return Lease(CredentialId(name), row[0][0], by)


def _fenced(lease: Lease) -> Fenced:
    return Fenced(f"working on stream {lease.stream} under epoch {lease.epoch}: another process took over")
