"""What the care of a pair is asked about: what was seen of its two members, the timings, and the question.

A *pair* are two tokens that log in at one provider, each kept alive by the other. A member's *place* is where its value
is read from. Nothing here knows a provider or a kind of place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from rotator.core.durations import DAY, NEVER
from rotator.core.ids import NO_TOKEN, NO_VALUE, Fingerprint, TokenId
from rotator.core.protocol.backoff import delay
from rotator.core.protocol.pair_view import MemberView
from rotator.core.protocol.rules import TICK, Do, Result, Wait
from rotator.core.protocol.view import View
from rotator.core.reasons import KeepCode

EMERGENCY: Final = 0.1
"""Share of a member's life: with less than that left, nothing but the rules of safety holds a renewal back."""


class Holds(StrEnum):
    """What stands in a member's place."""

    VALUE = "value"
    NOTHING = "nothing"
    UNREADABLE = "unreadable"
    """Nobody can say now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What was seen of one member.

    Attributes:
        role: which of the two, as the configuration calls it.
        at: provider time at which the look began.
        holds: what stands in its place.
        fingerprint: of the value there, or empty.
        accepted: whether the provider accepts that value: GOOD, DEAD, or UNSURE where no usable answer came.
        token_id: whose value it is, as the provider says or as the journal knows; empty where nobody does.
        able: whether that token may do what the pair is there for; None where that could not be read.
        expires_at: its end as the provider shows it, `NEVER` for none; None where it could not be read.
        born: provider time of issue.
        writable: whether a new value could be put there by this process.
    """

    role: str
    at: float
    holds: Holds = Holds.UNREADABLE
    fingerprint: Fingerprint = NO_VALUE
    accepted: Result = Result.UNSURE
    token_id: TokenId = NO_TOKEN
    able: bool | None = None
    expires_at: float | None = None
    born: float = 0.0
    writable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepPolicy:
    """The timings of a pair, in seconds.

    Attributes:
        rolls: whether members get new values, too; else only their ends are moved.
        share: part of its life that is left when a member is renewed.
        apart: how long after a new value of one member the other one may get one; renewals of ends are that far apart
            as well, or a twelfth of a life where that is less.
        longest: life of a member at most, from one renewal to its end.
        fresh: how old the proof may be that the partner works.
        settle: how long a request may still be in flight after its answer was lost.
        propagation: how long a new value may not be accepted yet.
        retry: first back-off; doubles up to one hour.
        again: when to look again where only a person can help.
    """

    rolls: bool = False
    share: float = 1 / 3
    apart: float = DAY
    longest: float = 366 * DAY
    fresh: float = 60.0
    settle: float = 60.0
    propagation: float = 150.0
    retry: float = 30.0
    again: float = 300.0


@dataclass(frozen=True, slots=True)
class Ask:
    """Only a person can help; looked at again at `until`. `subject`: the role; `due`: when it has to be done by."""

    code: KeepCode
    until: float
    subject: str
    due: float = NEVER


KeepVerdict = Do | Wait | Ask


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepCase:
    """Everything that a rule of a pair may read; `token_id`: the member that is asked about."""

    view: View
    standings: Mapping[str, Standing]
    policy: KeepPolicy
    now: float
    token_id: TokenId = NO_TOKEN

    @property
    def me(self) -> MemberView:
        """The member that is asked about."""
        return self.view.pair[self.token_id]

    @property
    def seen(self) -> Standing:
        """What was seen in its place."""
        return self.standings[self.me.role]

    @property
    def partner(self) -> MemberView | None:
        """The other one, None where it is not known."""
        return next((found for token, found in self.view.pair.items() if token != self.token_id), None)

    @property
    def partner_seen(self) -> Standing | None:
        """What was seen in the partner's place."""
        return self.standings.get(self.partner.role) if self.partner else None

    @property
    def ends(self) -> float:
        """Its end: as the provider showed it, else as it was proven last."""
        shown = self.seen.expires_at if self.seen.token_id == self.token_id else None
        return self.me.expires_at if shown is None else shown

    @property
    def renewal_at(self) -> float:
        """When its end is to be moved, provider time."""
        life = self.me.life
        return NEVER if NEVER in (self.ends, life) else self.ends - TICK - self.policy.share * life

    @property
    def urgent(self) -> bool:
        """Whether it is about to end."""
        return self.now >= self.ends - TICK - EMERGENCY * min(self.me.life, self.policy.longest)

    def of(self, token_id: TokenId) -> KeepCase:
        """The same, about one member."""
        return replace(self, token_id=token_id)

    def knows(self, fingerprint: Fingerprint) -> bool:
        """Whether a value is one of this member's that we wrote or took over."""
        return fingerprint == self.me.fingerprint or self.view.values.get(fingerprint) == self.token_id

    def backs_off(self, act: str) -> float:
        """Provider time before which a refused act is not tried again; 0 where nothing was refused."""
        tries = self.me.tries.get(act)
        return tries.last + delay(self.policy.retry, 1 if self.urgent else tries.count) if tries else 0.0


KeepRule = Callable[[KeepCase], KeepVerdict | None]
KeepRow = tuple[KeepRule, ...]
