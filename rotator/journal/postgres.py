"""The connector to PostgreSQL: transactions that fence by locked rows, and what is done when one of them is cut off.

It knows no facts and no leases. Every transaction is short; one that loses against another, or whose connection ends
before COMMIT was sent, left nothing and is run again. Of a COMMIT that nobody answered the fact itself tells, asked
while the row of its stream is locked: the server may still be working for the connection that is gone.
"""

from __future__ import annotations

import hashlib
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, cast

import psycopg
from psycopg.errors import DeadlockDetected, SerializationFailure, UniqueViolation

from rotator.core.errors import ConfigError, JournalUnsafe, Unavailable
from rotator.core.ids import NO_CREDENTIAL, NO_FACT, CredentialId, FactId
from rotator.journal.database import AWAY, Answer, Clock, Connection, Parameters, run, unsafe
from rotator.journal.failover import taken_up
from rotator.journal.moved import settled
from rotator.journal.postgres_link import LONG_SECONDS, SILENT_SECONDS, Address, Link, connect

_IDLE_LINKS: Final = 8
_TRIES: Final = 6
"""How often a transaction is begun that lost against another one, or whose connection ended before its COMMIT."""

_COLLIDED: Final = (SerializationFailure, DeadlockDetected, UniqueViolation)
_ASK_SECONDS: Final = 15.0
"""How long a COMMIT without an answer is asked after, while the server cannot be reached."""

_LOCK_STREAM: Final = "SELECT 1 FROM stream WHERE id = ? FOR NO KEY UPDATE"
_SIZE: Final = (
    "SELECT coalesce(sum(pg_total_relation_size(format('%I.%I', schemaname, tablename)::regclass)), 0)::bigint"
    " FROM pg_tables WHERE schemaname = current_schema()"
)


