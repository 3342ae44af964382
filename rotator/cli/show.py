"""The verbs that look at what is and what comes, and change nothing: status, plan."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from rotator.cli import exits
from rotator.cli.layout import Line, text
from rotator.cli.log import running_configuration
from rotator.cli.names import AnyNames, is_glob, matches
from rotator.cli.output import (
    draws_unicode,
    is_terminal,
    say,
    styled,
    terminal_height,
    terminal_width,
    write_json,
    write_lines,
)
from rotator.cli.verbs import Settings, verb
from rotator.core.credential import State
from rotator.core.errors import ConfigError, RotatorError
from rotator.core.times import rfc3339

if TYPE_CHECKING:
    from rotator.app import App


class Order(StrEnum):
    """In which order `status` shows credentials."""

    WORST = "worst"
    NAME = "name"
    EXPIRES = "expires"
    ROTATES = "rotates"


_BY: Final = {Order.EXPIRES: "expires_on", Order.ROTATES: "next_rotation"}
"""Order by time -> field of the document; what has no such time comes last."""

EVERY: Final = 2.0
"""Seconds between two pictures of `--watch`."""


def status(
    settings: Settings,
    names: AnyNames = None,
    state: Annotated[
        list[State] | None, typer.Option("--state", metavar="STATE", help="Only those in it; repeatable.")
    ] = None,
    target: Annotated[
        str | None, typer.Option("--target", metavar="GLOB", help="Only those with a target of that name.")
    ] = None,
    connection: Annotated[
        str | None, typer.Option("--connection", metavar="GLOB", help="Only those of that connection.")
    ] = None,
    label: Annotated[
        list[str] | None, typer.Option("--label", metavar="NAME=GLOB", help="Only those with that label; repeatable.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Every row, however many; else 40 and whatever is in trouble.")
    ] = False,
    sort: Annotated[
        Order | None, typer.Option("--sort", help="Else the worst first; in JSON, as in the configuration.")
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Draw it again every two seconds.")] = False,
) -> int:
    """Show what is fresh, what is stuck, and why.

    How many credentials are in which state, then a table with the worst first
    and what is wrong below each; a NAME may be a glob. With one NAME it shows
    everything about it and, where an operator is needed, what `resolve`
    --retry, --accept and --abandon would each do. Reads the journal only: no
    provider is asked, nothing is changed, no key is needed.

      rotator status
      rotator status workers-deploy
      rotator status 'ci-*' --state failing --state needs_operator
      rotator status --label team=web
      rotator status --sort expires
      rotator status --watch
      rotator status -o json | jq '.credentials[] | select(.ready | not)'

    Exit 0 whenever it can show something, whatever that is.
    """
    if watch and settings.json:
        raise ConfigError("--watch draws for people and -o json prints one document", "leave one of them out")
    states = [one.value for one in state or ()]
    wanted = Wanted(names or [], states, target, connection, _labels(label or []), everything, sort)
    if watch:
        return _watch(lambda: _picture(settings, wanted, live=True))
    if settings.json:
        write_json(_status(settings, wanted))
    else:
        write_lines(_picture(settings, wanted))
    return exits.DONE


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which credentials `status` shows: by name, state, target, connection and labels; all of these must fit."""

    names: list[str]
    states: list[str]
    target: str | None
    connection: str | None
    labels: list[tuple[str, str]]
    everything: bool
    sort: Order | None

    def fits(self, credential: dict[str, Any]) -> bool:
        """Whether one credential of the document is meant."""
        targets = [str(one["name"]) for one in credential["targets"]]
        return (
            (not self.names or matches(credential["name"], self.names))
            and (not self.states or credential["state"] in self.states)
            and (self.target is None or any(matches(name, [self.target]) for name in targets))
            and (self.connection is None or matches(credential["connection"], [self.connection]))
            and all(matches(credential["labels"].get(name, ""), [wanted]) for name, wanted in self.labels)
        )


def _labels(given: list[str]) -> list[tuple[str, str]]:
    """`NAME=GLOB` as pairs; a name alone means any value of it.

    Raises:
        ConfigError: one has no name.
    """
    pairs = [one.partition("=") for one in given]
    for one, (name, _, _) in zip(given, pairs, strict=True):
        if not name:
            raise ConfigError(f"--label {one} names no label", "write for example --label team=web")
    return [(name, value if sign else "?*") for name, sign, value in pairs]


def _status(settings: Settings, wanted: Wanted) -> dict[str, Any]:
    from rotator.app import App
    from rotator.app.documents import status_document
    from rotator.app.effective import effective_for

    found = effective_for(settings.config)
    with App.open(found.config.path, "reader", config=found.config) as app:
        for name in wanted.names:
            if not is_glob(name):
                app.queries.stream(name)
        document = status_document(app.queries) | {"configuration_problem": found.problem or None}
    document["credentials"] = _ordered([one for one in document["credentials"] if wanted.fits(one)], wanted.sort)
    return document


def _ordered(credentials: list[dict[str, Any]], sort: Order | None) -> list[dict[str, Any]]:
    if sort is None or sort is Order.WORST:
        return credentials
    if sort is Order.NAME:
        return sorted(credentials, key=lambda one: str(one["name"]))
    return sorted(credentials, key=lambda one: (one[_BY[sort]] is None, one[_BY[sort]] or "", str(one["name"])))


def _picture(settings: Settings, wanted: Wanted, *, live: bool = False) -> list[Line]:
    from rotator.cli import status_text

    document, width = _status(settings, wanted), terminal_width()
    if len(wanted.names) == 1 and not is_glob(wanted.names[0]) and document["credentials"]:
        return status_text.status_of(document, wanted.names[0], width)
    most = None if wanted.everything else status_text.SHOWN
    worst_first = wanted.sort in (None, Order.WORST)
    return status_text.status(document, width, terminal_height() if live else None, most=most, worst_first=worst_first)


