"""What an auditor asks of a credential: each rotation of a period with who asked, how long it took, and where it stood.

Pure: facts in, rows out. A value, or a digest of one, is in none of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from rotator.core.encoding import encode
from rotator.core.facts import (
    Adopted,
    Confirmed,
    Deleted,
    Disabled,
    Displaced,
    Fact,
    Failed,
    Planned,
    Publishing,
    ReadBack,
    Requested,
    Verified,
    What,
    Written,
)
from rotator.core.ids import NO_TOKEN, RequestId, RotationId, TokenId
from rotator.core.instants import rfc3339

DAEMON: Final = "daemon"
"""The actor of what the schedule asked for."""


@dataclass(slots=True)
class Rotation:
    """One rotation as evidence; times are provider time in unix seconds, None for what has not happened."""

    rotation: RotationId
    strategy: str
    why: str
    asked_by: str
    reason: str
    began_at: float
    token_id: TokenId = NO_TOKEN
    generation: int = 0
    verified_at: float | None = None
    confirmed_at: float | None = None
    closed_at: float | None = None
    closed_why: str = ""
    replaced: TokenId = NO_TOKEN
    failures: int = 0
    last_failure: str = ""
    written: dict[str, float] = field(default_factory=dict)
    read_back: dict[str, float] = field(default_factory=dict)

    @property
    def outcome(self) -> str:
        """`confirmed`: it stood at every required target; `closed`: given up before; `open`: neither yet."""
        return "confirmed" if self.confirmed_at is not None else "closed" if self.closed_at is not None else "open"

    def within(self, since: float, until: float) -> bool:
        """Whether it began before `until` and was still open at `since`."""
        ended = self.confirmed_at if self.confirmed_at is not None else self.closed_at
        return self.began_at < until and (ended is None or ended >= since)


@dataclass(slots=True)
class Evidence:
    """What the facts of one credential say, in order."""

    rotations: dict[RotationId, Rotation] = field(default_factory=dict)
    acts: list[Fact] = field(default_factory=list)
    disabled: dict[TokenId, float] = field(default_factory=dict)
    deleted: dict[TokenId, float] = field(default_factory=dict)


def evidence(facts: Iterable[Fact]) -> Evidence:
    """Return the evidence in the facts of one credential, all of them, oldest first."""
    found, requests, current = Evidence(), dict[RequestId, Fact](), NO_TOKEN
    for fact in facts:
        what = fact.what
        if fact.actor != DAEMON:
            found.acts.append(fact)
        if isinstance(what, Requested):
            requests[what.request_id] = fact
        elif isinstance(what, Planned):
            found.rotations[fact.rid] = _planned(fact, what, requests.get(what.request_id))
        elif isinstance(what, Disabled):
            found.disabled[what.token_id] = fact.at
        elif isinstance(what, Deleted):
            found.deleted[what.token_id] = fact.at
        elif isinstance(what, Adopted):
            current = what.token_id
        elif (rotation := found.rotations.get(fact.rid)) is not None:
            _told(rotation, what, fact.at)
            if isinstance(what, Confirmed):
                rotation.replaced = current if current != what.token_id else NO_TOKEN
                current = what.token_id
    return found


def _planned(fact: Fact, what: Planned, request: Fact | None) -> Rotation:
    asked = request.what if request else None
    return Rotation(
        rotation=fact.rid,
        strategy=what.terms.policy.strategy.value,
        why=what.terms.why,
        asked_by=request.actor if request else DAEMON,
        reason=asked.reason if isinstance(asked, Requested) else "",
        began_at=fact.at,
        token_id=what.token_id,
    )


def _told(rotation: Rotation, what: What, at: float) -> None:
    """Take one fact of a rotation."""
    match what:
        case Verified():
            rotation.verified_at, rotation.token_id = at, what.token_id
        case Publishing():
            rotation.generation = what.generation
        case Written():
            rotation.written[what.target] = at
        case ReadBack():
            rotation.read_back[what.target] = at
        case Confirmed():
            rotation.confirmed_at, rotation.token_id = at, what.token_id
        case Displaced():
            rotation.closed_at, rotation.closed_why = at, what.why
        case Failed():
            rotation.failures, rotation.last_failure = rotation.failures + 1, what.why
        case _:
            pass


def report(name: str, facts: Iterable[Fact], since: float, until: float) -> dict[str, Any]:
    """Return one credential of `report -o json`.

    Args:
        name: of the credential.
        facts: all of its facts, oldest first.
        since: the period's begin, unix seconds.
        until: its end, which does not belong to it.
    """
    found = evidence(facts)
    return {
        "name": name,
        "rotations": [_rotation(one, found) for one in found.rotations.values() if one.within(since, until)],
        "acts": [_act(fact) for fact in found.acts if since <= fact.at < until],
    }


def _rotation(one: Rotation, found: Evidence) -> Mapping[str, Any]:
    names = sorted(one.written | one.read_back)
    old = one.replaced
    return {
        "rotation": one.rotation,
        "strategy": one.strategy,
        "why": one.why,
        "asked_by": one.asked_by,
        "reason": one.reason or None,
        "began_at": rfc3339(one.began_at),
        "verified_at": rfc3339(one.verified_at),
        "confirmed_at": rfc3339(one.confirmed_at),
        "seconds": None if one.confirmed_at is None else round(one.confirmed_at - one.began_at, 1),
        "outcome": one.outcome,
        "closed_why": one.closed_why or None,
        "generation": one.generation or None,
        "token_id": one.token_id or None,
        "targets": [
            {
                "name": target,
                "written_at": rfc3339(one.written.get(target)),
                "verified_at": rfc3339(one.read_back.get(target)),
            }
            for target in names
        ],
        "replaced": {
            "token_id": old,
            "disabled_at": rfc3339(found.disabled.get(old)),
            "deleted_at": rfc3339(found.deleted.get(old)),
        }
        if old
        else None,
        "failures": one.failures,
        "last_failure": one.last_failure or None,
    }


def _act(fact: Fact) -> Mapping[str, Any]:
    _, told = encode(fact.what)
    return {
        "time": rfc3339(fact.at),
        "act": fact.kind.value,
        "actor": fact.actor,
        "how": told.get("how") or None,
        "reason": told.get("reason") or None,
    }
