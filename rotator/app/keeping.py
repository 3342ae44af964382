"""What an operator does with the state as a whole: take a backup, put one in the journal's place.

It joins the files, which `journal` cares for, with what the protocol has to know of a restore.
"""

from __future__ import annotations

from pathlib import Path

from rotator.app.app import state_key
from rotator.app.connection_note import decode
from rotator.config.models import Config
from rotator.core.errors import RotatorError
from rotator.core.facts import Ahead, Draft
from rotator.host.clock import SystemClock
from rotator.journal.backup import Backup, backup
from rotator.journal.restore import Restored, restore
from rotator.journal.store import SqlJournal


def take_backup(config: Config, target: Path, *, force: bool) -> Backup:
    """Write a backup of the journal to a file and prove it; errors as `journal.backup.backup`."""
    return backup(config.state.database, target, state_key(config), force=force)


def put_back(config: Config, file: Path, *, force: bool, actor: str) -> Restored:
    """Put a backup in the place of the journal; errors as `journal.restore.restore`."""
    return restore(file, config.state.database, state_key(config), lambda found: _mark(found, actor), force=force)


def _mark(journal: SqlJournal, actor: str) -> int:
    """Note in every credential's stream that the world went on without this journal.

    From this fact on nothing older than it is retired, no token of ours that the journal does not know is swept, and a
    write-only target counts as unknown, until an operator has looked.
    """
    marked = 0
    utc = SystemClock().utc()
    for stream in journal.streams.all():
        if stream.kind != "credential" or not journal.view(stream.id).position:
            continue
        lease = journal.claim(stream.id)
        if lease is None:
            raise RotatorError(f"restoring: somebody works on {stream.name} in the copy", "repeat the command")
        offset = decode(journal.streams.remarked(stream.connection)).offset or 0.0
        journal.append(lease, Draft(what=Ahead(), at=utc + offset, actor=actor))
        journal.release(lease, 0.0)
        marked += 1
    return marked
