"""Another key for a journal: taken by every process that works on it, and then under everything that is sealed.

Two rules make it safe at every point. A process seals under a new key only once the key file by itself opens the
journal; and nothing is wrapped anew before every living process seals under that key. So whatever a kill leaves is
opened by the lines of the key file as they stand, and the same command goes on from there.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from rotator.core.errors import ConfigError, JournalUnsafe, RotatorError, Unavailable
from rotator.core.ids import CredentialId
from rotator.journal import records
from rotator.journal.captures import Captures
from rotator.journal.database import Clock, Connection, Database, run
from rotator.journal.owners import SEALS_UNDER, Owners, Process, processes
from rotator.journal.room import Room
from rotator.journal.sealing import KeyRing, Sealed, pack, unpack

_BATCH: Final = 200
"""Values wrapped anew in one transaction: other writers wait for so long, some milliseconds."""

_PAUSE: Final = 0.2


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A sealed value that no key of the file opens: of which stream, and the record's id."""

    stream: CredentialId
    sealed_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rekeyed:
    """What `rekey` did.

    Attributes:
        key_id: the key that seals.
        rewrapped: values whose key was wrapped anew.
        opened: living values that were opened once, with the key that seals and no other.
        unreadable: values that stay as they were, because no key opens them.
        before: ids of other keys under which something was found, so that backups of until now need them.
    """

    key_id: str
    rewrapped: int
    opened: int
    unreadable: tuple[Unreadable, ...]
    before: tuple[str, ...]


class Keys:
    """The keys of one journal that is open for writing, as this process has them."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        crash: Callable[[str], None],
        keys: KeyRing,
        owners: Owners,
        captures: Captures,
        room: Room,
    ) -> None:
        """`keys` is the ring that the journal's seal uses, too."""
        self._db, self._clock, self._crash = db, clock, crash
        self._keys, self._owners, self._captures, self._room = keys, owners, captures, room

    def refresh(self) -> bool:
        """Take a key that was put first in the key file meanwhile; True where this process seals under it from now on.

        What this process has spooled is wrapped anew. A file that is gone, wrong or another journal's changes nothing.

        Raises:
            JournalUnsafe: the journal cannot be read or written.
        """
        root = self._root()
        try:
            turned = self._keys.turn(root)
        except (ConfigError, Unavailable, JournalUnsafe):
            return False
        if turned:
            self._captures.rewrap(self._keys.rewrap)
            self._owners.seals(self._keys.active)
        return turned

    def rekey(self, patience: float, collect: Callable[[], None]) -> Rekeyed:
        """Wrap the key of every living value with the first key of the key file, and open each value once.

        Args:
            patience: seconds for which other processes may take to read the key file again.
            collect: imports what lies in spools.

        Raises:
            JournalUnsafe: the journal cannot be written.
            RotatorError: a process still seals under another key; nothing was wrapped anew after that was seen.

        Crash: leaves a mixture that the key file opens as it stands; the same command goes on from there.
        """
        self.refresh()
        collect()
        self._agreed(patience)
        before = self._others()
        self._crash("before_rekey_step")
        self._wrap_root()
        rewrapped, opened, unreadable = 0, 0, tuple[Unreadable, ...]()
        while True:
            done, opened, unreadable = self._pass()
            rewrapped += done
            collect()
            self._agreed(patience)
            if not self._left({one.sealed_id for one in unreadable}):
                break
        self._empty_log()
        return Rekeyed(
            key_id=self._keys.active,
            rewrapped=rewrapped,
            opened=opened,
            unreadable=unreadable,
            before=tuple(sorted(before)),
        )

    # ------------------------------------------------------------------------------------------------------- the inside

    def _root(self) -> Sealed:
        with self._db.read() as connection:
            return unpack(json.loads(run(connection, "SELECT value FROM meta WHERE name = 'secret'")[0][0]))

    def _agreed(self, patience: float) -> None:
        """Wait until every other living process says that it seals under our key."""
        ends = self._clock.boot() + patience
        while True:
            behind = self._behind()
            if behind is None:
                return
            if self._clock.boot() >= ends:
                raise _seals_under_another(*behind, self._keys.active)
            self._clock.wait(_PAUSE)

    def _behind(self) -> tuple[Process, str] | None:
        """A living process that does not say that it seals under our key, and what it says; None where all do."""
        with self._db.read() as connection:
            said = dict(run(connection, "SELECT name, value FROM meta WHERE name LIKE ?", (f"{SEALS_UNDER}%",)))
        for process in processes(self._db, self._clock):
            under = str(said.get(SEALS_UNDER + process.owner, ""))
            mine = process.owner == self._owners.me or under == self._keys.active
            if not mine and (process.alive or process.hangs):
                return process, under
        return None

    def _wrap_root(self) -> None:
        with self._db.write() as connection:
            root = unpack(json.loads(run(connection, "SELECT value FROM meta WHERE name = 'secret'")[0][0]))
            if root.key_id != self._keys.active:
                new = self._keys.rewrap(root)
                self._keys.alone().open(new)
                run(connection, "UPDATE meta SET value = ? WHERE name = 'secret'", (json.dumps(pack(new)),))

    def _pass(self) -> tuple[int, int, tuple[Unreadable, ...]]:
        """Go over all living values once; return how many were wrapped anew, how many opened, and which did not."""
        rewrapped = opened = 0
        unreadable: list[Unreadable] = []
        alone, last = self._keys.alone(), ""
        while True:
            self._crash("before_rekey_step")
            with self._db.write() as connection:
                found = records.living(connection, last, _BATCH)
                for sealed in found:
                    try:
                        new = sealed if sealed.key_id == self._keys.active else self._keys.rewrap(sealed)
                        alone.open(new)
                    except JournalUnsafe:
                        unreadable.append(Unreadable(CredentialId(sealed.credential), sealed.sealed_id))
                        continue
                    opened += 1
                    if new is not sealed:
                        records.rewrap(connection, new)
                        rewrapped += 1
            self._crash("after_rekey_step")
            if len(found) < _BATCH:
                return rewrapped, opened, tuple(unreadable)
            last = found[-1].sealed_id

    def _left(self, but: set[str]) -> bool:
        """Whether a value came meanwhile that is sealed under another key."""
        with self._db.read() as connection:
            return any(one not in but for one in _elsewhere(connection, self._keys.active))

    def _others(self) -> set[str]:
        with self._db.read() as connection:
            rows = run(connection, "SELECT DISTINCT key_id FROM sealed WHERE wrapped_key IS NOT NULL")
        return ({str(row[0]) for row in rows} | {self._root().key_id}) - {self._keys.active}

    def _empty_log(self) -> None:
        """Let the log forget what the old key wrapped; a reader in the way leaves that to the next heartbeat."""
        self._room.forget()
        self._room.tidy()


def _seals_under_another(process: Process, under: str, wanted: str) -> RotatorError:
    what = f"key {under}" if under else "a key that it does not tell, for it is of another version"
    return RotatorError(
        f"the process {process.pid} on {process.host} still seals under {what}, and not under {wanted}",
        "let its key file begin with that key: it reads a file again within 10 s, a variable or a command at its next "
        "start. Or stop that process. Then repeat the command; the key file as it stands opens everything meanwhile",
    )


def _elsewhere(connection: Connection, key_id: str) -> Iterator[str]:
    rows = run(connection, "SELECT sealed_id FROM sealed WHERE wrapped_key IS NOT NULL AND key_id <> ?", (key_id,))
    yield from (str(row[0]) for row in rows)
