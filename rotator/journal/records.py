"""Rows of the tables `fact` and `sealed`, to and from what core calls a `Fact` and this package a `Sealed`.

The only place that knows the columns of both tables in order. It judges nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, Final

from rotator.core.encoding import COLUMNS, encode, read
from rotator.core.errors import JournalUnsafe
from rotator.core.facts import Draft, Fact
from rotator.core.ids import CredentialId, Fingerprint
from rotator.journal.database import UNBOUNDED, Connection, run
from rotator.journal.sealing import Sealed

_WHO: Final = ("actor", "principal", "owner")
_COLUMNS: Final = (
    *("stream", "position", "fact_id", "machine", "kind", "at", "rid", *COLUMNS, *_WHO),
    *("detail", "epoch", "writer", "instance", "sealed_id", "boot_id", "boot_time", "previous", "hash"),
)
_SELECT: Final = f"SELECT {', '.join(_COLUMNS)}, seq FROM fact"  # noqa: S608 - constants of this file
INSERT: Final = f"INSERT INTO fact ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"  # noqa: S608

AFTER: Final = f"{_SELECT} WHERE stream = ? AND position > ? ORDER BY position"
"""Facts of one stream after a position."""

PAGE: Final = 5000
"""Facts that are read at a time."""

_SEALED: Final = tuple(field.name for field in fields(Sealed))
_INSERT_SEALED: Final = f"INSERT INTO sealed ({', '.join(_SEALED)}) VALUES ({', '.join('?' * len(_SEALED))})"  # noqa: S608


@dataclass(frozen=True, slots=True)
class Record:
    """A row of the table of facts, as it stands there: a newer version may have written more than this one reads.

    Attributes:
        row: its columns, the two hashes aside.
        previous: hash of the fact before it in its stream.
        hash: hash of this one.
        seq: place in the whole journal, 0 before it is written.
    """

    row: tuple[Any, ...]
    previous: str
    hash: str
    seq: int = 0

    @property
    def stream(self) -> CredentialId:
        """Id of its stream."""
        return CredentialId(self.row[0])

    @property
    def position(self) -> int:
        """Its place in its stream, from 1."""
        return int(self.row[1])

    @property
    def sealed_id(self) -> str:
        """The sealed value that it brought, or empty."""
        return str(self.row[-3])

    def content(self) -> str:
        """Return everything that the hash chain covers, as one text with a fixed order."""
        return json.dumps([*self.row, self.previous], separators=(",", ":"), ensure_ascii=True)

    def fact(self) -> Fact:
        """Return what it says.

        Raises:
            JournalUnsafe: it makes no sense.
        """
        (stream, position, fact_id, machine, word, at, rid, *columns), rest = self.row[:13], self.row[13:]
        actor, principal, owner, detail, epoch, writer, _, sealed_id = rest[:8]
        try:
            what = read(word, (*columns,), detail, machine)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise JournalUnsafe(
                f"reading fact {position} of stream {stream}: it makes no sense",
                "somebody changed the journal, or the disk is bad: restore the last backup",
            ) from error
        return Fact(
            what=what,
            at=at,
            rid=rid,
            actor=actor,
            principal=principal,
            owner=owner,
            fact_id=fact_id,
            stream=stream,
            position=position,
            epoch=epoch,
            writer=writer,
            sealed_id=sealed_id,
        )


def record(fact: Fact, *, instance: str, boot_id: str, boot_time: float, previous: str) -> Record:
    """Return the row that a fact becomes, without its hash.

    Args:
        fact: with its place.
        instance: the journal in which it is written.
        boot_id: the boot in which it is written.
        boot_time: seconds since that boot.
        previous: hash of the fact before it in its stream.
    """
    columns, detail = encode(fact.what)
    row = (
        fact.stream,
        fact.position,
        fact.fact_id,
        fact.what.machine,
        fact.kind.value,
        float(fact.at),
        fact.rid,
        *columns,
        fact.actor,
        fact.principal,
        fact.owner,
        json.dumps(detail, sort_keys=True, separators=(",", ":")),
        fact.epoch,
        fact.writer,
        instance,
        fact.sealed_id,
        boot_id,
        float(boot_time),
    )
    return Record(row, previous, hash="")


def placed(draft: Draft, **place: Any) -> Fact:
    """Return the fact that a draft becomes at its place: the fields that `Fact` has beyond those of `Draft`."""
    return Fact(
        what=draft.what,
        at=draft.at,
        rid=draft.rid,
        actor=draft.actor,
        principal=draft.principal,
        owner=draft.owner,
        **place,
    )


def insert(connection: Connection, record: Record) -> None:
    """Insert a fact; the caller's transaction makes it durable."""
    run(connection, INSERT, (*record.row, record.previous, record.hash))


