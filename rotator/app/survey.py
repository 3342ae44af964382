"""What is known of a source connection, noted for `status` and metrics.

Reachable, budget left, management tokens, quota, orphans. It asks; it decides nothing.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from rotator.app.app import App
from rotator.core.credential import NEVER
from rotator.core.errors import JournalUnsafe, RotatorError
from rotator.core.events import Event
from rotator.core.ports.source import Login
from rotator.registry import SOURCES


def _told(logins: Sequence[Login]) -> dict[str, Any]:
    """How the management tokens are, as the note holds it; the first problem is the connection's."""
    known = {login.role: login.expires_at for login in logins if login.expires_at is not None}
    note: dict[str, Any] = {
        "token_expires_on": {role: None if at == NEVER else at for role, at in known.items()},
        "accepted": {login.role: login.accepted for login in logins if login.accepted is not None},
    }
    troubled = next((login for login in logins if login.problem), None)
    if troubled:
        note |= {"problem": troubled.problem, "remedy": troubled.remedy or None}
    return note


def survey(app: App, name: str) -> dict[str, Any]:
    """Ask a connection how it is, and note it in the journal; never raises for what the provider says.

    Costs two requests for each management token: it is verified anew each time, so that one that was revoked is seen
    before anything is due.
    """
    fleet, journal = app.fleet, app.writable
    note: dict[str, Any] = {"reachable": True, "token_expires_on": {}}
    stanza = app.config.connections[name]
    entry = SOURCES[stanza.type]
    try:
        logins = entry.inspect(fleet.connection(name))
    except JournalUnsafe:
        raise  # the trouble is ours and not the provider's
    except RotatorError as error:
        note["reachable"] = fleet.reachable.get(name, False)
        note |= {"problem": error.message, "remedy": error.remedy or None}
        before = app.queries.connection_note(name)  # what was known when it answered last
        note |= {key: before[key] for key in ("token_expires_on", "accepted") if key in before}
        app.say(Event.PROVIDER_UNAVAILABLE.value, connection=name, reason=error.message, remedy=error.remedy or None)
    else:
        note |= _told(logins)
        for login in logins:
            if login.problem:
                event = Event.PROVIDER_UNAVAILABLE if login.accepted is None else Event.LOGIN_REFUSED
                app.say(event.value, connection=name, role=login.role, reason=login.problem, remedy=login.remedy)
    limits = stanza.options.rate_budget  # type: ignore[attr-defined]  # every source's options have one
    note["rate_remaining"] = journal.budget(name, limits.requests, limits.window).remaining()
    owners = {c.owner for c in app.fleet.credentials if c.connection == name}
    used = fleet.used(name, journal.views())
    if used is None:  # this process has listed nothing; what another one saw is better than nothing
        note["quota"] = app.queries.connection_note(name).get("quota")
    elif owners:
        note["quota"] = {"used": used, "limit": min(entry.quota[owner] for owner in owners)}
    note["orphans"] = sum(len(app.driver.memory(c.id).orphans) for c in app.fleet.credentials if c.connection == name)
    time = fleet.times[name]
    if time.steady:
        note["offset"] = round(time.now() - app.clock.utc(), 1)
    journal.remark(journal.connection_stream(name), json.dumps(note))
    return note
