"""What will happen when: the next rotations, with the requests and token slots that they take. Pure over statuses."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rotator.app.requests import requests_of
from rotator.core.credential import NEVER, Credential
from rotator.core.durations import DAY
from rotator.core.status import CredentialStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One rotation to come.

    Attributes:
        at: provider time, unix seconds; now for what is due.
        credential: name.
        connection: name.
        strategy: recreate or roll.
        reason: `first creation`, `taking over` (mints only where the value stands at no target), `requested`,
            `due` or `renewal`.
        retired_at: when the old token can be deleted at the earliest, None for a roll.
        requests: how many requests it takes at the provider.
        slots: how many tokens exist more meanwhile.
        targets: names of the targets that are written.
    """

    at: float
    credential: str
    connection: str
    strategy: str
    reason: str
    retired_at: float | None
    requests: int
    slots: int
    targets: tuple[str, ...]


def plan(
    credentials: Iterable[Credential], statuses: Iterable[CredentialStatus], now: float, days: float
) -> list[Planned]:
    """Return the rotations of the next `days` days, soonest first; each credential's later ones included."""
    by_name = {status.name: status for status in statuses}
    rows: list[Planned] = []
    for credential in credentials:
        status, policy = by_name[credential.name], credential.policy
        if credential.watched:
            continue
        first = status.token_id is None
        asked = status.request is not None
        at = now if first or asked or status.next_rotation is None else max(now, status.next_rotation)
        step = policy.lifetime - policy.renew_before if policy.lifetime != NEVER else NEVER
        step = min(step, policy.every or NEVER)
        until, rolls = now + days * DAY, status.strategy == "roll" and not first
        while at <= until and len(rows) < 10_000:
            rows.append(
                Planned(
                    at=at,
                    credential=credential.name,
                    connection=credential.connection,
                    strategy="roll" if rolls else "recreate",
                    reason=("taking over" if credential.adopt else "first creation")
                    if first
                    else "requested"
                    if asked
                    else "due"
                    if at == now
                    else "renewal",
                    retired_at=None if rolls or first else at + policy.grace + policy.soak,
                    requests=requests_of(len(credential.targets), rolls=rolls, first=first),
                    slots=0 if rolls else 1,
                    targets=tuple(t.name for t in credential.targets),
                )
            )
            if step in (0.0, NEVER):
                break
            at, first, asked, rolls = at + step, False, False, credential.policy.strategy.value == "roll"
    return sorted(rows, key=lambda row: row.at)
