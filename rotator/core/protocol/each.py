"""One act at every target of a publication: who is ready, who backs off, who is waited for, who needs a person."""

from __future__ import annotations

from rotator.core.protocol.backoff import not_before
from rotator.core.protocol.rules import TICK, Act, Action, Case, Do, Operator, Rule, Verdict, Wait
from rotator.core.protocol.view import View
from rotator.core.reasons import OperatorCode, Reason


def each(act: Act) -> Rule:
    """Do the act on every target that lacks it; back-off is per target, only required ones are waited for.

    While one waits to be written, those that are written are read back: one that lost the value is written again.
    """

    def rule(case: Case) -> Verdict | None:
        rotation, view = case.rotation, case.view
        has = rotation.written if act is Act.WRITE else rotation.read_back
        left = sorted(t for t in case.targets() if t not in has and (act is Act.WRITE or t in rotation.written))
        again = {t: not_before(rotation.failures, act, t, case.policy.retry, urgent=case.pressing(t)) for t in left}
        again |= {t: max(again[t], settled_at(case, act, t)) for t in left if t in case.markers}
        free = [t for t in left if t not in view.overridden and view.heeded.get(t) is None]
        ready = tuple(Action(act, target=t) for t in free if case.now >= again[t])
        if ready:
            return Do(ready)
        asked = case.required() | (case.markers & rotation.written if act is Act.READ_BACK else frozenset())
        missing = sorted(t for t in asked if t not in has and view.heeded.get(t) is None)
        if not missing:
            return None
        if act is Act.WRITE and isinstance(meanwhile := each(Act.READ_BACK)(case), Do):
            return meanwhile
        late = [t for t in missing if t not in view.overridden]
        if not late:
            return Operator(override_code(view, missing[0]), case.now + case.watch, missing[0])
        return Wait(min(again.get(t, 0.0) for t in late) or case.now + 20, Reason.FAILED, late[0])

    return rule


def settled_at(case: Case, act: Act, target: str) -> float:
    """Provider time from which a write-only target may be written, or shows that our write stood.

    Nothing there is compared before it is written, so no other value follows a write that may still arrive; and only a
    marker that outlived whatever could still arrive says that ours was the last one.
    """
    view, token = case.view, case.rotation.token_id
    settle = case.policy.settle + TICK
    if act is Act.READ_BACK:
        mark = view.marks.get(target)
        return mark.at + settle if mark else 0.0
    open_ = [at for at in view.open_writes if at[0] == target and at[1] != token]
    return max((view.intents_at.get(at, 0.0) + settle for at in open_), default=0.0)


def override_code(view: View, target: str) -> OperatorCode:
    """The code under which an overridden target is shown to an operator."""
    return OperatorCode.TARGET_OCCUPIED if target in view.occupied else OperatorCode.TARGET_OVERRIDDEN
