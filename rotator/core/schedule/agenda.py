"""The whole of what one credential wants next: the open rotation, its retirements, a new start, and what to watch.

`next_step` is the only question that the engine asks.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from rotator.core.credential import NEVER, Strategy
from rotator.core.facts import TargetAdded, TargetReleased
from rotator.core.protocol.decide import TABLES, Tables, decide_retirements, decide_rotation
from rotator.core.protocol.each import override_code
from rotator.core.protocol.mend import Fix, fix, mend, subject
from rotator.core.protocol.recreate import drifted, ending, healable_at, strayed
from rotator.core.protocol.revoke import exposed, exposed_again
from rotator.core.protocol.rules import Act, Action, Case, Do, Look, Operator, Result, Sight, Verdict, Wait, look
from rotator.core.protocol.telling import tell
from rotator.core.reasons import OperatorCode, Reason
from rotator.core.schedule.due import Due, emergency_at, moved, renewal_at, why_due
from rotator.core.schedule.holds import held_back
from rotator.core.schedule.hooks import after_publish

FRESH = 60.0
"""How old the look at a target may be before its first sight counts, in seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The next step of one credential.

    Attributes:
        actions: to be done now; empty for a wait.
        until: provider time at which to ask again when there is nothing to do.
        why: the answers of all obligations that wait, by `rotation`, `start`, `watch` or a token id.
    """

    actions: tuple[Action, ...]
    until: float
    why: dict[str, Wait | Operator]


def targets_of_config(case: Case) -> Verdict | None:
    """Journal which targets left the configuration and which came back."""
    view, names = case.view, case.credential.all
    if not case.credential.managed:
        return None
    for name in sorted(names & view.released.keys()):
        return tell(TargetAdded(target=name))
    for name in sorted(view.baselines - names - view.released.keys()):
        return tell(TargetReleased(target=name))
    return None


def first_sight(case: Case) -> Verdict | None:
    """Every target is looked at before the first start that would write to it."""
    for name in sorted(case.credential.all - case.view.baselines):
        seen = case.seen.get(Look(Sight.STANDS, name))
        again = case.watch if seen and seen.result is Result.UNREADABLE else min(FRESH, case.watch)
        if seen is None or case.age(seen) > again:
            return look(Sight.STANDS, name)
        if seen.result is Result.UNSURE:
            # three refusals over two minutes prove a value dead; until then it may live and nothing is decided
            after = min(45.0, case.credential.policy.settle)
            if case.age(seen) > after:
                return look(Sight.STANDS, name)
            return Wait(seen.at + after, Reason.VERIFICATION)
    return None


def occupied(case: Case) -> Verdict | None:
    """Before the first creation, what stands at a target and is not ours needs an operator, unless another one is free.

    With one free required target a rotation is worth its token; the occupied ones wait for a person meanwhile.
    """
    view, gate = case.view, case.credential.required or case.credential.all
    if view.current or gate - view.overridden.keys():
        return None
    name = min(gate & view.overridden.keys())
    return Operator(override_code(view, name), case.now + case.watch, name)


def start(case: Case) -> Verdict | None:
    """No rotation is open: plan one if it is due, or a republish if a target has drifted."""
    view, credential = case.view, case.credential
    if not credential.managed or credential.watched:
        return None
    pause = view.pause
    if pause and case.now < pause.until and not view.uncured:
        return Wait(min(pause.until, case.now + case.watch), Reason.PAUSED)
    if verdict := first_sight(case) or occupied(case):
        return verdict
    if case.incident and case.result(Sight.ALIVE, view.fingerprint) is Result.DEAD and not view.uncured:
        return Operator(OperatorCode.MASS_DEATH, case.now + case.watch)
    able = bool(view.current) and case.result(Sight.ALIVE, view.fingerprint) is not Result.LOST
    able = able and not case.dead(view.fingerprint) and not view.uncured
    repair = able and bool(drifted(case))
    heal = Do((Action(Act.PLAN, strategy=Strategy.REPUBLISH, why=Due.DRIFT),))
    if repair and (view.yielded or ending(case)):
        return heal
    why = why_due(case)
    if why and (held := held_back(case, why)):
        return heal if repair and isinstance(held, Wait) else held
    if why:
        return Do((Action(Act.PLAN, strategy=strategy_for(case), why=why),))
    if repair:
        return heal
    due = min(renewal_at(credential, view), emergency_at(credential, view))
    if able and (mending := mend(case)):
        return replace(mending, until=min(mending.until, due)) if isinstance(mending, Wait) else mending
    return Wait(min(due, healable_at(case)), Reason.DRIFT) if able and strayed(case) else Wait(due, Reason.FRESH)


def strategy_for(case: Case) -> Strategy:
    """The configured strategy, or the operator's, as far as the source can do it.

    Nothing to roll, or a token that is gone, means recreate; so does a token that has an end which cannot be moved.
    """
    view, credential, can = case.view, case.credential, case.can
    wanted = (view.request.strategy if view.request else None) or credential.policy.strategy
    token = view.current or credential.adopt
    gone = not token or token in view.marked or case.result(Sight.TOKEN, token) is Result.DEAD or moved(case)
    replaced = can.overlap and fix(credential, view, can) is Fix.ROTATE  # a roll changes nothing but the value
    if gone or view.uncured or replaced:
        return Strategy.RECREATE
    rolls = can.roll and (can.move_expiry or view.expires_at(token) == NEVER)
    if wanted is Strategy.RECREATE and can.overlap:
        return wanted
    return Strategy.ROLL if rolls else Strategy.RECREATE


def watch(case: Case) -> Verdict | None:
    """Observe targets, the published value and orphans, each at its own cadence.

    What stands at a target is looked at anew once an operator has decided about it; not while the clock is behind that
    moment (a jump back that is not confirmed), or a look would be followed by the same look without end.
    """
    view = case.view
    looks = [(Look(Sight.STANDS, name), case.watch) for name in sorted(case.credential.all)]
    if view.fingerprint:
        looks.append((Look(Sight.ALIVE, view.fingerprint), case.watch))
    if (token := subject(case.credential, view)) and case.can.compare and case.credential.managed and not view.rotation:
        looks.append((Look(Sight.DRIFT, token), case.watch))
    # without a listing, something must ask all the same: the provider's clock is known from its answers alone
    looks.append((Look(Sight.ORPHANS if case.can.list else Sight.CONTROL), case.sweep))
    soonest, doubt = case.now + case.watch, False
    for wanted, every in looks:
        seen = case.seen.get(wanted)
        decided = wanted.sight is Sight.STANDS and seen is not None and seen.at < view.cleared_at <= case.now
        if seen is None or case.age(seen) >= every or decided:
            return Do((Action(Act.LOOK, look=wanted),))
        again = min(every, 45.0) if seen.result is Result.UNSURE else every
        if case.age(seen) >= again:
            return Do((Action(Act.LOOK, look=wanted),))
        soonest, doubt = min(soonest, seen.at + again), doubt or seen.result is Result.UNSURE
    return Wait(soonest, Reason.DOUBT if doubt else Reason.WATCH)


def next_step(case: Case, tables: Tables = TABLES) -> Step:
    """Return what to do now, or how long to wait.

    The end of a leaked token first, then the rotation, a start, other retirements, the watch.
    """
    if case.view.newer:  # a fact that this version must not pass over: whatever it would do could be wrong
        asked = Operator(OperatorCode.NEWER_VERSION, case.now + case.watch, case.view.newer)
        return Step(actions=(), until=asked.until, why={"start": asked})
    waits: dict[str, Wait | Operator] = {}

    def settle(name: str, verdict: Verdict | None) -> tuple[Action, ...]:
        if isinstance(verdict, Do):
            return verdict.actions
        if verdict is not None:
            waits[name] = verdict
        return ()

    if actions := settle("config", targets_of_config(case)):
        return Step(actions=actions, until=case.now, why=waits)
    if actions := settle("exposed", exposed(case)):
        return Step(actions=actions, until=case.now, why=waits)
    for token, verdict in decide_retirements(case, tables, revoked=True).items():
        if actions := settle(token, verdict):
            return Step(actions=actions, until=case.now, why=waits)
    stopped = exposed_again(case)
    settle("rotation" if case.view.rotation else "start", stopped)
    if stopped is None and (actions := settle("rotation", decide_rotation(case, tables))):
        return Step(actions=actions, until=case.now, why=waits)
    if actions := settle("hooks", after_publish(case)):
        return Step(actions=actions, until=case.now, why=waits)
    if case.view.rotation is None and stopped is None and (actions := settle("start", start(case))):
        return Step(actions=actions, until=case.now, why=waits)
    for token, verdict in decide_retirements(case, tables).items():
        if actions := settle(token, verdict):
            return Step(actions=actions, until=case.now, why=waits)
    if actions := settle("watch", watch(case)):
        return Step(actions=actions, until=case.now, why=waits)
    return Step(actions=(), until=min(w.until for w in waits.values()), why=waits)
