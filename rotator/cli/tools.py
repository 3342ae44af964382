"""Verbs that need no configuration: schema, version, sandbox, demo, testing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rotator.cli import exits
from rotator.cli.layout import Column, Row, Table, table, text
from rotator.cli.output import terminal_width, write_json, write_lines
from rotator.cli.verbs import Settings, verb
from rotator.core.errors import ConfigError, RotatorError


def schema(settings: Settings) -> int:
    """Print the JSON schema of the configuration file.

    Editors complete and check YAML with it, when the first line of the file is
    `# yaml-language-server: $schema=rotator.schema.json`.

      rotator schema > rotator.schema.json
    """
    from rotator.config.schema import json_schema
    from rotator.registry import kinds

    write_json(json_schema(kinds()))
    return exits.DONE


def version(settings: Settings) -> int:
    """Print the version.

    Of the program, of Python, and of the journal's schema.

      rotator version -o json
    """
    import platform

    from rotator import __version__
    from rotator.journal.schema import REVISIONS

    if settings.json:
        write_json({"version": __version__, "python": platform.python_version(), "journal_schema": REVISIONS[-1]})
    else:
        write_lines(
            [text(f"rotator {__version__} (Python {platform.python_version()}, journal schema {REVISIONS[-1]})")]
        )
    return exits.DONE


def sandbox(
    settings: Settings,
    listen: Annotated[str, typer.Option(metavar="HOST:PORT", help="Loopback only; port 0 picks a free one.")] = (
        "127.0.0.1:8980"
    ),
    world: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The accounts, zones and tokens to start with.")
    ] = None,
    tokens_dir: Annotated[
        Path | None, typer.Option("--tokens-dir", metavar="DIR", help="Writes the management tokens there, mode 0600.")
    ] = None,
    state: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Keeps the tokens over a restart of the sandbox.")
    ] = None,
) -> int:
    """Run a local Cloudflare to rehearse against.

    The first line on standard output says that it is ready and where. What
    lies below /client/v4 behaves as the real API; below /__sandbox__/ it can
    be told to lose answers, be late, limit the rate, or move its clock.

      rotator sandbox --tokens-dir /tmp/tokens
      rotator sandbox --listen 127.0.0.1:0 --world world.yaml
    """
    from rotator.sandbox import serve
    from rotator.sandbox.unusable import UnusableError

    try:
        serve(listen, world, tokens_dir, state)
    except UnusableError as error:
        raise ConfigError(f"running the sandbox: {error.wrong}", error.instead) from None
    except OSError as error:
        what = f"--listen {listen}" if error.filename is None else error.filename
        raise RotatorError(f"running the sandbox: {what}: {error.strerror}", "name another one") from None
    return exits.DONE


def demo(
    settings: Settings,
    rotations: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="End after every credential has rotated N times (default: 2)."),
    ] = None,
    forever: Annotated[bool, typer.Option("--forever", help="Go on until Ctrl-C.")] = False,
    seconds: Annotated[float | None, typer.Option(min=1, metavar="S", help="End after that many seconds.")] = None,
    chaos: Annotated[bool, typer.Option("--chaos", help="Kill the daemon at random moments, and restart it.")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the folder with files, journal and logs.")] = False,
) -> int:
    """See it work on this machine, without an account.

    Starts a local Cloudflare and a real daemon in a fresh folder, rotates
    three credentials with lifetimes of seconds, and lets a consumer use what
    it finds in the .env files all the while. Ends after two rotations of each
    with a scoreboard; exit 0 when no value was lost and none that was
    published was dead.

      rotator demo
      rotator demo --chaos
      rotator demo --forever
      rotator demo --rotations 5 -o json
    """
    from rotator.demo import main

    if forever and (rotations or seconds):
        raise ConfigError("--forever has no end, and --rotations or --seconds names one", "leave one of them out")
    ends = None if forever or (seconds and not rotations) else rotations or 2
    return int(main(rotations=ends, seconds=seconds, chaos=chaos, keep=keep, output=settings.output.value))


def crash_points(settings: Settings) -> int:
    """List the points at which a test may let the process die.

    ROTATOR_TESTING=1 ROTATOR_CRASH_AT=after_create_send rotator once
    """
    from rotator.host.crashpoints import Point

    if settings.json:
        write_json({"points": [{"name": point.value, "paths": list(point.paths)} for point in Point]})
        return exits.DONE
    found = Table((Column("POINT"), Column("PASSED BY")))
    found.rows = [Row((point.value, " ".join(point.paths) or "troubled runs only")) for point in Point]
    write_lines(table(found, terminal_width()))
    return exits.DONE


def register(app: typer.Typer) -> None:
    """Add these verbs."""
    for function in (demo, sandbox, schema, version):
        verb(app)(function)
    testing = typer.Typer(help="Hooks for tests of crashes.", no_args_is_help=True, rich_markup_mode=None)
    verb(testing, "crash-points")(crash_points)
    app.add_typer(testing, name="testing", short_help="Hooks for tests of crashes: `testing crash-points`.")
