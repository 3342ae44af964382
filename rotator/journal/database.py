"""The seam between the journal and its database: what every statement is run on, and what a connector promises.

Facts, sealing, chain and fencing are one code above it. Below it are two connectors: `sqlite` for one machine and
`postgres` for several. They differ in how a transaction begins and ends, in whose clock counts, and in what tells who
lives. Statements are written once, with `?` or `:name`, in what both dialects take.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from rotator.core.errors import JournalUnsafe
from rotator.core.ids import NO_CREDENTIAL, NO_FACT, CredentialId, FactId

Parameters = Sequence[Any] | dict[str, Any]
Answer = TypeVar("Answer")

UNBOUNDED: Final = 1 << 62
"""A LIMIT that is none, for both dialects."""


class Clock(Protocol):
    """The readings of the machine's clocks that a journal needs (`rotator.host.clock.SystemClock` has them)."""

    def utc(self) -> float:
        """Wall time in unix seconds."""

    def boot(self) -> float:
        """Seconds since boot, suspend included."""

    def boot_id(self) -> str:
        """A name of this boot."""

    def wait(self, seconds: float) -> bool:
        """Sleep; True when interrupted."""


class Rows(Protocol):
    """What a statement answers."""

    def fetchall(self) -> list[Any]:
        """Every row that was not fetched yet; an empty list from a statement that answers none."""

    def __iter__(self) -> Iterator[Any]:
        """Yield the rows one by one."""


class Connection(Protocol):
    """A connection that is lent for a while: `sqlite3.Connection` is one as it is."""

    def execute(self, statement: str, parameters: Any = ..., /) -> Rows:
        """Run one statement."""


def run(connection: Connection, statement: str, parameters: Parameters = ()) -> list[Any]:
    """Execute one statement and fetch everything, which is what makes its errors visible; return the rows.

    Raises:
        sqlite3.Error, psycopg.Error: as the driver says.
    """
    return connection.execute(statement, parameters).fetchall()


class Database(Protocol):
    """What a connector does for the journal. Safe to share between threads."""

    name: str
    """Where it is, for messages: a path, or an address without a password."""

    beside: Path
    """What the files of processes are named after: the name of each begins with it."""

    locks_tell: bool
    """Whether the lock on its file tells if a process lives: on one machine it does, among several it cannot."""

    loses: bool
    """Whether it may lose what it has committed, as a failover to a standby that was behind does."""

    lock: str
    """What ends a SELECT that locks the rows which it finds; empty where one transaction writes at a time anyway."""

    def read(self, *, snapshot: bool = False) -> AbstractContextManager[Connection]:
        """Lend a connection for reading; with `snapshot` all statements see one moment.

        Raises:
            JournalUnsafe: the database cannot be read.
        """

    def write(
        self, *, fact_id: FactId = NO_FACT, durable: bool = True, single: bool = False
    ) -> AbstractContextManager[Connection]:
        """Run the body in one transaction; on return it is committed.

        Args:
            fact_id: the fact that the body inserts; an unknown COMMIT is decided by looking for it.
            durable: False for what a power cut may undo (lease renewals, the rate budget).
            single: the body is one statement.

        Raises:
            JournalUnsafe: nothing was written, or it is not known to be durable.

        Crash: a kill inside leaves the whole transaction or nothing.
        """

    def transact(
        self,
        work: Callable[[Connection], Answer],
        *,
        fact_id: FactId = NO_FACT,
        stream: CredentialId = NO_CREDENTIAL,
        durable: bool = True,
    ) -> Answer:
        """Return what `work` returns, whose transaction is committed then; where writers collide it runs again.

        Args:
            work: changes nothing but the database; may run several times.
            fact_id: the fact that it inserts; an unknown COMMIT is decided by looking for it.
            stream: the stream of that fact, whose row it locks first.
            durable: as `write`.

        Raises:
            JournalUnsafe: as `write`.
        """

    def now(self, connection: Connection, clock: Clock) -> tuple[str, float]:
        """Return the time that all processes on the journal share, and the name of the boot in which it counts.

        It is the machine's boot time where there is one machine, else the database's clock in unix seconds.
        """

    def alone(self, connection: Connection, what: str) -> None:
        """Wait until no other transaction that asked for the same `what` is open; until the end of this one.

        For what reads many rows before it writes one. Where one transaction writes at a time there is nothing to do.
        """

    def probe(self, statement: str, parameters: Parameters = ()) -> list[Any]:
        """Run one query on a connection opened for it: what it finds does not live in a cache of ours.

        Raises:
            JournalUnsafe: it cannot be opened or read.
        """

    def in_place(self) -> None:
        """Raise `JournalUnsafe` when the database was removed or replaced: what is written then is seen by nobody."""

    def take_up(self, *, look: bool = False) -> bool:
        """Let this process go on where the database failed over, see `failover`; True when it had since the last call.

        With `look` it also notes whether commits wait for a standby now.

        Raises:
            JournalUnsafe: it cannot be reached.
        """

    def tidy(self) -> bool:
        """Drop what the database still keeps of keys that it has forgotten; False when it has to be asked again.

        Raises:
            JournalUnsafe: the disk refuses.
        """

    def complaints(self) -> list[str]:
        """Return what the database's own check of its integrity says; empty when nothing is wrong or none exists."""

    def doubts(self) -> list[tuple[str, str]]:
        """Return (message, remedy) of what may lose a commit and is no reason to refuse the database."""

    def sizes(self) -> dict[str, int]:
        """Return database_bytes and log_bytes."""

    def close(self) -> None:
        """Close every connection."""


