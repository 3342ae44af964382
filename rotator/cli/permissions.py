"""The verb that shows Cloudflare's permissions: by name, by scope, and against the live API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final

import typer

from rotator.catalogue import Scope
from rotator.cli import exits
from rotator.cli.layout import Column, Line, Row, Table, table, text
from rotator.cli.output import say, terminal_width, write_json, write_lines
from rotator.cli.verbs import Settings, verb
from rotator.core.errors import ConfigError

TITLES: Final = ("PERMISSION", "IN THE DASHBOARD", "SCOPE", "ACCOUNT TOKENS", "PROBE", "ID")


def permissions(
    settings: Settings,
    words: Annotated[
        list[str] | None, typer.Argument(metavar="[TEXT]", help="A part of a name, or a permission as you write it.")
    ] = None,
    scope: Annotated[Scope | None, typer.Option("--scope", help="Only those on that kind of resource.")] = None,
    compare: Annotated[
        str | None,
        typer.Option(
            "--compare", metavar="CONNECTION", help="Compare the list with the live API, as that connection sees it."
        ),
    ] = None,
) -> int:
    """List the permissions that a grant can name.

    Each with its name in the API and in the dashboard, what it is granted on,
    whether a token owned by an account can hold it, whether a read can prove
    it, and its id. The list is a snapshot that ships with the program; needs
    no configuration and asks nobody, except with --compare.

      rotator permissions workers
      rotator permissions "R2 (Edit)"
      rotator permissions --scope zone -o json
      rotator permissions --compare prod

    Exit 1 when no permission fits.
    """
    wanted = " ".join(words or ())
    if compare is not None:
        if wanted or scope is not None:
            raise ConfigError("--compare compares everything", "leave TEXT and --scope out")
        return _compared(settings, compare)
    from rotator.app.permissions import listing
    from rotator.catalogue import suggest

    document = listing(wanted, scope)
    found = document["permissions"]
    if settings.json:
        write_json(document)
    elif found:
        write_lines(_table(found))
        counted = "1 permission" if len(found) == 1 else f"{len(found)} permissions"
        say(f"{counted}; collected {document['date']} from {document['origin']}")
    if found:
        return exits.DONE
    near = suggest(wanted, [scope] if scope else list(Scope))
    meant = f"; did you mean {' or '.join(near)}?" if near else ""
    say(f"no permission fits {wanted!r}{meant}")
    return exits.NO


def _compared(settings: Settings, connection: str) -> int:
    from rotator.app.permissions import comparison

    document = comparison(settings.path, connection)
    if settings.json:
        write_json(document)
        return exits.DONE
    lines: list[Line] = []
    for kind, said in (("added", "new"), ("missing", "gone"), ("renamed", "renamed")):
        for row in document[kind]:
            was = f" (was {row['was']})" if "was" in row else ""
            lines.append(text(f"{said.ljust(8)} {row['scope'] or '-'}: {row['name']}{was} {row['id']}"))
    write_lines(lines or [text("the live API knows the same permissions")])
    say(", ".join(f"{len(document[kind])} {kind}" for kind in ("added", "missing", "renamed")))
    return exits.DONE


def _table(found: Sequence[dict[str, Any]]) -> list[Line]:
    made = Table([Column(title) for title in TITLES])
    for row in found:
        notes = [f"deprecated: {row['deprecated']}"] if row["deprecated"] else []
        cells = (
            row["name"],
            row["dashboard_name"],
            row["scope"],
            _yes(row["account_tokens"]),
            _yes(row["probe"]),
            row["id"],
        )
        made.rows.append(Row(cells, notes))
    return table(made, terminal_width())


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def register(app: typer.Typer) -> None:
    """Add this verb."""
    verb(app, absent=exits.NO)(permissions)
