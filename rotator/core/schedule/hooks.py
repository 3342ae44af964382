"""What follows a publication: when the hooks of a target run, and when they are tried again. Pure.

They belong to no rotation, so that none of them can hold one up.
"""

from __future__ import annotations

from dataclasses import dataclass

from rotator.core.protocol.backoff import delay
from rotator.core.protocol.rules import TICK, Act, Action, Case, Do, Verdict, Wait
from rotator.core.protocol.view import TargetView
from rotator.core.reasons import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """How what follows a publication stands at a target.

    Attributes:
        state: `none` before the first publication, `pending`, `done` or `failing`.
        generation: of the last publication for which it was tried, 0 for none.
        at: when it was tried last, provider time; None for never.
        failed: names of the hooks that failed.
        message: why, or empty.
        remedy: what to do, or empty.
    """

    state: str
    generation: int
    at: float | None
    failed: tuple[str, ...] = ()
    message: str = ""
    remedy: str = ""


def hooks_at(found: TargetView) -> Hooks:
    """Return how what follows a publication stands at a target."""
    last = found.hooked
    if last is None or last.generation != found.published:
        state = "pending" if found.published else "none"
        return Hooks(state=state, generation=last.generation if last else 0, at=last.at if last else None)
    return Hooks(
        state="failing" if last.failed else "done",
        generation=last.generation,
        at=last.at,
        failed=last.failed,
        message=last.why,
        remedy=last.remedy,
    )


def after_publish(case: Case) -> Verdict | None:
    """Return the next target whose hooks are to run, or until when a failed one waits."""
    waits: list[Wait] = []
    rotation = case.view.rotation
    for target in case.credential.targets if case.credential.managed else ():
        found = case.view.at(target.name)
        unproven = rotation is not None and target.name in rotation.written - rotation.read_back
        if not target.hooks or not found.published or unproven:
            continue
        last = found.hooked
        if last is None or last.generation != found.published:
            return Do((Action(Act.HOOK, target=target.name),))
        if last.failed:
            again = last.at + delay(case.credential.policy.retry, last.count) + TICK
            if case.now >= again:
                return Do((Action(Act.HOOK, target=target.name),))
            waits.append(Wait(again, Reason.HOOK, target.name))
    return min(waits, key=lambda one: one.until, default=None)
