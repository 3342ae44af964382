"""Waiting for requests: looks into the journal, and drives where no daemon does."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from rotator.cli import exits
from rotator.cli.following import Follower, Served
from rotator.cli.names import Chosen
from rotator.cli.output import say
from rotator.cli.progress import waits_for
from rotator.cli.until import Until
from rotator.core.credential import NEVER
from rotator.core.ids import CredentialId, RequestId

if TYPE_CHECKING:
    from rotator.app import App
    from rotator.app.once import Once
    from rotator.core.notes import Note
    from rotator.core.status import CredentialStatus

LOOK: Final = 0.25
"""Seconds between two looks into the journal."""


SETTLED: Final = 2.0
"""Seconds for which a need of an operator must last before it is believed: the word may be from before the request."""


@dataclass(slots=True)
class Asked:
    """A request that was journaled."""

    chosen: Chosen
    request_id: RequestId
    follower: Follower
    said: str = ""

    def catch_up(self, app: App) -> None:
        """Take the facts that came since the last look."""
        for fact in app.writable.facts(self.chosen.stream, after=self.follower.view.position):
            self.follower.take(fact)

    def reached(self, until: Until) -> bool:
        """Whether what is waited for is there."""
        state = self.follower.state
        return state is Served.DONE or (state is Served.CONFIRMED and until is Until.CONFIRMED)

    def document(self) -> dict[str, Any]:
        """Return the request as `-o json` prints it."""
        return {
            "credential": self.chosen.name,
            "request_id": self.request_id,
            "rotation_id": self.follower.rotation_id,
            "state": self.follower.state.value,
            "skipped": list(self.follower.skipped),
        }

    def sentence(self) -> str:
        """Return the request as a line for people."""
        rotation = f", rotation {self.follower.rotation_id}" if self.follower.rotation_id else ""
        step = f" ({self.follower.step})" if self.follower.state is Served.ROTATING else ""
        left = ", ".join(self.follower.skipped)
        skipped = f"; {left} was left alone, because what stands there was accepted (`resolve --undo`)" if left else ""
        return f"{self.chosen.name}: {self.follower.state}{step}{rotation}{skipped}"

    def tell(self, waits: str) -> None:
        """Say on standard error how far it is and what it waits for, when that changed."""
        now = self.sentence() + (f": {waits}" if waits else "")
        if now != self.said:
            self.said = now
            say(now)


def wait_for(app: App, asked: list[Asked], patience: float, until: Until) -> int:
    """Wait until every request has reached `until`, driving them while no daemon runs.

    Args:
        app: an opened writer; its `stop` ends the wait.
        asked: the requests.
        patience: seconds.
        until: what to wait for.

    Returns:
        0 when all have, or when `stop` was set; 1 at the timeout, when the last can never, or when a required target
        was left alone; 3 as soon as whoever drives has seen that one needs an operator.
    """
    drives: Once | None = None
    end, stuck_since = time.monotonic() + patience, NEVER
    believed = 2 * app.config.advanced.evaluate + SETTLED
    while True:
        for one in asked:
            one.catch_up(app)
        left = [one for one in asked if not one.reached(until)]
        told = _told(app, left)
        for one in left:  # what is reached is the result, which is said once
            status, note = told[one.chosen.name]
            now_there = app.queries.now(one.chosen.connection)
            one.tell(waits_for(one.follower.state, status, note, one.follower.olds, now_there))
        if app.stop.is_set():
            return exits.DONE
        if not left:
            return exits.NO if any(one.follower.skipped for one in asked) else exits.DONE
        if all(one.follower.state is Served.DISPLACED for one in left):
            return exits.NO
        now, alone = time.monotonic(), app.writable.presence.daemon() is None
        stuck = _needing(told)
        stuck_since = min(stuck_since, now) if stuck else NEVER
        if stuck and (now >= end or now - stuck_since > (SETTLED if alone else believed)):
            for name, message in stuck.items():
                say(f"{name} needs an operator: {message}; see `rotator status {name}`")
            return exits.OPERATOR
        if now >= end:
            say("the time is over; what is not confirmed stays requested in the journal")
            return exits.NO
        if alone:
            drives = drives or take_over(app, [one.chosen for one in left])
            drives.sweep(due_now(app, [one.chosen for one in left]))
        app.stop.wait(min(LOOK, max(end - now, 0.01)))


def take_over(app: App, chosen: Sequence[Chosen]) -> Once:
    """Begin to drive: a provider must have said what time it is before anything starts."""
    from rotator.app.once import Once
    from rotator.app.survey import survey

    for connection in dict.fromkeys(one.connection for one in chosen):
        survey(app, connection)
    return Once(app)


def due_now(app: App, chosen: Sequence[Chosen]) -> list[CredentialId]:
    """The streams among them that want to be looked at now."""
    rows = {row.id: row for row in app.queries.streams()}
    found = []
    for one in chosen:
        row = rows[one.stream]
        if row.next_at is None or row.next_at <= app.queries.now(one.connection):
            found.append(row.id)
    return found


def _told(app: App, left: list[Asked]) -> dict[str, tuple[CredentialStatus, Note]]:
    """The status of each of them by name, and the last word of whoever drove it."""
    from rotator.core.notes import decode
    from rotator.core.status import credential_status

    rows = {row.id: row for row in app.queries.streams()}
    found = {}
    for one in left:
        credential = one.chosen.credential
        if credential is None:
            continue  # never: a request is taken for a configured one only
        note = decode(rows[one.chosen.stream].why)
        status = credential_status(credential, one.follower.view, app.queries.now(one.chosen.connection), note)
        found[one.chosen.name] = status, note
    return found


def _needing(told: Mapping[str, tuple[CredentialStatus, Note]]) -> dict[str, str]:
    """Which of them cannot go on without a person, and why."""
    return {
        name: status.needs_operator.message
        for name, (status, _) in told.items()
        if status.needs_operator is not None and status.needs_operator.code.blocks
    }
