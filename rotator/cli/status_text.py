"""The document of `status` as lines for people: the fleet with the worst first, or one credential in full.

It draws what the JSON document says and nothing else, so that both always agree.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from rotator.cli.layout import Column, Line, Row, Span, Table, block, table, text, wrapped
from rotator.core.choices import CHOICES
from rotator.core.remarks import (
    STATES,
    Remark,
    blocked,
    calm,
    drifted,
    follows,
    named,
    paused,
    rank,
    remarks,
    requested,
    trouble_of,
)
from rotator.core.times import both, drawn_at, relative

Document = Mapping[str, Any]

SHOWN: Final = 40
"""Credentials that people are shown without `--all`; the document has all."""


COLUMNS: Final = (
    (70, ("CREDENTIAL", "STATE", "READY", "GEN", "EXPIRES", "ROTATES", "TARGETS")),
    (52, ("CREDENTIAL", "STATE", "READY", "EXPIRES", "TARGETS")),
    (0, ("CREDENTIAL", "STATE", "EXPIRES")),
)
"""Columns of a terminal at least -> columns of the table; what falls out is in `status NAME`."""

TABLE: Final = 2
"""Lines that the table keeps on the lowest terminal: its titles and a row."""

LEAST: Final = 3
"""Lines that the foot keeps there."""


def status(
    document: Document,
    width: int | None,
    height: int | None = None,
    *,
    most: int | None = None,
    worst_first: bool = True,
) -> list[Line]:
    """Return the fleet: counts, then a table with the worst first and what is wrong below each row, then the rest.

    Args:
        document: of `status -o json`.
        width: columns of the terminal, None where there is none.
        height: lines that may be drawn at most, None for no limit; what is cut are calm
            rows before those in trouble, and lines of the foot only where it alone would fill the terminal.
        most: how many credentials are shown at most (those in trouble are shown in any case), None for all.
        worst_first: whether those in trouble come first; else the order of the document stays.
    """
    now = drawn_at(document)
    ordered = list(document["credentials"])
    if worst_first:
        ordered.sort(key=lambda one: rank(one, now))
    shown = ordered if most is None else [c for i, c in enumerate(ordered) if i < most or not calm(c, now)]
    head = _counts(ordered, width)
    foot = [text(""), *_foot(document, width, now)]
    body = _fleet(shown, width, now)
    cut = 0
    if height is not None:
        tail = len(_more(len(ordered), "", width))
        foot = _lower(foot, height - len(head) - TABLE - tail)
        room = max(height - len(head) - len(foot) - tail, TABLE)
        if len(body) > room:
            kept = _most_that_fit(shown, room, width, now)
            body, cut = _fleet(kept, width, now), len(shown) - len(kept)
    more = len(ordered) - len(shown) + cut
    if more:
        rest = "" if cut else ", all of them fresh or gone from the configuration"
        body += _more(more, rest, width)
    return [*head, *body, *foot]


def _more(number: int, rest: str, width: int | None) -> list[Line]:
    return wrapped(Span(f"and {number} more{rest}; --all, or a filter, shows them", "quiet"), width, hang=2)


def _most_that_fit(shown: Sequence[Document], room: int, width: int | None, now: float) -> list[Document]:
    """As many credentials as fit into `room` lines, in the order they have, those in trouble before the calm ones."""
    urgent = sorted(range(len(shown)), key=lambda place: calm(shown[place], now))

    def first(number: int) -> list[Document]:
        return [shown[place] for place in sorted(urgent[:number])]

    none, many = 0, min(len(shown), room) + 1  # none fit surely, many do not: a row takes a line at least
    while many - none > 1:
        middle = (none + many) // 2
        if len(_fleet(first(middle), width, now)) <= room:
            none = middle
        else:
            many = middle
    return first(none)


def _lower(foot: list[Line], room: int) -> list[Line]:
    """The foot in at most `room` lines (three at least): what is wrong stays, then the last of what is not."""
    room = max(room, LEAST)
    over = len(foot) - room + 1  # the line that counts takes one, too
    if over <= 1:
        return foot
    calm_ones = [place for place, line in enumerate(foot) if not any(piece.style in ("bad", "warn") for piece in line)]
    gone = set(calm_ones[:over])
    kept = [line for place, line in enumerate(foot) if place not in gone][: room - 1]
    return [text(f"and {len(foot) - len(kept)} more lines", "quiet"), *kept]


def _fleet(credentials: Sequence[Document], width: int | None, now: float) -> list[Line]:
    shown = next(columns for least, columns in COLUMNS if width is None or width >= least)
    found = Table([Column(title, right=title == "GEN") for title in shown])
    for credential in credentials:
        cells: dict[str, Span | str] = {
            "CREDENTIAL": credential["name"],
            "STATE": Span(credential["state"], STATES.get(credential["state"], "")),
            "READY": Span("yes") if credential["ready"] else Span("no", "bad"),
            "GEN": str(credential["generation"] or "-"),
            "EXPIRES": _expires(credential, now),
            "ROTATES": relative(credential["next_rotation"], now),
            "TARGETS": _targets(credential),
        }
        unready = [Span("not ready", "bad")] if "READY" not in shown and not credential["ready"] else []
        found.rows.append(Row([cells[title] for title in shown], [*unready, *_spans(remarks(credential, now))]))
    return table(found, width) if found.rows else []


def _counts(credentials: Sequence[Document], width: int | None) -> list[Line]:
    """How many credentials there are in each state, and how many are not ready."""
    if not credentials:
        return [text("no credentials are configured")]
    states = Counter(str(one["state"]) for one in credentials)
    parts = [f"{states[state]} {state}" for state in STATES if states[state]]
    behind = sum(not one["ready"] for one in credentials if one["state"] != "unmanaged")
    parts += [f"{behind} not ready"] if behind else []
    number = len(credentials)
    return wrapped(f"{number} credential{'s' * (number != 1)}: {', '.join(parts)}", width, hang=2)


def _expires(credential: Document, now: float) -> str:
    return relative(credential["expires_on"], now, "never" if credential["token_id"] else "-")


def _targets(credential: Document) -> Span:
    targets = credential["targets"]
    good = sum(1 for target in targets if target["in_sync"])
    bad = any(target["in_sync"] is False and target["required"] for target in targets)
    return Span(f"{good}/{len(targets)}", "warn" if bad else "")


def _spans(said: Iterable[Remark]) -> list[Span]:
    return [Span(*one) for one in said]


def changes(document: Document, width: int | None) -> list[Line]:
    """Return how living tokens differ from what the configuration asks for, as `plan` shows it."""
    lines: list[Line] = []
    for name, change in document["changes"].items():
        lines += [text(""), *wrapped(Span(f"{name}: {drifted(change)}", "title"), width)]
        for one in change["differences"]:
            lines += wrapped(f"{one['part']}: {one['message']}", width, indent=2, hang=2)
        lines += wrapped(f"do: {change['remedy']}", width, indent=2) if change.get("remedy") else []
    return lines


def _needs(connection: Document, width: int | None, now: float) -> list[Line]:
    """What only a person can do for the management tokens, and by when."""
    lines = []
    for need in connection.get("needs", ()):
        by = f"; it ends {relative(need['due'], now)}" if need["due"] else ""
        lines += wrapped(Span(f"{need['code']}: {need['message']}{by}", "bad"), width, indent=2)
        lines += wrapped(f"do: {need['remedy']}", width, indent=2)
    return lines


def _foot(document: Document, width: int | None, now: float) -> list[Line]:
    lines = []
    for connection in document["connections"]:
        if connection["reachable"] is None and connection["token_expires_on"] is None:
            continue
        good = connection["reachable"] is not False
        parts = ["reachable" if good else "out of reach"]
        if connection["rate_remaining"] is not None:
            parts.append(f"{connection['rate_remaining']} requests left")
        if connection["quota"]:
            parts.append(f"{connection['quota']['used']} of {connection['quota']['limit']} tokens")
        if connection["token_expires_on"]:
            parts.append(f"management token expires {relative(connection['token_expires_on'], now)}")
        line = f"connection {connection['name']}: {', '.join(parts)}"
        lines += wrapped(Span(line, "" if good else "bad"), width, hang=2)
        if connection.get("problem"):
            lines += wrapped(Span(connection["problem"], "bad"), width, indent=2)
            if connection.get("remedy"):
                lines += wrapped(f"do: {connection['remedy']}", width, indent=2)
        lines += _needs(connection, width, now)
    if document["orphans"]:
        lines.append(text(f"orphans: {document['orphans']}", "warn"))
    for daemon in document["daemons"]:
        seen = relative(daemon["last_tick"], now)
        where = (
            daemon["host"]
            if daemon.get("node", daemon["host"]) == daemon["host"]
            else f"{daemon['node']} ({daemon['host']})"
        )
        line = f"daemon: process {daemon['pid']} on {where}, last sign of life {seen}"
        responds = daemon.get("responds", True)
        line, style = (line, "") if responds else (f"{line}: its disk is full, or it hangs", "bad")
        lines += wrapped(Span(line, style), width, hang=2)
    if document.get("configuration_problem"):
        line = "the configuration file cannot be used, so this is what the running daemon works with"
        lines += wrapped(Span(f"{line}: {document['configuration_problem']}", "bad"), width, hang=2)
    if not document["daemons"]:
        lines.append(text("daemon: none runs on this journal", "warn"))
    return lines


def status_of(document: Document, name: str, width: int | None) -> list[Line]:
    """Return one credential in full; where an operator is needed, what each choice would do."""
    now = drawn_at(document)
    found = next(c for c in document["credentials"] if c["name"] == name)
    pairs: list[tuple[str, Span | str]] = [
        ("state", Span(found["state"], STATES.get(found["state"], ""))),
        ("message", found["message"]),
        ("ready", "yes: a live value stands at every required target" if found["ready"] else Span("no", "bad")),
        ("strategy", f"{found['strategy']}, {found['owner']} token of connection {found['connection']}"),
        ("generation", str(found["generation"] or "-")),
        ("token", f"{found['token_id'] or '-'}"),
    ]
    if labels := found.get("labels"):
        pairs.insert(4, ("labels", ", ".join(f"{name}={value}" for name, value in labels.items())))
    if found["token_name"]:
        pairs.append(("token name", found["token_name"]))
    pairs += [
        ("expires", both(found["expires_on"], now, "never" if found["token_id"] else "-")),
        ("next rotation", both(found["next_rotation"], now)),
        ("deadline", both(found["rotation_deadline"], now)),
        ("last success", both(found["last_success"], now)),
    ]
    if found["next_attempt"]:
        pairs.append(("next attempt", both(found["next_attempt"], now)))
    if found["paused"]:
        pairs.append(("paused", paused(found["paused"], now)))
    if found.get("request"):
        pairs.append(("requested", requested(found["request"], now)))
    lines = [text(name, "title"), *block(pairs, width, indent=2)]
    if drift := found.get("drift"):
        lines += [text(""), text("drift", "title"), *wrapped(Span(drifted(drift), "warn"), width, indent=2)]
        for one in drift["differences"]:
            lines += wrapped(f"{one['part']}: {one['message']}", width, indent=4, hang=2)
        lines += wrapped(f"do: {drift['remedy']}", width, indent=2) if drift.get("remedy") else []
    if found["rotation"]:
        lines += [text(""), text("rotation", "title"), *block(_rotation(found["rotation"], now), width, indent=2)]
        for note in trouble_of({**found, "accepted": None}):
            lines += wrapped(Span(*note), width, indent=2)
    lines += [text(""), *_target_table(found, width)]
    if found["retirements"]:
        lines += [text(""), *_retirement_table(found, width, now)]
    return [*lines, *_operator(found, width, now)]


def _rotation(rotation: Document, now: float) -> list[tuple[str, Span | str]]:
    return [
        ("id", rotation["id"]),
        ("step", rotation["step"]),
        ("started", both(rotation["started"], now)),
        ("attempt", str(rotation["attempt"])),
        ("waits until", both(rotation["waiting_until"], now)),
        ("reason", rotation["reason"] or "-"),
    ]


def _target_table(found: Document, width: int | None) -> list[Line]:
    columns = ("TARGET", "REQUIRED", "IN SYNC", "GEN")
    made = Table([Column(title, right=title == "GEN") for title in columns])
    words = {True: Span("yes", "good"), False: Span("no", "warn"), None: Span("not seen", "quiet")}
    for target in found["targets"]:
        made.rows.append(
            Row(
                (
                    target["name"],
                    "yes" if target["required"] else "no",
                    words[target["in_sync"]],
                    str(target["generation"] or "-"),
                ),
                _spans([*trouble_of(target), *follows(target)]),
            )
        )
    return table(made, width)


def _retirement_table(found: Document, width: int | None, now: float) -> list[Line]:
    made = Table([Column(title) for title in ("RETIREMENT OF TOKEN", "STEP", "UNTIL", "WAITS FOR", "LAST USED")])
    for retirement in found["retirements"]:
        made.rows.append(
            Row(
                (
                    retirement["token_id"],
                    retirement["step"],
                    relative(retirement["until"], now),
                    retirement["blocked"] or "-",
                    relative(retirement["last_used_on"], now),
                ),
                [Span(blocked(retirement, now))] * bool(retirement.get("message")) + _spans(trouble_of(retirement)),
            )
        )
    return table(made, width)


def _operator(found: Document, width: int | None, now: float) -> list[Line]:
    needs = found["needs_operator"]
    if not needs:
        return []
    lines = [text(""), text(f"needs an operator: {needs['code']}", "bad")]
    lines += wrapped(needs["message"], width, indent=2)
    if needs["since"]:
        lines.append((Span("  "), Span(f"since {both(needs['since'], now)}")))
    choices = CHOICES.get(needs["code"])
    if choices is None:
        return lines + wrapped("do: " + named(needs["remedy"], found["name"]), width, indent=2)
    for how, does in (("retry", choices.retry), ("accept", choices.accept), ("abandon", choices.abandon)):
        lines.append((Span("  "), Span(f"rotator resolve {found['name']} --{how}", "label" if does is None else "")))
        lines += wrapped(does or "does not apply here", width, indent=4)
    return lines
