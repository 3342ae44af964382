"""The verb of an emergency: revoke. It works through the journal, and waits until the leaked value is dead."""

from __future__ import annotations

import time
from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Final

import typer

from rotator.cli import exits
from rotator.cli.ending import Ending
from rotator.cli.ending_by_id import one_token, revoke_token
from rotator.cli.layout import text
from rotator.cli.names import Chosen, SomeNames, choose
from rotator.cli.operate import Everything, Reason, nobody, note, opened
from rotator.cli.output import say, write_json, write_lines
from rotator.cli.preview import Yes, agreed
from rotator.cli.run import duration, stopping
from rotator.cli.verbs import Settings, verb
from rotator.core.credential import NEVER
from rotator.core.errors import JournalUnsafe, RotatorError
from rotator.core.ids import NO_TOKEN, RequestId, TokenId

if TYPE_CHECKING:
    from rotator.app import App
    from rotator.app.once import Once
    from rotator.core.notes import Note
    from rotator.core.status import CredentialStatus

LOOK: Final = 0.25
"""Seconds between two looks into the journal."""

SETTLED: Final = 2.0
"""Seconds for which a need of an operator must last before it is believed: the word may be from before the revoke."""

WAIT: Final = "5m"


class Role(StrEnum):
    """Which of a connection's own tokens."""

    MANAGEMENT = "management"
    STANDBY = "standby"


Bare = Annotated[
    bool,
    typer.Option("--without-successor", help="Disable it and publish nothing; starts are paused until `resume`."),
]


def revoke(
    settings: Settings,
    names: SomeNames = None,
    everything: Everything = False,
    reason: Reason = "",
    wait: Annotated[str, typer.Option(metavar="DURATION", help="How long to wait until it is disabled.")] = WAIT,
    without_successor: Bare = False,
    token_id: Annotated[str, typer.Option("--token-id", metavar="ID", help="One token by its id instead.")] = "",
    role: Annotated[Role | None, typer.Option(help="The connection's own token instead; its partner ends it.")] = None,
    connection: Annotated[str, typer.Option(metavar="C", help="For --token-id and --role: whose token it is.")] = "",
    yes: Yes = False,
) -> int:
    """A value leaked: replace it everywhere, then kill it.

    Makes a successor at once, publishes it to every target that can be
    reached, and then disables and deletes every token of the credential that
    may have leaked. It waits for no pause, window, grace or soak. After a
    minute without a publication it disables first: the leak is worse than the
    outage. A target that is away is written as soon as it comes back.

      rotator revoke workers-deploy
      rotator revoke workers-deploy --reason "in a public build log"
      rotator revoke 'ci-*' --yes
      rotator revoke old-hub --without-successor

    One token by its id, also while the journal cannot be opened (nothing is
    minted), or the connection's own token (its partner ends it):

      rotator revoke --token-id 4a5b6c... --connection prod
      rotator revoke --role management --connection prod

    It cannot be taken back. A second revoke of the same credential joins the
    first while that is unfinished. Without a running daemon the work is done
    here. Progress goes to standard error.

    Exit 0 once the old tokens are disabled; 1 at the timeout (it goes on all
    the same); 3 when a person is needed.
    """
    patience, member = duration("--wait", wait), role.value if role else ""
    if one_token(
        names, everything=everything, token=token_id, role=member, connection=connection, bare=without_successor
    ):
        return revoke_token(
            settings, connection, token=token_id, role=member, reason=reason, patience=patience, yes=yes
        )
    return _credentials(settings, names, everything, reason, patience, bare=without_successor, yes=yes)


def _credentials(
    settings: Settings,
    names: list[str] | None,
    everything: bool,
    reason: str,
    patience: float,
    *,
    bare: bool,
    yes: bool,
) -> int:
    """Revoke credentials, and print what became of each token."""
    with _opened(settings) as app:
        endings = [_ending(app, one) for one in choose(app, names, everything=everything)]
        endings = _alive(endings, named=set(names or []))
        if not agreed([_does(app, one, bare=bare) for one in endings], yes=yes):
            return exits.NO
        endings = [_ending(app, one.chosen) for one in endings]  # more may have been published while a person read that
        for one in endings:
            _mark(app, one, reason, bare=bare)
        code = _see_through(app, endings, patience)
        told = _told(app, endings)
    rows = [row for one in endings for row in one.rows(told[one.chosen.name][0])]
    if settings.json:
        write_json({"revoked": rows})
    else:
        write_lines(text(f"{row['credential']}: token {row['token_id']} {row['message']}") for row in rows)
    return code


def _opened(settings: Settings) -> App:
    """Open the instance; where the journal cannot be opened, say what works without it."""
    try:
        return opened(settings)
    except JournalUnsafe as error:
        remedy = "`rotator revoke --token-id ID --connection C` ends a token without the journal"
        raise JournalUnsafe(error.message, f"{error.remedy}; {remedy}" if error.remedy else remedy) from error


