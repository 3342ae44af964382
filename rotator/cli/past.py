"""The verbs that tell what happened, and change nothing: history, report."""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from rotator.cli import exits
from rotator.cli.log import running_configuration
from rotator.cli.names import AnyNames, SomeNames, choose, is_glob, matches
from rotator.cli.output import terminal_width, write_json, write_json_line, write_lines
from rotator.cli.run import duration
from rotator.cli.verbs import Output, Settings, verb
from rotator.core.errors import ConfigError
from rotator.core.facts import Kind
from rotator.core.times import moment

if TYPE_CHECKING:
    from rotator.app import App
    from rotator.core.facts import Fact
    from rotator.core.ids import CredentialId

EVERY: Final = 1.0
"""Seconds between two looks of `--follow`."""

TAIL: Final = 10
"""Facts that `--follow` shows first, where neither `-n` nor `--since` says how many."""

Since = Annotated[
    str | None, typer.Option("--since", metavar="WHEN", help="From then on: 2h, 2026-11-30 or 2026-11-30T08:00.")
]


def history(
    settings: Settings,
    names: AnyNames = None,
    limit: Annotated[
        int | None, typer.Option("-n", "--limit", min=1, metavar="N", help="Only the last N facts.")
    ] = None,
    since: Since = None,
    kind: Annotated[
        list[str] | None,
        typer.Option("--kind", metavar="FACT", help="Only facts of that kind; a glob; repeatable."),
    ] = None,
    follow: Annotated[
        bool, typer.Option("-f", "--follow", help="Go on as facts come; with -o json one line each.")
    ] = False,
) -> int:
    """Show what happened, fact by fact.

    Every durable fact of the credentials named, or of all, oldest first. Each
    says what became true, when (provider time), in which rotation,
    under which epoch, and who asked for it. No value, and no digest of a
    value, is ever among them.

      rotator history workers-deploy
      rotator history 'ci-*' --since 2h --kind failed --kind 'override*'
      rotator history -n 50
      rotator history --follow
      rotator history workers-deploy -o json | jq '.facts[-1]'
    """
    from rotator.app import App

    wanted = Wanted(names or [], _kinds(kind or []), _point("--since", since, time.time()) if since else None)
    config = running_configuration(settings)
    with App.open(config.path, "reader", config=config) as app:
        wanted.check(app)
        if follow:
            shown = limit if limit is not None or since else TAIL
            with contextlib.suppress(KeyboardInterrupt):  # Ctrl-C is how one stops looking: nothing was under way
                _follow(settings, app, wanted, shown)
            return exits.DONE
        only = wanted.names[0] if len(wanted.names) == 1 and not is_glob(wanted.names[0]) else None
        found = list(deque(wanted.of(app.queries.history(only)), maxlen=limit))
    if settings.json:
        write_json({"facts": found})
    else:
        from rotator.cli import render

        chosen = bool(wanted.kinds) or wanted.since is not None
        write_lines(render.history(found, terminal_width(), of_one=only is not None, chosen=chosen))
    return exits.DONE


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which facts are shown: of these credentials, of these kinds, and not before a time; all of these must fit."""

    names: list[str]
    kinds: frozenset[Kind]
    since: float | None

    def check(self, app: App) -> None:
        """Refuse a name that is not known.

        Raises:
            ConfigError: there is no such credential; the nearest is named.
        """
        for name in self.names:
            if not is_glob(name):
                app.queries.stream(name)

    def fits(self, name: str) -> bool:
        """Whether a credential is meant."""
        return not self.names or matches(name, self.names)

    def of(self, facts: Iterable[tuple[str, Fact]]) -> Iterator[dict[str, Any]]:
        """Yield those that are meant, as documents."""
        from rotator.app.documents import fact_document

        for name, fact in facts:
            late = self.since is None or fact.at >= self.since
            if late and self.fits(name) and (not self.kinds or fact.kind in self.kinds):
                yield fact_document(name, fact)


def _point(option: str, value: str, now: float) -> float:
    """The moment that an option means, in unix seconds: a duration before `now`, or a date with or without time."""
    at = moment(value)
    if at is not None:
        return at
    try:
        return now - duration(option, value)
    except ConfigError:
        raise ConfigError(
            f"{option} {value}: this is no point in time",
            "write how long ago (2h, 7d) or when in UTC (2026-11-30, 2026-11-30T08:00)",
        ) from None


def _kinds(typed: list[str]) -> frozenset[Kind]:
    found = frozenset(kind for kind in Kind if matches(kind.value, typed))
    for one in typed:
        if not any(matches(kind.value, [one]) for kind in Kind):
            from rotator.config.explain import nearest

            near = nearest(one, [kind.value for kind in Kind])
            raise ConfigError(
                f"--kind {one}: there is no fact of that kind",
                f"did you mean {near}?" if near else "the column FACT of `rotator history` shows the words",
            )
    return found


@dataclass(slots=True)
class _Tail:
    """How far each stream was shown. Positions are per stream: nothing can be passed over, whoever writes first."""

    app: App
    wanted: Wanted
    shown: dict[CredentialId, int] = field(default_factory=dict)

    def new(self) -> Iterator[tuple[str, Fact]]:
        """Yield the facts that came since the last call."""
        journal = self.app.journal
        for row in self.app.queries.streams():
            if journal is None or not self.wanted.fits(row.name):
                continue
            for fact in journal.facts(row.id, after=self.shown.get(row.id, 0)):
                self.shown[row.id] = fact.position
                yield row.name, fact


def _follow(settings: Settings, app: App, wanted: Wanted, first: int | None) -> None:
    from rotator.cli import render

    tail, sizes = _Tail(app, wanted), render.Sizes()
    found = sorted(tail.new(), key=lambda one: one[1].at)
    facts = list(deque(wanted.of(found), maxlen=first))
    while True:
        if settings.json:
            for fact in facts:
                write_json_line(fact)
        else:
            write_lines(render.followed(facts, sizes))
        time.sleep(EVERY)
        facts = list(wanted.of(tail.new()))


def report(
    settings: Settings,
    names: SomeNames = None,
    everything: Annotated[bool, typer.Option("--all", help="Every configured one, as without a NAME.")] = False,
    since: Annotated[str, typer.Option("--from", metavar="WHEN", help="Begin of the period: 90d, 2026-09-01.")] = "90d",
    until: Annotated[str | None, typer.Option("--to", metavar="WHEN", help="Its end, not included; else now.")] = None,
) -> int:
    """Show the evidence of a period, as an auditor asks for it.

    For each credential every rotation that was open in the period: who asked
    for it and why, when it began, how long it took, at which targets the new
    value was read back and accepted, and when the old token was disabled and
    deleted; then what people did. It is made from the facts of the journal;
    `rotator audit verify` shows that nobody changed those.

      rotator report workers-deploy
      rotator report --all --from 2026-07-01 --to 2026-10-01 -o markdown
      rotator report 'ci-*' --from 365d -o csv > rotations.csv
    """
    from rotator.app import App
    from rotator.app.report import report as of_one
    from rotator.cli import evidence
    from rotator.core.instants import rfc3339

    now = time.time()
    begin, end = _point("--from", since, now), _point("--to", until, now) if until else now
    if begin >= end:
        raise ConfigError("the period ends before it begins", "give --from an earlier time than --to")
    config = running_configuration(settings)
    with App.open(config.path, "reader", config=config) as app:
        chosen = choose(app, names, everything=everything or not names)
        journal = app.journal
        found = [of_one(one.name, journal.facts(one.stream) if journal else (), begin, end) for one in chosen]
    document = {"version": 1, "time": rfc3339(now), "from": rfc3339(begin), "to": rfc3339(end), "credentials": found}
    if settings.json:
        write_json(document)
    else:
        write_lines(evidence.FORMS[settings.output](document, terminal_width()))
    return exits.DONE


def register(app: typer.Typer) -> None:
    """Add these verbs."""
    verb(app)(history)
    verb(app, prints=tuple(Output), absent=exits.NO)(report)
