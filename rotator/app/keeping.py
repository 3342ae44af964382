"""What an operator does with the state as a whole: look at it, take a backup, put one in the journal's place.

It joins the files, which `journal` cares for, with what the protocol has to know of a restore.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from rotator.app.app import state_key
from rotator.app.connection_note import decode
from rotator.config.models import Config
from rotator.config.state import StatePlace
from rotator.core.errors import RotatorError
from rotator.core.facts import Ahead, Draft
from rotator.core.findings import Level
from rotator.host.clock import SystemClock
from rotator.journal.backup import Backup, backup
from rotator.journal.inspection import Inspected, finding
from rotator.journal.journal_file import look
from rotator.journal.open import open_journal
from rotator.journal.restore import Restored, restore
from rotator.journal.sealing import KeyRing
from rotator.journal.store import SqlJournal


def take_backup(config: Config, target: Path, *, force: bool) -> Backup:
    """Write a backup of the journal to a file and prove it; errors as `journal.backup.backup`."""
    return backup(_file(config), target, state_key(config), force=force)


def put_back(config: Config, file: Path, *, force: bool, actor: str) -> Restored:
    """Put a backup in the place of the journal; errors as `journal.restore.restore`."""
    return restore(file, _file(config), state_key(config), lambda found: _mark(found, actor), force=force)


def _file(config: Config) -> Path:
    if config.state.database is None:
        raise RotatorError("the journal is on PostgreSQL, and so no file", "use the database's own backups")
    return config.state.database


def inspected(config: Config) -> Inspected:
    """Look at the journal and what lies beside it, whatever has happened to it. Changes nothing and never raises."""
    reference, keys, wrong = config.state.encryption_key, None, []
    if not (config.state.generated and not config.state.there()):  # the first start makes both
        try:
            keys = KeyRing(reference.read_lines())
        except RotatorError as error:
            wrong = [finding(Level.FAIL, "encryption_key", error.message, error.remedy)]
    database = config.state.database
    found = look(database, keys) if database is not None else _asked(config.state, keys)
    return replace(found, findings=(*wrong, *found.findings))


def _asked(state: StatePlace, keys: KeyRing | None) -> Inspected:
    """What a database server says of the journal in it."""
    try:
        journal = open_journal(state, None, mode="reader")
    except RotatorError as error:
        return Inspected((finding(Level.FAIL, "journal", error.message, error.remedy),), ())
    try:
        return journal.audit.inspect(keys)
    except RotatorError as error:
        return Inspected((finding(Level.FAIL, "journal", error.message, error.remedy),), ())
    finally:
        journal.close()


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
