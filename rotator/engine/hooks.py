"""Running what follows a publication: every hook of a target once, its outcome journaled."""

from __future__ import annotations

from rotator.core.events import Event
from rotator.core.facts import Hooked
from rotator.core.ids import NO_ROTATION
from rotator.core.ports.hook import Publicized
from rotator.core.protocol.rules import Action
from rotator.engine.failing import CERTAIN
from rotator.engine.work import Work


def hook(work: Work, action: Action) -> None:
    """Run the hooks of a target, after a failure those that failed.

    A crash leaves some of them done; without the fact all are run again.
    """
    name, found = action.target, work.view.at(action.target)
    last = found.hooked
    again = last is not None and last.generation == found.published and last.failed
    hooks = work.bound.hooks.get(name, ())
    left = [one for one in hooks if one.name in again] if again else hooks
    told = Publicized(credential=work.credential.name, target=name, generation=found.published)
    failed: list[str] = []
    why = remedy = ""
    for one in left:
        work.runtime.crash("before_hook")
        try:
            one.run(told, lambda: work.journal.check(work.lease))
        except CERTAIN as error:
            failed.append(one.name)
            why, remedy = why or f"{one.name}: {error.message}", remedy or error.remedy
        work.runtime.crash("after_hook")
    fact = Hooked(target=name, generation=found.published, failed=tuple(failed), why=why, remedy=remedy)
    work.record(fact, rid=NO_ROTATION)
    if failed:
        work.say(Event.HOOK_FAILED, target=name, reason=why, remedy=remedy or None)
    else:
        work.say(Event.HOOKS_DONE, target=name, generation=found.published)
