"""How the two members of a pair keep each other alive: tables of rules, as for a rotation, and their order.

Nothing is done to a member but by its partner, and only while the partner is proven to work. First comes what is
open, then the member whose end is nearest. The end alone is moved, unless new values are wanted, too: then the old
value dies at once, so the partner's must be durable, in its place, proven, and long settled.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from rotator.core.durations import NEVER
from rotator.core.facts import Extending, Member, Placed, Prolonged, Rolling, What
from rotator.core.protocol.keeping import Ask, Holds, KeepCase, KeepRow, KeepVerdict, Standing
from rotator.core.protocol.pair_view import Phase
from rotator.core.protocol.rules import TICK, Act, Action, Do, Result, Wait, given
from rotator.core.reasons import KeepCode, Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepStep:
    """The next step of a pair.

    Attributes:
        actions: to be done now; empty for a wait.
        until: provider time at which to look again when there is nothing to do.
        why: what every member waits for.
    """

    actions: tuple[Action, ...]
    until: float
    why: tuple[Wait | Ask, ...] = ()


def _tell(fact: What) -> Do:
    return Do((Action(Act.RECORD, fact=fact),))


def _ask(case: KeepCase, code: KeepCode, role: str = "") -> Ask:
    return Ask(code, case.now + case.policy.again, role or case.me.role, case.ends)


# ------------------------------------------------------------------------------------------------- what stands there


def taken(case: KeepCase, seen: Standing) -> Do | None:
    """What somebody put into a place, and what works, is right: it is taken over, and wins over the journal."""
    if seen.accepted is not Result.GOOD or not seen.token_id or seen.able is False:
        return None
    before, durable, ends = case.view.pair.get(seen.token_id), case.policy.rolls, seen.expires_at
    if before is None and ends is None:
        return None  # nobody could say when it ends
    if before is not None:
        sealed = seen.fingerprint in case.view.values
        same = (before.role, before.fingerprint) == (seen.role, seen.fingerprint)
        if (same and (sealed or not durable)) or (sealed and seen.fingerprint != before.fingerprint):
            return None  # known; an older value that still seems to live is about to die
    ends = before.expires_at if ends is None and before else given(ends, "the end of a token that was read")
    life = before.life if before else min(ends - seen.born, case.policy.longest) if ends != NEVER else NEVER
    return _tell(
        Member(
            token_id=seen.token_id,
            born=seen.born,
            expires_at=ends,
            fingerprint=seen.fingerprint,
            role=seen.role,
            life=life,
            durable=durable,
        )
    )


def stands(case: KeepCase) -> KeepVerdict | None:
    """Its place holds its value. An older one of ours, or nothing, is replaced by the one of the journal.

    Any other value that does not live is nobody's to write over.
    """
    seen, me = case.seen, case.me
    if seen.holds is Holds.UNREADABLE:
        return Wait(case.now + case.policy.retry, Reason.VERIFICATION, me.role)
    if seen.holds is Holds.VALUE and seen.fingerprint == me.fingerprint:
        return None
    if seen.holds is Holds.VALUE and not case.knows(seen.fingerprint):
        unsure = seen.accepted is Result.UNSURE
        return Wait(case.now + case.policy.retry, Reason.VERIFICATION, me.role) if unsure else occupied(case)
    if me.fingerprint not in case.view.values or not seen.writable:
        return _ask(case, KeepCode.MEMBER_DEAD)
    return write(case)


def occupied(case: KeepCase) -> KeepVerdict | None:
    """A value that is not ours and does not live is never written over; neither is one that nobody could judge."""
    seen = case.seen
    foreign = seen.holds is Holds.VALUE and not case.knows(seen.fingerprint)
    return _ask(case, KeepCode.MEMBER_OCCUPIED) if foreign else None


def living(case: KeepCase) -> KeepVerdict | None:
    """It lives: a dead token is not renewed but replaced, by a person."""
    if case.seen.accepted is Result.GOOD:
        return None
    if case.seen.accepted is Result.UNSURE:
        return Wait(case.now + case.policy.retry, Reason.VERIFICATION, case.me.role)
    return _ask(case, KeepCode.MEMBER_DEAD)


# -------------------------------------------------------------------------------------------------------- the partner


def partnered(case: KeepCase) -> KeepVerdict | None:
    """Its partner works: accepted, with the right to do it, proven a moment ago."""
    partner, seen = case.partner, case.partner_seen
    if partner is None or seen is None:
        return _ask(case, KeepCode.MEMBER_ALONE)
    if seen.accepted is Result.UNSURE:
        return Wait(case.now + case.policy.retry, Reason.VERIFICATION, partner.role)
    if seen.accepted is not Result.GOOD or seen.token_id != partner.token_id:
        return _ask(case, KeepCode.MEMBER_DEAD, partner.role)
    return _ask(case, KeepCode.MEMBER_UNABLE, partner.role) if seen.able is False else None


def proven(case: KeepCase) -> KeepVerdict | None:
    """The proof that its partner works is fresh."""
    seen = case.partner_seen
    fresh = seen is not None and -TICK <= case.now - seen.at <= case.policy.fresh
    return None if fresh else Do((Action(Act.LOOK),))


def staggered(case: KeepCase) -> KeepVerdict | None:
    """The two are not renewed one directly after the other, unless an end is near."""
    partner, life = case.partner, case.me.life
    apart = min(case.policy.apart, life / 12)
    until = partner.extended_at + apart if partner else 0.0
    return Wait(until, Reason.STAGGERED, case.me.role) if case.now < until and not case.urgent else None


def resolved(case: KeepCase) -> KeepVerdict | None:
    """Its partner's value is known: no new one of it is under way."""
    partner = case.partner
    if partner is None or not partner.unresolved:
        return None
    return Wait(case.now + case.policy.retry, Reason.STAGGERED, case.me.role)


