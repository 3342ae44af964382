"""Metrics of a connection: whether it answers, its requests and quota, and what it logs in with."""

from __future__ import annotations

from typing import Final

from rotator.observability.families.family import Family

_CONNECTION: Final = ("connection",)

CONNECTION: Final = (
    Family(
        "rotator_connection_reachable",
        "gauge",
        _CONNECTION,
        "1 if the service behind the connection answered last time, 0 if not; absent before the first contact.",
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
)
