"""The verb that lists every token of the connections with what is to be said of it: discover."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any, Final

import typer

from rotator.cli import exits
from rotator.cli.forms import as_csv, as_markdown
from rotator.cli.layout import Column, Line, Row, Span, Table, table, text, wrapped
from rotator.cli.output import say, terminal_width, write_json, write_lines
from rotator.cli.run import duration
from rotator.cli.verbs import Output, Settings, verb
from rotator.core.times import drawn_at, relative

Document = Mapping[str, Any]

LEVELS: Final = ("fail", "warn", "info")
"""The worst first."""
STYLES: Final = {"fail": "bad", "warn": "warn", "info": "quiet"}
WIDE: Final = 140
"""Columns of a terminal from which on ids are shown whole; their beginning tells them apart."""
SHORT: Final = 8

COLUMNS: Final = (
    *("connection", "owner", "id", "name", "status", "issued_on", "expires_on", "last_used_on", "managed_by"),
    *("level", "findings", "grants"),
)
"""Columns of the forms for other programs."""


class FailOn(StrEnum):
    """From which level on `discover` answers no."""

    WARN = "warn"
    FAIL = "fail"


def discover(
    settings: Settings,
    connections: Annotated[
        list[str] | None, typer.Argument(metavar="CONNECTION", help="Connections; without any, all of them.")
    ] = None,
    fail_on: Annotated[
        FailOn | None, typer.Option("--fail-on", help="The lowest level that makes the answer no.")
    ] = None,
    unused: Annotated[
        str, typer.Option("--unused", metavar="TIME", help="Without use for that long, a token counts as unused.")
    ] = "90d",
    expires: Annotated[
        str, typer.Option("--expires", metavar="TIME", help="With an end nearer than that, it ends soon.")
    ] = "30d",
) -> int:
    """List every token, managed or not, with what is wrong with it.

    All tokens of the user and the account that a connection's management token
    can list, 50 to a request, whoever made them; only reads. Who keeps each
    fresh, what it may do, and findings: exposed, expired, manages_tokens (fail);
    never_expires, expires_soon, unused, never_used, all_zones, all_accounts,
    no_ip_limit, name_convention, disabled, duplicate_name (warn); unmanaged
    (info).

      rotator discover
      rotator discover prod -o csv > tokens.csv
      rotator discover --fail-on fail --unused 180d       as an audit in CI

    Exit 1 with --fail-on when a finding of that level, or a worse one, is there.
    """
    from rotator.app.discover import discover as look

    windows = {"unused": duration("--unused", unused), "expires": duration("--expires", expires)}
    document = look(settings.path, connections or None, **windows)
    if settings.json:
        write_json(document)
    elif settings.output is Output.CSV:
        write_lines([(Span(line),) for line in as_csv(COLUMNS, map(_flat, document["tokens"]))])
    elif settings.output is Output.MARKDOWN:
        write_lines([(Span(line),) for line in as_markdown(COLUMNS, map(_flat, document["tokens"]))])
    else:
        write_lines(drawn(document, terminal_width()))
    for one in document["unseen"]:
        say(f"warning: {one['connection']}: the tokens of the {one['owner']} are not shown: {one['message']}")
        if one["remedy"]:
            say(f"do: {one['remedy']}")
    say(f"{_many(len(document['tokens']), 'token')}, {_many(document['requests'], 'request')}")
    reached = {f["level"] for token in document["tokens"] for f in token["findings"]}
    bad = {"fail"} if fail_on is FailOn.FAIL else {"fail", "warn"} if fail_on is FailOn.WARN else set()
    return exits.NO if reached & bad else exits.DONE


def drawn(document: Document, width: int | None) -> list[Line]:
    """Return the inventory for people: a table for each owner, the worst first, and how often each finding is there."""
    groups: dict[tuple[str, str, str | None], list[Document]] = {}
    for token in document["tokens"]:
        groups.setdefault((token["connection"], token["owner"], token["account_id"]), []).append(token)
    lines: list[Line] = []
    for (connection, owner, account), tokens in groups.items():
        whose = f"{connection}: {_many(len(tokens), 'token')} of the {owner}" + (f" {account}" if account else "")
        lines += [text(whose, "title"), *table(_table(tokens, drawn_at(document), width), width), text("")]
    counts = Counter((f["level"], f["code"]) for token in document["tokens"] for f in token["findings"])
    for level in LEVELS:
        said = [f"{count} {code}" for (of, code), count in sorted(counts.items()) if of == level]
        if said:
            lines += wrapped(Span(f"{level}: {', '.join(said)}", STYLES[level]), width, hang=6)
    return lines or [text("there are no tokens")]


def _table(tokens: Sequence[Document], now: float, width: int | None) -> Table:
    whole = width is None or width >= WIDE
    made = Table([Column(title) for title in ("ID", "TOKEN", "EXPIRES", "LAST USE", "KEPT BY", "FINDINGS")])
    for token in sorted(tokens, key=lambda one: (LEVELS.index(worst(one) or "info"), one["name"], one["id"])):
        said = ", ".join(f["code"] for f in token["findings"] if f["level"] != "info")
        ends = relative(token["expires_on"], now, "never")
        cells = (
            token["id"] if whole else token["id"][:SHORT],
            token["name"],
            ends,
            relative(token["last_used_on"], now, "never"),
            token["managed_by"] or (f"({token['role']})" if token["role"] else "-"),
            Span(said or "-", STYLES.get(worst(token) or "", "")),
        )
        made.rows.append(Row(cells))
    return made


def worst(token: Document) -> str | None:
    """Return the worst level among a token's findings, None where it has none."""
    return next((level for level in LEVELS if any(f["level"] == level for f in token["findings"])), None)


def _flat(token: Document) -> list[str]:
    """A token as one row of `COLUMNS`."""
    grants = "; ".join(
        ("" if g["effect"] == "allow" else "not ") + f"{g['permission']} on {g['resource']}" for g in token["grants"]
    )
    codes = " ".join(f["code"] for f in token["findings"])
    said = {**token, "level": worst(token), "findings": codes, "grants": grants}
    return [str(said[column] if said[column] is not None else "") for column in COLUMNS]


def _many(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def register(app: typer.Typer) -> None:
    """Add this verb."""
    verb(app, prints=tuple(Output), absent=exits.NO)(discover)