def durable(case: KeepCase) -> KeepVerdict | None:
    """Its partner's value is in the journal."""
    partner = case.partner
    if partner is not None and partner.fingerprint in case.view.values:
        return None
    return Wait(case.now + case.policy.retry, Reason.STAGGERED, case.me.role)


def in_place(case: KeepCase) -> KeepVerdict | None:
    """Its partner's value stands in its place."""
    partner, seen = case.partner, case.partner_seen
    if partner is not None and seen is not None and seen.fingerprint == partner.fingerprint:
        return None
    return Wait(case.now + case.policy.retry, Reason.STAGGERED, case.me.role)


def long_settled(case: KeepCase) -> KeepVerdict | None:
    """Its partner got its last new value long ago."""
    until = case.partner.rolled_at + case.policy.apart if case.partner else 0.0
    return Wait(until, Reason.STAGGERED, case.me.role) if case.now < until else None


# ------------------------------------------------------------------------------------------------------------ the end


def end_due(case: KeepCase) -> KeepVerdict | None:
    """Its end is near enough to be moved."""
    return Wait(case.renewal_at, Reason.FRESH, case.me.role) if case.now < case.renewal_at else None


def new_end(case: KeepCase) -> float:
    """Return its next end: a life from now, and never close to the partner's end."""
    life, partner = case.me.life, case.partner
    wanted = float(int(case.now + life))
    if partner is None or partner.expires_at == NEVER:
        return wanted
    apart = float(int(max(TICK, min(30 * case.policy.apart, life / 12))))
    close, before = abs(wanted - partner.expires_at) < apart, partner.expires_at - apart
    return before if close and before > max(case.ends, case.me.expires_at) + TICK else wanted


def extend(case: KeepCase) -> KeepVerdict | None:
    """Its end is moved; with a back-off, and to the same moment at every try."""
    me, until = case.me, case.backs_off("extend")
    if me.extending:
        until = max(until, me.sent_at + case.policy.retry)
    if case.now < until:
        return Wait(until, Reason.FAILED, me.role)
    ends = new_end(case)
    if me.extending and me.extending - TICK - case.policy.share * me.life > case.now:
        ends = me.extending
    return Do((Action(Act.EXTEND, token_id=me.token_id, fact=Extending(token_id=me.token_id, expires_at=ends)),))


def moved(case: KeepCase) -> KeepVerdict | None:
    """The provider shows its new end."""
    seen, me = case.seen, case.me
    shown = seen.expires_at if seen.token_id == me.token_id and seen.at >= me.sent_at else None
    if shown is None or shown < me.extending - TICK:
        return None
    return _tell(Prolonged(token_id=me.token_id, expires_at=me.extending))


# ---------------------------------------------------------------------------------------------------------- the value


def value_due(case: KeepCase) -> KeepVerdict | None:
    """New values are wanted, and its value is old enough."""
    me, policy = case.me, case.policy
    at = NEVER if not policy.rolls or me.life == NEVER else me.fresh_at + (1 - policy.share) * me.life
    return Wait(at, Reason.FRESH, me.role) if case.now < at else None


