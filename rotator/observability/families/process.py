"""Metrics of this process: its ticks, configuration, journal, log, and what it sends elsewhere."""

from __future__ import annotations

from typing import Final

from rotator.observability.families.family import Family

PROCESS: Final = (
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