def unsafe(doing: str, error: Exception) -> JournalUnsafe:
    """Return the `JournalUnsafe` that says what was being done, what the store answered, and what to do about it."""
    if isinstance(error, OSError):
        name, said = errno.errorcode.get(error.errno or 0, type(error).__name__), error.strerror or str(error)
    elif state := getattr(error, "sqlstate", None):
        name, said = f"SQLSTATE {state}", _first_line(error)
    else:
        name, said = getattr(error, "sqlite_errorname", None) or type(error).__name__, _first_line(error)
    remedy = next((remedy for prefix, remedy in _REMEDIES if name.startswith(prefix)), "run `rotator check`")
    return JournalUnsafe(f"{doing}: {said} ({name})", remedy)


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]


AWAY: Final = (
    "look whether the database runs, can be reached at state.url, and takes this user and password; rotator goes on by "
    "itself as soon as it answers"
)
_RIGHTS: Final = "give the role of state.url the rights that docs/postgresql.md lists"
_WRITABLE: Final = "make the journal, its -wal and -shm files and their folder writable for the user of the daemon"
_LOCKED: Final = "another program holds the journal locked (a backup tool?); let it finish or stop it"
_FULL_DISK: Final = "free space on the file system that holds the journal; nothing is minted or revoked until then"
_BAD_DISK: Final = "the disk answers with errors: check it before anything else, then restart the daemon"
_REMEDIES: Final = (
    *((name, _FULL_DISK) for name in ("SQLITE_FULL", "ENOSPC", "EDQUOT", "EFBIG")),
    *((name, _WRITABLE) for name in ("SQLITE_READONLY", "EROFS", "EACCES", "EPERM")),
    *((name, _LOCKED) for name in ("SQLITE_BUSY", "SQLITE_LOCKED")),
    *((name, "raise the limit of open files of the daemon (LimitNOFILE, ulimit -n)") for name in ("EMFILE", "ENFILE")),
    ("SQLITE_CORRUPT", "the file is damaged: stop the daemon, keep a copy of it, and restore the last backup"),
    ("SQLITE_NOTADB", "this file is not an SQLite database: check state.url, or restore the last backup"),
    ("SQLITE_CANTOPEN", "create the folder of the journal, and let the daemon's user enter it and write to it"),
    *((name, _BAD_DISK) for name in ("SQLITE_IOERR", "EIO")),
    ("SQLSTATE 53300", "the database has no connection left: raise max_connections, or put a pooler before it"),
    ("SQLSTATE 53", "the database is short of disk or memory; nothing is minted or revoked until it has some"),
    ("SQLSTATE 42501", _RIGHTS),
    ("SQLSTATE 42P01", "a table is missing: look at the search_path of the role of state.url"),
    ("SQLSTATE 25006", "the database takes no writes: let state.url lead to the primary"),
    ("SQLSTATE 55P03", "another transaction holds a row locked for too long; look at pg_stat_activity"),
    ("SQLSTATE XX", "the database is damaged: stop every daemon, and restore a backup"),
    *((name, AWAY) for name in ("SQLSTATE 08", "SQLSTATE 57", "SQLSTATE 28", "SQLSTATE 3D", "OperationalError")),
    ("ConnectionTimeout", AWAY),
)
