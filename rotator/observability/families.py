"""Every metric by name, type, labels, meaning and the alert that watches it; the reference page is made from it.

Timestamps are absolute unix seconds: subtract `time()` in a query. Labels come from the configuration and from closed
lists, never from a provider: no token ids, no error texts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["gauge", "counter", "histogram"]


@dataclass(frozen=True, slots=True)
class Family:
    """One metric: its name as it is scraped, type, labels, what it means, and the alerts that watch it."""

    name: str
    kind: Kind
    labels: tuple[str, ...]
    meaning: str
    alerts: tuple[str, ...] = ()


_CREDENTIAL: Final = ("credential",)
_CONNECTION: Final = ("connection",)

FAMILIES: Final = (
    # one credential
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
    # the fleet
    Family(
        "rotator_credentials",
        "gauge",
        ("state",),
        "Credentials in each state; exported at every fleet size.",
        ("RotatorFleetNeedsAttention", "RotatorMetricsAbsent"),
    ),
    Family(
        "rotator_credentials_not_ready",
        "gauge",
        (),
        "Managed credentials without a live value at every required target; exported at every fleet size.",
        ("RotatorFleetNeedsAttention", "RotatorMetricsAbsent"),
    ),
    Family(
        "rotator_rotation_duration_seconds",
        "histogram",
        (),
        "From planned to confirmed; republications are not counted.",
    ),
    Family(
        "rotator_target_writes_total",
        "counter",
        ("target_type", "result"),
        "Publications at targets: written, failed (before the write or in it), or unknown (sent, and no answer came).",
    ),
    Family(
        "rotator_after_publish_total",
        "counter",
        ("result",),
        "Times that the hooks of a target ran after a publication: done, or failed (and tried again).",
    ),
    Family(
        "rotator_targets_failing",
        "gauge",
        ("target_type",),
        "Targets whose last check, write or read failed; exported at every fleet size.",
        ("RotatorTargetWritesFailing",),
    ),
    Family(
        "rotator_credentials_restored",
        "gauge",
        (),
        "Credentials that are ahead of the journal, which was lost or restored, until an operator confirms it.",
        ("RotatorIncident",),
    ),
    Family("rotator_retirements", "gauge", ("state",), "Open retirements by the step that they stand at."),
    # connections
    Family(
        "rotator_connection_reachable",
        "gauge",
        _CONNECTION,
        "1 if the connection answered last time, 0 if not; absent before the first contact.",
        ("RotatorConnectionUnreachable", "RotatorConnectionMetricsAbsent"),
    ),
    Family(
        "rotator_provider_requests_total",
        "counter",
        ("connection", "operation", "status"),
        "Requests to the provider by HTTP status; unsent never left, lost got no answer.",
        ("RotatorRateLimited", "RotatorConnectionMetricsAbsent"),
    ),
    Family(
        "rotator_rate_limit_remaining_requests",
        "gauge",
        _CONNECTION,
        "Requests left of our own budget in the present window; 0 while the provider makes us wait.",
        ("RotatorRateLimited",),
    ),
    Family(
        "rotator_connection_incident",
        "gauge",
        _CONNECTION,
        "1 while so many tokens of the connection died at once that the answers are not believed.",
        ("RotatorIncident",),
    ),
    Family(
        "rotator_token_quota_used",
        "gauge",
        _CONNECTION,
        "Tokens that exist in the connection's scope; absent until it was listed.",
        ("RotatorQuotaNearlyUsed", "RotatorConnectionMetricsAbsent"),
    ),
    Family(
        "rotator_token_quota_limit",
        "gauge",
        _CONNECTION,
        "Tokens that the provider allows there.",
        ("RotatorQuotaNearlyUsed", "RotatorConnectionMetricsAbsent"),
    ),
    Family(
        "rotator_connection_token_expiration_timestamp_seconds",
        "gauge",
        ("connection", "role"),
        "When what the connection logs in with expires: management, standby or login; +Inf for never.",
        (
            "RotatorManagementTokenExpiring",
            "RotatorManagementTokenNotRenewed",
            "RotatorLoginExpired",
            "RotatorConnectionMetricsAbsent",
        ),
    ),
    Family(
        "rotator_connection_token_accepted",
        "gauge",
        ("connection", "role"),
        "1 if the provider accepts that token of the connection, 0 if not; absent before it answered.",
        ("RotatorLoginRefused", "RotatorConnectionMetricsAbsent"),
    ),
    Family(
        "rotator_connection_token_renewal_timestamp_seconds",
        "gauge",
        ("connection", "role"),
        "When the partner of a management token is to renew it (a third of its life is left); absent without one.",
        ("RotatorManagementTokenNotRenewed", "RotatorManagementTokenExpiring"),
    ),
    Family(
        "rotator_management_token_renewals_total",
        "counter",
        ("connection", "role", "result"),
        "Renewals of a management token by its partner: renewed, or failed and tried again.",
    ),
    Family(
        "rotator_management_token_needs",
        "gauge",
        ("connection", "role", "code"),
        "1 while a management token needs a person; each code stands at 0 from the first look on.",
        ("RotatorManagementTokenNeedsOperator",),
    ),
    Family(
        "rotator_orphans",
        "gauge",
        _CONNECTION,
        "Tokens of ours that no rotation or retirement owns.",
        ("RotatorOrphans", "RotatorConnectionMetricsAbsent"),
    ),
    # the process
    Family(
        "rotator_scheduler_last_tick_timestamp_seconds",
        "gauge",
        (),
        "When the scheduler last ticked; 0 before its first tick.",
        ("RotatorSchedulerStalled", "RotatorMetricsAbsent"),
    ),
    Family(
        "rotator_config_last_reload_successful",
        "gauge",
        (),
        "1 if the configuration file as it stands is the effective one, 0 if it was rejected.",
        ("RotatorConfigReloadFailed", "RotatorMetricsAbsent"),
    ),
    Family(
        "rotator_config_last_reload_success_timestamp_seconds",
        "gauge",
        (),
        "When a configuration last became effective.",
    ),
    Family(
        "rotator_journal_readable",
        "gauge",
        (),
        "1 if the journal answered this scrape; at 0 the series of credentials are those of its last answer.",
        ("RotatorJournalUnsafe", "RotatorMetricsAbsent"),
    ),
    Family(
        "rotator_events_total",
        "counter",
        ("event",),
        "Events of the log by name, each from 0; exported at every fleet size and log level.",
        ("RotatorJournalUnsafe", "RotatorInternalErrors", "RotatorMetricsAbsent"),
    ),
    Family(
        *("rotator_audit_export_lag_facts", "gauge", ("sink",)),
        "Facts that a sink of the audit export has not taken yet.",
        ("RotatorAuditExportLags",),
    ),
    Family(
        *("rotator_notification_backlog", "gauge", ("channel",)),
        "Notifications that a channel has not taken yet.",
        ("RotatorNotificationsStuck",),
    ),
    Family(
        *("rotator_notifications_total", "counter", ("channel", "result")),
        "Tries of this process to send a notification: sent, failed (tried again) or put_aside (turned down for good).",
        ("RotatorNotificationPutAside",),
    ),
    Family(
        *("rotator_log_lines_dropped_total", "counter", ()),
        "Log lines that standard error did not take: full, stuck or closed.",
        ("RotatorLogLinesDropped", "RotatorMetricsAbsent"),
    ),
    Family(
        "rotator_build_info",
        "gauge",
        ("version", "python"),
        "Always 1; what runs.",
        ("RotatorMetricsAbsent", "RotatorAbsent"),
    ),
)


def metrics_reference() -> list[dict[str, str]]:
    """Return one row per metric (name, type, labels, meaning, alert), in the order of the page, for the docs."""
    return [
        {
            "name": family.name,
            "type": family.kind,
            "labels": ", ".join(family.labels),
            "meaning": family.meaning,
            "alert": ", ".join(family.alerts),
        }
        for family in FAMILIES
    ]
