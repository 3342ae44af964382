"""The verbs by which an operator acts, all through the journal: rotate, pause, resume, resolve."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from rotator.cli import exits
from rotator.cli.decisions import Decision, decide
from rotator.cli.layout import text
from rotator.cli.log import open_log, running_configuration
from rotator.cli.names import Chosen, SomeNames, choose, operator
from rotator.cli.output import say, write_json, write_lines
from rotator.cli.preview import Yes, agreed
from rotator.cli.run import duration, stopping
from rotator.cli.until import Until
from rotator.cli.verbs import Settings, verb
from rotator.core.choices import How
from rotator.core.credential import NEVER, Strategy
from rotator.core.errors import ConfigError
from rotator.core.facts import Paused, Requested, Resolved, Resumed, What
from rotator.core.ids import RequestId
from rotator.core.times import rfc3339

if TYPE_CHECKING:
    from rotator.app import App
    from rotator.cli.waiting import Asked
    from rotator.core.protocol.view import View

LONGEST_REASON: Final = 500
"""Characters of a reason: one line of the audit trail, not a report."""


class Way(StrEnum):
    """A strategy that may be asked for."""

    RECREATE = "recreate"
    ROLL = "roll"


def one_line(reason: str) -> str:
    """Return the reason without anything that has the shape of a secret; a usage error unless it is one short line."""
    if reason and not reason.isprintable():
        raise typer.BadParameter("write one line without control characters")
    if len(reason) > LONGEST_REASON:
        raise typer.BadParameter(f"write at most {LONGEST_REASON} characters")
    if not reason:
        return reason
    from rotator.observability.redact import Redactor

    return Redactor().scrub(reason)


Everything = Annotated[bool, typer.Option("--all", help="Every configured credential.")]

Reason = Annotated[
    str, typer.Option(metavar="TEXT", callback=one_line, help="Why; goes into the audit trail, so never a value.")
]


def opened(settings: Settings) -> App:
    """Open the instance for an act, with everything but the answer going to the log."""
    from rotator.app import App
    from rotator.core.events import Event

    config = running_configuration(settings)
    log = open_log(settings, config, quiet=True)

    def say_event(name: str, **fields: object) -> None:
        if name != Event.CONFIG_WARNING.value:  # the daemon and `check` say those; here they would bury the answer
            log.event(name, **fields)

    return App.open(config.path, "writer", say=say_event, config=config)


# --------------------------------------------------------------------------------------------------------------- rotate
def rotate(
    settings: Settings,
    names: SomeNames = None,
    everything: Everything = False,
    strategy: Annotated[Way | None, typer.Option(help="For this rotation only; otherwise as configured.")] = None,
    outage_budget: Annotated[
        str | None,
        typer.Option(
            "--outage-budget", metavar="DURATION", help="roll: the outage that you accept, at least settle + 30s."
        ),
    ] = None,
    wait: Annotated[
        str | None, typer.Option(metavar="DURATION", help="Wait that long for it; without a daemon, do the work here.")
    ] = None,
    yes: Yes = False,
    until: Annotated[
        Until,
        typer.Option(
            help="With --wait: confirmed (the new value is everywhere) or done (the old token is retired, too)."
        ),
    ] = Until.CONFIRMED,
    reason: Reason = "",
) -> int:
    """Rotate credentials now, whatever their schedule says.

    Asks through the journal; the daemon, or the next `rotator once`, does it.
    With --wait it waits until the new value stands at every required target;
    without a running daemon, or when that dies meanwhile, it does the work
    itself. A roll replaces the value of the same token: the old value dies at
    once, so it wants an outage budget.

      rotator rotate workers-deploy --wait 5m
      rotator rotate a b --reason "left on a bus" --wait 10m --until done
      rotator rotate 'ci-*' --yes
      rotator rotate d1 --strategy roll --outage-budget 2m

    With --wait it says what it waits for whenever that changes. Exit 0 when
    asked or, with --wait, confirmed; 1 at the timeout, or when a required
    target was left alone by `resolve --accept`; 3 when an operator is needed.
    """
    patience = duration("--wait", wait) if wait is not None else None
    budget = duration("--outage-budget", outage_budget) if outage_budget is not None else 0.0
    with opened(settings) as app:
        chosen = _mintable(choose(app, names, everything=everything, managed=True), everything=everything)
        for one in chosen:
            _fits(one, strategy, budget)
        if not agreed([_rotates(one, strategy) for one in chosen], yes=yes):
            return exits.NO
        asked = [_ask(app, one, strategy, budget, reason) for one in chosen]
        code = _see_through(app, asked, patience, until)
    if settings.json:
        write_json({"requests": [request.document() for request in asked]})
    else:
        write_lines(text(request.sentence()) for request in asked)
    return code


def _mintable(chosen: list[Chosen], *, everything: bool) -> list[Chosen]:
    """Those that have a place for a value; one that is named and has none is refused."""
    found = [one for one in chosen if one.credential is not None and not one.credential.watched]
    if len(found) < len(chosen) and not everything:
        name = next(one.name for one in chosen if one not in found)
        raise ConfigError(f"{name} has no targets, so its token is only watched", "give it `targets` first")
    return found


def _rotates(one: Chosen, strategy: Way | None) -> str:
    """What `rotate` will do to one credential."""
    if one.credential is None:
        return one.name  # never: `choose` refused it
    way = (strategy or one.credential.policy.strategy).value
    number = len(one.credential.targets)
    ends = "the old value ends at once" if way == Strategy.ROLL.value else "the old value lives on for its grace"
    return f"rotate {one.name}: {way}, {number} target{'s' * (number != 1)}; {ends}"


def _see_through(app: App, asked: list[Asked], patience: float | None, until: Until) -> int:
    """Say who will do what was asked, and wait for it where that is wanted; return the exit code."""
    from rotator.cli.waiting import wait_for

    with stopping(app.stop):
        if app.writable.presence.daemon() is None:
            does = (
                "the next `rotator run` or `rotator once` does it" if patience is None else "this process does the work"
            )
            say(f"{nobody(app)}; {does}")
        code = exits.DONE if patience is None else wait_for(app, asked, patience, until)
        for request in asked:
            request.catch_up(app)
    return code


def nobody(app: App) -> str:
    """Say that no daemon works on this journal, or that it hangs."""
    hanging = app.writable.presence.hanging()
    if hanging is None:
        return "no daemon runs on this journal"
    return f"the daemon (process {hanging.pid}) gives no sign of life: its disk is full, or it hangs"


def _fits(one: Chosen, strategy: Way | None, budget: float) -> None:
    from rotator.app.acts import budget_fits

    if one.credential is not None:  # always: `choose` refused it else
        budget_fits(one.credential, Strategy(strategy.value) if strategy else None, budget)


def _ask(app: App, one: Chosen, strategy: Way | None, budget: float, reason: str) -> Asked:
    import secrets

    request_id = RequestId(secrets.token_hex(8))
    asked = Strategy(strategy.value) if strategy is not None else None
    view = note(app, one, Requested(request_id=request_id, strategy=asked, outage_budget=budget, reason=reason))
    if view.pause is not None and app.queries.now(one.connection) < view.pause.until:
        say(f"{one.name} is paused: the request waits for `rotator resume {one.name}`")
    from rotator.cli.following import Follower
    from rotator.cli.waiting import Asked

    return Asked(one, request_id, Follower(request_id))


def note(app: App, one: Chosen, what: What) -> View:
    """Journal an operator's act under the name of the user who runs this."""
    from rotator.app import acts

    return acts.note(app, one.name, one.connection, what, operator())


