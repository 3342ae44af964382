"""What holds starts back, for all processes on one journal: the pace of a connection, and values that die at once.

The decisions are `core.schedule.admission`'s. The state lies in the journal; here it is only read again when it is a
moment old, because it is asked for at every step of every credential. Safe to share between threads.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from rotator.app.runtime import Say
from rotator.core.credential import Credential
from rotator.core.events import Event
from rotator.core.ids import CredentialId
from rotator.core.protocol.view import View
from rotator.core.schedule.admission import Renewal, admitted, is_incident, paced
from rotator.core.schedule.due import renewal_at
from rotator.journal.pace import Death

FRESH: Final = 2.0
"""Seconds for which what other processes noted may be unknown here."""

WATCHES: Final = 3
"""A note of a dead value that nobody has renewed for so many watches counts no more: whoever saw it is gone."""


class Store(Protocol):
    """Where the state lies (`rotator.journal.pace.Pace`)."""

    def note(self, stream: CredentialId, connection: str, renewal: Renewal) -> None:
        """Note when a credential is due."""

    def died(self, stream: CredentialId, connection: str, at: float) -> None:
        """Note a dead value."""

    def lives(self, stream: CredentialId) -> None:
        """Note that it lives."""

    def renewals(self, connection: str) -> Mapping[str, Renewal]:
        """What is due when, by stream."""

    def deaths(self, connection: str) -> Mapping[str, Death]:
        """Dead values, by stream."""


@dataclass(slots=True)
class _Known:
    """What is known of one connection, and since when (monotonic)."""

    renewals: dict[str, Renewal] = field(default_factory=dict)
    deaths: dict[str, Death] = field(default_factory=dict)
    read_at: float | None = None
    chosen: frozenset[str] | None = None
    chosen_at: float | None = None


class Pacing:
    """Pace and incidents of every connection."""

    def __init__(
        self, store: Store | None, now: Callable[[str], float], say: Say, monotonic: Callable[[], float]
    ) -> None:
        """Nothing is known yet.

        Args:
            store: where the state lies; None for a process that only looks, which keeps what it sees to itself.
            now: provider time of a connection, unix seconds.
            say: the log's `event`.
            monotonic: seconds that never go back.
        """
        self._store, self._now, self._say, self._monotonic = store, now, say, monotonic
        self._lock = threading.Lock()
        self._known: dict[str, _Known] = {}

    def note(self, credential: Credential, view: View) -> None:
        """Note when a credential is due, and that an operator has looked at its dead value, where that is new.

        Raises:
            JournalUnsafe: the journal takes nothing.
        """
        token = view.tokens.get(view.current)
        connection, stream = credential.connection, credential.id
        known = self._of(connection)
        if token is not None and credential.managed:
            renewal = Renewal(
                due_at=renewal_at(credential, view),
                expires_at=token.expires_at,
                lifetime=token.expires_at - token.born,
                planned_at=view.planned_at,
            )
            if known.renewals.get(stream) != renewal:
                known.renewals[stream] = renewal
                if self._store is not None:
                    self._store.note(stream, connection, renewal)
        death = known.deaths.get(stream)
        if death is not None and death.at < view.cleared_at:
            self._lives(known, stream)

    def may_start(self, credential: Credential) -> bool:
        """Whether the pace of its connection lets an ordinary rotation of the credential start now."""
        known, now, clock = self._of(credential.connection), self._now(credential.connection), self._monotonic()
        if not paced(known.renewals.get(credential.id), len(known.renewals), now):
            return True
        # who has started since is not due any more, so an answer that is a moment old never lets too many start
        if known.chosen_at is None or clock - known.chosen_at >= FRESH:
            known.chosen, known.chosen_at = admitted(dict(known.renewals), now), clock
        return known.chosen is None or credential.id in known.chosen

    def died(self, credential: Credential, dead: bool, *, size: int, watch: float) -> None:
        """Note whether the published value of a credential was just seen dead; say once when it becomes an incident.

        Args:
            credential: whose value it is.
            dead: whether it is dead.
            size: how many credentials its connection has.
            watch: seconds after which a note that is still true is renewed.
        """
        connection, stream = credential.connection, credential.id
        known, now = self._of(connection), self._now(credential.connection)
        death = known.deaths.get(stream)
        if not dead:
            if death is not None:
                self._lives(known, stream)
            return
        if death is not None and abs(now - death.seen) < watch:
            return
        before = self.incident(connection, size=size, watch=watch)
        known.deaths[stream] = Death(death.at if death else now, now)
        if self._store is not None:
            self._store.died(stream, connection, now)
        if not before and self.incident(connection, size=size, watch=watch):
            self._say(Event.INCIDENT.value, connection=connection, dead=len(known.deaths))

    def incident(self, connection: str, *, size: int, watch: float) -> bool:
        """Whether too many values of a connection of that size died at once to be believed."""
        deaths = self._of(connection).deaths
        if not deaths:
            return False
        now = self._now(connection)
        # a clock that went back makes times of the future out of those of a moment ago
        return is_incident(sum(now - death.seen < WATCHES * watch for death in list(deaths.values())), size)

    def keep(self, streams: set[str]) -> None:
        """Forget whatever is not among these streams: they left the configuration."""
        for known in list(self._known.values()):
            known.renewals = {s: r for s, r in known.renewals.items() if s in streams}
            known.deaths = {s: d for s, d in known.deaths.items() if s in streams}

    def _lives(self, known: _Known, stream: CredentialId) -> None:
        known.deaths.pop(stream, None)
        if self._store is not None:
            self._store.lives(stream)

    def _of(self, connection: str) -> _Known:
        """What is known of a connection; where it is old, one thread reads it anew and the others go on meanwhile."""
        known = self._known.setdefault(connection, _Known())
        now = self._monotonic()
        due = known.read_at is None or now - known.read_at >= FRESH
        if self._store is None or not due or not self._lock.acquire(blocking=known.read_at is None):
            return known
        try:
            if known.read_at is None or now - known.read_at >= FRESH:
                known.renewals = dict(self._store.renewals(connection))
                known.deaths = dict(self._store.deaths(connection))
                known.read_at = now
        finally:
            self._lock.release()
        return known
