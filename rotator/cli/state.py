"""The verbs of the state as a whole: backup, restore, state check and state copy."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from rotator.cli import exits
from rotator.cli.check import findings_document
from rotator.cli.layout import Column, Row, Table, table, text
from rotator.cli.log import configuration, running_configuration
from rotator.cli.names import operator
from rotator.cli.output import say, terminal_width, write_json, write_lines
from rotator.cli.preview import Yes, agreed
from rotator.cli.verbs import Settings, verb
from rotator.core.errors import RotatorError
from rotator.core.findings import Level

if TYPE_CHECKING:
    from rotator.config.models import Config
    from rotator.config.state import StatePlace
    from rotator.journal.inspection import Sure

_SAY_SECONDS: Final = 2.0


def backup(
    settings: Settings,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where the copy goes, mode 0600.")],
    force: Annotated[bool, typer.Option("--force", help="Write over FILE where it exists.")] = False,
) -> int:
    """Copy the journal to a file, and prove the copy.

    Works beside a running daemon: the copy is of one moment. Before it gets
    its name every page, the key and every hash chain are checked.
    The encryption key is not in it. Keep both, in different places: the copy
    without the key opens nothing, and the key without a copy has nothing to
    open. An existing FILE is kept unless --force is given.

      rotator backup /backup/rotator-$(date +%F).db
      rotator backup /backup/rotator.db --force -o json

    On PostgreSQL use the database's own backups. Exit 1 when the copy could
    not be written or is not whole; then there is none.
    """
    from rotator.app.keeping import take_backup
    from rotator.host.home import expanded

    config = running_configuration(settings)
    _on_sqlite(config, "back up", "pg_dump, or a base backup with the write-ahead log (PITR)")
    done = take_backup(config, expanded(file), force=force)
    document = {
        "file": str(done.path),
        "bytes": done.bytes,
        "instance": done.proven.instance,
        "facts": done.proven.facts,
        "credentials": done.proven.streams,
        "values": done.proven.values,
        "key_ids": list(done.proven.key_ids),
        "spooled": done.spooled,
        "verified": True,
    }
    if settings.json:
        write_json(document)
    else:
        what = f"{done.proven.facts} facts and {done.proven.values} sealed values of {done.proven.streams} credentials"
        write_lines([text(f"wrote {done.path} ({done.bytes >> 10} KiB): {what}; every page and chain was checked")])
        key = ", ".join(done.proven.key_ids) or "the journal"
        say(f"the key {key} is not in it: keep a copy of the key file in another place")
        if done.spooled:
            say(f"{done.spooled} captures lie in spools and not in the journal yet: `rotator once` brings them in")
    return exits.DONE


def restore(
    settings: Settings,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A backup, or any whole copy of a journal.")],
    force: Annotated[bool, typer.Option("--force", help="Also a backup of another installation.")] = False,
    yes: Yes = False,
) -> int:
    """Put a backup in the place of the journal.

    Refused while any rotator process works on the state. The backup is proven
    first: every page, the key, every hash chain. What stood there before is
    put aside, not deleted, and captures that wait in spools stay where they
    are. Every credential is marked as restored: what is published lives on and
    is taken over from the targets, nothing older is published, no old token is
    retired and no unknown one swept before somebody has looked.

      rotator restore /backup/rotator-2026-11-30.db
      rotator restore /backup/rotator.db --yes -o json

    Then start the daemon, compare `rotator status` with the dashboard, and
    confirm with `rotator resolve --all --retry`. Killed in between it leaves
    the old state or the new one, each whole; repeat the command.
    """
    from rotator.app.keeping import put_back
    from rotator.host.home import expanded

    config = configuration(settings)
    _on_sqlite(config, "restore", "the database's own way, with the daemons stopped")
    if not agreed([f"{config.state.database} is put aside, and {file} takes its place"], yes=yes):
        return exits.NO
    done = put_back(config, expanded(file), force=force, actor=operator())
    document = {
        "file": str(file),
        "instance": done.proven.instance,
        "facts": done.proven.facts,
        "credentials": done.proven.streams,
        "marked": done.marked,
        "put_aside": str(done.aside) if done.aside else None,
        "spools": done.spools,
        "verified": True,
    }
    if settings.json:
        write_json(document)
    else:
        lines = [f"restored {done.proven.facts} facts of {done.marked} credentials; each is marked as restored"]
        if done.aside:
            lines.append(f"what was there lies in {done.aside}")
        if done.spools:
            lines.append(f"{done.spools} spools of earlier processes are brought in at the next start")
        write_lines(text(line) for line in lines)
    say("do: start the daemon, compare `rotator status` with the dashboard, then `rotator resolve --all --retry`")
    return exits.DONE


def copy(
    settings: Settings,
    to: Annotated[str, typer.Option("--to", metavar="URL", help="Where it goes, as state.url has it.")],
    password_file: Annotated[
        Path | None, typer.Option("--password-file", metavar="F", help="Holds the password of that database.")
    ] = None,
) -> int:
    """Move the journal into another database: SQLite to PostgreSQL, or back.

    Stop every rotator process first, on all machines. Everything goes along:
    facts, sealed values, pauses, requests, fencing numbers. In the new place
    every hash chain is checked and every value opened once. From then on the
    old journal cannot be used any more, so that there are never two; it is
    kept as it is. The new place must hold no facts.

      rotator state copy --to postgresql://rotator@db/rotator?sslmode=verify-full --password-file /run/secrets/db
      rotator state copy --to sqlite:////var/lib/rotator/state.db

    Then set state.url (and state.encryption_key, the same one) in the
    configuration and start the daemons. Killed in between it leaves the old
    journal as it was, or finishes when the command is repeated.
    """
    from rotator.app.keeping import copy_state, target_of
    from rotator.host.home import expanded

    config = configuration(settings)
    target = target_of(to, expanded(password_file) if password_file else None, config)
    done = copy_state(config, target, _Progress())
    if settings.json:
        write_json({"facts": done.facts, "values": done.values, "verified": True})
    else:
        what = f"{done.facts} facts and {done.values} sealed values"
        write_lines([text(f"moved {what} to {target.name}; every chain was checked and every value opened")])
    say(f"do: set state.url to {to} in the configuration, with {_rest(config, target)}; then start the daemons")
    return exits.DONE


def _rest(config: Config, target: StatePlace) -> str:
    """What else has to stand in the configuration."""
    key = f"state.encryption_key read from {config.state.encryption_key.describe()}"
    return key if target.password is None else f"state.password read from {target.password.describe()} and {key}"


class _Progress:
    """Says how far a long work is: once every few seconds, so that short work says nothing."""

    def __init__(self) -> None:
        self._next = time.monotonic() + _SAY_SECONDS

    def __call__(self, what: str, done: int, total: int) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _SAY_SECONDS
            say(f"{what}: {done} of {total}")


def check(settings: Settings) -> int:
    """Say what is wrong with the journal, and what is still sure.

    Looks at the file, at everything in it and at what lies beside it, and
    changes nothing; also where the journal is damaged, another program's,
    of a newer version, under another key, read-only or locked. Of each
    credential it says how far its chain of facts is whole and how many of its
    values open. Works beside a running daemon.

      rotator state check
      rotator state check -o json

    Exit 1 when something is wrong.
    """
    from rotator.app.keeping import inspected
    from rotator.cli import render

    found = inspected(running_configuration(settings))
    rows = findings_document(found.findings)
    if settings.json:
        write_json({"findings": rows, "credentials": [_sure(one) for one in found.sure]})
    else:
        shown = Table((Column("CREDENTIAL"), *(Column(c, right=True) for c in ("FACTS", "INTACT", "VALUES", "OPEN"))))
        shown.rows = [
            Row((one.name, *map(_number, (one.facts, one.intact, one.values, one.opened)))) for one in found.sure
        ]
        write_lines(render.findings(rows, terminal_width()))
        if shown.rows:
            write_lines([text(""), *table(shown, terminal_width())])
    counts = {level: sum(one.level is level for one in found.findings) for level in Level}
    say(", ".join(f"{counts[level]} {level}" for level in Level))
    return exits.NO if counts[Level.FAIL] else exits.DONE


def _sure(one: Sure) -> dict[str, Any]:
    """What is sure of a credential, as JSON."""
    rest = {"facts": one.facts, "intact_to": one.intact, "values": one.values, "opened": one.opened}
    return {"credential": one.name, **rest, "current_opens": one.current}


def _number(value: int | None) -> str:
    return "?" if value is None else str(value)


def _on_sqlite(config: Config, what: str, instead: str) -> None:
    if not config.state.url.startswith("sqlite:"):
        raise RotatorError(f"this verb can {what} a journal on SQLite, and this one is on PostgreSQL", f"use {instead}")


def register(app: typer.Typer) -> None:
    """Add these verbs."""
    for function in (backup, restore):
        verb(app)(function)
    group = typer.Typer(help="The state as a whole.", no_args_is_help=True, rich_markup_mode=None)
    verb(group, "check")(check)
    verb(group, "copy")(copy)
    app.add_typer(
        group, name="state", short_help="The journal itself: `state check` says what is sure, `state copy` moves it."
    )
