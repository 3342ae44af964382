"""Who lives: one locked file per process beside the journal, and a row that tells people who that is.

The kernel drops the lock with its process, however it dies, so the answer needs no clock. The same file is the spool of
that process. A stopped process keeps its lock; leases have a time to live for that.
"""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rotator.core.errors import JournalUnsafe
from rotator.host.locks import FileLock, is_locked
from rotator.journal.database import Clock, Connection, Database, run, unsafe
from rotator.journal.spool import Spool

FRESH_SECONDS: Final = 30.0
"""A daemon whose heartbeat is older does not count as running, whatever its lock says: it hangs, or is stopped."""

_DEAD_SECONDS: Final = 86400.0
"""A process of another machine that was silent for so long is forgotten."""


SEALS_UNDER: Final = "key:"
"""What the name of a row of `meta` begins with in which a process says under which key it seals."""

NODE: Final = "node:"
"""The same for the node of a process."""

_SAYS: Final = "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"


@dataclass(frozen=True, slots=True)
class Process:
    """A process that has the journal open for writing.

    Attributes:
        owner: its id: holder of leases, writer of facts.
        kind: `run` for the daemon, `once` for everything else.
        host: name of the machine.
        node: what the configuration calls that machine; empty where an earlier version runs.
        pid: process id there.
        started: wall time in unix seconds.
        heartbeat: wall time of its last sign of life.
        listener: address of its HTTP listener, or empty.
        alive: whether its lock is held and its heartbeat fresh.
        hangs: whether its lock is held though its heartbeat is old: it is stopped, or the disk takes nothing.
    """

    owner: str
    kind: str
    host: str
    pid: int
    started: float
    heartbeat: float
    listener: str
    alive: bool
    hangs: bool = False
    node: str = ""


class Owners:
    """The owner files beside one journal, and this process's own."""

    def __init__(self, db: Database, clock: Clock, crash: Callable[[str], None], node: str = "") -> None:
        """Take this process's own file.

        Raises:
            JournalUnsafe: the folder is not writable.

        Crash: leaves a file that nobody holds; the next process removes it.
        """
        self._db = db
        self._clock = clock
        self._prefix = f"{db.beside.name}-process-"
        self.me = secrets.token_hex(8)
        self._node = node
        self._kind, self._under, self._listener = "once", "", ""
        try:
            self._lock = FileLock(self.path(self.me))
            if not self._lock.acquire(timeout=5):
                raise JournalUnsafe(f"locking {self.path(self.me)}: another process holds it", "start again")
            self.spool = Spool(self.path(self.me), crash)
        except OSError as error:
            raise unsafe(f"making a file beside the journal {db.name}", error) from error

    def path(self, owner: str) -> Path:
        """Return the file of a process."""
        return self._db.beside.with_name(self._prefix + owner)

    def others(self) -> list[str]:
        """Return the ids of all other processes that left or hold a file, dead ones included."""
        start = len(self._prefix)
        return sorted(
            name[start:]
            for name in os.listdir(self._db.beside.parent)  # noqa: PTH208 - asked at every claim; Path objects cost more
            if name.startswith(self._prefix) and name[start:] != self.me
        )

    def alive(self, owner: str) -> bool:
        """Whether the process still has its lock, stopped or not."""
        return owner == self.me or is_locked(self.path(owner))

    def bury(self, owner: str) -> None:
        """Remove the file of a dead process, whose spool must be imported; one that lives after all stays."""
        lock = FileLock(self.path(owner))
        if lock.acquire(timeout=0):
            try:
                self.path(owner).unlink(missing_ok=True)
            finally:
                lock.release()
            with self._db.write(durable=False) as connection:
                _gone(connection, owner)

    def announce(self, kind: str, under: str) -> None:
        """Write this process's row: the first write of every writer, which shows whether the journal can be written.

        Args:
            kind: `run` or `once`.
            under: id of the key under which it seals.
        """
        self._kind, self._under, wall = kind, under, self._clock.utc()
        with self._db.write() as connection:
            if not self._db.locks_tell:
                self._forget_the_old(connection)
            boot, now = self._db.now(connection, self._clock)
            run(
                connection,
                "INSERT INTO process (owner, kind, host, pid, started, heartbeat, beat, boot_id, listener)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (self.me, kind, socket.gethostname(), os.getpid(), wall, wall, now, boot, self._listener),
            )
            run(connection, _SAYS, (SEALS_UNDER + self.me, under))
            run(connection, _SAYS, (NODE + self.me, self._node))

    def seals(self, under: str) -> None:
        """Say under which key this process seals from now on; whoever changes the key waits until all say the new one.

        It follows every commit of what was sealed under another one.
        """
        self._under = under
        with self._db.write() as connection:
            run(connection, _SAYS, (SEALS_UNDER + self.me, under))

    def beat(self, listener: str | None) -> None:
        """Refresh this process's heartbeat, and its listener unless None."""
        self._listener = self._listener if listener is None else listener
        with self._db.write(durable=False, single=True) as connection:
            boot, now = self._db.now(connection, self._clock)
            known = run(
                connection,
                "UPDATE process SET heartbeat = ?, beat = ?, boot_id = ?, listener = coalesce(?, listener)"
                " WHERE owner = ? RETURNING 1",
                (self._clock.utc(), now, boot, listener, self.me),
            )
        if not known:  # a database that was failed over lost it, or it was silent for so long that it counted as dead
            self.announce(self._kind, self._under)

    def _forget_the_old(self, connection: Connection) -> None:
        """Remove the rows of processes of any machine that gave no sign of life for a day."""
        since = self._db.now(connection, self._clock)[1] - _DEAD_SECONDS
        for (owner,) in run(connection, "SELECT owner FROM process WHERE beat < ?", (since,)):
            _gone(connection, owner)

    def leave(self) -> None:
        """Give up the lock; remove the file and the row unless the spool still holds what the journal does not."""
        if self.spool.close():  # first: what came into a file that goes would count as safe, and be lost
            with suppress(JournalUnsafe), self._db.write(durable=False) as connection:
                _gone(connection, self.me)
            with suppress(OSError):
                self.path(self.me).unlink(missing_ok=True)
        self._lock.release()


