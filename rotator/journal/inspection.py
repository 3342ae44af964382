"""What can still be said of a journal, whatever has happened to it: how far each chain is whole, which values open.

It changes nothing, needs no lock, and goes on where something cannot be read. What is wrong is told as findings; what
is sure is told for each stream.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from rotator.core.errors import JournalUnsafe
from rotator.core.findings import STATE, Finding, Level, of_credential
from rotator.core.ids import NO_VALUE, CredentialId
from rotator.core.protocol.fold import fold
from rotator.core.protocol.view import View, blank
from rotator.journal import chain, records
from rotator.journal.database import Connection, Database, run
from rotator.journal.records import Record
from rotator.journal.sealing import KeyRing, Seal, Sealed, unlock, unpack

_BEFORE: Final = "keep a copy of the file, then `rotator restore` a backup from before"
_LAST_BACKUP: Final = "keep a copy of the file, then `rotator restore` the last backup"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sure:
    """What is sure of one credential's stream.

    Attributes:
        name: of the credential.
        facts: facts that can be read.
        intact: how many of them, from the first on, are bound to each other as they were written; None without a key.
        values: sealed values that are not destroyed.
        opened: how many of them the key file opens; None without a key.
        current: whether the published value is one of those; None where none is published or no key was given.
    """

    name: str
    facts: int
    intact: int | None
    values: int
    opened: int | None
    current: bool | None


@dataclass(frozen=True, slots=True)
class Inspected:
    """What an inspection found: findings, the worst not first, and what is sure of each credential."""

    findings: tuple[Finding, ...]
    sure: tuple[Sure, ...]


def finding(level: Level, code: str, message: str, remedy: str = "", of: str = "") -> Finding:
    """Return a finding about the state, or about a credential."""
    return Finding(level=level, subject=of_credential(of) if of else STATE, code=code, message=message, remedy=remedy)


def inspect(db: Database, keys: KeyRing | None) -> Inspected:
    """Read everything that can be read of a journal whose schema is known.

    Raises:
        JournalUnsafe: not even the names of its streams can be read.
    """
    found: list[Finding] = []
    with _reading(db) as connection:
        seal = _seal(connection, keys, found)
        streams = run(connection, "SELECT id, name, kind FROM stream ORDER BY name, kind")
    sure = []
    for stream, name, kind in streams:
        with _reading(db) as connection:
            one = _Stream(CredentialId(str(stream)), str(name), connection, seal, keys)
            found += one.look()
        if kind == "credential":
            sure.append(one.sure())
    if keys is not None:
        with _reading(db) as connection:
            found += _keys(connection, keys)
    if not any(one.level is Level.FAIL for one in found):
        total = sum(one.facts for one in sure)
        what = "can be read" if seal is None else "are bound to each other as they were written"
        found.insert(0, finding(Level.OK, "facts", f"all {total} facts of {len(sure)} credentials {what}"))
    return Inspected(tuple(found), tuple(sure))


class _Stream:
    """One stream, read as far as that goes."""

    def __init__(
        self, stream: CredentialId, name: str, connection: Connection, seal: Seal | None, keys: KeyRing | None
    ) -> None:
        self._id, self._name, self._connection, self._seal, self._keys = stream, name, connection, seal, keys
        self._facts = self._values = 0
        self._intact: int | None = None
        self._opened: int | None = None
        self._view: View | None = blank()
        self._current: bool | None = None

    def look(self) -> list[Finding]:
        """Read facts and values; return what is wrong."""
        found: list[Finding] = []
        sealed = list(self._sealed(found))
        read = list(self._records(found))
        self._facts = len(read)
        self._fold(read, found)
        if self._seal is not None:
            digests = {one.sealed_id: one.digest for one in sealed}
            broken = chain.verify(self._seal.chain_key, read, digests).breaks
            self._intact = broken[0].position - 1 if broken else len(read)
            if broken:
                found.append(
                    self._fail("chain_broken", self._broken(broken[0]), "`rotator restore` a backup from before")
                )
        self._open(sealed, found)
        return found

    def sure(self) -> Sure:
        """What is sure after `look`."""
        return Sure(
            name=self._name,
            facts=self._facts,
            intact=self._intact,
            values=self._values,
            opened=self._opened,
            current=self._current,
        )

    def _broken(self, at: chain.Break) -> str:
        whole = f"facts 1 to {at.position - 1} are as they were written" if at.position > 1 else "no fact is sure"
        return f"{whole}, fact {at.position} of {max(self._facts, at.position)} is not: {at.why}"

    def _records(self, found: list[Finding]) -> Iterator[Record]:
        last = 0
        try:
            for record in records.each(self._connection, self._id):
                last = record.position
                yield record
        except sqlite3.Error as error:
            found.append(
                self._fail("facts_unreadable", f"after fact {last} the file cannot be read: {error}", _LAST_BACKUP)
            )

    def _sealed(self, found: list[Finding]) -> Iterator[Sealed]:
        try:
            yield from records.sealed_in(self._connection, self._id)
        except sqlite3.Error as error:
            found.append(self._fail("values_unreadable", f"sealed values cannot be read: {error}", _LAST_BACKUP))

    def _fold(self, read: list[Record], found: list[Finding]) -> None:
        view = blank()
        for record in read:
            try:
                view = fold(view, record.fact())
            except JournalUnsafe as error:
                found.append(self._fail("fact_unreadable", error.message, error.remedy))
                self._view = None
                return
            except Exception:  # noqa: BLE001 - a fold meets only legal facts elsewhere; here it may meet anything
                message = f"fact {record.position} does not follow from those before it"
                found.append(self._fail("fact_unreadable", message, _LAST_BACKUP))
                self._view = None
                return
        self._view = view
        if view.newer:
            remedy = "run that version again; this one leaves the credential alone"
            message = f"a newer version wrote a fact that this one does not know ({view.newer})"
            found.append(finding(Level.WARN, "newer_version", message, remedy, of=self._name))

    def _open(self, sealed: list[Sealed], found: list[Finding]) -> None:
        living = [one for one in sealed if one.wrapped_key]
        self._values = len(living)
        if self._seal is None or self._keys is None:
            return
        opened = {one.sealed_id for one in living if _opens(self._keys, one)}
        self._opened = len(opened)
        published = self._view.fingerprint if self._view is not None else NO_VALUE
        if published:
            self._current = any(one.sealed_id in opened for one in living if one.fingerprint == published)
        lost = [one for one in living if one.sealed_id not in opened]
        if lost:
            under = ", ".join(sorted({one.key_id for one in lost}))
            which = (
                "the published one is among them" if self._current is False else "the published one is not among them"
            )
            message = f"{len(lost)} of {len(living)} values do not open (sealed under key {under}); {which}"
            remedy = "put that key into the key file, or `rotator rotate` it: what is published lives on meanwhile"
            found.append(self._fail("value_unreadable", message, remedy))

    def _fail(self, code: str, message: str, remedy: str) -> Finding:
        return finding(Level.FAIL, code, message, remedy, of=self._name)


def _seal(connection: Connection, keys: KeyRing | None, found: list[Finding]) -> Seal | None:
    rows = dict(run(connection, "SELECT name, value FROM meta WHERE name IN ('instance', 'secret')"))
    if not {"instance", "secret"} <= rows.keys():
        message = "the first start did not finish: the journal has no secret yet"
        found.append(finding(Level.WARN, "first_start", message, "start `rotator run` again"))
        return None
    if keys is None:
        return None
    try:
        return unlock(str(rows["instance"]), keys, unpack(json.loads(rows["secret"])))
    except (JournalUnsafe, ValueError) as error:
        message = error.message if isinstance(error, JournalUnsafe) else "the journal's own secret is damaged"
        remedy = "put the key with which it was made into the key file; without it no value and no chain is sure"
        found.append(finding(Level.FAIL, "wrong_key", message, remedy))
        return None


def _opens(keys: KeyRing, sealed: Sealed) -> bool:
    try:
        keys.open(sealed)
    except JournalUnsafe:
        return False
    return True


def _keys(connection: Connection, keys: KeyRing) -> Iterator[Finding]:
    """Under which keys the living values rest."""
    statement = "SELECT key_id, count(*) FROM sealed WHERE wrapped_key IS NOT NULL GROUP BY key_id ORDER BY key_id"
    try:
        counts = {str(key): int(number) for key, number in run(connection, statement)}
    except sqlite3.Error:
        return  # told with the streams
    older = {key: number for key, number in counts.items() if key != keys.active and key in keys.ids}
    if older:
        under = ", ".join(f"{number} under key {key}" for key, number in older.items())
        message = f"not every value rests under {keys.active}, the first key of the key file: {under}"
        yield finding(Level.WARN, "older_key", message, "`rotator rekey`")
    elif set(counts) <= set(keys.ids):
        spare = [key for key in keys.ids[1:]]
        more = f"; nothing in it needs {', '.join(spare)} any more" if spare else ""
        yield finding(Level.OK, "keys", f"{sum(counts.values())} values rest under key {keys.active}{more}")


@contextmanager
def _reading(db: Database) -> Iterator[Connection]:
    with db.read() as connection:
        yield connection
