"""Who a journal is: the random id of its instance and the sealed secret of its fingerprints and chains."""

from __future__ import annotations

import json
import secrets

from rotator.core.errors import JournalUnsafe
from rotator.journal.database import Connection, Database, run
from rotator.journal.sealing import KeyRing, Seal, new_secret, pack, unlock, unpack


class JournalAbsent(JournalUnsafe):
    """There is no journal yet: before the first start. A reader shows everything as uninitialized then."""


def first_identity(db: Database, keys: KeyRing) -> None:
    """Give a new journal its identity; one that has it keeps it, whoever else starts in the same moment."""
    with db.read() as connection:
        if _is_there(connection):
            return
    instance = secrets.token_hex(4)
    rows = [("instance", instance), ("secret", json.dumps(pack(new_secret(instance, keys))))]
    with db.write() as connection:
        db.alone(connection, "identity")
        if _is_there(connection):
            return
        for row in rows:
            run(connection, "INSERT INTO meta (name, value) VALUES (?, ?)", row)


def identity(connection: Connection, where: str, keys: KeyRing | None) -> tuple[str, Seal | None]:
    """Return the instance and, with a key, its seal.

    Raises:
        JournalAbsent: the first start did not finish.
        JournalUnsafe: the key is another journal's.
    """
    found = dict(run(connection, "SELECT name, value FROM meta WHERE name IN ('instance', 'secret')"))
    if not {"instance", "secret"} <= found.keys():
        raise JournalAbsent(f"opening the journal {where}: its first start did not finish", "start `rotator run` again")
    instance = str(found["instance"])
    return instance, unlock(instance, keys, unpack(json.loads(found["secret"]))) if keys else None


def _is_there(connection: Connection) -> bool:
    return bool(run(connection, "SELECT 1 FROM meta WHERE name = 'secret'"))
