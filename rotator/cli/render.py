"""The documents of `status`, `plan`, `history`, `check` and `audit verify` as lines for people.

It draws what the JSON document says and nothing else, so that both always agree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rotator.cli.choices import CHOICES
from rotator.cli.layout import Column, Line, Row, Span, Table, block, table, text, wrapped
from rotator.cli.times import both, moment, relative, rfc3339
from rotator.core.status import human

Document = Mapping[str, Any]

STATES: Final[Mapping[str, str]] = {
    "idle": "good",
    "rotating": "busy",
    "failing": "bad",
    "needs_operator": "bad",
    "paused": "warn",
    "uninitialized": "warn",
    "unmanaged": "quiet",
}
"""State of a credential -> style."""

QUIET: Final = frozenset({"idle", "uninitialized"})
"""States that explain themselves."""

UNTOLD: Final = frozenset({"token_name", "attempt_name", "born", "version", "digest", "required", "targets"})
"""Details of a fact that people are not shown; the document has them."""

TOKENS: Final[Mapping[str, str]] = {"token_id": "token", "old": "old", "adopt": "adopt"}
"""Details that are ids of tokens -> what people see; eight digits of an id are enough for them."""

MOMENTS: Final = frozenset({"expires_at", "until"})
"""Details that are provider times."""

LONGEST_PLAN: Final = 40
"""Rows of a plan that people are shown; the document has all."""

LEVELS: Final[Mapping[str, str]] = {"ok": "good", "warn": "warn", "fail": "bad"}
"""Level of a finding -> style."""


# --------------------------------------------------------------------------------------------------------------- status
def status(document: Document, width: int | None) -> list[Line]:
    """Return the fleet as a table, with what is wrong below each row that has something."""
    now = _now(document)
    columns = ("CREDENTIAL", "STATE", "READY", "GEN", "EXPIRES", "ROTATES", "TARGETS")
    found = Table([Column(title, right=title == "GEN") for title in columns])
    for credential in document["credentials"]:
        found.rows.append(
            Row(
                (
                    credential["name"],
                    Span(credential["state"], STATES.get(credential["state"], "")),
                    Span("yes") if credential["ready"] else Span("no", "bad"),
                    str(credential["generation"] or "-"),
                    _expires(credential, now),
                    relative(credential["next_rotation"], now),
                    _targets(credential),
                ),
                _notes(credential, now),
            )
        )
    lines = table(found, width) if found.rows else [text("no credentials are configured")]
    return [*lines, text(""), *_foot(document, width, now)]


def _now(document: Document) -> float:
    return moment(document["time"]) or 0.0


def _expires(credential: Document, now: float) -> str:
    return relative(credential["expires_on"], now, "never" if credential["token_id"] else "-")


def _targets(credential: Document) -> Span:
    targets = credential["targets"]
    good = sum(1 for target in targets if target["in_sync"])
    bad = any(target["in_sync"] is False and target["required"] for target in targets)
    return Span(f"{good}/{len(targets)}", "warn" if bad else "")


def _notes(credential: Document, now: float) -> list[Span]:
    notes = []
    needs = credential["needs_operator"]
    if needs:
        notes.append(Span(needs["message"], "bad"))
        notes.append(Span("do: " + _named(needs["remedy"], credential["name"])))
    elif credential["paused"]:
        notes.append(Span(f"paused {_paused(credential['paused'], now)}", "warn"))
    elif credential["state"] not in QUIET or (credential["state"] == "idle" and _due(credential)):
        notes.append(Span(credential["message"], "bad" if credential["state"] == "failing" else ""))
    if credential["next_attempt"] and not needs:
        notes.append(Span(f"next attempt {relative(credential['next_attempt'], now)}"))
    if not needs:
        notes += _problem(credential, credential["message"])
    for target in credential["targets"]:
        notes += _problem(target, credential["message"])
    for retirement in credential["retirements"]:
        if retirement["blocked"] and retirement["blocked"] not in ("grace", "soak"):
            notes.append(Span(f"retirement of {retirement['token_id'][:8]}… is held: {_blocked(retirement, now)}"))
        notes += _problem({**retirement, "name": f"retirement of {retirement['token_id'][:8]}…"})
    return notes


def _problem(target: Document, said: str = "") -> list[Span]:
    """Why a target or the provider could not be used, unless that was said already, and what to do."""
    problem = target.get("problem")
    if not problem:
        return []
    why = [] if problem["message"] in said else [Span(f"{target['name']}: {problem['message']}", "bad")]
    return why + ([Span(f"do: {problem['remedy']}")] if problem["remedy"] else [])


def _due(credential: Document) -> bool:
    return not str(credential["message"]).startswith("fresh")


def _named(remedy: str, name: str) -> str:
    return remedy.replace("NAME", name)


def _blocked(retirement: Document, now: float) -> str:
    why = str(retirement["blocked"])
    if why == "still_used":
        return f"still_used, last used {relative(retirement['last_used_on'], now, 'at an unknown time')}"
    return why


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
    if document["orphans"]:
        lines.append(text(f"orphans: {document['orphans']}", "warn"))
    for daemon in document["daemons"]:
        seen = relative(daemon["last_tick"], now)
        lines.append(text(f"daemon: process {daemon['pid']} on {daemon['host']}, last sign of life {seen}"))
    if not document["daemons"]:
        lines.append(text("daemon: none runs on this journal", "warn"))
    return lines


def status_of(document: Document, name: str, width: int | None) -> list[Line]:
    """Return one credential in full; where an operator is needed, what each choice would do."""
    now = _now(document)
    found = next(c for c in document["credentials"] if c["name"] == name)
    pairs: list[tuple[str, Span | str]] = [
        ("state", Span(found["state"], STATES.get(found["state"], ""))),
        ("message", found["message"]),
        ("ready", "yes: a live value stands at every required target" if found["ready"] else Span("no", "bad")),
        ("strategy", f"{found['strategy']}, {found['owner']} token of connection {found['connection']}"),
        ("generation", str(found["generation"] or "-")),
        ("token", f"{found['token_id'] or '-'}"),
    ]
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
        pairs.append(("paused", _paused(found["paused"], now)))
    lines = [text(name, "title"), *block(pairs, width, indent=2)]
    if found["rotation"]:
        lines += [text(""), text("rotation", "title"), *block(_rotation(found["rotation"], now), width, indent=2)]
        for note in _problem({**found, "name": "problem"}):
            lines += wrapped(note, width, indent=2)
    lines += [text(""), *_target_table(found, width)]
    if found["retirements"]:
        lines += [text(""), *_retirement_table(found, width, now)]
    return [*lines, *_operator(found, width, now)]


def _paused(paused: Document, now: float) -> str:
    until = f"until {both(paused['until'], now)}" if paused["until"] else "until `rotator resume`"
    by = f", by {paused['actor']}" if paused.get("actor") else ""
    return until + by + (f": {paused['reason']}" if paused["reason"] else "")


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
                _problem(target),
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
                )
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
        return lines + wrapped("do: " + _named(needs["remedy"], found["name"]), width, indent=2)
    for how, does in (("retry", choices.retry), ("accept", choices.accept), ("abandon", choices.abandon)):
        lines.append((Span("  "), Span(f"rotator resolve {found['name']} --{how}", "label" if does is None else "")))
        lines += wrapped(does or "does not apply here", width, indent=4)
    return lines


# ----------------------------------------------------------------------------------------------------------------- plan
def plan(document: Document, width: int | None) -> list[Line]:
    """Return what will happen when."""
    now = _now(document)
    titles = ("AT (UTC)", "WHEN", "CREDENTIAL", "STRATEGY", "WHY", "REQUESTS")
    made = Table([Column(title, right=title == "REQUESTS") for title in titles])
    for row in document["rotations"][:LONGEST_PLAN]:
        at = str(row["time"]).replace("T", " ")[:16]
        due = "now" if (moment(row["time"]) or 0.0) <= now + 1 else relative(row["time"], now)
        made.rows.append(Row((at, due, row["credential"], row["strategy"], row["reason"], str(row["requests"]))))
    if not made.rows:
        return [text(f"nothing is due within {human(document['days'] * 86400)}")]
    lines = table(made, width)
    more = len(document["rotations"]) - len(made.rows)
    if more:
        lines.append(text(f"and {more} more; -o json lists them all", "quiet"))
    lines.append(text(""))
    for connection in document["connections"]:
        lines += wrapped(_planned(connection), width, hang=2)
    return lines


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
def history(facts: Sequence[Document], width: int | None, *, of_one: bool) -> list[Line]:
    """Return facts as a timeline, oldest first."""
    if not facts:
        return [text("nothing has happened yet")]
    titles = ["TIME", *([] if of_one else ["CREDENTIAL"]), "ROTATION", "FACT", "ACTOR", "DETAIL"]
    made = Table([Column(title) for title in titles])
    for fact in facts:
        when = str(fact["time"] or "-").replace("T", " ").replace("Z", "")
        cells = [when, *([] if of_one else [str(fact["credential"])]), str(fact["rotation"] or "-")[:8]]
        made.rows.append(Row((*cells, fact["kind"], fact["actor"], _detail(fact["detail"]))))
    return table(made, width)


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
