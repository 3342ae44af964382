"""Who works on a journal, and with which configuration: for whoever looks, and for verbs beside a daemon.

Nothing decides about a credential by this; leases do.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass

from rotator.journal.database import Clock, Database, run
from rotator.journal.owners import Process, processes


@dataclass(frozen=True, slots=True)
class Configuration:
    """A configuration file as a daemon took it.

    Attributes:
        path: absolute path of the file.
        content: its bytes; they hold no secret, only where secrets are read from.
        inventory: the bytes of its fleet's inventory, None without one.
    """

    path: str
    content: bytes
    inventory: bytes | None = None


class Presence:
    """The processes on one journal."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db, self._clock = db, clock

    def processes(self) -> list[Process]:
        """Return the processes that have the journal open for writing, dead ones that nobody buried yet included."""
        return processes(self._db, self._clock)

    def daemon(self) -> Process | None:
        """Return the daemon that runs on this journal: its lock is held and its heartbeat is fresh."""
        return next((found for found in self.processes() if found.kind == "run" and found.alive), None)

    def keep(self, kept: Configuration) -> None:
        """Keep the configuration that this daemon works with, for those who find its file broken."""
        written = {"path": kept.path, "content": _text(kept.content)}
        if kept.inventory is not None:
            written["inventory"] = _text(kept.inventory)
        with self._db.write() as connection:
            run(
                connection,
                "INSERT INTO meta (name, value) VALUES ('configuration', ?)"
                " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                (json.dumps(written),),
            )

    def kept(self) -> Configuration | None:
        """Return what the last daemon kept, None where none did."""
        with self._db.read() as connection:
            found = run(connection, "SELECT value FROM meta WHERE name = 'configuration'")
        if not found:
            return None
        kept = json.loads(found[0][0])
        inventory = kept.get("inventory")
        return Configuration(
            path=kept["path"],
            content=base64.b64decode(kept["content"]),
            inventory=None if inventory is None else base64.b64decode(inventory),
        )

    def hanging(self) -> Process | None:
        """Return a daemon that lives on this journal and gives no sign of life, where no other one does."""
        return None if self.daemon() else next((p for p in self.processes() if p.kind == "run" and p.hangs), None)


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()
