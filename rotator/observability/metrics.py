"""The metrics page: rendered at a scrape from the status of every credential, the connections, and what was counted.

Nothing is kept per credential but sums, so a credential has its series from the first scrape on and loses them when it
leaves the configuration. It asks two callables for what to show and decides nothing; a journal that does not answer
leaves the last picture standing and says so in a series of its own.
"""

from __future__ import annotations

import platform
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest

from rotator.core.credential import NEVER, State
from rotator.core.events import Event
from rotator.core.status import CredentialStatus
from rotator.observability.connection_samples import ConnectionRow, connection_samples
from rotator.observability.credential_samples import (
    credential_samples,
    fleet_samples,
    identity_samples,
    sum_samples,
)
from rotator.observability.exposition import Page, Samples, add
from rotator.observability.process import watch_process
from rotator.observability.tally import BUCKETS, TRIES, Tally

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

LIMIT: Final = 5000
"""Above this many credentials only the soonest to expire have series of their own."""

SOONEST: Final = 100
"""How many of them."""

KEEP: Final = 1.0
"""Seconds for which a page is served again; longer where rendering takes long."""


class Metrics:
    """Counts events and renders the page. Safe to share between threads."""

    def __init__(
        self,
        snapshot: Callable[[], Sequence[CredentialStatus]],
        connections: Callable[[], Sequence[ConnectionRow]],
        *,
        version: str,
        dropped: Callable[[], int] = lambda: 0,
        exports: Callable[[], Mapping[str, int]] = dict,
        backlogs: Callable[[], Mapping[str, int]] = dict,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        limit: int = LIMIT,
        soonest: int = SOONEST,
    ) -> None:
        """Start every counter at zero.

        Args:
            snapshot: the status of every credential, unmanaged ones included; called at scrapes, may read the journal
                and may raise: then the page shows what it last answered, and `rotator_journal_readable` 0.
            connections: one row per configured connection; may raise likewise.
            version: of this program.
            dropped: log lines lost so far (`Log.dropped`).
            exports: sink of the audit export -> facts that it has not taken; may raise as `snapshot`.
            backlogs: channel -> messages that it has not taken; may raise as `snapshot`.
            now: unix seconds.
            monotonic: seconds that never go back.
            limit: most credentials with series of their own.
            soonest: how many have them above that.
        """
        self._snapshot, self._connections = snapshot, connections
        self._version, self._dropped, self._exports = version, dropped, exports
        self._lags: Mapping[str, int] = {}
        self._backlogs, self._waiting = backlogs, dict[str, int]()
        self._notified: Counter[tuple[str, str]] = Counter()
        self._now, self._monotonic = now, monotonic
        self._limit, self._soonest = limit, soonest
        self._lock = threading.Lock()
        self._page, self._fresh_until = b"", 0.0
        self._statuses: Mapping[str, CredentialStatus] = {}
        self._rows: Sequence[ConnectionRow] = ()
        self._readable = True
        self._last_tick, self._ticked = 0.0, monotonic()
        self._reloaded, self._reloaded_at = True, 0.0
        self._tally = Tally(self._places, monotonic, self._strategy)
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(Page(self._collect))
        watch_process(self._registry)

    def observe_event(self, event: str, fields: Mapping[str, object]) -> None:
        """Count an event of the log; fits `Log.subscribe`. Never raises on odd fields; an unknown event counts nothing.

        Fields that matter: `credential`; `strategy` and `duration` (seconds) of `rotation_confirmed`; `target`,
        `target_type` and `act` of `target_written`, `target_failed` and `outcome_unknown`, which count where `act` is
        `write`, `check` (what stands before a write) or absent; `target` of `value_dead`.
        """
        found = _EVENTS.get(event)
        if found is None:
            return
        if found is Event.CONFIG_LOADED:
            self._reloaded, self._reloaded_at = True, self._now()
        elif found is Event.CONFIG_REJECTED:
            self._reloaded = False
        self._tally.observe(found, fields)

    def provider_request(self, connection: str, operation: str, status: str) -> None:
        """Count one request; `status` is the HTTP status as text, `unsent` or `lost`; anything else is `other`."""
        self._tally.request(connection, operation, status)

    def tick(self) -> None:
        """Note that the scheduler ticked."""
        self._last_tick, self._ticked = self._now(), self._monotonic()

    @property
    def last_tick(self) -> float:
        """When the scheduler last ticked, in unix seconds; 0 before the first time."""
        return self._last_tick

    @property
    def tick_age(self) -> float:
        """Seconds since it last ticked, or since the start, by the monotonic clock."""
        return self._monotonic() - self._ticked

    def render(self) -> bytes:
        """Return the page in the text format 0.0.4, at most one second old (or as old as five renderings take).

        Callers that come while it is rendered wait for it. Never raises because the journal does not answer. Call it
        once at the start: seconds of dead values are counted only for targets that were seen by a rendering.
        """
        with self._lock:
            began = self._monotonic()
            if not self._page or began >= self._fresh_until:
                self._look()
                self._page = generate_latest(self._registry)
                ended = self._monotonic()
                self._fresh_until = ended + max(KEEP, 5 * (ended - began))
            return self._page

    def notified(self, channel: str, result: str) -> None:
        """Count a try to send a notification; `result` is one of `TRIES`."""
        with self._lock:
            self._notified[channel, result] += 1

    # ------------------------------------------------------------------------------------------------ what is shown
    def _look(self) -> None:
        try:
            self._statuses = _by_name(self._snapshot())
            self._rows = tuple({row.name: row for row in self._connections()}.values())
            self._lags = self._exports()
            self._waiting = dict(self._backlogs())
            self._readable = True
        except Exception:  # noqa: BLE001 - metrics stay on whatever the journal does, and this series says that it did
            self._readable = False

    def _places(self, credential: str) -> Mapping[str, str]:
        status = self._statuses.get(credential)
        return {target.name: target.type for target in status.targets} if status else {}

    def _strategy(self, credential: str) -> str:
        status = self._statuses.get(credential)
        return status.strategy if status and status.generation else ""

    def _collect(self) -> Samples:
        samples: Samples = {}
        managed = [s for s in self._statuses.values() if s.state is not State.UNMANAGED]
        crowded = len(self._statuses) > self._limit
        shown: Sequence[CredentialStatus] = tuple(self._statuses.values())
        if crowded:
            shown = sorted(managed, key=_expiry)[: self._soonest]
        fleet_samples(samples, self._statuses.values(), managed, self._tally)
        dead = self._tally.dead_seconds()
        for status in shown:
            identity_samples(samples, status)
            if status.state is not State.UNMANAGED:
                credential_samples(samples, status)
                sum_samples(samples, status, self._tally, dead)
        for row in self._rows:
            connection_samples(samples, row, self._tally)
        self._process(samples)
        return samples

    def _process(self, samples: Samples) -> None:
        add(samples, "rotator_scheduler_last_tick_timestamp_seconds", (), self._last_tick)
        add(samples, "rotator_config_last_reload_successful", (), self._reloaded)
        add(samples, "rotator_config_last_reload_success_timestamp_seconds", (), self._reloaded_at)
        add(samples, "rotator_journal_readable", (), self._readable)
        for event in Event:
            add(samples, "rotator_events_total", (event.value,), self._tally.events[event.value])
        add(samples, "rotator_log_lines_dropped_total", (), self._dropped())
        for sink, lag in self._lags.items():
            add(samples, "rotator_audit_export_lag_facts", (sink,), lag)
        for channel, waiting in self._waiting.items():
            add(samples, "rotator_notification_backlog", (channel,), waiting)
            for result in TRIES:
                add(samples, "rotator_notifications_total", (channel, result), self._notified[channel, result])
        add(samples, "rotator_build_info", (self._version, platform.python_version()), 1)
        total = 0
        for bound, count in zip((*map(str, BUCKETS), "+Inf"), list(self._tally.durations), strict=True):
            total += count
            add(samples, "rotator_rotation_duration_seconds", (bound,), total)
        add(samples, "rotator_rotation_duration_seconds", ("sum",), self._tally.duration_sum)


_EVENTS: Final[Mapping[str, Event]] = {event.value: event for event in Event}


def _by_name(statuses: Sequence[CredentialStatus]) -> Mapping[str, CredentialStatus]:
    """One status per name; a configured credential wins over one that left and whose name it took.

    Two series with the same labels would make Prometheus refuse the whole page.
    """
    found: dict[str, CredentialStatus] = {}
    for status in statuses:
        if status.name not in found or found[status.name].state is State.UNMANAGED:
            found[status.name] = status
    return found


def _expiry(status: CredentialStatus) -> float:
    return NEVER if status.expires_on is None else status.expires_on
