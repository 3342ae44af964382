"""What the page shows of a connection: whether it answers, its requests and quota, and what it logs in with."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from rotator.core.reasons import KeepCode
from rotator.observability.exposition import Samples, add
from rotator.observability.tally import OPERATIONS, RENEWALS, STATUSES, Tally


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


def connection_samples(samples: Samples, row: ConnectionRow, tally: Tally) -> None:
    """Add what a connection shows, and what was counted for it."""
    for name, value in (
        ("rotator_connection_reachable", row.reachable),
        ("rotator_rate_limit_remaining_requests", row.rate_remaining),
        ("rotator_token_quota_used", row.quota_used),
        ("rotator_token_quota_limit", row.quota_limit),
    ):
        if value is not None:
            add(samples, name, (row.name,), value)
    for role, expires in row.token_expires_on.items():
        add(samples, "rotator_connection_token_expiration_timestamp_seconds", (row.name, role), expires)
    for role, accepted in row.accepted.items():
        add(samples, "rotator_connection_token_accepted", (row.name, role), accepted)
    for role, at in row.token_renewal.items():
        add(samples, "rotator_connection_token_renewal_timestamp_seconds", (row.name, role), at)
    for role, codes in row.needs.items():
        for code in KeepCode:
            add(samples, "rotator_management_token_needs", (row.name, role, code.value), code in codes)
        for result in RENEWALS:
            count = tally.renewals[row.name, role, result]
            add(samples, "rotator_management_token_renewals_total", (row.name, role, result), count)
    if not row.source:
        return
    add(samples, "rotator_orphans", (row.name,), row.orphans)
    add(samples, "rotator_connection_incident", (row.name,), row.incident)
    seen = {key[1:] for key in list(tally.requests) if key[0] == row.name}
    for operation, status in sorted(seen | {(o, s) for o in OPERATIONS[:-1] for s in STATUSES}):
        count = tally.requests[row.name, operation, status]
        add(samples, "rotator_provider_requests_total", (row.name, operation, status), count)
