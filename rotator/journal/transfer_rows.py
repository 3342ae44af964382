"""The rows of a journal on their way into another database, and the proof that all of them arrived.

Both ends are connections with a transaction that the caller began and ends. What belongs to processes stays behind:
their rows, their canaries, the holders of leases. Epochs go along, so that fencing numbers never fall.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from rotator.core.errors import JournalUnsafe
from rotator.core.ids import CredentialId
from rotator.journal import chain, records
from rotator.journal.database import Connection, run
from rotator.journal.failover import TIMELINE, WAITED
from rotator.journal.identity import identity
from rotator.journal.moved import ARRIVING, MOVED
from rotator.journal.owners import NODE, SEALS_UNDER
from rotator.journal.records import Record
from rotator.journal.sealing import KeyRing, Seal

COLUMNS: Final = {
    "meta": ("name", "value"),
    "stream": ("id", "kind", "name", "connection", "managed", "next_at", "woken_at", "why"),
    "sealed": (
        *("sealed_id", "format", "instance", "credential", "rid", "attempt", "fingerprint", "token_id", "key_id"),
        *("wrapped_key", "nonce", "ciphertext", "destroyed_at"),
    ),
    "fact": (
        *("seq", "fact_id", "stream", "position", "machine", "kind", "epoch", "writer", "instance", "actor", "owner"),
        *("principal", "rid", "attempt", "token_id", "token_name", "target", "generation", "fingerprint", "sealed_id"),
        *("at", "boot_id", "boot_time", "detail", "previous", "hash"),
    ),
    "lease": ("name", "holder", "epoch", "expires", "boot_id"),
    "budget": ("connection", "boot_id", "ends", "count"),
    "stop": ("connection", "boot_id", "until", "until_wall", "seconds"),
    "pace": (*("stream", "connection", "due_at", "expires_at", "lifetime", "planned_at", "dead_at", "dead_seen"),),
    "consumer_cursor": ("consumer", "stream", "position"),
}
"""Every table whose rows go along, with all of its columns."""

STAYS: Final = frozenset({"process", "canary"})
"""Tables whose rows belong to processes, which end with the old place."""

_PAGE: Final = 2000
_BATCH: Final = 200
_COUNTED: Final = ("fact", "sealed", "stream", "lease", "stop", "pace", "consumer_cursor")
_ENDS: Final = (
    "SELECT stream, position, hash FROM fact WHERE (stream, position) IN"
    " (SELECT stream, max(position) FROM fact GROUP BY stream)"
)

Tell = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and how much there is."""

Now = tuple[str, float]
"""A boot, and the seconds that count in it: see `Database.now`."""


@dataclass(frozen=True, slots=True)
class Copied:
    """What arrived and was proven: facts, and sealed values that are not destroyed."""

    facts: int
    values: int


def everything(old: Connection, new: Connection, then: Now, now: Now, tell: Tell) -> None:
    """Write every row of `old` into `new`, which is empty or holds an earlier, unfinished copy of the same journal.

    Args:
        old: where the rows are; nobody writes there meanwhile.
        new: where they go.
        then: the shared time of `old`.
        now: that of `new`, at the same moment.
        tell: told of the progress.

    Raises:
        sqlite3.Error, psycopg.Error: as the drivers say.
    """
    for table in ("pace", "consumer_cursor", "sealed", "lease", "process", "canary", "budget", "stop", "meta"):
        run(new, f"DELETE FROM {table}")  # noqa: S608 - constants
    # facts are never deleted: what an earlier copy brought stays, with its streams
    run(new, "DELETE FROM stream WHERE NOT EXISTS (SELECT 1 FROM fact WHERE fact.stream = stream.id)")
    run(new, "UPDATE stream SET name = 'copying~' || id")
    _insert(new, "meta", (row for row in _all(old, "meta") if _goes_along(row[0])))
    renewed = ", ".join(f"{name} = excluded.{name}" for name in COLUMNS["stream"][1:])
    streams = ((*row[:4], bool(row[4]), *row[5:]) for row in _all(old, "stream"))
    _insert(new, "stream", streams, f" ON CONFLICT (id) DO UPDATE SET {renewed}")
    _insert(new, "sealed", _paged(old, "sealed", "", "copying sealed values", tell))
    there = run(new, "SELECT coalesce(max(seq), 0) FROM fact")[0][0]
    _insert(new, "fact", _paged(old, "fact", there, "copying facts", tell))
    _insert(new, "lease", ((name, "", epoch, 0.0, "") for name, _, epoch, _, _ in _all(old, "lease")))
    _insert(new, "budget", _shifted(_all(old, "budget"), then, now))
    for table in ("stop", "pace", "consumer_cursor"):
        _insert(new, table, _all(old, table))


