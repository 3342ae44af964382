"""The verbs of the encryption key: keygen and rekey."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from rotator.cli import exits
from rotator.cli.layout import text
from rotator.cli.output import say, write_json, write_lines
from rotator.cli.run import duration
from rotator.cli.verbs import Settings, verb


def keygen(
    settings: Settings,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where the key goes; must not exist yet.")],
    add: Annotated[bool, typer.Option("--add", help="Put a new key before those of FILE, which must exist.")] = False,
) -> int:
    """Write a new encryption key, mode 0600.

    The key seals every captured value in the journal. Keep it away from the
    database, and keep a copy: without it the journal's values are lost.
    An existing file is never overwritten. With --add it gets one line more at
    its top: that key seals from now on, the others still open, and
    `rotator rekey` brings everything under the new one.

      rotator keygen /run/secrets/rotator.key
      rotator keygen --add /run/secrets/rotator.key
    """
    from rotator.host.home import expanded
    from rotator.journal.key_file import add_key, generate_key

    if add:
        key_id, others = add_key(expanded(file))
        if settings.json:
            write_json({"file": str(file), "key_id": key_id, "others": list(others)})
        else:
            write_lines([text(f"put key {key_id} before {', '.join(others)} in {file}")])
            say("do: `rotator rekey`; keep a copy of the file first")
        return exits.DONE
    key_id = generate_key(expanded(file))
    if settings.json:
        write_json({"file": str(file), "key_id": key_id, "mode": "0600"})
    else:
        write_lines([text(f"wrote key {key_id} to {file}, mode 0600")])
        say(f"do: state: {{ encryption_key: {{ file: {file} }} }}")
    return exits.DONE


def rekey(
    settings: Settings,
    wait: Annotated[
        str, typer.Option(metavar="DURATION", help="How long other processes may take to read the key file again.")
    ] = "30s",
) -> int:
    """Bring every value of the journal under the first key of the key file.

    Put a new line at the top of the key file (`rotator keygen --add FILE`),
    then run this. Works beside a running daemon, which reads its key file
    again within ten seconds; it is waited for, and nothing is wrapped anew
    before every living process seals under the new key. Every value is opened
    once with the new key alone. Killed in between, nothing is lost: the file
    as it stands opens everything, and the same command goes on.

      rotator keygen --add /run/secrets/rotator.key
      rotator rekey
      rotator rekey --wait 2m -o json

    Then take the old line out of the key file; keep it in a safe place for as
    long as you keep backups from before. Exit 1 when a process still seals
    under another key, or a value is opened by no key of the file.
    """
    from rotator.app.bootstrap.ledger import unfinished
    from rotator.cli.operate import opened

    patience = duration("--wait", wait)
    with opened(settings) as app:
        done = app.writable.rekey(patience)
        names = {stream.id: stream.name for stream in app.writable.streams.all()}
        state = app.config.state.folder
        on_their_way = [name for name in app.config.connections if unfinished(state, name)]
    unreadable: list[dict[str, Any]] = [
        {"credential": names.get(one.stream, one.stream), "sealed_id": one.sealed_id} for one in done.unreadable
    ]
    if settings.json:
        document = {"rewrapped": done.rewrapped, "opened": done.opened, "key_id": done.key_id}
        write_json({**document, "before": list(done.before), "unreadable": unreadable, "bootstraps": on_their_way})
    else:
        write_lines([text(f"rewrapped {done.rewrapped} values; {done.opened} open with key {done.key_id} alone")])
        write_lines(
            text(f"{one['credential']}: a value ({one['sealed_id']}) is opened by no key of the file")
            for one in unreadable
        )
    for name in on_their_way:
        say(f"`rotator bootstrap {name}` is not finished and needs the old key: finish it before you take that out")
    if unreadable:
        say("do: put the key that is missing back into the key file, and repeat; else `rotator audit verify`")
    elif done.before:
        say(f"do: take {', '.join(done.before)} out of the key file; keep it for as long as backups from before exist")
    return exits.NO if unreadable else exits.DONE


def register(app: typer.Typer) -> None:
    """Add these verbs."""
    for function in (keygen, rekey):
        verb(app)(function)