def insert_sealed(connection: Connection, sealed: Sealed) -> None:
    """Insert a sealed value; the caller's transaction makes it durable."""
    run(connection, _INSERT_SEALED, [getattr(sealed, name) for name in _SEALED])


def after(connection: Connection, stream: CredentialId, position: int) -> list[Record]:
    """Return the facts of a stream after a position, in order."""
    return [_record(row) for row in run(connection, AFTER, (stream, position))]


def ordered(connection: Connection, *, by_stream: bool, since: int = 0, limit: int | None = None) -> Iterator[Record]:
    """Yield all facts after `since` (a seq): stream by stream, or in the order in which they were written.

    Page by page, because a server sends the whole answer to a question at once. Read in one snapshot.
    """
    place, order = ("(stream, position) > (?, ?)", "stream, position") if by_stream else ("seq > ?", "seq")
    statement = f"{_SELECT} WHERE seq > ? AND {place} ORDER BY {order} LIMIT ?"
    left = UNBOUNDED if limit is None else limit
    come: tuple[object, ...] = ("", 0) if by_stream else (since,)
    while left > 0:
        page = [_record(row) for row in run(connection, statement, (since, *come, min(left, PAGE)))]
        yield from page
        if len(page) < min(left, PAGE):
            return
        left -= len(page)
        come = (page[-1].stream, page[-1].position) if by_stream else (page[-1].seq,)


def sealed_of(connection: Connection, stream: CredentialId, fingerprint: Fingerprint) -> list[Sealed]:
    """Return the sealed values with that fingerprint; a destroyed one has no wrapped key."""
    statement = f"SELECT {', '.join(_SEALED)} FROM sealed WHERE credential = ? AND fingerprint = ?"  # noqa: S608
    return [_sealed(row) for row in run(connection, statement, (stream, fingerprint))]


def all_sealed(connection: Connection) -> Iterator[Sealed]:
    """Yield every sealed value."""
    for row in connection.execute(f"SELECT {', '.join(_SEALED)} FROM sealed"):  # noqa: S608
        yield _sealed(row)


def each(connection: Connection, stream: CredentialId, position: int = 0) -> Iterator[Record]:
    """Yield the facts of a stream after a position, in order, as far as the file can be read."""
    for row in connection.execute(AFTER, (stream, position)):
        yield _record(row)


def sealed_in(connection: Connection, stream: CredentialId) -> Iterator[Sealed]:
    """Yield the sealed values of a stream, destroyed ones included, as far as the file can be read."""
    for row in connection.execute(f"SELECT {', '.join(_SEALED)} FROM sealed WHERE credential = ?", (stream,)):  # noqa: S608
        yield _sealed(row)


def living(connection: Connection, after: str, limit: int) -> list[Sealed]:
    """Return the next sealed values, by id, whose keys are not destroyed."""
    statement = (
        f"SELECT {', '.join(_SEALED)} FROM sealed"  # noqa: S608
        " WHERE sealed_id > ? AND wrapped_key IS NOT NULL ORDER BY sealed_id LIMIT ?"
    )
    return [_sealed(row) for row in run(connection, statement, (after, limit))]


def rewrap(connection: Connection, sealed: Sealed) -> None:
    """Keep the key of a sealed value as it is wrapped in `sealed`, unless it was destroyed meanwhile."""
    run(
        connection,
        "UPDATE sealed SET key_id = ?, wrapped_key = ? WHERE sealed_id = ? AND wrapped_key IS NOT NULL",
        (sealed.key_id, sealed.wrapped_key, sealed.sealed_id),
    )


def _sealed(row: Any) -> Sealed:
    found = dict(zip(_SEALED, row, strict=True))
    return Sealed(**{**found, "wrapped_key": found["wrapped_key"] or b""})


def _record(row: Any) -> Record:
    return Record(row[:-3], *row[-3:])
