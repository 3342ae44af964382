"""Metrics of one credential; above a limit of credentials only the soonest to expire have them."""

from __future__ import annotations

from typing import Final

from rotator.observability.families.family import Family

_CREDENTIAL: Final = ("credential",)

CREDENTIAL: Final = (
    Family(
        "rotator_credential_info",
        "gauge",
        ("credential", "connection", "owner", "strategy"),
        "Always 1; what the credential is.",
        ("RotatorDeadValue", "RotatorCredentialMetricsAbsent"),
    ),
    Family(
        "rotator_credential_label_info",
        "gauge",
        ("credential", "label", "value"),
        "Always 1; one of the credential's `labels`: join with it `on (credential)`.",
    ),
    Family(
        "rotator_credential_ready",
        "gauge",
        _CREDENTIAL,
        "1 while a live value stands at every required target, through grace and retirement.",
        ("RotatorCredentialNotReady", "RotatorCredentialMetricsAbsent"),
    ),
    Family(
        "rotator_credential_state",
        "gauge",
        ("credential", "state"),
        "1 for the present state, 0 for every other one.",
        ("RotatorOperatorNeeded", "RotatorRotationsDisplaced", "RotatorCredentialMetricsAbsent"),
    ),
    Family(
        "rotator_credential_paused",
        "gauge",
        _CREDENTIAL,
        "1 while an operator's pause holds starts and retirements.",
        ("RotatorRotationOverdue", "RotatorPausedTooLong", "RotatorCredentialMetricsAbsent"),
    ),
    Family(
        "rotator_drift",
        "gauge",
        _CREDENTIAL,
        "1 while the token was seen to differ from what was asked for: policies, condition, name, end or status.",
        ("RotatorTokenDrifted", "RotatorCredentialMetricsAbsent"),
    ),
    Family(
        "rotator_credential_revoking",
        "gauge",
        _CREDENTIAL,
        "1 while a revoke is unfinished: a leaked token may live, or nothing of its successor was published.",
        ("RotatorRevokeUnfinished", "RotatorCredentialMetricsAbsent"),
    ),
    Family(
        "rotator_credential_exposed_timestamp_seconds",
        "gauge",
        _CREDENTIAL,
        "When the provider last said that a published value was found in public; 0 for never.",
        ("RotatorTokenExposed", "RotatorCredentialMetricsAbsent"),
    ),
    Family(
        "rotator_credential_expiration_timestamp_seconds",
        "gauge",
        _CREDENTIAL,
        "When the current token expires, from the journal; +Inf for never, absent before the first creation.",
        (
            "RotatorCredentialExpired",
            "RotatorCredentialAboutToExpire",
            "RotatorCredentialExpiringSoon",
            "RotatorCredentialMetricsAbsent",
        ),
    ),
    Family(
        "rotator_credential_renewal_timestamp_seconds",
        "gauge",
        _CREDENTIAL,
        "When the next rotation is due; +Inf for never, absent before the first creation.",
        (
            "RotatorCredentialAboutToExpire",
            "RotatorCredentialExpiringSoon",
            "RotatorRotationOverdue",
            "RotatorCredentialMetricsAbsent",
        ),
    ),
    Family(
        "rotator_credential_rotation_deadline_timestamp_seconds",
        "gauge",
        _CREDENTIAL,
        "After it a rotation cannot finish before expiry; +Inf for never, absent before the first creation.",
        ("RotatorRotationDeadlinePassed", "RotatorCredentialMetricsAbsent"),
    ),
    Family(
        "rotator_credential_last_success_timestamp_seconds",
        "gauge",
        _CREDENTIAL,
        "When a rotation was last confirmed; absent before the first one.",
        ("RotatorCredentialMetricsAbsent",),
    ),
    Family(
        "rotator_credential_failing_since_timestamp_seconds",
        "gauge",
        _CREDENTIAL,
        "Since when the open work fails without a success; 0 while nothing fails.",
        ("RotatorRotationFailing", "RotatorCredentialMetricsAbsent"),
    ),
    Family(
        "rotator_target_in_sync",
        "gauge",
        ("credential", "target", "required"),
        "1 while the target is known to hold the current value and to take the next; 0 before it was first seen.",
        ("RotatorTargetOutOfSync", "RotatorCredentialMetricsAbsent"),
    ),
    Family(
        "rotator_target_value_ends_timestamp_seconds",
        "gauge",
        ("credential", "target"),
        "When the target itself will delete what stands there (`delete_version_after` of Vault); +Inf for never.",
        ("RotatorTargetDeletesValues", "RotatorCredentialMetricsAbsent"),
    ),
    Family(
        "rotator_retirement_blocked",
        "gauge",
        ("credential", "reason"),
        "Open retirements that wait for this reason.",
        ("RotatorRetirementBlocked", "RotatorOldTokenStillUsed"),
    ),
    Family(
        "rotator_rotations_total",
        "counter",
        ("credential", "result"),
        "Rotations that ended: confirmed, displaced (closed before), or republished (drift healed, nothing minted).",
        ("RotatorRotationsDisplaced",),
    ),
    Family(
        "rotator_dead_value_seconds_total",
        "counter",
        ("credential", "target"),
        "Seconds in which a dead value was known to stand at the target; a roll always adds some.",
        ("RotatorDeadValue",),
    ),
    Family(
        "rotator_target_value_dead",
        "gauge",
        ("credential", "target"),
        "1 while the provider is known to refuse the value that stands at the target.",
        ("RotatorDeadValue",),
    ),
    Family(
        "rotator_target_roll_outage_seconds",
        "gauge",
        ("credential", "target"),
        "Seconds without a living value at the target by its last roll, up to the read-back; grows while it lasts.",
    ),
    Family(
        "rotator_credential_outage_over_budget",
        "gauge",
        _CREDENTIAL,
        "1 while a roll lasts longer than the outage that its owner accepts.",
        ("RotatorOutageOverBudget",),
    ),
)