# -------------------------------------------------------------------------------------------------------- pause, resume
def pause(
    settings: Settings,
    names: SomeNames = None,
    everything: Everything = False,
    length: Annotated[
        str | None, typer.Option("--for", metavar="DURATION", help="Resume automatically after that long.")
    ] = None,
    yes: Yes = False,
    reason: Reason = "",
) -> int:
    """Stop new rotations and retirements.

    For a time, or until `resume`. What is captured is still published and
    confirmed, and a roll under way is finished: pausing never leaves a value
    behind. An expiry does not wait for you: `status` shows the deadline all
    the while.

      rotator pause workers-deploy --for 4h --reason "release freeze"
      rotator pause --all
    """
    seconds = duration("--for", length) if length is not None else NEVER
    if seconds <= 0:
        raise ConfigError("--for 0s would pause nothing", "write for example --for 4h")
    with opened(settings) as app:
        rows, chosen = [], choose(app, names, everything=everything)
        if not agreed([f"pause {one.name}{f' for {length}' if length else ''}" for one in chosen], yes=yes):
            return exits.NO
        for one in chosen:
            now = app.queries.now(one.connection)
            note(app, one, Paused(until=now + seconds, reason=reason))
            rows.append(
                {
                    "credential": one.name,
                    "since": rfc3339(now),
                    "until": rfc3339(now + seconds) if seconds != NEVER else None,
                    "reason": reason or None,
                }
            )
    if settings.json:
        write_json({"paused": rows})
    else:
        write_lines(
            text(
                f"{row['credential']}: paused until {row['until'] or '`rotator resume ' + str(row['credential']) + '`'}"
            )
            for row in rows
        )
    return exits.DONE


