"""The document of `report` as lines: for people, for a spreadsheet, for a ticket."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from rotator.cli.forms import as_csv, as_markdown
from rotator.cli.layout import Column, Line, Row, Span, Table, table, text, wrapped
from rotator.cli.verbs import Output
from rotator.core.durations import human
from rotator.core.times import moment

Document = Mapping[str, Any]

COLUMNS: Final = (
    *("credential", "rotation", "began_at", "confirmed_at", "seconds", "outcome", "strategy", "why", "asked_by"),
    *("reason", "generation", "token_id", "targets", "replaced_token_id", "disabled_at", "deleted_at", "failures"),
)
"""Columns of the form for spreadsheets; one row for each rotation."""

TITLES: Final = ("BEGAN (UTC)", "WHY", "ASKED BY", "TOOK", "OUTCOME", "VERIFIED AT", "OLD TOKEN")

STYLES: Final[Mapping[str, str]] = {"confirmed": "good", "open": "busy", "closed": "warn"}


def drawn(document: Document, width: int | None) -> list[Line]:
    """Return a block for each credential: its rotations, and what people did."""
    lines = [text(_period(document), "title")]
    for one in document["credentials"]:
        lines += [text(""), text(_headline(one), "title")]
        if one["rotations"]:
            made = Table([Column(title) for title in TITLES])
            for rotation in one["rotations"]:
                cells = _cells(rotation)
                made.rows.append(Row((*cells[:4], Span(cells[4], STYLES[rotation["outcome"]]), *cells[5:])))
            lines += table(made, width)
        for said in _said(one):
            lines += wrapped(Span(said), width, hang=2)
    return lines


def markdown(document: Document, width: int | None) -> list[Line]:
    """Return the same as a Markdown document, whatever the width."""
    lines = [f"# Rotations, {_period(document)}"]
    for one in document["credentials"]:
        lines += ["", f"## {_headline(one)}"]
        if one["rotations"]:
            lines += ["", *as_markdown(TITLES, map(_cells, one["rotations"]))]
        if said := list(_said(one)):
            lines += ["", *as_markdown(("WHAT PEOPLE DID, AND WHAT WENT WRONG",), ([each] for each in said))]
    return [(Span(line),) for line in lines]


def spreadsheet(document: Document, width: int | None) -> list[Line]:
    """Return one line of CSV for each rotation, whatever the width."""
    rows = (_row(one["name"], rotation) for one in document["credentials"] for rotation in one["rotations"])
    return [(Span(line),) for line in as_csv(COLUMNS, rows)]


FORMS: Final[Mapping[Output, Callable[[Document, int | None], list[Line]]]] = {
    Output.TEXT: drawn,
    Output.CSV: spreadsheet,
    Output.MARKDOWN: markdown,
}


def _period(document: Document) -> str:
    return f"from {_when(document['from'])} to {_when(document['to'])} UTC"


def _headline(one: Document) -> str:
    count = len(one["rotations"])
    return f"{one['name']}: {count or 'no'} rotation{'' if count == 1 else 's'}"


def _when(at: str | None) -> str:
    return str(at or "-").replace("T", " ").replace("Z", "")


def _cells(rotation: Document) -> tuple[str, ...]:
    """One rotation as `TITLES`."""
    targets = rotation["targets"]
    seen = [one["name"] for one in targets if one["verified_at"]]
    verified = ", ".join(seen) + ("" if len(seen) == len(targets) else f" ({len(seen)} of {len(targets)})")
    took = "-" if rotation["seconds"] is None else human(rotation["seconds"])
    asked = rotation["asked_by"]
    return (
        _when(rotation["began_at"]),
        rotation["why"],
        asked,
        took,
        rotation["outcome"],
        verified or "-",
        _ended(rotation["replaced"]),
    )


def _ended(replaced: Document | None) -> str:
    """How far the end of the old token is."""
    if replaced is None:
        return "-"
    for word in ("deleted", "disabled"):
        if replaced[f"{word}_at"]:
            return f"{word} {_when(replaced[f'{word}_at'])}"
    return "still lives"


def _said(one: Document) -> Iterator[str]:
    """What people did, and what went wrong, in order of time."""
    told: list[tuple[float, str]] = []
    for act in one["acts"]:
        how = f" ({act['how']})" if act["how"] else ""
        why = f": {act['reason']}" if act["reason"] else ""
        told.append((moment(act["time"]) or 0.0, f"{_when(act['time'])}  {act['act']}{how} by {act['actor']}{why}"))
    for rotation in one["rotations"]:
        at, rid = moment(rotation["began_at"]) or 0.0, rotation["rotation"][:8]
        if rotation["failures"]:
            times = "once" if rotation["failures"] == 1 else f"{rotation['failures']} times"
            told.append((at, f"rotation {rid} failed {times} on the way, last: {rotation['last_failure']}"))
        if rotation["outcome"] == "closed":
            told.append((at, f"rotation {rid} was closed: {rotation['closed_why'] or 'no reason is noted'}"))
    return (line for _, line in sorted(told))


def _row(name: str, rotation: Document) -> list[str]:
    replaced = rotation["replaced"] or {}
    places = [f"{one['name']} {one['verified_at'] or 'not verified'}" for one in rotation["targets"]]
    said = {
        **rotation,
        "credential": name,
        "targets": "; ".join(places),
        "replaced_token_id": replaced.get("token_id"),
        "disabled_at": replaced.get("disabled_at"),
        "deleted_at": replaced.get("deleted_at"),
    }
    return ["" if said[column] is None else str(said[column]) for column in COLUMNS]
