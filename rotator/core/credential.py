"""What the protocol needs to know of one configured credential: policy, targets, and the terms frozen from them.

A source's and a target's own options are opaque here: core sees a `spec` and its digest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from functools import cached_property
from typing import Any, Final

from rotator.core.calendar import ALWAYS, Hours
from rotator.core.drift import OnChange, OnDrift
from rotator.core.durations import DAY as DAY
from rotator.core.durations import HOUR as HOUR
from rotator.core.durations import NEVER as NEVER
from rotator.core.ids import NO_TOKEN, CredentialId, TokenId
from rotator.core.plain import Json


class State(StrEnum):
    """The state of a credential; closed."""

    UNINITIALIZED = "uninitialized"
    IDLE = "idle"
    ROTATING = "rotating"
    FAILING = "failing"
    PAUSED = "paused"
    NEEDS_OPERATOR = "needs_operator"
    UNMANAGED = "unmanaged"


class Strategy(StrEnum):
    """How a rotation gets to a fresh value at every target."""

    RECREATE = "recreate"
    ROLL = "roll"
    REPUBLISH = "republish"
    """Heals drift with the current value; mints nothing; never configured."""


OUTAGE_MARGIN: Final = 30.0
"""Seconds by which the outage budget of a roll exceeds the settle time at least."""


def least_outage(settle: float) -> float:
    """Return the shortest outage budget, in seconds, that a roll may have with that settle time."""
    return settle + OUTAGE_MARGIN


@dataclass(frozen=True, slots=True, kw_only=True)
class Can:
    """What a source can do; the protocol goes another way round what it cannot.

    Attributes:
        roll: a token can get a new value; else every rotation makes a new token.
        overlap: two tokens can live at once; else a token that lives can only be rolled.
        disable: a token can be ended in a way that can be undone; else it soaks before it is deleted.
        last_use: the provider says when a token was last used; else silence is a matter of time, not of sight.
        list: all tokens of the owner can be listed; else nothing is found that the journal does not know.
        move_expiry: the end of a living token can be moved; else a token that has an end is not rolled.
        compare: what a token may do can be compared with what was asked for after it was minted, too.
        update: what a living token may do, and its name, can be changed in place; its value stays.
        name_length: characters that a token's name may have, at least 60.
    """

    roll: bool = True
    overlap: bool = True
    disable: bool = True
    last_use: bool = True
    list: bool = True
    move_expiry: bool = True
    compare: bool = True
    update: bool = True
    name_length: int = 120


EVERYTHING: Final = Can()


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The timings of one credential, all in seconds; frozen into the terms of each rotation.

    Attributes:
        strategy: recreate or roll.
        lifetime: how long a minted token lives; `NEVER` for one without expiry.
        renew_before: how long before expiry a rotation becomes due.
        every: rotate that long after the last rotation; 0 for not.
        grace: how long an old value stays alive after its last target let it go.
        quiet: how long an old token must be unused before it is superseded.
        quiet_adopted: the same for a token whose consumers are not known; an explicit `quiet` wins.
        soak: how long a disabled token waits before it is deleted.
        outage_budget: roll only, the outage that its owner accepts; exceeding it alarms.
        settle: how long a request may still be in flight after its answer was lost.
        propagation: how long a fresh token may not be accepted yet.
        retry: first back-off; doubles up to one hour.
        rejects: how many captured tokens may be turned down before an operator is asked.
    """

    strategy: Strategy = Strategy.RECREATE
    lifetime: float = 90 * DAY
    renew_before: float = 30 * DAY
    every: float = 0.0
    grace: float = DAY
    quiet: float = DAY
    quiet_adopted: float = 8 * DAY
    soak: float = DAY
    outage_budget: float = 0.0
    settle: float = 60.0
    propagation: float = 150.0
    retry: float = 30.0
    rejects: int = 5

    def to_json(self) -> dict[str, Json]:
        """Return plain data for the detail of a fact; `NEVER` becomes null."""
        return {k: None if v == NEVER else v for k, v in asdict(self).items()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Policy:
        """Read what `to_json` wrote; unknown keys of a newer machine are ignored."""
        found: dict[str, Any] = {k: NEVER if v is None else v for k, v in data.items() if k in _TIMINGS}
        found["strategy"] = Strategy(found["strategy"])
        return cls(**found)

    def emergency(self, life: float) -> float:
        """Length of the emergency window in seconds before the expiry of a token that lives `life` seconds in all.

        The last tenth of life, at least three days, at most half of `renew_before`.
        """
        return min(max(3 * DAY, life / 10 if life != NEVER else 0.0), self.renew_before / 2)


_TIMINGS: Final = frozenset(f.name for f in fields(Policy))


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetRef:
    """One configured target as the protocol sees it.

    Attributes:
        name: unique within the credential; the word in logs and metrics.
        type: the kind in the registry.
        place: what targets of several credentials may share (a path, a secret, a file); one writer at a time.
        required: whether the rotation and the retirement wait for it.
        replace: whether a foreign value that stands there at first sight may be overwritten.
        hooks: whether something is to be done after it holds a new value.
        pasted: whether a person carries the value on from there, so that nothing there shows what is used.
    """

    name: str
    type: str
    place: str
    required: bool = True
    replace: bool = False
    hooks: bool = False
    pasted: bool = False


@dataclass(frozen=True, kw_only=True)
class Credential:
    """One configured credential.

    Attributes:
        id: survives a rename; id of its stream.
        name: stable name from the configuration; base of its tokens' names.
        connection: name of the source's connection.
        owner: owner scope at the provider, `user` or `account`.
        adopt: id of an existing token to take over, or empty.
        policy: timings.
        targets: in configured order; without any, the adopted token is only watched and nothing is minted.
        spec: the configured stanza as plain data, opaque to core; enough to rebuild source and targets later.
        digest: digest of the source's part of `spec`.
        scope: where its tokens live at the provider, in an opaque word; only there can they be seen and ended.
        managed: whether it still stands in the configuration.
        on_drift: what is done about a token that somebody changed at the provider.
        on_change: how another configuration reaches the living token.
        hours: when its rotations may begin by the calendar, and its group.
        labels: words of the operator's; nothing here decides by them.
    """

    id: CredentialId
    name: str
    connection: str
    owner: str
    policy: Policy
    targets: tuple[TargetRef, ...]
    adopt: TokenId = NO_TOKEN
    spec: Mapping[str, Json] = field(default_factory=dict)
    digest: str = ""
    scope: str = ""
    managed: bool = True
    on_drift: OnDrift = OnDrift.REPORT
    on_change: OnChange = OnChange.AUTO
    hours: Hours = ALWAYS
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def watched(self) -> bool:
        """Whether its token is only watched: there is no place for a value, so none is minted."""
        return self.managed and not self.targets

    @cached_property
    def all(self) -> frozenset[str]:
        """Names of all configured targets."""
        return frozenset(t.name for t in self.targets)

    @cached_property
    def required(self) -> frozenset[str]:
        """Names of the required targets."""
        return frozenset(t.name for t in self.targets if t.required)

    @cached_property
    def pasted(self) -> frozenset[str]:
        """Names of the targets from which a person carries the value on."""
        return frozenset(t.name for t in self.targets if t.pasted)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The policy of one rotation, frozen by its PLANNED fact.

    Attributes:
        policy: timings at planning.
        targets: names of all targets at planning.
        required: names of those that the rotation waits for.
        digest: digest of the source's spec at planning.
        why: the reason that made it due.
    """

    policy: Policy
    targets: frozenset[str]
    required: frozenset[str]
    digest: str = ""
    why: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return plain data for the detail of a PLANNED fact; `NEVER` becomes null."""
        return {
            "policy": self.policy.to_json(),
            "targets": sorted(self.targets),
            "required": sorted(self.required),
            "digest": self.digest,
            "why": self.why,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Terms:
        """Read what `to_json` wrote; unknown policy keys of a newer machine are ignored."""
        return cls(
            policy=Policy.from_json(data["policy"]),
            targets=frozenset(data["targets"]),
            required=frozenset(data["required"]),
            digest=data.get("digest", ""),
            why=data.get("why", ""),
        )