def proven(old: Connection, new: Connection, where: str, keys: KeyRing, tell: Tell) -> Copied:
    """Return what `new` holds, once every chain in it is whole and ends as in `old`, and every living value opened.

    Raises:
        JournalUnsafe: something is missing, changed, or does not open; `where` says in which journal.
    """
    seal = cast("Seal", identity(new, where, keys)[1])
    uneven = [table for table in _COUNTED if _count(old, table) != _count(new, table)]
    if uneven or set(run(old, _ENDS)) != set(run(new, _ENDS)):
        raise JournalUnsafe(
            f"copying the journal to {where}: what stands there is not what was copied ({', '.join(uneven) or 'fact'})",
            "use an empty database; the old journal is as it was",
        )
    digests = {sealed.sealed_id: sealed.digest for sealed in records.all_sealed(new)}
    verdict = chain.verify(seal.chain_key, _by_stream(new, _count(new, "fact"), tell), digests)
    if verdict.breaks:
        first = verdict.breaks[0]
        raise JournalUnsafe(
            f"copying the journal to {where}: fact {first.position} of stream {first.stream} cannot be trusted: "
            f"{first.why}",
            "`rotator audit verify` and `rotator state check` say whether it is so in the old journal, too",
        )
    return Copied(verdict.facts, _opened(new, keys, tell))


def held(connection: Connection) -> Copied:
    """Return what a journal holds, as its tables say."""
    living = run(connection, "SELECT count(*) FROM sealed WHERE wrapped_key IS NOT NULL")[0][0]
    return Copied(_count(connection, "fact"), int(living))


def _opened(new: Connection, keys: KeyRing, tell: Tell) -> int:
    """Open every living value once; return how many there are."""
    total = run(new, "SELECT count(*) FROM sealed WHERE wrapped_key IS NOT NULL")[0][0]
    done, last = 0, ""
    while found := records.living(new, last, _PAGE):
        for sealed in found:
            keys.open(sealed)
        done, last = done + len(found), found[-1].sealed_id
        tell("opening sealed values", done, total)
    return done


def _by_stream(new: Connection, total: int, tell: Tell) -> Iterator[Record]:
    done = 0
    for (stream,) in run(new, "SELECT id FROM stream ORDER BY id"):
        found = records.after(new, CredentialId(stream), 0)
        yield from found
        done += len(found)
        tell("checking chains", done, total)


def _goes_along(name: str) -> bool:
    """Whether a row of `meta` is the journal's, and not a process's or a mark of its place."""
    return name not in {MOVED, ARRIVING, TIMELINE, WAITED} and not name.startswith((SEALS_UNDER, NODE))


def _shifted(rows: Iterable[Sequence[Any]], then: Now, now: Now) -> Iterator[Sequence[Any]]:
    """What was sent in the last minutes, by the clock of the new place; what would count later there counts now."""
    for connection, boot, ends, count in rows:
        if boot == then[0]:
            yield connection, now[0], min(ends - then[1], 0.0) + now[1], count


def _count(connection: Connection, table: str) -> int:
    return int(run(connection, f"SELECT count(*) FROM {table}")[0][0])  # noqa: S608 - constants


def _all(connection: Connection, table: str) -> list[Any]:
    return run(connection, f"SELECT {', '.join(COLUMNS[table])} FROM {table}")  # noqa: S608 - constants


def _paged(old: Connection, table: str, last: Any, what: str, tell: Tell) -> Iterator[Sequence[Any]]:
    """Yield the rows after `last`, in the order of their first column: page by page, because there may be millions."""
    columns, total, done = COLUMNS[table], _count(old, table), 0
    key = columns[0]
    statement = f"SELECT {', '.join(columns)} FROM {table} WHERE {key} > ? ORDER BY {key} LIMIT ?"  # noqa: S608
    while found := run(old, statement, (last, _PAGE)):
        yield from found
        done, last = done + len(found), found[-1][0]
        tell(what, done, total)


def _insert(new: Connection, table: str, rows: Iterable[Sequence[Any]], tail: str = "") -> None:
    columns, left = COLUMNS[table], iter(rows)
    one = f"({', '.join('?' * len(columns))})"
    while batch := list(itertools.islice(left, _BATCH)):
        head = f"INSERT INTO {table} ({', '.join(columns)}) VALUES "  # noqa: S608 - constants
        run(new, head + ", ".join([one] * len(batch)) + tail, [value for row in batch for value in row])
