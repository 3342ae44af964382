"""One connection to PostgreSQL: its address, its dialect, and what is asked of it before it is trusted.

It keeps no session state, so that it may go through a pooler that lends a server connection per transaction: nothing is
prepared, and every setting is local to its transaction.
"""

from __future__ import annotations

import functools
import re
import select
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast
from urllib.parse import unquote, urlsplit

import psycopg
from psycopg import conninfo

from rotator.core.errors import ConfigError, JournalUnsafe
from rotator.core.secret import Secret

if TYPE_CHECKING:
    from psycopg.abc import PQGen

Answer = TypeVar("Answer")

OLDEST: Final = 140000
"""PostgreSQL 14, as the server numbers itself."""

CONNECT_SECONDS: Final = 10
SILENT_SECONDS: Final = 20.0
"""How long a server may take for a statement without a word: more than any lock or statement is allowed to last."""

LONG_SECONDS: Final = 900.0
"""The same for what passes over a whole journal."""

_QUIET_SECONDS: Final = 5
"""How long a connection may be silent before the kernel asks whether the other side is there."""

_LOOPBACK: Final = frozenset({"", "localhost", "127.0.0.1", "::1"})
_ADDRESS: Final = re.compile(r"^postgres(ql)?://")
_WORD: Final = re.compile(r"'(?:[^']|'')*'|%|\?|(?<!:):([a-z_]+)")

_PROMISES: Final = (
    "SELECT current_setting('server_version_num')::int, current_setting('server_encoding'), current_setting('fsync'),"
    " current_setting('full_page_writes'), pg_is_in_recovery(), current_setting('transaction_read_only')"
)
_BEGIN: Final = (
    "BEGIN; SET LOCAL synchronous_commit = {}; SET LOCAL lock_timeout = '10s'; SET LOCAL statement_timeout = '15s';"
    " SET LOCAL idle_in_transaction_session_timeout = '20s'; SELECT extract(epoch FROM clock_timestamp())::float8"
)
"""One message to the server. Whoever is stopped in the middle keeps its locks for less than the life of a lease."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where the database is, and how one gets in.

    Attributes:
        url: `postgresql://user@host:port/database?options`, without a password.
        password: reads the password anew for each connection; None where none is needed (peer, certificates).
    """

    url: str
    password: Callable[[], Secret] | None = None

    @property
    def name(self) -> str:
        """The address without its options: for messages."""
        return self.url.partition("?")[0]

    @property
    def private(self) -> bool:
        """Whether the server proves who it is, or the way to it leaves no machine."""
        said = conninfo.conninfo_to_dict(self.url)
        hosts = [one.strip("[]") for one in str(said.get("host", "") or said.get("hostaddr", "")).split(",")]
        near = all(host in _LOOPBACK or host.startswith("/") for host in hosts)
        return near or said.get("sslmode") == "verify-full"


def checked(url: str) -> str:
    """Return the URL of a PostgreSQL database.

    Raises:
        ConfigError: it holds a password, or names no database.
    """
    parts = urlsplit(url)
    if not _ADDRESS.match(url) or not parts.path.strip("/"):
        raise ConfigError(
            "opening the journal: state.url names no PostgreSQL database",
            "write postgresql://user@host:5432/database?sslmode=verify-full",
        )
    if parts.password is not None or re.search(r"(^|&)password=", unquote(parts.query)):
        raise ConfigError(
            "opening the journal: there is a password in state.url",
            "take it out of the URL and write state.password: {file: PATH} or {env: NAME}",
        )
    try:
        conninfo.conninfo_to_dict(url)
    except psycopg.ProgrammingError as error:
        raise ConfigError(f"opening the journal: state.url: {str(error).strip()}", "see the options of libpq") from None
    return url


class Limited(psycopg.Connection[Any]):
    """A connection that gives up a server which says nothing: one that is stopped, or a way that swallows everything.

    Nothing else notices: the kernel of a stopped server still acknowledges, and its own time limits stand still.
    """

    patience: float = SILENT_SECONDS
    """Seconds of silence in a statement after which the connection is closed."""

    silent = False
    """Whether it was closed for that."""

    def wait(self, gen: PQGen[Answer], *arguments: Any, **options: Any) -> Answer:
        """Run the driver's protocol as `psycopg.Connection.wait` does, for as long as something comes.

        Raises:
            psycopg.OperationalError: nothing came; the connection is closed, and what was asked may be done or not.
        """
        try:
            return super().wait(_while_heard(gen, self.patience), *arguments, **options)
        except _Silence:
            self.silent = True
            self.close()
            raise psycopg.OperationalError(f"the server said nothing for {self.patience:.0f} s") from None


class _Silence(Exception):
    """A server said nothing for too long."""


def _while_heard(gen: PQGen[Answer], patience: float) -> PQGen[Answer]:
    """Pass on what a protocol of the driver waits for; raise `_Silence` when it waits for too long."""
    try:
        wanted, heard = next(gen), time.monotonic()
        while True:
            ready = yield wanted
            now = time.monotonic()
            if ready:
                heard = now
            elif now - heard > patience:
                raise _Silence
            wanted = gen.send(ready)
    except StopIteration as ended:
        return cast("Answer", ended.value)


class _Answer:
    """What a statement answered: also from one that answers no rows."""

    __slots__ = ("_cursor",)

    def __init__(self, cursor: psycopg.Cursor[Any]) -> None:
        self._cursor = cursor

    def fetchall(self) -> list[Any]:
        return self._cursor.fetchall() if self._cursor.description else []

    def __iter__(self) -> Iterator[Any]:
        return iter(self.fetchall())


