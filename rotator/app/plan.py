"""What will happen when: the next rotations, with the requests and token slots that they take. Pure over statuses."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from rotator.app.requests import requests_of
from rotator.core.credential import NEVER, Credential
from rotator.core.durations import DAY
from rotator.core.reasons import Reason
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
        waits: what it waits for after it is due, a word of `Reason`; None where it begins when it is due.
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
    waits: Reason | None = None


def plan(
    credentials: Iterable[Credential],
    statuses: Iterable[CredentialStatus],
    now: float,
    days: float,
    changed: Collection[str] = (),
) -> list[Planned]:
    """Return the rotations of the next `days` days, soonest first; each credential's later ones included.

    Those in `changed` (names) are due now: their living tokens are not what is asked for, and a rotation mends that.
    """
    credentials, by_name = tuple(credentials), {status.name: status for status in statuses}
    rows: list[Planned] = []
    for credential in credentials:
        status, policy = by_name[credential.name], credential.policy
        if credential.watched:
            continue
        first = status.token_id is None
        asked = status.request is not None
        due = first or asked or credential.name in changed
        at = now if due or status.next_rotation is None else max(now, status.next_rotation)
        step = policy.lifetime - policy.renew_before if policy.lifetime != NEVER else NEVER
        step = min(step, policy.every or NEVER)
        until, rolls = now + days * DAY, status.strategy == "roll" and not first
        while at <= until and len(rows) < 10_000:
            begins, waits = (at, None) if first or asked else _by_calendar(credential, at)
            if (resumes := _resumes(status)) > begins:
                begins, waits = resumes, Reason.PAUSED
                if begins > until:
                    break
            rows.append(
                Planned(
                    at=begins,
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
                    retired_at=None if rolls or first else begins + policy.grace + policy.soak,
                    requests=requests_of(len(credential.targets), rolls=rolls, first=first),
                    slots=0 if rolls else 1,
                    targets=tuple(t.name for t in credential.targets),
                    waits=waits,
                )
            )
            at = begins
            if step in (0.0, NEVER):
                break
            at, first, asked, rolls = at + step, False, False, credential.policy.strategy.value == "roll"
    return in_turns(sorted(rows, key=lambda row: row.at), {c.name: c for c in credentials}, by_name)


def _resumes(status: CredentialStatus) -> float:
    """When the pause of an operator ends; 0 without one, `NEVER` where only `resume` ends it."""
    if status.paused is None:
        return 0.0
    until = status.paused["until"]
    return until if isinstance(until, float) else NEVER


def _by_calendar(credential: Credential, at: float) -> tuple[float, Reason | None]:
    """When a rotation that is due at `at` begins by freezes and windows, and which of them it waits for."""
    hours, opens = credential.hours, credential.hours.opens(at)
    if opens <= at:
        return at, None
    return min(opens, _latest(credential, at)), Reason.FREEZE if hours.frozen(at) else Reason.WINDOW


def _latest(credential: Credential, at: float) -> float:
    """When the emergency window of a token opens whose rotation is due at `at`: then nothing holds it back."""
    policy = credential.policy
    return NEVER if policy.lifetime == NEVER else at + policy.renew_before - policy.emergency(policy.lifetime)


def in_turns(
    rows: list[Planned], credentials: Mapping[str, Credential], statuses: Mapping[str, CredentialStatus]
) -> list[Planned]:
    """Return the rows with the gaps of groups between them."""
    last: dict[str, float] = {}
    for name, credential in credentials.items():
        if group := credential.hours.group:
            last[group.name] = max(last.get(group.name, 0.0), statuses[name].last_success or 0.0)
    found = []
    for row in rows:
        credential = credentials[row.credential]
        group, moved = credential.hours.group, row
        if group is not None:
            free = last[group.name] + group.min_gap if last[group.name] else 0.0
            if row.reason in ("due", "renewal") and free > row.at:
                at = min(free, _latest(credential, row.at))
                late = at - row.at
                ends = row.retired_at + late if row.retired_at is not None else None
                moved = replace(row, at=at, retired_at=ends, waits=Reason.GROUP_GAP)
            last[group.name] = max(last[group.name], moved.at)
        found.append(moved)
    return sorted(found, key=lambda row: row.at)
