"""Rows of the tables `fact` and `sealed`, to and from what core calls a `Fact` and this package a `Sealed`.

The only place that knows the columns of both tables in order. It judges nothing.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from rotator.core.errors import JournalUnsafe
from rotator.core.facts import MACHINE, Draft, Fact, Kind
from rotator.journal.database import run
from rotator.journal.sealing import Sealed

_TEXTS: Final = (
    *("rid", "attempt", "token_id", "token_name", "target"),
    *("generation", "fingerprint", "actor", "principal", "owner"),
)
_COLUMNS: Final = (
    *("stream", "position", "fact_id", "machine", "kind", "at", *_TEXTS, "detail", "epoch", "writer", "instance"),
    *("sealed_id", "boot_id", "boot_time", "previous", "hash"),
)
_SELECT: Final = f"SELECT {', '.join(_COLUMNS)}, seq FROM fact"  # noqa: S608 - constants of this file
_INSERT: Final = f"INSERT INTO fact ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"  # noqa: S608

AFTER: Final = f"{_SELECT} WHERE stream = ? AND position > ? ORDER BY position"
"""Facts of one stream after a position."""

_SEALED: Final = tuple(field.name for field in fields(Sealed))
_INSERT_SEALED: Final = f"INSERT INTO sealed ({', '.join(_SEALED)}) VALUES ({', '.join('?' * len(_SEALED))})"  # noqa: S608


@dataclass(frozen=True, slots=True)
class Record:
    """A row of the table of facts.

    Attributes:
        fact: what it says.
        machine: version of the state machine that wrote it.
        instance: the journal in which it was written.
        boot_id: the boot in which it was written.
        boot_time: seconds since that boot.
        previous: hash of the fact before it in its stream.
        hash: hash of this one.
        seq: place in the whole journal, 0 before it is written.
    """

    fact: Fact
    machine: int
    instance: str
    boot_id: str
    boot_time: float
    previous: str
    hash: str
    seq: int = 0

    def content(self) -> str:
        """Return everything that the hash chain covers, as one text with a fixed order."""
        return json.dumps([*_row(self)[:-2], self.previous], separators=(",", ":"), ensure_ascii=True)


def make(draft: Draft, **place: Any) -> Fact:
    """Return the fact that a draft becomes at its place: the fields that `Fact` has beyond those of `Draft`."""
    return Fact(**{name: getattr(draft, name) for name in DRAFT}, **place)


DRAFT: Final = tuple(field.name for field in fields(Draft))
"""Names of a draft's fields."""


def insert(connection: sqlite3.Connection, record: Record) -> None:
    """Insert a fact; the caller's transaction makes it durable."""
    run(connection, _INSERT, _row(record))


def insert_sealed(connection: sqlite3.Connection, sealed: Sealed) -> None:
    """Insert a sealed value; the caller's transaction makes it durable."""
    run(connection, _INSERT_SEALED, [getattr(sealed, name) for name in _SEALED])


def after(connection: sqlite3.Connection, stream: str, position: int) -> list[Record]:
    """Return the facts of a stream after a position, in order."""
    return [_record(row) for row in run(connection, AFTER, (stream, position))]


def ordered(
    connection: sqlite3.Connection, *, by_stream: bool, since: int = 0, limit: int | None = None
) -> Iterator[Record]:
    """Yield all facts after `since` (a seq): stream by stream, or in the order in which they were written."""
    order = "stream, position" if by_stream else "seq"
    cursor = connection.execute(
        f"{_SELECT} WHERE seq > ? ORDER BY {order} LIMIT ?", (since, -1 if limit is None else limit)
    )
    for row in cursor:
        yield _record(row)


def sealed_of(connection: sqlite3.Connection, stream: str, fingerprint: str) -> list[Sealed]:
    """Return the sealed values with that fingerprint, newest first; a destroyed one has no wrapped key."""
    statement = f"SELECT {', '.join(_SEALED)} FROM sealed WHERE credential = ? AND fingerprint = ? ORDER BY rowid DESC"  # noqa: S608
    return [_sealed(row) for row in run(connection, statement, (stream, fingerprint))]


def all_sealed(connection: sqlite3.Connection) -> Iterator[Sealed]:
    """Yield every sealed value."""
    for row in connection.execute(f"SELECT {', '.join(_SEALED)} FROM sealed"):  # noqa: S608
        yield _sealed(row)


def _sealed(row: Any) -> Sealed:
    found = dict(zip(_SEALED, row, strict=True))
    return Sealed(**{**found, "wrapped_key": found["wrapped_key"] or b""})


def _row(record: Record) -> list[Any]:
    fact = record.fact
    return [
        fact.stream,
        fact.position,
        fact.fact_id,
        record.machine,
        fact.kind.value,
        float(fact.at),
        *(getattr(fact, name) for name in _TEXTS),
        json.dumps(dict(fact.detail), sort_keys=True, separators=(",", ":")),
        fact.epoch,
        fact.writer,
        record.instance,
        fact.sealed_id,
        record.boot_id,
        float(record.boot_time),
        record.previous,
        record.hash,
    ]


def _record(row: Any) -> Record:
    found: Mapping[str, Any] = dict(zip((*_COLUMNS, "seq"), row, strict=True))
    if found["machine"] > MACHINE:
        raise JournalUnsafe(
            f"reading fact {found['position']} of stream {found['stream']}: a newer version of rotator wrote it",
            "run the newer version again, or restore a backup from before the upgrade",
        )
    try:
        kind, detail = Kind(found["kind"]), json.loads(found["detail"])
    except ValueError as error:
        raise JournalUnsafe(
            f"reading fact {found['position']} of stream {found['stream']}: it makes no sense",
            "somebody changed the journal, or the disk is bad: restore the last backup",
        ) from error
    fact = Fact(
        kind=kind,
        at=found["at"],
        **{name: found[name] for name in _TEXTS},
        detail=detail,
        **{name: found[name] for name in ("fact_id", "stream", "position", "epoch", "writer", "sealed_id")},
    )
    keep = ("machine", "instance", "boot_id", "boot_time", "previous", "hash", "seq")
    return Record(fact=fact, **{name: found[name] for name in keep})
