"""Whether the journal has room and still is where it was, and what keeps it small: canary, inode, write-ahead log.

It is asked before every mint, because a value that is shown once must find a place that is known to be good.
"""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Callable
from typing import Final

from rotator.core.errors import JournalUnsafe
from rotator.core.ids import NO_ROTATION, NO_TOKEN, CredentialId
from rotator.core.secret import Secret
from rotator.journal.database import Database, run, unsafe
from rotator.journal.owners import Owners
from rotator.journal.sealing import Seal, pack, unpack

_CANARY_BYTES: Final = 8192
"""More than an intent, a capture and its sealed value take together, so that their pages find room too."""


class Room:
    """The state of the file under one writing journal."""

    def __init__(self, db: Database, owners: Owners, crash: Callable[[str], None]) -> None:
        self._db = db
        self._owners = owners
        self._crash = crash
        self._log_holds_keys = True  # what an earlier process that died has left there
        self._proving = threading.Lock()
        self._begun = self._proven = 0

    def prove(self, seal: Seal) -> None:
        """Write a row, read it back on a connection opened for it, decrypt it; reserve room in the spool.

        Threads that ask while a proof is under way share the next one, which begins after all of them asked.

        Raises:
            JournalUnsafe: no room, no descriptor, another file, or what comes back is not what was written.

        Crash: leaves an old or a new canary, and a longer spool.
        """
        self.in_place()
        asked = self._begun
        with self._proving:  # one row per process: another thread's canary must not come back instead of ours
            if self._proven <= asked:
                self._begun += 1
                self._canary(seal)
                self._proven = self._begun
        try:
            self._owners.spool.reserve()
        except OSError as error:
            raise unsafe(f"reserving room in the spool {self._owners.spool.path}", error) from error

    def _canary(self, seal: Seal) -> None:
        value = Secret(secrets.token_hex(_CANARY_BYTES // 2))
        sealed = seal.seal(CredentialId("canary"), NO_ROTATION, 0, NO_TOKEN, value)
        self._crash("before_canary_commit")
        with self._db.write(single=True) as connection:
            run(
                connection,
                "INSERT INTO canary (owner, record) VALUES (?, ?)"
                " ON CONFLICT (owner) DO UPDATE SET record = excluded.record",
                (self._owners.me, json.dumps(pack(sealed))),
            )
        self._crash("after_canary_commit")
        found = self._db.probe("SELECT record FROM canary WHERE owner = ?", (self._owners.me,))
        if not found or seal.open(unpack(json.loads(found[0][0]))) != value:
            raise JournalUnsafe(
                f"proving room in the journal {self._db.name}: what was written did not come back",
                "check the disk, and whether another program replaces the file",
            )

    def in_place(self) -> None:
        """Raise `JournalUnsafe` when the file was removed or replaced: what we would write then is seen by nobody."""
        self._db.in_place()

    def forget(self) -> None:
        """Note that the write-ahead log still holds keys that the database has forgotten; `tidy` empties it."""
        self._log_holds_keys = True

    def tidy(self) -> None:
        """Empty the write-ahead log of forgotten keys: once for many, because all writers wait meanwhile.

        At every heartbeat and at the end; a reader in the way puts it off to the next.
        """
        if self._log_holds_keys:
            self._log_holds_keys = not self._db.tidy()


def counts(db: Database) -> dict[str, int]:
    """Return sizes for metrics; `spooled` is the caller's to add."""
    with db.read() as connection:
        facts = run(connection, "SELECT coalesce(max(seq), 0) FROM fact")[0][0]
        credentials = run(connection, "SELECT count(*) FROM stream WHERE kind = 'credential' AND managed")[0][0]
        values, destroyed = run(connection, "SELECT count(*), count(destroyed_at) FROM sealed")[0]
    return {
        "facts": facts,
        "credentials": credentials,
        "values": values - destroyed,
        "values_destroyed": destroyed,
        **db.sizes(),
    }
