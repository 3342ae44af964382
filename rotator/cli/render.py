"""The documents of `plan`, `history`, `check` and `audit verify` as lines for people.

It draws what the JSON document says and nothing else, so that both always agree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from rotator.cli.layout import Column, Line, Row, Span, Table, table, text, wrapped
from rotator.core.durations import DAY, human
from rotator.core.reasons import Reason
from rotator.core.times import drawn_at, moment, relative, rfc3339
from rotator.observability.loggable import printable

Document = Mapping[str, Any]

UNTOLD: Final = frozenset({"token_name", "attempt_name", "born", "version", "digest", "required", "targets"})
"""Details of a fact that people are not shown; the document has them."""

TOKENS: Final[Mapping[str, str]] = {"token_id": "token", "old": "old", "adopt": "adopt"}
"""Details that are ids of tokens -> what people see; eight digits of an id are enough for them."""

MOMENTS: Final = frozenset({"expires_at", "until"})
"""Details that are provider times."""

LONGEST_PLAN: Final = 40
"""Rows of a plan that people are shown; the document has all."""
LONGEST_SUMMARY: Final = 20
"""Tokens of a plan whose permissions people are shown."""

TITLES: Final = ("AT (UTC)", "WHEN", "CREDENTIAL", "STRATEGY", "WHY", "REQUESTS")
"""Columns of a plan."""

NARROW: Final = 72
"""Columns of a terminal below which a plan shows neither the exact time nor the requests of each rotation."""

LEVELS: Final[Mapping[str, str]] = {"ok": "good", "warn": "warn", "fail": "bad"}
"""Level of a finding -> style."""


# ----------------------------------------------------------------------------------------------------------------- plan
def plan(document: Document, width: int | None) -> list[Line]:
    """Return what will happen when."""
    now = drawn_at(document)
    narrow = width is not None and width < NARROW
    titles = ("WHEN", "CREDENTIAL", "STRATEGY", "WHY") if narrow else TITLES
    made = Table([Column(title, right=title == "REQUESTS") for title in titles])
    for row in document["rotations"][:LONGEST_PLAN]:
        at = str(row["time"]).replace("T", " ")[:16]
        due = "now" if (moment(row["time"]) or 0.0) <= now + 1 else relative(row["time"], now)
        waits = Reason.of(row["waits"])
        why = f"{row['reason']} ({waits.text})" if waits else row["reason"]
        cells = (due, row["credential"], row["strategy"], why)
        made.rows.append(Row(cells if narrow else (at, *cells, str(row["requests"]))))
    if not made.rows:
        return [text(f"nothing is due within {human(document['days'] * DAY)}")]
    lines = table(made, width)
    more = len(document["rotations"]) - len(made.rows)
    if more:
        lines.append(text(f"and {more} more; -o json lists them all", "quiet"))
    lines.append(text(""))
    for connection in document["connections"]:
        lines += wrapped(_planned(connection), width, hang=2)
    return [*lines, *_tokens(document, width)]


def _tokens(document: Document, width: int | None) -> Iterator[Line]:
    """What the tokens that are made soon will be: as the dashboard shows it before one is made."""
    soon = dict.fromkeys(row["credential"] for row in document["rotations"] if row["strategy"] != "roll")
    shown = [token for token in document["tokens"] if token["credential"] in soon]
    for token in shown[:LONGEST_SUMMARY]:
        whose = f"the account {token['account_id']}" if token.get("account_id") else f"the {token['owner']}"
        life = "never expires" if token["lifetime"] is None else f"lives {human(token['lifetime'])}"
        begins = f", begins {human(token['not_before'])} after it was made" if token.get("not_before") else ""
        yield text("")
        yield text(f"{token['credential']}: a token of {whose}, {life}{begins}", "title")
        for row in token.get("permissions", ()):
            denied = "not " if row["effect"] == "deny" else ""
            places = ", ".join(row["resources"])
            yield from wrapped(f"  {row['scope']}: {row['permission']}, {denied}on {places}", width, hang=6)
        if token.get("drift_adopted"):
            said = "but `drift: adopt` keeps what somebody made of the token: its successors get that, and not these"
            yield from wrapped(Span(f"  {said}", "warn"), width, hang=6)
        limits = token.get("request_ip") or {}
        if limits:
            said = "; ".join(f"{'only' if side == 'in' else 'not'} from {', '.join(limits[side])}" for side in limits)
            yield from wrapped(f"  addresses: {said}", width, hang=6)
    if len(shown) > LONGEST_SUMMARY:
        yield text(f"and {len(shown) - LONGEST_SUMMARY} more tokens; -o json shows them all", "quiet")


def _planned(connection: Document) -> Span:
    budget, quota = connection["rate_budget"], connection["quota"]
    rotations = connection["rotations"]
    parts = [f"{rotations} rotation{'s' * (rotations != 1)}, {connection['requests']} requests"]
    parts.append(f"at most {budget['requests']} in {human(budget['window'])}")
    if quota:
        parts.append(f"up to {quota['peak']} of {quota['limit']} tokens at once, old ones included")
    elif connection["peak_overlap"]:
        parts.append(f"up to {connection['peak_overlap']} tokens more at once than now")
    tight = bool(quota) and quota["peak"] > quota["limit"]
    return Span(f"connection {connection['name']}: {'; '.join(parts)}", "bad" if tight else "")


# -------------------------------------------------------------------------------------------------------------- history
def history(facts: Sequence[Document], width: int | None, *, of_one: bool, chosen: bool = False) -> list[Line]:
    """Return facts as a timeline, oldest first; `chosen`: others are left out."""
    if not facts:
        return [text("no such fact" if chosen else "nothing has happened yet")]
    titles = ["TIME", *([] if of_one else ["CREDENTIAL"]), "ROTATION", "FACT", "ACTOR", "DETAIL"]
    made = Table([Column(title) for title in titles])
    for fact in facts:
        when, credential, *rest = _cells(fact)
        made.rows.append(Row((when, *rest) if of_one else (when, credential, *rest)))
    return table(made, width)


@dataclass(slots=True)
class Sizes:
    """Columns of each field of a line of `history --follow`; they grow and never shrink."""

    found: list[int] = field(default_factory=lambda: [19, 12, 8, 14, 6])


def followed(facts: Sequence[Document], sizes: Sizes) -> list[Line]:
    """Return one line for each fact, below the ones before."""
    lines = []
    for fact in facts:
        cells = [printable(cell) for cell in _cells(fact)]
        sizes.found = [max(size, len(cell)) for size, cell in zip(sizes.found, cells, strict=False)]
        padded = [cell.ljust(size) for cell, size in zip(cells, sizes.found, strict=False)]
        lines.append(text("  ".join([*padded, cells[-1]])))
    return lines


def _cells(fact: Document) -> tuple[str, ...]:
    """Time, credential, rotation, kind, actor and detail of a fact."""
    when = str(fact["time"] or "-").replace("T", " ").replace("Z", "")
    rotation = str(fact["rotation"] or "-")[:8]
    return (when, str(fact["credential"]), rotation, fact["kind"], fact["actor"], _detail(fact["detail"]))


def _detail(detail: Document) -> str:
    shown = []
    for key, value in detail.items():
        if value in (None, "", 0, False, []) or key in UNTOLD:
            continue
        if key in TOKENS:
            value = str(value)[:8]
        elif key in MOMENTS and isinstance(value, int | float):
            value = rfc3339(value) or value
        elif isinstance(value, list):
            value = ", ".join(map(str, value))
        shown.append(f"{TOKENS.get(key, key)}={value}")
    return " ".join(shown)


# ---------------------------------------------------------------------------------------------- check, audit verify
def findings(found: Sequence[Document], width: int | None) -> list[Line]:
    """Return one line for each finding, with what to do; wrapped on a terminal only."""
    lines: list[Line] = []
    for finding in found:
        remedy = f"; do: {finding['remedy']}" if finding["remedy"] else ""
        said = f"{finding['subject']}: {finding['message']}{remedy}"
        level = Span(finding["level"].ljust(6), LEVELS.get(finding["level"], ""))
        body = wrapped(said, None if width is None else width - len(level.text))
        lines += [(level if number == 0 else Span(" " * len(level.text)), *line) for number, line in enumerate(body)]
    return lines


def verdict(document: Document, width: int | None) -> list[Line]:
    """Return what `audit verify` found."""
    lines: list[Line] = []
    for found in document["breaks"]:
        said = f"broken at fact {found['position']} of {found['credential']}: {found['why']}"
        lines += wrapped(Span(said, "bad"), width, hang=2)
    for found in document["integrity"]:
        lines += wrapped(Span(f"the database file is damaged: {found}", "bad"), width, hang=2)
    good = not lines
    streams = document["streams"]
    summary = f"{document['facts']} facts in {streams} stream{'' if streams == 1 else 's'}"
    lines.append(
        text(f"{summary}: every chain is whole" if good else f"{summary}: not to be trusted", "good" if good else "bad")
    )
    return lines