def _gone(connection: Connection, owner: str) -> None:
    """Remove the rows of a process: who it was, its canary, and what it said under which key it seals."""
    run(connection, "DELETE FROM process WHERE owner = ?", (owner,))
    run(connection, "DELETE FROM canary WHERE owner = ?", (owner,))
    run(connection, "DELETE FROM meta WHERE name IN (?, ?)", (SEALS_UNDER + owner, NODE + owner))


def spools(database: Path) -> list[Path]:
    """Return the files of all processes beside a journal on SQLite, living and dead: locks and spools in one."""
    try:
        names = sorted(name for name in os.listdir(database.parent) if name.startswith(f"{database.name}-process-"))  # noqa: PTH208
    except OSError:
        return []
    return [database.with_name(name) for name in names]


def processes(db: Database, clock: Clock) -> list[Process]:
    """Return the processes that have the journal open for writing or died with it, oldest first."""
    with db.read() as connection:
        boot, now = db.now(connection, clock)
        rows = run(
            connection,
            "SELECT owner, kind, host, pid, started, heartbeat, listener, beat, boot_id FROM process ORDER BY started",
        )
        nodes = dict(run(connection, "SELECT name, value FROM meta WHERE name LIKE ?", (f"{NODE}%",)))
    return [
        Process(
            owner=owner,
            kind=kind,
            host=host,
            pid=pid,
            started=started,
            heartbeat=heartbeat,
            listener=listener,
            alive=fresh and held,
            hangs=held and not fresh,
            node=nodes.get(NODE + owner, ""),
        )
        for owner, kind, host, pid, started, heartbeat, listener, beat, boot_id in rows
        for fresh in [boot_id == boot and now - beat < FRESH_SECONDS]
        for held in [_holds(db, owner, fresh)]
    ]


def _holds(db: Database, owner: str, fresh: bool) -> bool:
    """Whether a process still has its lock; a file that we may not open tells nothing, so its heartbeat decides."""
    if not db.locks_tell:
        return fresh
    path = db.beside.with_name(f"{db.beside.name}-process-{owner}")
    return is_locked(path) and (fresh or os.access(path, os.R_OK | os.W_OK))
