"""What is known of a source connection, noted for `status` and metrics.

Reachable, budget left, management tokens, quota, orphans. It asks; it decides nothing.
"""

from __future__ import annotations

import json
from typing import Any

from rotator.app.app import App
from rotator.core.credential import NEVER
from rotator.core.errors import RotatorError
from rotator.core.events import Event
from rotator.registry import SOURCES


def care(app: App, name: str) -> dict[str, Any]:
    """Ask a connection how it is, and note it in the journal; never raises for what the provider says.

    Costs two requests for each management token.
    """
    fleet, journal = app.fleet, app.writable
    note: dict[str, Any] = {"reachable": True, "token_expires_on": {}}
    stanza = app.config.connections[name]
    entry = SOURCES[stanza.type]
    try:
        ends = entry.inspect(fleet.connection(name))
        note["token_expires_on"] = {role: None if at == NEVER else at for role, at in ends.items()}
    except RotatorError as error:
        note["reachable"] = fleet.reachable.get(name, False)
        note["problem"] = error.message
        app.say(Event.PROVIDER_UNAVAILABLE.value, connection=name, reason=error.message)
    limits = stanza.options.rate_budget  # type: ignore[attr-defined]  # every source's options have one
    note["rate_remaining"] = journal.budget(name, limits.requests, limits.window).remaining()
    owners = {c.owner for c in app.fleet.credentials if c.connection == name}
    used = fleet.used(name)
    if used is None:  # this process has listed nothing; what another one saw is better than nothing
        note["quota"] = app.connection_note(name).get("quota")
    elif owners:
        note["quota"] = {"used": used, "limit": min(entry.quota[owner] for owner in owners)}
    note["orphans"] = sum(len(app.driver.memory(c.id).orphans) for c in app.fleet.credentials if c.connection == name)
    time = fleet.times[name]
    if time.steady:
        note["offset"] = round(time.now() - app.clock.utc(), 1)
    journal.remark(journal.connection_stream(name), json.dumps(note))
    return note
