"""Which streams there are, what they are called, and which of them want to be looked at.

A stream's id is random and survives a rename of what it stands for. Due-ness is one indexed query, so that a million
credentials cost one small query per tick.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from rotator.core.ids import NO_CREDENTIAL, CredentialId
from rotator.core.ports.journal import Due
from rotator.journal.database import Connection, Database, run

DUE: Final = (
    "SELECT id, next_at FROM stream WHERE kind = 'credential' AND connection = ? AND next_at <= ?"
    " ORDER BY next_at LIMIT ?"
)
_LEFT: Final = "UPDATE stream SET managed = FALSE, next_at = 0, woken_at = 0 WHERE id = ?"
_BATCH: Final = 500
PAIR: Final = "pair:"
"""How the id of a pair's stream begins."""


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream, as `status` and the registry of credentials see it.

    Attributes:
        id: random, for ever.
        kind: `credential`, `connection` or `pair` (of the tokens with which a connection logs in).
        name: as configured now, or when it was configured last.
        connection: name of its connection.
        managed: whether it still stands in the configuration.
        next_at: provider time at which it wants to be looked at, None when nothing is noted.
        epoch: fencing number of its lease, 0 before the first.
        holder: id of the process that works on it, or empty.
        why: the last word that was noted for `status` (JSON text), or empty.
    """

    id: CredentialId
    kind: str
    name: str
    connection: str
    managed: bool
    next_at: float | None
    epoch: int
    holder: str
    why: str


class Streams:
    """The table of streams."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def register(self, names: Sequence[tuple[str, str, str | None]]) -> dict[str, CredentialId]:
        """Make the streams of a configuration: (name, connection, former name or None) of every credential.

        A new one is due at once. One that left the configuration becomes unmanaged and due, so that its open work is
        brought to an end; it keeps its id, and its history if it comes back.

        Returns:
            name -> stream id.
        """
        with self._db.write() as connection:
            known = {
                name: (stream, at, bool(managed))
                for stream, name, at, managed in run(
                    connection, "SELECT id, name, connection, managed FROM stream WHERE kind = 'credential'"
                )
            }
            for name, _, former in names:
                if former and former in known and name not in known:
                    known[name] = known.pop(former)
                    run(connection, "UPDATE stream SET name = ? WHERE id = ?", (name, known[name][0]))
            wanted = {name: at for name, at, _ in names}
            for name, at in wanted.items():
                if name not in known:
                    _insert(connection, "credential", name, at)
                elif known[name][1:] != (at, True):
                    run(
                        connection,
                        "UPDATE stream SET connection = ?, managed = TRUE, next_at = 0, woken_at = 0 WHERE id = ?",
                        (at, known[name][0]),
                    )
            for name, (stream, _, managed) in known.items():
                if managed and name not in wanted:
                    run(
                        connection,
                        "UPDATE stream SET managed = FALSE, next_at = 0, woken_at = 0 WHERE id = ?",
                        (stream,),
                    )
            for at in set(wanted.values()):
                if not run(connection, "SELECT 1 FROM stream WHERE kind = 'connection' AND name = ?", (at,)):
                    _insert(connection, "connection", at, at)
            rows = run(connection, "SELECT name, id FROM stream WHERE kind = 'credential' AND managed")
        return dict(rows)

    def all(self) -> list[Stream]:
        """Return every stream, by name."""
        with self._db.read() as connection:
            rows = run(
                connection,
                "SELECT id, kind, stream.name, connection, managed, next_at, coalesce(epoch, 0), coalesce(holder, ''),"
                " why FROM stream LEFT JOIN lease ON lease.name = stream.id ORDER BY stream.name, kind",
            )
        return [
            Stream(id=a, kind=b, name=c, connection=d, managed=bool(e), next_at=f, epoch=g, holder=h, why=i)
            for a, b, c, d, e, f, g, h, i in rows
        ]

    def connection(self, name: str) -> str:
        """Return the id of a connection's own stream, which is made if need be."""
        with self._db.write() as connection:
            found = run(connection, "SELECT id FROM stream WHERE kind = 'connection' AND name = ?", (name,))
            return str(found[0][0]) if found else _insert(connection, "connection", name, name)

    def pair(self, connection: str, key: str) -> CredentialId:
        """Return the stream of a pair of tokens, which is made if need be; `key` belongs to the two alone."""
        stream = CredentialId(f"{PAIR}{key}")
        with self._db.write() as writer:
            if not run(writer, "SELECT 1 FROM stream WHERE id = ?", (stream,)):
                _insert(writer, "pair", f"{connection}~{key}", connection, stream)
        return stream

    def pairs(self, connection: str) -> list[CredentialId]:
        """Return the streams of the pairs of a connection, the one that was worked on last first."""
        with self._db.read() as reader:
            rows = run(
                reader,
                "SELECT id FROM stream WHERE kind = 'pair' AND connection = ? ORDER BY coalesce(next_at, 0) DESC, id",
                (connection,),
            )
        return [CredentialId(row[0]) for row in rows]

    def remark(self, of: str, why: str) -> None:
        """Note a last word about a connection (`of`: its own stream). A cache for `status`, which may be lost."""
        with self._db.write(durable=False, single=True) as connection:
            run(connection, "UPDATE stream SET why = ? WHERE id = ?", (why, of))

    def noted(self, stream: CredentialId) -> str:
        """Return the last word of whoever worked on a stream, or an empty string."""
        with self._db.read() as reader:
            found = run(reader, "SELECT why FROM stream WHERE id = ?", (stream,))
        return str(found[0][0]) if found else ""

    def remarked(self, connection: str) -> str:
        """Return the last word about a connection, or an empty string; one row, however many credentials there are."""
        with self._db.read() as reader:
            found = run(reader, "SELECT why FROM stream WHERE kind = 'connection' AND name = ?", (connection,))
        return str(found[0][0]) if found else ""

    def due(self, connection: str, now: float, limit: int) -> list[Due]:
        """Return credentials of the connection whose noted time is at most `now`, soonest first, at most `limit`."""
        with self._db.read() as reader:
            return [Due(*row) for row in run(reader, DUE, (connection, now, limit))]

    def wake(self, streams: Iterable[CredentialId], at: float) -> None:
        """Let streams be due no later than `at` (provider time), also when somebody works on them just now."""
        wanted = list(streams)
        for start in range(0, len(wanted), _BATCH):
            with self._db.write() as connection:
                for stream in wanted[start : start + _BATCH]:
                    wake(connection, stream, at)