class PostgresDatabase:
    """One database, open in this process. Safe to share between threads: each takes a connection for a while."""

    locks_tell = False
    loses = True
    lock = " FOR UPDATE"

    def __init__(self, address: Address, beside: Path, *, readonly: bool = False) -> None:
        """`beside`: what the files of this machine's processes are named after."""
        self.name = address.name
        self.beside = beside
        self.readonly = readonly
        self.instance = ""
        """Whose journal it must be, once that is known: another one may have taken its place while nobody looked."""
        self._address = address
        self._links: deque[Link] = deque()
        self._closed = threading.Event()
        self._timeline = ""
        self._failed_over = threading.Event()
        self._silent = threading.Event()
        self._asking = threading.Lock()

    # ----------------------------------------------------------------------------------------------------- connections

    def connect(self) -> psycopg.Connection[Any]:
        """Open a connection of its own, checked; errors as `postgres_link.connect`.

        While the server says nothing, one thread at a time waits for it, and the others are told so at once: whatever
        they do beside the journal goes on.
        """
        if self._closed.is_set():
            raise JournalUnsafe(f"using the journal {self.name}: it was closed")
        if not self._silent.is_set():
            return self._connect()
        if not self._asking.acquire(blocking=False):
            raise JournalUnsafe(f"using the journal {self.name}: the server says nothing", AWAY)
        try:
            return self._connect()
        finally:
            self._asking.release()

    def _connect(self, *, trusting: bool = False) -> psycopg.Connection[Any]:
        """Open one; `trusting` takes a server that another one has failed over to."""
        try:
            raw = connect(self._address, readonly=self.readonly)
        except psycopg.errors.ConnectionTimeout:
            self._silent.set()
            raise
        except (ConfigError, Unavailable) as error:
            if not self.instance:
                raise
            # who works goes on when the password can be read again, as when the server answers again
            raise JournalUnsafe(f"connecting to the journal {self.name}: {error.message}", error.remedy) from error
        self._silent.clear()
        if self.instance:
            try:
                self._still_there(Link(raw), trusting)
            except BaseException:
                raw.close()
                raise
        return raw

    def _still_there(self, link: Link, trusting: bool) -> None:
        """Raise `JournalUnsafe` where another journal or server has taken the place of ours, or ours was moved."""
        found = run(link, "SELECT value FROM meta WHERE name = 'instance'")
        if not found or found[0][0] != self.instance:
            raise JournalUnsafe(
                f"using the journal {self.name}: another journal is in its place",
                "stop every rotator process before restoring a journal, then start again",
            )
        settled(link, self.name)
        if self._timeline and not trusting and link.timeline() != self._timeline:
            self._failed_over.set()
            raise JournalUnsafe(
                f"using the journal {self.name}: the database failed over to another server or was restored",
                "rotator goes on by itself as soon as it has fenced off what was before",
            )

    def take_up(self, *, look: bool = False) -> bool:
        """Note the timeline of the server, and fence what was before another one. See `Database.take_up`."""
        before = self._timeline
        if before and not self._failed_over.is_set() and not look:
            return False
        if before and not self._failed_over.is_set():
            with self.write() as connection:
                self._note(connection)
            return False
        try:
            link = Link(self._connect(trusting=True))
            try:
                link.begin(durable=True)
                now = self._note(link)
                link.end("COMMIT")
            finally:
                link.close()
        except psycopg.Error as error:
            raise unsafe(f"taking up the journal {self.name} after a failover", error) from error
        self._timeline = now
        self._failed_over.clear()
        return bool(before)

    def _note(self, connection: Connection) -> str:
        self.alone(connection, "failover")
        now = cast("Link", connection).timeline()
        waited = run(connection, "SELECT current_setting('synchronous_standby_names')")[0][0]
        taken_up(connection, now, bool(waited))
        return now

    def _lend(self, *, fresh: bool = False) -> Link:
        while not fresh:
            try:
                link = self._links.pop()
            except IndexError:
                break
            if link.idle:
                return link
            link.close()
        return Link(self.connect())

    def _give_back(self, link: Link) -> None:
        if link.broken:
            self._cut(link)
        elif self._closed.is_set() or len(self._links) >= _IDLE_LINKS or not link.idle:
            link.close()
        else:
            self._links.append(link)

    def _cut(self, link: Link) -> None:
        """Close a connection that broke, and those that lie idle: whatever broke it may be their trouble, too."""
        if link.silent:
            self._silent.set()
        link.close()
        with suppress(IndexError):  # others take from there, too
            while True:
                self._links.pop().close()

    @contextmanager
    def read(self, *, snapshot: bool = False) -> Iterator[Connection]:
        """Lend a connection for reading. See `Database.read`."""
        try:
            link = self._lend()
            try:
                if snapshot:
                    link.bear(LONG_SECONDS)
                    link.end("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                yield link
                if snapshot:
                    link.end("COMMIT")
                    link.bear(SILENT_SECONDS)
            except BaseException:
                if link.broken:
                    self._cut(link)
                link.close()
                raise
            self._give_back(link)
        except psycopg.Error as error:
            raise unsafe(f"reading the journal {self.name}", error) from error

    # ---------------------------------------------------------------------------------------------------- transactions

    @contextmanager
    def write(self, *, fact_id: FactId = NO_FACT, durable: bool = True, single: bool = False) -> Iterator[Connection]:
        """Run the body in one transaction. See `Database.write`."""
        link = self._begin(durable)
        try:
            yield link
        except psycopg.Error as error:
            self._undo(link)
            raise unsafe(f"writing to the journal {self.name}", error) from error
        except BaseException:
            self._undo(link)
            raise
        self._commit(link, fact_id, NO_CREDENTIAL, again=False)

    def transact(
        self,
        work: Callable[[Connection], Answer],
        *,
        fact_id: FactId = NO_FACT,
        stream: CredentialId = NO_CREDENTIAL,
        durable: bool = True,
    ) -> Answer:
        """Run `work` until its transaction is committed or refused. See `Database.transact`."""
        tries = 0
        while True:
            tries += 1
            link = self._begin(durable)
            try:
                if stream:
                    run(link, _LOCK_STREAM, (stream,))
                answer = work(link)
            except psycopg.Error as error:
                lost = link.broken
                self._undo(link)
                if tries >= _TRIES or not (lost or isinstance(error, _COLLIDED)):
                    raise unsafe(f"writing to the journal {self.name}", error) from error
            except BaseException:
                self._undo(link)
                raise
            else:
                if self._commit(link, fact_id, stream, again=tries < _TRIES):
                    return answer
            time.sleep(random.uniform(0.01, 0.05) * 2**tries)  # noqa: S311 - so that those who collided part

    def _commit(self, link: Link, fact_id: FactId, stream: CredentialId, *, again: bool) -> bool:
        """Commit; False when nothing of the transaction is there, which can be run again then.

        Raises:
            JournalUnsafe: it is not known, or not to be tried again.
        """
        try:
            link.end("COMMIT")
        except psycopg.Error as error:
            lost = link.broken
            self._undo(link)
            if lost and fact_id and self._landed(fact_id, stream):
                return True
            nothing = bool(fact_id) if lost else isinstance(error, _COLLIDED)
            if again and nothing:
                return False
            raise unsafe(f"committing to the journal {self.name}", error) from error
        self._give_back(link)
        return True

    def _begin(self, durable: bool) -> Link:
        if self.readonly:
            raise JournalUnsafe(f"writing to the journal {self.name}: it was opened for reading")
        try:
            link = self._lend()
            try:
                link.begin(durable=durable)
            except psycopg.OperationalError:
                # nothing was asked of it yet: it was cut off while it lay idle, and so were its like
                self._cut(link)
                link = self._lend(fresh=True)
                link.begin(durable=durable)
        except psycopg.Error as error:
            raise unsafe(f"starting a transaction in the journal {self.name}", error) from error
        return link

    def _undo(self, link: Link) -> None:
        with suppress(psycopg.Error):
            if not link.broken:
                link.end("ROLLBACK")
        self._give_back(link)

    def _landed(self, fact_id: FactId, stream: CredentialId) -> bool:
        """Whether the fact of a COMMIT without an answer is there: asked until the server answers, or for a while.

        Raises:
            JournalUnsafe: nobody answers; it is not known.
        """
        give_up = time.monotonic() + _ASK_SECONDS
        while True:
            try:
                link = Link(self.connect())
                try:
                    link.begin(durable=False)
                    if stream:
                        run(link, _LOCK_STREAM, (stream,))
                    found = bool(run(link, "SELECT 1 FROM fact WHERE fact_id = ?", (fact_id,)))
                    link.end("COMMIT")
                    return found
                finally:
                    link.close()
            except psycopg.Error as error:
                if time.monotonic() > give_up or self._closed.wait(0.2):
                    raise unsafe(f"asking the journal {self.name} whether a fact was committed", error) from error

    # ------------------------------------------------------------------------------------------- what else is different

    def now(self, connection: Connection, clock: Clock) -> tuple[str, float]:
        """Return the database's clock: it is the one that all machines share."""
        return "", cast("Link", connection).now()

    def alone(self, connection: Connection, what: str) -> None:
        """Wait for a lock of the transaction that is named after `what`."""
        number = int.from_bytes(hashlib.sha256(f"rotator {what}".encode()).digest()[:8], "big", signed=True)
        run(connection, "SELECT pg_advisory_xact_lock(?)", (number,))

    def probe(self, statement: str, parameters: Parameters = ()) -> list[Any]:
        """Run one query on a connection opened for it. See `Database.probe`."""
        try:
            link = Link(self.connect())
            try:
                return run(link, statement, parameters)
            finally:
                link.close()
        except psycopg.Error as error:
            raise unsafe(f"reading the journal {self.name} back", error) from error

    def in_place(self) -> None:
        """Nothing: another database under the same name is found out when a connection to it is opened."""

    def tidy(self) -> bool:
        """Nothing: what is left of forgotten keys goes with VACUUM and the archived log, which are the database's."""
        return True

    def complaints(self) -> list[str]:
        """Nothing: pg_amcheck is the administrator's; the chain of every stream is checked all the same."""
        return []

    def doubts(self) -> list[tuple[str, str]]:
        """Return what is said of standbys that may miss commits, and of a way to the server that others may read."""
        with self.read() as connection:
            standbys = int(run(connection, "SELECT count(*) FROM pg_stat_replication")[0][0])
            waited = str(run(connection, "SELECT current_setting('synchronous_standby_names')")[0][0])
            private = self._address.private
        found = []
        if standbys and not waited:
            found.append(
                (
                    f"the database has {standbys} standby server{'s' * (standbys != 1)} and waits for none of them, so "
                    "that a failover loses the last commits",
                    "set synchronous_standby_names on the primary",
                )
            )
        if not private:
            found.append(
                (
                    "nothing proves whose server the database is, for sslmode is not verify-full",
                    "write ?sslmode=verify-full behind state.url, with sslrootcert=PATH for a CA of your own",
                )
            )
        return found

    def sizes(self) -> dict[str, int]:
        """Return the bytes of all tables of the journal with their indexes; the log is the server's."""
        with self.read() as connection:
            return {"database_bytes": int(run(connection, _SIZE)[0][0]), "log_bytes": 0}

    def close(self) -> None:
        """Close every connection that is not lent; the others are closed when they come back."""
        self._closed.set()
        while self._links:
            self._links.pop().close()