def _watch(picture: Callable[[], list[Line]]) -> int:
    """Draw until interrupted: in place on a terminal, one picture after the other elsewhere."""
    with contextlib.suppress(KeyboardInterrupt):  # Ctrl-C is how one stops looking: nothing was under way
        if not is_terminal(sys.stdout):
            while True:
                write_lines([*_or_error(picture), text("")])
                time.sleep(EVERY)
        from rich.console import Console, Group
        from rich.live import Live

        with Live(console=Console(file=sys.stdout, highlight=False), auto_refresh=False, screen=True) as live:
            while True:
                live.update(Group(*map(styled, _or_error(picture))), refresh=True)
                time.sleep(EVERY)
    return exits.DONE


def _or_error(picture: Callable[[], list[Line]]) -> list[Line]:
    """A picture, or what is wrong just now: a file that is being edited is right again soon."""
    try:
        return picture()
    except RotatorError as error:
        return [text(line, "bad") for line in [*error.message.splitlines(), f"do: {error.remedy}"]]


class FailOnChange(StrEnum):
    """What makes the answer of `plan` no."""

    CHANGE = "change"


def plan(
    settings: Settings,
    days: Annotated[float, typer.Option(min=0, max=3650, metavar="N", help="How far to look ahead.")] = 30.0,
    fail_on: Annotated[
        FailOnChange | None, typer.Option("--fail-on", help="What makes the answer no: a token that would change.")
    ] = None,
) -> int:
    """Show what will rotate when, and what that takes.

    Says before anything happens which credentials are due, by which strategy,
    at which targets, and whether rate budget and token quota carry it, the
    overlap of old and new tokens included; how living tokens differ from what
    the configuration asks for, and what would be done about it. Below stands
    what each token will be, as the dashboard shows it before "Create Token":
    permissions by scope with their resources, limits on addresses, lifetime;
    and a picture of when each value expires and is rotated, first what expires
    and nothing rotates. Lists the tokens, 50 to a request, and changes nothing.

      rotator plan
      rotator plan --days 90 -o json
      rotator plan --fail-on change                     in CI, before a merge

    Exit 1 with --fail-on change when a token differs.
    """
    from rotator.app import App

    config = running_configuration(settings)
    with App.open(config.path, "reader", config=config) as app:
        from rotator.app.changes import changes

        changed = changes(app)
        document = _plan(app, days, [name for name, one in changed.found.items() if one["fix"] == "rotate"])
    document["changes"] = changed.found
    for token in document.get("tokens", ()):
        token["change"] = changed.found.get(token["credential"])
    for connection, why in changed.unseen.items():
        say(f"warning: connection {connection}: living tokens could not be compared: {why}")
    if settings.json:
        write_json(document)
    else:
        from rotator.cli import render, status_text
        from rotator.cli.timeline import ASCII, UNICODE, timeline

        width = terminal_width()
        picture = timeline(document, width, UNICODE if draws_unicode() else ASCII)
        write_lines([*render.plan(document, width), *status_text.changes(document, width), *picture])
    return exits.NO if fail_on is not None and changed.found else exits.DONE


def _tokens(app: App) -> list[dict[str, Any]]:
    """What the token of each credential will be."""
    from rotator.app.summary import summary
    from rotator.core.drifted import adopted

    connections = app.config.connections
    kept = {one.name for one in app.queries.credentials if adopted(one, app.queries.view(one.id))}
    return [
        summary(stanza, getattr(connections[stanza.common.connection].options, "account_id", None))
        | {"drift_adopted": stanza.name in kept}
        for stanza in app.config.credentials
    ]


def _plan(app: App, days: float, due: Collection[str]) -> dict[str, Any]:
    from rotator.app.plan import plan as planned

    statuses = app.queries.statuses()
    rows = planned(app.queries.credentials, statuses, app.queries.utc(), days, due)
    connections = []
    for name in app.queries.sources():
        mine = [row for row in rows if row.connection == name]
        requests, window = app.queries.rate_budget(name)
        quota = app.queries.connection_note(name).quota
        connections.append(
            {
                "name": name,
                "rotations": len(mine),
                "requests": sum(row.requests for row in mine),
                "rate_budget": {"requests": requests, "window": window},
                "quota": {"used": quota.used, "limit": quota.limit, "peak": quota.used + peak(mine)} if quota else None,
                "peak_overlap": peak(mine),
            }
        )
    return {
        "version": 1,
        "time": rfc3339(app.clock.utc()),
        "days": days,
        "tokens": _tokens(app),
        "lives": [
            {"credential": one.name, "token_id": one.token_id, "expires_on": rfc3339(one.expires_on)}
            for one in statuses
        ],
        "rotations": [
            {
                "time": rfc3339(row.at),
                "credential": row.credential,
                "connection": row.connection,
                "strategy": row.strategy,
                "reason": row.reason,
                "waits": row.waits,
                "retired_at": rfc3339(row.retired_at),
                "requests": row.requests,
                "slots": row.slots,
                "targets": list(row.targets),
            }
            for row in rows
        ],
        "connections": connections,
    }


def peak(rows: Iterable[Any]) -> int:
    """Return how many tokens more than now exist at the worst moment of a plan, old and new overlapping."""
    changes: list[tuple[float, int]] = []
    for row in rows:
        changes.append((row.at, row.slots))
        if row.retired_at is not None:
            changes.append((row.retired_at, -row.slots))
    return max([0, *accumulate(change for _, change in sorted(changes))])


def register(app: typer.Typer) -> None:
    """Add these verbs."""
    for function in (status, plan):
        verb(app)(function)
