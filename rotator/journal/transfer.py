"""`state copy`: a journal moves into another database, and afterwards exactly one of the two may be used.

First the new one is written and proven, in one step, with a mark that it does not count yet. Then the old one is marked
as moved. Then the mark of the new one goes. Whatever dies in between, one of them may be used or the same command
finishes, and no value is in neither.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Final

from rotator.core.errors import ConfigError, RotatorError
from rotator.host.crashpoints import crash_at
from rotator.journal.database import run
from rotator.journal.identity import JournalAbsent
from rotator.journal.moved import ARRIVING, MOVED, moved
from rotator.journal.open import Where, open_journal, path_of
from rotator.journal.sealing import KeyRing
from rotator.journal.transfer_file import FileSide
from rotator.journal.transfer_rows import Copied, Tell, everything, held, proven
from rotator.journal.transfer_side import Seen, Side, usable

_MARK: Final = "INSERT INTO meta (name, value) VALUES (?, ?)"


def side(where: Where) -> Side:
    """Return the side that a place is."""
    if where.url.startswith("postgres"):
        from rotator.journal.transfer_server import ServerSide

        return ServerSide(where.url, where.password.read if where.password is not None else None)
    return FileSide(path_of(where.url))


def transfer(
    source: Where,
    target: Where,
    keys: KeyRing,
    tell: Tell = lambda what, done, total: None,
    *,
    crash: Callable[[str], None] = crash_at,
    node: str = "",
) -> Copied:
    """Move the journal from one place to the other, and prove what arrived.

    Args:
        source: where it is.
        target: where it goes: no journal, one without facts, or an unfinished copy of this one.
        keys: they must open every value.
        tell: told of the progress.
        crash: passes a named crash point.
        node: what this machine is called.

    Raises:
        RotatorError: a process works on either, or the target holds facts.
        JournalAbsent: there is nothing to move.
        JournalUnsafe: one of them cannot be used, or what arrived is not what was there; the source is as it was.

    Crash: leaves the source as it was and a target that nobody can open, or the target in its place and a source that
        nobody can open, or for a moment neither: the same command finishes it.
    """
    with closing(side(source)) as old, closing(side(target)) as new:
        return _transfer(source, old, new, keys, tell, crash, node)


def _transfer(
    source: Where, old: Side, new: Side, keys: KeyRing, tell: Tell, crash: Callable[[str], None], node: str
) -> Copied:
    if old.name == new.name:
        raise ConfigError(f"copying the journal {old.name}: that is where it is", "name another place with --to")
    before, beyond = old.seen(), new.seen()
    if before.moved:
        return _finish(old, new, before, beyond)
    if not before.there:
        raise JournalAbsent(
            f"copying the journal {old.name}: there is none", f"start on {new.name}: the first start makes one there"
        )
    usable(new.name, beyond, before.instance)
    _nobody(new)
    _with_spools(source, keys, node)
    _nobody(old)
    _no_spool_elsewhere(old)
    with old.held() as reading:
        _nobody(old)
        instance = run(reading, "SELECT value FROM meta WHERE name = 'instance'")[0][0]
        with new.filled(instance) as writing:
            everything(reading, writing, old.now(reading), new.now(writing), tell)
            copied = proven(reading, writing, new.name, keys, tell)
            run(writing, _MARK, (ARRIVING, old.name))
            crash("before_copy_step")
        crash("before_copy_step")
        run(reading, _MARK, (MOVED, new.name))
    crash("after_copy_step")
    _arrived(new)
    crash("after_copy_step")
    return copied


def _nobody(one: Side) -> None:
    """Raise `RotatorError` when a process works on a journal."""
    living = one.living()
    if living:
        raise RotatorError(
            f"copying the journal: {len(living)} process{'es work' * (len(living) > 1) or ' works'} on {one.name}: "
            f"{', '.join(living)}",
            "stop every rotator process there first, a daemon with SIGTERM; of one that was killed the server knows "
            "after 30 seconds",
        )


def _with_spools(source: Where, keys: KeyRing, node: str) -> None:
    """Bring what waits in this machine's spools into the journal, and its schema up to date, as every start does."""
    journal = open_journal(source, keys, node=node)
    try:
        journal.import_spools()
    finally:
        journal.close()


def _no_spool_elsewhere(old: Side) -> None:
    left = old.left()
    if left:
        raise RotatorError(
            f"copying the journal {old.name}: {', '.join(left)} ended without a word, and what it had captured may "
            "wait in its spool on that machine alone",
            "run `rotator once` there, which brings it in; of a machine that is gone for good the row in the table "
            "`process` can be deleted",
        )


def _finish(old: Side, new: Side, before: Seen, beyond: Seen) -> Copied:
    """Let a copy count that was proven and whose old journal is closed already."""
    if before.moved != new.name or not beyond.arriving or beyond.instance != before.instance:
        raise moved(old.name, before.moved)
    _nobody(new)
    return _arrived(new)


def _arrived(new: Side) -> Copied:
    with new.held() as connection:
        run(connection, "DELETE FROM meta WHERE name = ?", (ARRIVING,))
        return held(connection)