def resume(
    settings: Settings,
    names: SomeNames = None,
    everything: Everything = False,
    yes: Yes = False,
    reason: Reason = "",
) -> int:
    """End a pause; what became due meanwhile starts at once.

    A pause that was given a time ends automatically.

      rotator resume workers-deploy
      rotator resume --all
    """
    with opened(settings) as app:
        rows, chosen = [], choose(app, names, everything=everything)
        if not agreed([f"resume {one.name}" for one in chosen], yes=yes):
            return exits.NO
        for one in chosen:
            found = app.writable.view(one.stream).pause
            paused = found is not None and app.queries.now(one.connection) < found.until
            if found is not None:
                note(app, one, Resumed(reason=reason))
            rows.append({"credential": one.name, "was_paused": paused})
    if settings.json:
        write_json({"resumed": rows})
    else:
        write_lines(
            text(f"{row['credential']}: {'resumed' if row['was_paused'] else 'was not paused'}") for row in rows
        )
    return exits.DONE


# -------------------------------------------------------------------------------------------------------------- resolve
def resolve(
    settings: Settings,
    names: SomeNames = None,
    everything: Annotated[bool, typer.Option("--all", help="Every credential that has something to decide.")] = False,
    retry: Annotated[
        bool, typer.Option("--retry", help="Publish ours: overwrite an occupied or overridden key.")
    ] = False,
    accept: Annotated[
        bool,
        typer.Option("--accept", help="Keep what stands there: adopt it where that is possible, else leave it alone."),
    ] = False,
    abandon: Annotated[
        bool, typer.Option("--abandon", help="Close the open rotation, keep what is published.")
    ] = False,
    undo: Annotated[
        bool,
        typer.Option("--undo", help="Take an --accept back: what stands there is looked at and asked about again."),
    ] = False,
    yes: Yes = False,
    reason: Reason = "",
) -> int:
    """Decide what only a person can decide.

    `rotator status NAME` says what each choice would do in the case at hand.
    With a glob or --all it decides wherever there is something to decide.

      rotator resolve workers-deploy --retry
      rotator resolve --all --retry
      rotator resolve workers-deploy --undo
      rotator resolve workers-deploy --accept --reason "hotfix by hand"

    Exit 1 when there is nothing to decide.
    """
    given = ((How.RETRY, retry), (How.ACCEPT, accept), (How.ABANDON, abandon), (How.UNDO, undo))
    wanted = [how for how, is_given in given if is_given]
    if len(wanted) != 1:
        raise ConfigError("resolve needs one decision", "give exactly one of --retry, --accept, --abandon and --undo")
    with opened(settings) as app:
        chosen = choose(app, names, everything=everything)
        decisions = decide(app, chosen, wanted[0], named=set(names or []))
        if not agreed([f"resolve {one.chosen.name}: {one.does}" for one in decisions], yes=yes):
            return exits.NO
        rows = [_resolve(app, one, wanted[0], reason) for one in decisions]
    if settings.json:
        write_json({"resolved": rows})
    else:
        write_lines(text(f"{row['credential']}: {row['how']}: {row['message']}") for row in rows)
    return exits.DONE


def _resolve(app: App, decision: Decision, how: How, reason: str) -> dict[str, Any]:
    one = decision.chosen
    note(app, one, Resolved(how=how, reason=reason))
    return {"credential": one.name, "how": how.value, "code": decision.code, "message": decision.does}


def register(app: typer.Typer) -> None:
    """Add these verbs."""
    for function in (rotate, pause, resume, resolve):
        verb(app)(function)
