"""The parts of which rows are built: a rule reads a case and answers, or passes with None.

A row is a tuple of rules asked in order; the last always answers. A *mutant* of the protocol is a row without one of
its rules. Nothing here knows which strategy or provider is in play.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, TypeVar

from rotator.core.credential import EVERYTHING, NEVER, Can, Credential, Policy, Strategy
from rotator.core.facts import (
    What,
)
from rotator.core.ids import NO_TOKEN, NO_VALUE, Fingerprint, TokenId
from rotator.core.protocol.backoff import not_before
from rotator.core.protocol.view import Retirement, Rotation, View
from rotator.core.reasons import OperatorCode, Reason

_Given = TypeVar("_Given")

TICK: Final = 1.0
"""Provider time comes in whole seconds: every wait is that much longer and every expiry that much earlier."""


class Act(StrEnum):
    """What the engine can be told to do; one effect each."""

    PLAN = "plan"
    MINT = "mint"
    EXTEND = "extend"
    WRITE = "write"
    READ_BACK = "read_back"
    DISABLE = "disable"
    DELETE = "delete"
    UPDATE = "update"
    KEEP = "keep"
    RECORD = "record"
    LOOK = "look"
    HOOK = "hook"


class Sight(StrEnum):
    """What the engine can be asked to look at."""

    ROOM = "room"
    WRITABLE = "writable"
    ACCEPTED = "accepted"
    ALIVE = "alive"
    TOKEN = "token"  # noqa: S105  # what is looked at, no password
    ORACLE = "oracle"
    IN_SYNC = "in_sync"
    QUIET = "quiet"
    UNPUBLISHED = "unpublished"
    STANDS = "stands"
    ORPHANS = "orphans"
    DRIFT = "drift"
    CONTROL = "control"
    TURN = "turn"


class Result(StrEnum):
    """What a look may see; each sight uses some of them."""

    GOOD = "good"
    BAD = "bad"
    SOME = "some"
    LAG = "lag"
    DEAD = "dead"
    EXPOSED = "exposed"
    UNSURE = "unsure"
    LOST = "lost"
    # of STANDS: what the target holds
    CURRENT = "current"
    MINE = "mine"
    ABSENT = "absent"
    OLDER = "older"
    REPLACEABLE = "replaceable"
    OVERRIDDEN = "overridden"
    HEEDED = "heeded"
    UNREADABLE = "unreadable"
    UNKNOWN = "unknown"
    """A write-only target of which a restored journal knows too little: it gets a value that is certainly new."""


def given(found: _Given | None, what: str) -> _Given:
    """Return what the caller promised to give.

    Raises:
        RuntimeError: it is None, which is a mistake of this program; `what` names it.
    """
    if found is None:
        raise RuntimeError(f"{what} is missing")
    return found


@dataclass(frozen=True, slots=True)
class Look:
    """One thing to look at: `of` is a token id, fingerprint, target or rotation id, as the sight needs it."""

    sight: Sight
    of: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look saw.

    Attributes:
        at: provider time at which the look began.
        result: what was seen.
        why: the same in words for people, or empty; nothing decides on it.
        subject: the target or credential that is in the way, or empty.
        value: the value that was found to live (oracle), or empty.
        until: of TURN, the provider time until which the gap of the group lasts.
    """

    at: float
    result: Result
    why: str = ""
    subject: str = ""
    value: Fingerprint = NO_VALUE
    until: float = 0.0


