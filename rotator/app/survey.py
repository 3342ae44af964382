"""What is known of a source connection, noted for `status` and metrics.

Reachable, budget left, management tokens, quota, orphans. It asks; it decides nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from rotator.app.app import App
from rotator.app.connection_note import ConnectionNote, Quota, encode
from rotator.app.pair import alone, care, needs, paired, policy_of, renewals
from rotator.core.durations import NEVER
from rotator.core.errors import JournalUnsafe, RotatorError
from rotator.core.events import Event
from rotator.core.ports.source import Login
from rotator.core.protocol.rules import Result
from rotator.core.reasons import KeepCode
from rotator.registry import SOURCES

NOBODY: Final = (
    "the provider accepts none of the management tokens of connection {name}: nothing is minted and nothing revoked;"
    " what is published lives on, and targets are still healed"
)


def _told(logins: Sequence[Login]) -> ConnectionNote:
    """How the management tokens are; the first problem is the connection's."""
    troubled = next((login for login in logins if login.problem), None)
    return ConnectionNote(
        reachable=True,
        token_expires_on={login.role: login.expires_at for login in logins if login.expires_at is not None},
        accepted={login.role: login.accepted for login in logins if login.accepted is not None},
        problem=troubled.problem if troubled else "",
        remedy=troubled.remedy if troubled else "",
    )


def survey(app: App, name: str) -> ConnectionNote:
    """Ask a connection how it is, and note it in the journal; never raises for what the provider says.

    Costs two requests for each management token: it is verified anew each time, so that one that was revoked is seen
    before anything is due.

    Raises:
        JournalUnsafe: the journal takes nothing.
    """
    journal, fleet = app.writable, app.fleet
    before = app.queries.connection_note(name)
    time = fleet.times[name]
    note = replace(
        _kept(app, name, _asked(app, name, before)),
        rate_remaining=journal.budget(name, *app.queries.rate_budget(name)).remaining(),
        quota=_quota(app, name, before),
        orphans=sum(len(app.driver.memory(c.id).orphans) for c in fleet.credentials if c.connection == name),
        offset=round(time.now() - app.clock.utc(), 1) if time.steady else None,
    )
    journal.streams.remark(journal.streams.connection(name), encode(note))
    return note


def _asked(app: App, name: str, before: ConnectionNote) -> ConnectionNote:
    """What the provider says of the management tokens; without an answer what was known when it answered last."""
    try:
        logins = SOURCES[app.config.connections[name].type].inspect(app.fleet.connection(name))
    except JournalUnsafe:
        raise  # the trouble is ours and not the provider's
    except RotatorError as error:
        app.say(Event.PROVIDER_UNAVAILABLE.value, connection=name, reason=error.message, remedy=error.remedy or None)
        return replace(
            before,
            reachable=app.fleet.reachable.get(name, False),
            problem=error.message,
            remedy=error.remedy,
        )
    for login in logins:
        if login.problem:
            event = Event.PROVIDER_UNAVAILABLE if login.accepted is None else Event.LOGIN_REFUSED
            app.say(event.value, connection=name, role=login.role, reason=login.problem, remedy=login.remedy)
    return _told(logins)


def _kept(app: App, name: str, note: ConnectionNote) -> ConnectionNote:
    """The note after the two management tokens took care of each other, where there are two and the clock is sure."""
    if not paired(app, name):
        return replace(note, needs=alone(app, name, note.token_expires_on.get("management", NEVER)), renewal={})
    if not app.fleet.times[name].steady:
        return note
    try:
        kept = care(app, name)
    except JournalUnsafe:
        raise
    except RotatorError as error:
        app.say(Event.LOGIN_UNRENEWED.value, connection=name, reason=error.message, remedy=error.remedy or None)
        return note
    app.wanted[name] = kept.until
    seen = kept.standings.values()
    sure = {one.role: one.accepted is Result.GOOD for one in seen if one.accepted is not Result.UNSURE}
    ends = {one.role: one.expires_at for one in seen if one.expires_at is not None}
    note = replace(
        note,
        accepted={**note.accepted, **sure},
        token_expires_on={**note.token_expires_on, **ends},
        needs=needs(app, name, kept),
        renewal=renewals(kept, policy_of(app.config, name)),
    )
    if note.degraded:
        note = replace(note, problem=NOBODY.format(name=name), remedy=note.remedy or KeepCode.MEMBER_DEAD.remedy)
    return note


def _quota(app: App, name: str, before: ConnectionNote) -> Quota | None:
    """Tokens there as this process has listed them; before that what another one saw is better than nothing."""
    used = app.fleet.used(name, app.writable.views())
    if used is None:
        return before.quota
    owners = {c.owner for c in app.fleet.credentials if c.connection == name}
    allowed = SOURCES[app.config.connections[name].type].quota
    return Quota(used=used, limit=min(allowed[owner] for owner in owners)) if owners else None