def by_us(case: KeepCase) -> KeepVerdict | None:
    """A new value could be put into its place by this process."""
    return None if case.seen.writable else _ask(case, KeepCode.MEMBER_BY_HAND)


def roll(case: KeepCase) -> KeepVerdict | None:
    """It gets a new value; with a back-off."""
    me, until = case.me, case.backs_off("mint")
    if case.now < until:
        return Wait(until, Reason.FAILED, me.role)
    fact = Rolling(token_id=me.token_id, attempt=me.attempt + 1)
    return Do((Action(Act.MINT, token_id=me.token_id, fact=fact),))


def settled(case: KeepCase) -> KeepVerdict | None:
    """A request whose answer was lost has arrived by now, or never will."""
    until = case.me.sent_at + case.policy.settle + TICK
    return Wait(until, Reason.SETTLE, case.me.role) if case.now < until else None


def written(case: KeepCase) -> KeepVerdict | None:
    """The new value stands in its place: proven, on its way to be accepted, or dead, so that another one is needed."""
    seen, me = case.seen, case.me
    if seen.fingerprint != me.captured:
        return None
    if seen.accepted is Result.GOOD:
        return _tell(Placed(token_id=me.token_id, fingerprint=me.captured))
    until = me.captured_at + case.policy.propagation + TICK
    if case.now < until or seen.accepted is Result.UNSURE:
        return Wait(max(until, case.now + case.policy.retry), Reason.PROPAGATION, me.role)
    return partnered(case) or proven(case) or resolved(case) or durable(case) or roll(case)


def write(case: KeepCase) -> KeepVerdict | None:
    """The value of the journal is put into its place; with a back-off."""
    me, until = case.me, case.backs_off("write")
    if case.seen.holds is Holds.UNREADABLE or case.now < until:
        return Wait(max(until, case.now + case.policy.retry), Reason.TARGET_UNWRITABLE, me.role)
    return Do((Action(Act.WRITE, target=me.role, token_id=me.token_id),))


END: Final = "end"
VALUE: Final = "value"

KEEP: Final[Mapping[str, KeepRow]] = MappingProxyType(
    {
        Phase.EXTENDING: (moved, living, partnered, proven, extend),
        Phase.ROLLING: (settled, partnered, proven, resolved, durable, roll),
        Phase.CAPTURED: (written, occupied, write),
        END: (stands, living, end_due, partnered, proven, staggered, extend),
        VALUE: (living, value_due, by_us, partnered, proven, resolved, durable, in_place, long_settled, roll),
    }
)
"""By what is open; where nothing is, first the end and then the value. A mutant is a row without one of its rules."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepTables:
    """The rows; the simulation runs mutants of it. `takes`: whether what somebody else put there is taken over."""

    rows: Mapping[str, KeepRow] = field(default_factory=lambda: KEEP)
    takes: bool = True


KEEP_TABLES: Final = KeepTables()


def answer(row: KeepRow, case: KeepCase) -> KeepVerdict:
    """Return the first answer of a row."""
    verdict = next((found for rule in row if (found := rule(case))), None)
    return Wait(case.now + case.policy.retry, Reason.UNDECIDED, case.me.role) if verdict is None else verdict


def next_keep(case: KeepCase, tables: KeepTables = KEEP_TABLES) -> KeepStep:
    """Return what to do now, or how long to wait: what stands there, what is open, then the nearest end."""
    waits: list[Wait | Ask] = []
    if tables.takes:
        for seen in case.standings.values():
            if (taking := taken(case, seen)) is not None:
                return KeepStep(actions=taking.actions, until=case.now)
    found = [case.of(token) for token in case.view.pair]
    for one in sorted(found, key=lambda one: (one.me.phase is Phase.KEPT, one.ends)):
        names = (END, VALUE) if one.me.phase is Phase.KEPT else (one.me.phase,)
        for name in names:
            verdict = answer(tables.rows[name], one)
            if isinstance(verdict, Do):
                return KeepStep(actions=verdict.actions, until=case.now)
            waits.append(verdict)
            if isinstance(verdict, Ask):
                break
    until = min((wait.until for wait in waits), default=case.now + case.policy.again)
    return KeepStep(actions=(), until=until, why=tuple(waits))