@dataclass(frozen=True, slots=True)
class Action:
    """One act for the engine.

    Attributes:
        act: what to do.
        target: where, of a write and of its read-back.
        look: what to look at.
        token_id: what to disable, delete, update or keep.
        fact: what to record.
        strategy: of the rotation to plan.
        why: the reason that makes it due.
    """

    act: Act
    target: str = ""
    look: Look | None = None
    token_id: TokenId = NO_TOKEN
    fact: What | None = None
    strategy: Strategy | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Do:
    """Do this now; more than one action only for different targets."""

    actions: tuple[Action, ...]


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do before `until` (provider time); `subject` is the target or thing that is waited for, if one is."""

    until: float
    why: Reason
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Operator:
    """Only a person can decide; asked again at `until`."""

    code: OperatorCode
    until: float
    subject: str = ""


Verdict = Do | Wait | Operator


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Everything that a rule may read.

    Attributes:
        view: the fold of the facts.
        credential: the configuration now.
        now: provider time.
        seen: observations with their age; may be forgotten at any time.
        retirement: the retirement that is asked about, if one is.
        watch: how often to look at targets and tokens, seconds.
        sweep: how often to look for orphans, seconds.
        start: None, or why no new rotation may start now (pacing, clock, incident).
        incident: whether so many tokens died at once that it is not believed.
        can: what the source can do.
        markers: targets that are write-only.
    """

    view: View
    credential: Credential
    now: float
    seen: Mapping[Look, Seen]
    retirement: Retirement | None = None
    watch: float = 300.0
    sweep: float = 300.0
    start: Reason | None = None
    incident: bool = False
    can: Can = EVERYTHING
    markers: frozenset[str] = frozenset()

    @property
    def rotation(self) -> Rotation:
        """The open rotation; asked only in rows of one."""
        return self.view.opened

    @property
    def retired(self) -> Retirement:
        """The retirement in question; asked only in rows of one."""
        return given(self.retirement, "the retirement that a rule of `retire` is asked about")

    @property
    def policy(self) -> Policy:
        """The timings that hold for the obligation in question."""
        if self.retirement:
            return self.retirement.policy
        return self.view.rotation.policy if self.view.rotation else self.credential.policy

    def age(self, seen: Seen) -> float:
        """How old an observation is, in seconds; one from the future (the clock went back) is as old as can be."""
        age = self.now - seen.at
        return age if age >= -TICK else NEVER

    def result(self, sight: Sight, of: str = "") -> Result | None:
        """What was seen last, however old."""
        found = self.seen.get(Look(sight, of))
        return found.result if found else None

    def dead(self, fingerprint: Fingerprint) -> bool:
        """Whether a value is known to be dead; an incident is not believed, but that it was found in public is."""
        found = self.result(Sight.ALIVE, fingerprint) if fingerprint else None
        return found is Result.EXPOSED or (found is Result.DEAD and not self.incident)

    def near_end(self, token_id: TokenId, seconds: float) -> bool:
        """Whether the token's expiry is no farther away than that."""
        return self.now >= self.view.expires_at(token_id) - TICK - seconds

    def emergency_of(self, token_id: TokenId) -> bool:
        """Whether the token is in its emergency window."""
        token = self.view.tokens.get(token_id)
        life = token.expires_at - token.born if token else NEVER
        return self.near_end(token_id, self.policy.emergency(life))

    @property
    def urgent(self) -> bool:
        """Whether the published value is missing, dead or in its emergency window."""
        return not self.view.current or self.emergency

    @property
    def emergency(self) -> bool:
        """Whether the published value was revoked, is dead or in its emergency window: back-offs stay short."""
        view = self.view
        return view.uncured or (bool(view.current) and (self.dead(view.fingerprint) or self.emergency_of(view.current)))

    def pressing(self, target: str) -> bool:
        """Whether back-offs stay short at a target: as in `emergency`, or what stands there nears its own end."""
        stands = self.view.at(target).token_id
        return self.emergency or (stands is not None and self.emergency_of(stands))

    def targets(self) -> frozenset[str]:
        """Targets of the publication: of the terms and of the configuration now, without released ones."""
        return (self.rotation.terms.targets | self.credential.all) - self.view.released.keys()

    def required(self) -> frozenset[str]:
        """Required targets of the publication, likewise."""
        return (self.rotation.terms.required | self.credential.required) - self.view.released.keys()


Rule = Callable[[Case], Verdict | None]
Row = tuple[Rule, ...]


def ask(row: Row, case: Case) -> Verdict:
    """Return the first answer of the row."""
    return next(
        (verdict for rule in row if (verdict := rule(case))), Wait(case.now + case.policy.retry, Reason.UNDECIDED)
    )


def look(sight: Sight, of: str = "") -> Do:
    """Ask for one look."""
    return Do((Action(Act.LOOK, look=Look(sight, of)),))


def need(
    sight: Sight,
    fresh: float,
    good: Collection[Result],
    why: Reason,
    *,
    of: Callable[[Case], str] = lambda case: "",
    otherwise: Callable[[Case, Seen], Verdict | None] = lambda case, seen: None,
    unsure: Reason | None = None,
) -> Rule:
    """Pass when a look at most `fresh` seconds old saw something good; else `otherwise`, else wait and look again.

    The wait is told as `why`; as `unsure`, where one is given, if nobody could answer.
    """

    def rule(case: Case) -> Verdict | None:
        subject = of(case)
        seen = case.seen.get(Look(sight, subject))
        if seen is None or case.age(seen) > fresh:
            return look(sight, subject)
        if seen.result in good:
            return None
        if verdict := otherwise(case, seen):
            return verdict
        again = min(fresh, case.policy.settle)
        if case.age(seen) > again:
            return look(sight, subject)
        told = unsure if unsure and seen.result is Result.UNSURE else why
        return Wait(seen.at + again + TICK / 10, told, seen.subject)

    return rule


def wait(name: str) -> Rule:
    """Wait out a timing of the policy, counted from the present step; its name is the reason, too."""
    why = Reason[name.upper()]

    def rule(case: Case) -> Verdict | None:
        since = case.retirement.since if case.retirement else case.rotation.since
        until = since + float(getattr(case.policy, name)) + TICK
        return Wait(until, why) if case.now < until else None

    return rule


def do(act: Act) -> Rule:
    """Do one act, unless it backs off; it is tried again automatically even where only a person can help."""

    def rule(case: Case) -> Verdict:
        failures = case.retirement.failures if case.retirement else case.rotation.failures
        failed = failures.get((act, ""))
        urgent = case.retirement.token_id in case.view.revoked if case.retirement else case.emergency
        until = not_before(failures, act, "", case.policy.retry, urgent=urgent)
        if failed and case.now < until:
            return Operator(failed.code, until) if failed.code else Wait(until, Reason.FAILED)
        return Do((Action(act, token_id=case.retirement.token_id if case.retirement else NO_TOKEN),))

    return rule


def asked_about(case: Case, retirement: Retirement) -> Case:
    """The same case, about one retirement."""
    return replace(case, retirement=retirement)
