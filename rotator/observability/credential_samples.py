"""What the page shows of the credentials, each for itself and all together; a pure function of their status."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from rotator.core.credential import NEVER, State
from rotator.core.reasons import RETIREMENT_WAITS, OperatorCode
from rotator.core.status import CredentialStatus
from rotator.observability.exposition import Samples, add
from rotator.observability.tally import HOOKS, RESULTS, WRITES, Tally

RESTORED: Final = OperatorCode.RESTORED_JOURNAL
"""What is asked of an operator where the journal was lost or restored."""

STEPS: Final = ("open", "superseded", "condemned", "disabled", "deleted")
"""Steps of an open retirement; closed."""


def fleet_samples(
    samples: Samples, statuses: Collection[CredentialStatus], managed: Sequence[CredentialStatus], tally: Tally
) -> None:
    """Add what all credentials show together; `managed` are those of them that the configuration has."""
    states = Counter(status.state for status in statuses)
    steps = Counter(r.step for status in statuses for r in status.retirements)
    for state in State:
        add(samples, "rotator_credentials", (state.value,), states[state])
    add(samples, "rotator_credentials_not_ready", (), sum(not status.ready for status in managed))
    for step in STEPS:
        add(samples, "rotator_retirements", (step,), steps[step])
    failing = Counter(t.type for status in managed for t in status.targets if t.problem is not None)
    for kind in sorted({target.type for status in managed for target in status.targets}):
        add(samples, "rotator_targets_failing", (kind,), failing[kind])
    restored = sum(s.needs_operator is not None and s.needs_operator.code == RESTORED for s in managed)
    add(samples, "rotator_credentials_restored", (), restored)
    kinds = {target.type for status in managed for target in status.targets}
    for kind in sorted(kinds | {kind for kind, _ in list(tally.writes)}):
        for result in WRITES:
            add(samples, "rotator_target_writes_total", (kind, result), tally.writes[kind, result])
    for result in HOOKS:
        add(samples, "rotator_after_publish_total", (result,), tally.hooks[result])


def identity_samples(samples: Samples, status: CredentialStatus) -> None:
    """Add what the credential is and its state, also where it left the configuration."""
    watched = not status.targets and status.state is not State.UNMANAGED
    labels = (status.name, status.connection, status.owner, "watch" if watched else status.strategy)
    add(samples, "rotator_credential_info", labels, 1)
    for label, value in status.labels.items():
        add(samples, "rotator_credential_label_info", (status.name, label, value), 1)
    for state in State:
        add(samples, "rotator_credential_state", (status.name, state.value), status.state is state)


def credential_samples(samples: Samples, status: CredentialStatus) -> None:
    """Add how a credential of the configuration stands, with its targets and open retirements."""
    name = (status.name,)
    add(samples, "rotator_credential_ready", name, status.ready)
    add(samples, "rotator_credential_paused", name, status.paused is not None)
    add(samples, "rotator_drift", name, status.drift is not None)
    add(samples, "rotator_credential_revoking", name, status.revoking)
    add(samples, "rotator_credential_exposed_timestamp_seconds", name, status.exposed_at or 0.0)
    add(samples, "rotator_credential_outage_over_budget", name, status.over_budget)
    add(samples, "rotator_credential_failing_since_timestamp_seconds", name, status.failing_since or 0.0)
    for metric, at in _times(status):
        if at is not None:
            add(samples, metric, name, at)
    for target in status.targets:
        labels = (status.name, target.name, "true" if target.required else "false")
        add(samples, "rotator_target_in_sync", labels, bool(target.in_sync))
        ends = NEVER if target.ends is None else target.ends
        add(samples, "rotator_target_value_ends_timestamp_seconds", labels[:2], ends)
        add(samples, "rotator_target_roll_outage_seconds", labels[:2], target.outage)
    blocked = Counter(retirement.blocked for retirement in status.retirements)
    for reason in sorted(RETIREMENT_WAITS):
        add(samples, "rotator_retirement_blocked", (status.name, reason), blocked[reason])


def _times(status: CredentialStatus) -> Iterator[tuple[str, float | None]]:
    yield "rotator_credential_expiration_timestamp_seconds", status.expires_on
    yield "rotator_credential_renewal_timestamp_seconds", status.next_rotation
    yield "rotator_credential_rotation_deadline_timestamp_seconds", status.rotation_deadline
    yield "rotator_credential_last_success_timestamp_seconds", status.last_success


def sum_samples(
    samples: Samples, status: CredentialStatus, tally: Tally, dead: Mapping[tuple[str, str], float]
) -> None:
    """Add what was counted for one credential; `dead` is seconds of a dead value by credential and target."""
    for result in RESULTS:
        add(samples, "rotator_rotations_total", (status.name, result), tally.rotations[status.name, result])
    for target in status.targets:
        place = (status.name, target.name)
        add(samples, "rotator_dead_value_seconds_total", place, dead.get(place, 0.0))
        add(samples, "rotator_target_value_dead", place, place in tally.dead_now())
