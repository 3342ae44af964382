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
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from rotator.core.credential import NEVER, State
from rotator.core.events import Event
from rotator.core.reasons import RETIREMENT_WAITS, KeepCode, OperatorCode
from rotator.core.status import CredentialStatus
from rotator.observability.families import FAMILIES, Family
from rotator.observability.process import watch_process
from rotator.observability.tally import BUCKETS, HOOKS, OPERATIONS, RENEWALS, RESULTS, STATUSES, TRIES, WRITES, Tally

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

LIMIT: Final = 5000
"""Above this many credentials only the soonest to expire have series of their own."""

SOONEST: Final = 100
"""How many of them."""

RESTORED: Final = OperatorCode.RESTORED_JOURNAL
"""What is asked of an operator where the journal was lost or restored."""

KEEP: Final = 1.0
"""Seconds for which a page is served again; longer where rendering takes long."""

STEPS: Final = ("open", "superseded", "condemned", "disabled", "deleted")
"""Steps of an open retirement; closed."""

Labels = tuple[str, ...]
Samples = dict[str, list[tuple[Labels, float]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionRow:
    """One configured connection as the page shows it; None where it is not known yet or has no meaning.

    Attributes:
        name: from the configuration.
        source: whether it mints tokens, so that requests, quota and orphans have a meaning.
        reachable: whether it answered last time.
        rate_remaining: requests left of our own budget in the present window.
        token_expires_on: role (`management`, `standby`, `login`) -> unix seconds, infinite for never.
        accepted: role -> whether the provider accepts that token.
        token_renewal: role -> when its partner is to renew it, unix seconds, infinite for never.
        needs: role -> what a person has to do for that token; None before the first look.
        quota_used: tokens that exist in its scope.
        quota_limit: tokens that the provider allows there.
        orphans: tokens of ours that nothing owns.
        incident: whether so many of its tokens died at once that it is not believed.
    """

    name: str
    source: bool = True
    reachable: bool | None = None
    rate_remaining: float | None = None
    token_expires_on: Mapping[str, float] = field(default_factory=dict)
    accepted: Mapping[str, bool] = field(default_factory=dict)
    token_renewal: Mapping[str, float] = field(default_factory=dict)
    needs: Mapping[str, Collection[KeepCode]] = field(default_factory=dict)
    quota_used: int | None = None
    quota_limit: int | None = None
    orphans: int = 0
    incident: bool = False


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
        self._registry.register(_Page(self._collect))
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
        self._fleet(samples, managed)
        dead = self._tally.dead_seconds()
        for status in shown:
            _identity(samples, status)
            if status.state is not State.UNMANAGED:
                _credential(samples, status)
                self._sums(samples, status, dead)
        for row in self._rows:
            self._connection(samples, row)
        self._process(samples)
        return samples

    def _sums(self, samples: Samples, status: CredentialStatus, dead: Mapping[tuple[str, str], float]) -> None:
        name = status.name
        for result in RESULTS:
            _add(samples, "rotator_rotations_total", (name, result), self._tally.rotations[name, result])
        for target in status.targets:
            seconds = dead.get((name, target.name), 0.0)
            _add(samples, "rotator_dead_value_seconds_total", (name, target.name), seconds)
            _add(
                samples, "rotator_target_value_dead", (name, target.name), (name, target.name) in self._tally.dead_now()
            )

    def _fleet(self, samples: Samples, managed: Sequence[CredentialStatus]) -> None:
        states = Counter(status.state for status in self._statuses.values())
        steps = Counter(r.step for status in self._statuses.values() for r in status.retirements)
        for state in State:
            _add(samples, "rotator_credentials", (state.value,), states[state])
        _add(samples, "rotator_credentials_not_ready", (), sum(not status.ready for status in managed))
        for step in STEPS:
            _add(samples, "rotator_retirements", (step,), steps[step])
        failing = Counter(t.type for status in managed for t in status.targets if t.problem is not None)
        for kind in sorted({target.type for status in managed for target in status.targets}):
            _add(samples, "rotator_targets_failing", (kind,), failing[kind])
        restored = sum(s.needs_operator is not None and s.needs_operator.code == RESTORED for s in managed)
        _add(samples, "rotator_credentials_restored", (), restored)
        kinds = {target.type for status in managed for target in status.targets}
        for kind in sorted(kinds | {kind for kind, _ in list(self._tally.writes)}):
            for result in WRITES:
                _add(samples, "rotator_target_writes_total", (kind, result), self._tally.writes[kind, result])
        for result in HOOKS:
            _add(samples, "rotator_after_publish_total", (result,), self._tally.hooks[result])

    def _connection(self, samples: Samples, row: ConnectionRow) -> None:
        for name, value in (
            ("rotator_connection_reachable", row.reachable),
            ("rotator_rate_limit_remaining_requests", row.rate_remaining),
            ("rotator_token_quota_used", row.quota_used),
            ("rotator_token_quota_limit", row.quota_limit),
        ):
            if value is not None:
                _add(samples, name, (row.name,), value)
        for role, expires in row.token_expires_on.items():
            _add(samples, "rotator_connection_token_expiration_timestamp_seconds", (row.name, role), expires)
        for role, accepted in row.accepted.items():
            _add(samples, "rotator_connection_token_accepted", (row.name, role), accepted)
        for role, at in row.token_renewal.items():
            _add(samples, "rotator_connection_token_renewal_timestamp_seconds", (row.name, role), at)
        for role, codes in row.needs.items():
            for code in KeepCode:
                _add(samples, "rotator_management_token_needs", (row.name, role, code.value), code in codes)
            for result in RENEWALS:
                count = self._tally.renewals[row.name, role, result]
                _add(samples, "rotator_management_token_renewals_total", (row.name, role, result), count)
        if not row.source:
            return
        _add(samples, "rotator_orphans", (row.name,), row.orphans)
        _add(samples, "rotator_connection_incident", (row.name,), row.incident)
        seen = {key[1:] for key in list(self._tally.requests) if key[0] == row.name}
        for operation, status in sorted(seen | {(o, s) for o in OPERATIONS[:-1] for s in STATUSES}):
            count = self._tally.requests[row.name, operation, status]
            _add(samples, "rotator_provider_requests_total", (row.name, operation, status), count)

    def _process(self, samples: Samples) -> None:
        _add(samples, "rotator_scheduler_last_tick_timestamp_seconds", (), self._last_tick)
        _add(samples, "rotator_config_last_reload_successful", (), self._reloaded)
        _add(samples, "rotator_config_last_reload_success_timestamp_seconds", (), self._reloaded_at)
        _add(samples, "rotator_journal_readable", (), self._readable)
        for event in Event:
            _add(samples, "rotator_events_total", (event.value,), self._tally.events[event.value])
        _add(samples, "rotator_log_lines_dropped_total", (), self._dropped())
        for sink, lag in self._lags.items():
            _add(samples, "rotator_audit_export_lag_facts", (sink,), lag)
        for channel, waiting in self._waiting.items():
            _add(samples, "rotator_notification_backlog", (channel,), waiting)
            for result in TRIES:
                _add(samples, "rotator_notifications_total", (channel, result), self._notified[channel, result])
        _add(samples, "rotator_build_info", (self._version, platform.python_version()), 1)
        total = 0
        for bound, count in zip((*map(str, BUCKETS), "+Inf"), list(self._tally.durations), strict=True):
            total += count
            _add(samples, "rotator_rotation_duration_seconds", (bound,), total)
        _add(samples, "rotator_rotation_duration_seconds", ("sum",), self._tally.duration_sum)


_EVENTS: Final[Mapping[str, Event]] = {event.value: event for event in Event}


class _Page(Collector):
    """Turns samples into the library's families, in the order of the table."""

    def __init__(self, samples: Callable[[], Samples]) -> None:
        self._samples = samples

    def collect(self) -> Iterable[Metric]:
        """Yield every family, those without samples too: a page always names what it could show."""
        samples = self._samples()
        for family in FAMILIES:
            yield _family(family, samples.get(family.name, []))


def _family(family: Family, samples: Iterable[tuple[Labels, float]]) -> Metric:
    if family.kind == "histogram":
        histogram = HistogramMetricFamily(family.name, family.meaning)
        found = {labels[0]: value for labels, value in samples}
        total = found.pop("sum")
        histogram.add_metric([], list(found.items()), total)
        return histogram
    made: CounterMetricFamily | GaugeMetricFamily = (
        CounterMetricFamily(family.name, family.meaning, labels=family.labels)
        if family.kind == "counter"
        else GaugeMetricFamily(family.name, family.meaning, labels=family.labels)
    )
    for labels, value in samples:
        made.add_metric(labels, value)
    return made


def _identity(samples: Samples, status: CredentialStatus) -> None:
    watched = not status.targets and status.state is not State.UNMANAGED
    labels = (status.name, status.connection, status.owner, "watch" if watched else status.strategy)
    _add(samples, "rotator_credential_info", labels, 1)
    for label, value in status.labels.items():
        _add(samples, "rotator_credential_label_info", (status.name, label, value), 1)
    for state in State:
        _add(samples, "rotator_credential_state", (status.name, state.value), status.state is state)


def _credential(samples: Samples, status: CredentialStatus) -> None:
    name = (status.name,)
    _add(samples, "rotator_credential_ready", name, status.ready)
    _add(samples, "rotator_credential_paused", name, status.paused is not None)
    _add(samples, "rotator_drift", name, status.drift is not None)
    _add(samples, "rotator_credential_revoking", name, status.revoking)
    _add(samples, "rotator_credential_exposed_timestamp_seconds", name, status.exposed_at or 0.0)
    _add(samples, "rotator_credential_outage_over_budget", name, status.over_budget)
    _add(samples, "rotator_credential_failing_since_timestamp_seconds", name, status.failing_since or 0.0)
    for metric, at in _times(status):
        if at is not None:
            _add(samples, metric, name, at)
    for target in status.targets:
        labels = (status.name, target.name, "true" if target.required else "false")
        _add(samples, "rotator_target_in_sync", labels, bool(target.in_sync))
        ends = NEVER if target.ends is None else target.ends
        _add(samples, "rotator_target_value_ends_timestamp_seconds", labels[:2], ends)
        _add(samples, "rotator_target_roll_outage_seconds", labels[:2], target.outage)
    blocked = Counter(retirement.blocked for retirement in status.retirements)
    for reason in sorted(RETIREMENT_WAITS):
        _add(samples, "rotator_retirement_blocked", (status.name, reason), blocked[reason])


def _times(status: CredentialStatus) -> Iterator[tuple[str, float | None]]:
    yield "rotator_credential_expiration_timestamp_seconds", status.expires_on
    yield "rotator_credential_renewal_timestamp_seconds", status.next_rotation
    yield "rotator_credential_rotation_deadline_timestamp_seconds", status.rotation_deadline
    yield "rotator_credential_last_success_timestamp_seconds", status.last_success


def _add(samples: Samples, name: str, labels: Labels, value: float) -> None:
    samples.setdefault(name, []).append((labels, float(value)))


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