class Link:
    """A connection, in the shape in which the journal asks. Used by one thread at a time."""

    def __init__(self, raw: psycopg.Connection[Any]) -> None:
        self.raw = raw
        self._begun: tuple[float, float] | None = None

    def execute(self, statement: str, parameters: Any = ()) -> _Answer:
        """Run one statement that names its parameters `?` or `:name`."""
        if not parameters:
            return _Answer(self.raw.execute(statement.encode()))
        return _Answer(self.raw.execute(translated(statement).encode(), parameters))

    def begin(self, *, durable: bool) -> None:
        """Begin a transaction and learn what time it is there."""
        cursor = self.raw.execute(_BEGIN.format("on" if durable else "off").encode())
        while cursor.nextset():
            pass
        self._begun = cast("tuple[float]", cursor.fetchone())[0], time.monotonic()

    def end(self, word: str) -> None:
        """COMMIT or ROLLBACK."""
        self._begun = None
        self.raw.execute(word.encode())

    def now(self) -> float:
        """The server's clock, unix seconds; in a transaction as it was at the beginning, and what has passed since."""
        if self._begun is not None:
            then, ours = self._begun
            return then + time.monotonic() - ours
        return float(self.execute("SELECT extract(epoch FROM clock_timestamp())::float8").fetchall()[0][0])

    def timeline(self) -> str:
        """The timeline on which the server writes: another one after each failover and each restore."""
        return str(self.execute("SELECT left(pg_walfile_name(pg_current_wal_lsn()), 8)").fetchall()[0][0])

    @property
    def idle(self) -> bool:
        """Whether it may be lent again: open, in no transaction, and the server has said nothing since."""
        raw = self.raw
        if raw.closed or raw.info.transaction_status is not psycopg.pq.TransactionStatus.IDLE:
            return False
        # what ends a connection (a shutdown, an administrator, a crash) makes its socket readable
        return not select.select([raw.fileno()], [], [], 0)[0]

    def bear(self, seconds: float) -> None:
        """Let the server be silent for that long in each statement from now on."""
        if isinstance(self.raw, Limited):
            self.raw.patience = seconds

    @property
    def silent(self) -> bool:
        """Whether the server said nothing for too long."""
        return isinstance(self.raw, Limited) and self.raw.silent

    @property
    def broken(self) -> bool:
        """Whether the server or the way to it is gone."""
        return bool(self.raw.broken or self.raw.closed)

    def close(self) -> None:
        """Close it; never raises."""
        self.raw.close()


@functools.lru_cache(maxsize=512)
def translated(statement: str) -> str:
    """Return a statement with the placeholders of psycopg: `?` becomes `%s`, `:name` becomes `%(name)s`."""

    def one(found: re.Match[str]) -> str:
        word = found[0]
        if word.startswith("'"):
            return word.replace("%", "%%")
        if word == "%":
            return "%%"
        return "%s" if word == "?" else f"%({found[1]})s"

    return _WORD.sub(one, statement)


def connect(address: Address, *, readonly: bool = False) -> psycopg.Connection[Any]:
    """Open a connection in autocommit and check that it promises what the journal needs.

    Raises:
        psycopg.Error: as the driver says.
        JournalUnsafe: it is a standby, loses commits on a crash, or is too old.
        ConfigError: the password cannot be read.
    """
    password = {} if address.password is None else {"password": address.password().reveal().rstrip("\r\n")}
    raw = Limited.connect(
        address.url,
        autocommit=True,
        prepare_threshold=None,
        connect_timeout=CONNECT_SECONDS,
        application_name="rotator",
        keepalives_idle=_QUIET_SECONDS,
        keepalives_interval=_QUIET_SECONDS,
        keepalives_count=3,
        tcp_user_timeout=4 * _QUIET_SECONDS * 1000,
        **password,  # type: ignore[arg-type]  # the one keyword that it can be
    )
    try:
        _promises(address.name, raw, readonly)
    except BaseException:
        raw.close()
        raise
    return raw


def _promises(where: str, raw: psycopg.Connection[Any], readonly: bool) -> None:
    found = raw.execute(_PROMISES).fetchone()
    version, encoding, fsync, pages, standby, unwritable = cast("tuple[Any, ...]", found)
    refused = (
        (version < OLDEST, f"PostgreSQL {version // 10000} is too old", "use PostgreSQL 14 or newer"),
        (
            encoding != "UTF8",
            f"its encoding is {encoding}",
            "make the database with ENCODING 'UTF8'",
        ),
        (
            fsync != "on",
            "fsync is off: a crash of the server loses what was committed",
            "set fsync = on in postgresql.conf and restart the server; nothing is minted until then",
        ),
        (
            pages != "on",
            "full_page_writes is off: a crash of the server may damage what was committed",
            "set full_page_writes = on in postgresql.conf and reload the server; nothing is minted until then",
        ),
        (
            not readonly and standby,
            "it is a standby, which takes no writes",
            "let state.url lead to the primary (several hosts with target_session_attrs=read-write find it)",
        ),
        (
            not readonly and not standby and unwritable == "on",
            "it is set to read only",
            "let default_transaction_read_only be off for this role and database",
        ),
    )
    for wrong, message, remedy in refused:
        if wrong:
            raise JournalUnsafe(f"opening the journal {where}: {message}", remedy)