def _ending(app: App, one: Chosen) -> Ending:
    """What a revoke of a credential names, as its facts are now."""
    from rotator.core.protocol.revoke import to_revoke

    adopt = TokenId(one.credential.adopt) if one.credential else NO_TOKEN
    ending = Ending(one, to_revoke(app.queries.view(one.stream), adopt))
    ending.catch_up(app)
    return ending


def _alive(endings: list[Ending], *, named: set[str]) -> list[Ending]:
    """Those that have something to revoke; one that is named, and not by a glob, and has nothing is an error."""
    found, empty = [one for one in endings if one.tokens], [one.chosen.name for one in endings if not one.tokens]
    wrong = [name for name in empty if name in named or not found]
    if wrong:
        name = wrong[0]
        raise RotatorError(
            f"revoking {name}: no token of it lives, as far as the journal knows",
            "`rotator discover` lists every token; `rotator revoke --token-id ID --connection C` ends one by its id",
        )
    return found


def _does(app: App, one: Ending, *, bare: bool) -> str:
    """What it will do to one credential."""
    tokens = f"token{'s' * (len(one.tokens) != 1)} {', '.join(one.tokens)}"
    name, credential = one.chosen.name, one.chosen.credential
    if one.view.revoking:
        return f"revoke {name}: {tokens}: under way already, this joins it"
    if bare or credential is None or credential.watched:
        return f"revoke {name}: {tokens} ends at once; nothing succeeds it, whoever uses it fails"
    number = len(credential.targets)
    return f"revoke {name}: a successor to {number} target{'s' * (number != 1)}, then {tokens} ends, within a minute"


def _mark(app: App, one: Ending, reason: str, *, bare: bool) -> None:
    """Journal the revoke: from here on nothing of its tokens is published again, whatever happens to this process."""
    import secrets

    from rotator.app.acts import revoked

    request = RequestId(secrets.token_hex(8))
    note(app, one.chosen, revoked(one.tokens, one.chosen.credential, one.view, request, bare=bare, reason=reason))


def _see_through(app: App, endings: list[Ending], patience: float) -> int:
    """Wait until every token is disabled, doing the work here while no daemon runs; return the exit code."""
    with stopping(app.stop):
        if app.writable.presence.daemon() is None:
            say(f"{nobody(app)}; this process does the work")
        return _follow(app, endings, patience)


def _follow(app: App, endings: list[Ending], patience: float) -> int:
    """0 when all are disabled (or `stop` was set), 1 at the timeout, 3 where a person is needed."""
    drives: Once | None = None
    end, stuck_since = time.monotonic() + patience, NEVER
    believed = 2 * app.config.advanced.evaluate + SETTLED
    while True:
        told = _told(app, endings)
        for one in endings:
            one.tell(*told[one.chosen.name])
        left = [one for one in endings if not one.over]
        if not left or app.stop.is_set():
            return _verdict(endings, told)
        now, alone = time.monotonic(), app.writable.presence.daemon() is None
        stuck = any(_needs(told[one.chosen.name][0]) and not one.patient(told[one.chosen.name][1]) for one in left)
        stuck_since = min(stuck_since, now) if stuck else NEVER
        if now >= end or now - stuck_since > (SETTLED if alone else believed):
            say("the leaked value still works; the revoke stands in the journal and goes on while a daemon runs")
            return exits.OPERATOR if stuck else exits.NO
        if alone:
            drives = _drive(app, [one.chosen for one in left], drives)
        app.stop.wait(min(LOOK, max(end - now, 0.01)))


def _verdict(endings: Sequence[Ending], told: dict[str, tuple[CredentialStatus | None, Note | None]]) -> int:
    """3 where a successor waits for a person: the old token is dead, and nothing takes its place by itself."""
    waits = any(not one.successor and _needs(told[one.chosen.name][0]) for one in endings)
    return exits.OPERATOR if waits else exits.DONE


def _needs(status: CredentialStatus | None) -> bool:
    return status is not None and status.needs_operator is not None and status.needs_operator.code.blocks


def _drive(app: App, chosen: list[Chosen], drives: Once | None) -> Once:
    """Do what is due here, as the daemon would."""
    from rotator.cli.waiting import due_now, take_over

    drives = drives or take_over(app, chosen)
    drives.sweep(due_now(app, chosen))
    return drives


def _told(app: App, endings: list[Ending]) -> dict[str, tuple[CredentialStatus | None, Note | None]]:
    """Status and last words of each credential by name, with the facts that came since."""
    from rotator.core.notes import decode
    from rotator.core.status import credential_status

    rows = {row.id: row for row in app.queries.streams()}
    found: dict[str, tuple[CredentialStatus | None, Note | None]] = {}
    for one in endings:
        one.catch_up(app)
        credential, row = one.chosen.credential, rows.get(one.chosen.stream)
        words = decode(row.why if row else "")
        now = app.queries.now(one.chosen.connection)
        found[one.chosen.name] = credential_status(credential, one.view, now, words) if credential else None, words
    return found


def register(app: typer.Typer) -> None:
    """Add this verb."""
    verb(app, absent=exits.NO)(revoke)
