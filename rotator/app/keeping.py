"""What an operator does with the state as a whole: look at it, take a backup, put one in the journal's place.

It joins the files, which `journal` cares for, with what the protocol has to know of a restore.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from pydantic_core import PydanticCustomError

from rotator.app.app import state_key
from rotator.app.connection_note import decode
from rotator.config.models import Config
from rotator.config.secret_ref import SecretRef
from rotator.config.state import StatePlace, place_of
from rotator.core.errors import ConfigError, RotatorError
from rotator.core.facts import Ahead, Draft
from rotator.core.findings import Level
from rotator.host.clock import SystemClock
from rotator.journal.backup import Backup, backup
from rotator.journal.identity import JournalAbsent
from rotator.journal.inspection import Inspected, finding
from rotator.journal.journal_file import look
from rotator.journal.open import open_journal
from rotator.journal.restore import Restored, restore
from rotator.journal.sealing import KeyRing
from rotator.journal.store import SqlJournal
from rotator.journal.transfer import transfer
from rotator.journal.transfer_rows import Copied, Tell


def take_backup(config: Config, target: Path, *, force: bool) -> Backup:
    """Write a backup of the journal to a file and prove it; errors as `journal.backup.backup`."""
    return backup(_file(config), target, state_key(config), force=force)


def put_back(config: Config, file: Path, *, force: bool, actor: str) -> Restored:
    """Put a backup in the place of the journal; errors as `journal.restore.restore`."""
    return restore(file, _file(config), state_key(config), lambda found: _mark(found, actor), force=force)


def target_of(url: str, password_file: Path | None, config: Config) -> StatePlace:
    """Return the place to which a journal can be copied.

    Raises:
        ConfigError: it is none; the file with its password is missing, or there is nothing to use one for.
    """
    doing, server = f"copying the journal to {url.partition('?')[0]}", url.startswith("postgres")
    if server and password_file is None:
        raise ConfigError(f"{doing}: the password of the database is missing", "name its file: --password-file FILE")
    if not server and password_file is not None:
        raise ConfigError(f"{doing}: an SQLite file has no password", "leave --password-file away")
    if not server and not url.startswith("sqlite:////"):
        raise ConfigError(
            f"{doing}: this is no place for a journal",
            "write postgresql://user@host:5432/database?sslmode=verify-full, or sqlite:////var/lib/rotator/state.db",
        )
    password = SecretRef(file=password_file) if password_file is not None else None
    try:
        return place_of(url, config.state.encryption_key, Path("/"), os.environ, os.geteuid(), password)
    except PydanticCustomError as error:
        what, expected, instead = (str((error.context or {}).get(k, "")) for k in ("what", "expected", "instead"))
        raise ConfigError(f"copying the journal: --to: {what}; {expected}", instead) from None


def copy_state(config: Config, target: StatePlace, tell: Tell) -> Copied:
    """Move the journal to another place; errors and crashes as `journal.transfer.transfer`."""
    if not config.state.there():
        raise JournalAbsent(
            f"copying the journal {config.state.name}: there is none", "the first start makes one: set state.url alone"
        )
    return transfer(config.state, target, state_key(config), tell, node=config.node)


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