def wake(connection: Connection, stream: CredentialId, at: float) -> None:
    """Let one stream be due no later than `at`, in the caller's transaction."""
    run(
        connection,
        "UPDATE stream SET next_at = CASE WHEN next_at < :at THEN next_at ELSE :at END,"
        " woken_at = CASE WHEN woken_at < :at THEN woken_at ELSE :at END WHERE id = :stream",
        {"at": at, "stream": stream},
    )


def forget(connection: Connection, stream: CredentialId) -> bool:
    """Let an unmanaged credential's stream be none any more, in the caller's transaction; its name is free again.

    Returns:
        Whether there was one.
    """
    run(
        connection,
        "UPDATE stream SET kind = 'forgotten', name = name || '~' || id, next_at = NULL"
        " WHERE id = ? AND kind = 'credential' AND managed = FALSE",
        (stream,),
    )
    return bool(run(connection, "SELECT 1 FROM stream WHERE id = ? AND kind = 'forgotten'", (stream,)))


def keep(connection: Connection, stream: CredentialId) -> None:
    """Make a placeholder for a stream that a spool knows and a restored journal does not."""
    if not run(connection, "SELECT 1 FROM stream WHERE id = ?", (stream,)):
        kind = "pair" if stream.startswith(PAIR) else "credential"
        run(
            connection,
            "INSERT INTO stream (id, kind, name, connection, managed, why) VALUES (?, ?, ?, '', FALSE, '')",
            (stream, kind, f"restored-{stream}"),
        )


def _insert(connection: Connection, kind: str, name: str, at: str, given: CredentialId = NO_CREDENTIAL) -> str:
    stream = CredentialId(given or secrets.token_hex(8))
    run(
        connection,
        "INSERT INTO stream (id, kind, name, connection, managed, next_at, why) VALUES (?, ?, ?, ?, TRUE, ?, '')",
        (stream, kind, name, at, 0.0 if kind == "credential" else None),
    )
    return stream
