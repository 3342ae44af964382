"""The verbs about one token: token test, token show."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from rotator.cli import exits
from rotator.cli.layout import Column, Line, Row, Span, Table, block, table, text
from rotator.cli.names import complete
from rotator.cli.output import say, terminal_width, write_json, write_lines
from rotator.cli.verbs import Settings, verb
from rotator.core.errors import ConfigError
from rotator.core.secret import Secret
from rotator.core.times import both

STYLES: Final = {"passed": "good", "failed": "bad", "unproven": "warn"}
LONGEST: Final = 64 * 1024

Who = Annotated[
    str | None,
    typer.Argument(metavar="NAME|-", help="A credential, or - for a value on standard input.", autocompletion=complete),
]
ValueFile = Annotated[Path | None, typer.Option("--value-file", metavar="F", help="The value stands in that file.")]
ValueEnv = Annotated[str | None, typer.Option("--value-env", metavar="N", help="The value stands in that variable.")]
Login = Annotated[
    str | None, typer.Option("--connection", metavar="C", help="For a given value: whose account is meant.")
]


def prove(
    settings: Settings,
    who: Who = None,
    value_file: ValueFile = None,
    value_env: ValueEnv = None,
    connection: Login = None,
) -> int:
    """Prove what a token can do.

    One line for each permission on each resource, and a total. For a
    credential its grants are tried; for a given value, whatever its policies
    hold. Only reads are sent: a Write permission passes when the token's
    policy holds it and a read of the product is answered; what only a write
    could show is unproven, and the line says so.

      rotator token test workers-deploy
      rotator token test --value-file .token --connection prod
      pass show cloudflare | rotator token test -

    Exit 1 when a permission failed or the token is dead.
    """
    from rotator.app.tokens import asked, proof_document

    with asked(settings.path, *_source(who, value_file, value_env), connection) as token:
        document = proof_document(token)
    if settings.json:
        write_json(document)
    elif document["token_id"] is None:
        write_lines([text("the token is dead: Cloudflare does not accept its value", "bad")])
    else:
        write_lines(_probes(document))
    return exits.NO if document["failed"] or document["token_id"] is None else exits.DONE


def look(
    settings: Settings,
    who: Who = None,
    value_file: ValueFile = None,
    value_env: ValueEnv = None,
    connection: Login = None,
) -> int:
    """Show what a token is: its id, owner, state, end and grants.

    Never its value. The grants are those that the management token reads; a
    token that it may not read shows none.

      rotator token show workers-deploy
      rotator token show --value-env CLOUDFLARE_API_TOKEN

    Exit 1 when the token is dead.
    """
    from rotator.app.tokens import asked, show_document

    with asked(settings.path, *_source(who, value_file, value_env), connection) as token:
        document = show_document(token)
    if settings.json:
        write_json(document)
    else:
        write_lines(_shown(document))
    return exits.DONE if document["token_id"] else exits.NO


def _source(
    who: str | None, value_file: Path | None, value_env: str | None
) -> tuple[str | None, Callable[[], Secret] | None]:
    """(name of a credential, reader of a value): exactly one of them.

    Raises:
        ConfigError: none or several are named.
    """
    if sum(given is not None for given in (who, value_file, value_env)) != 1:
        raise ConfigError("which token is meant", "name one of NAME, -, --value-file F and --value-env N")
    if who is not None and who != "-":
        return who, None

    def read() -> Secret:
        from rotator.config.secret_ref import SecretRef, one_line

        if value_file is not None:
            return SecretRef(file=value_file.absolute()).read()
        if value_env is not None:
            return SecretRef(env=value_env).read()
        return one_line(sys.stdin.buffer.read(LONGEST), "standard input")

    return None, read


def _probes(document: dict[str, Any]) -> list[Line]:
    made = Table([Column(title) for title in ("PERMISSION", "ON", "READ", "ANSWER", "VERDICT")])
    for row in document["probes"]:
        notes = [] if row["verdict"] == "passed" else [row["message"]] + [f"do: {row['remedy']}"] * bool(row["remedy"])
        verdict = Span(row["verdict"], STYLES[row["verdict"]])
        made.rows.append(
            Row((row["permission"], row["resource"], row["call"] or "-", str(row["status"] or "-"), verdict), notes)
        )
    total = f"{document['passed']}/{document['total']} passed"
    if document["unproven"]:
        total += f", {document['unproven']} unproven"
    lines = table(made, terminal_width()) if made.rows else []
    if not made.rows:
        say("nothing is known of what it may do: the management token may not read it")
    return [*lines, text(total, "bad" if document["failed"] else "good")]


def _shown(document: dict[str, Any]) -> list[Line]:
    import time

    if document["token_id"] is None:
        return [text("the token is dead: Cloudflare does not accept its value", "bad")]
    pairs: list[tuple[str, Span | str]] = [
        ("id", document["token_id"]),
        ("owner", document["owner"] + (f" {document['account_id']}" if document["account_id"] else "")),
        ("status", document["status"]),
        ("expires", both(document["expires_on"], time.time(), "never, or nobody may see it")),
        ("format", document["format"]),
    ]
    lines = block(pairs, terminal_width())
    if document["grants"] is None:
        return [*lines, text("its grants cannot be read by the management token", "warn")]
    made = Table([Column(title) for title in ("PERMISSION", "SCOPE", "ON")])
    made.rows = [Row((row["permission"], row["scope"], row["resource"])) for row in document["grants"]]
    return [*lines, text(""), *table(made, terminal_width())]


def register(app: typer.Typer) -> None:
    """Add these verbs."""
    token = typer.Typer(help="What one token is, and what it can do.", no_args_is_help=True, rich_markup_mode=None)
    verb(token, "test", absent=exits.NO)(prove)
    verb(token, "show", absent=exits.NO)(look)
    app.add_typer(token, name="token", short_help="One token: `token test` proves it, `token show` shows it.")
