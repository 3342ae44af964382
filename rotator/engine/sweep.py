"""The sweep: tokens of ours that no rotation and no retirement owns. It opens their retirements and ends none."""

from __future__ import annotations

from rotator.core.events import Event
from rotator.core.facts import Ahead, RetirementOpened
from rotator.core.protocol.names import parse
from rotator.core.protocol.rules import Result, Seen
from rotator.core.protocol.steps import unowned
from rotator.engine.unsure import NO_ANSWER, unsure
from rotator.engine.whose import minted_for
from rotator.engine.work import Work


def orphans(work: Work, of: str) -> Seen:
    """Look for tokens of ours that nothing owns; open their retirements.

    Only names of this journal's instance count, and of instances whose tokens were found at our own targets (the
    journal was lost). After a restore, what is older than it is only reported until an operator has confirmed it.
    """
    at, credential = work.now, work.credential
    try:
        listed = work.fleet.tokens(credential, work.source, min(work.tuning.watch, work.tuning.sweep) / 2)
    except NO_ANSWER as error:
        return unsure(work, at, error)
    found = set()
    instances = {work.journal.instance} | {n.instance for t in work.view.tokens.values() if (n := parse(t.name))}
    for state in listed:
        name = parse(state.name)
        mine = name is not None and name.instance == work.journal.instance
        if name is None or name.instance not in instances or not minted_for(work, name):
            continue
        opened = RetirementOpened(
            token_id=state.id,
            token_name=state.name,
            born=state.issued_at,
            expires_at=state.expires_at,
            attempt_name=state.name,
            policy=credential.policy,
        )
        if state.final or unowned(work.view, opened, work.stamped(opened)):
            continue
        found.add(state.id)
        view, known = work.view, state.name in work.view.attempts
        since = max(view.ahead_at, view.cleared_at)
        if not known and mine and state.issued_at > since:
            work.record(Ahead(token_id=state.id, token_name=state.name))
            work.lease = work.journal.raise_epoch(work.lease, name.epoch)
            work.say(Event.JOURNAL_BEHIND, token=state.id)
            continue
        if view.ahead and view.cleared_at < view.ahead_at and (not known or state.issued_at <= view.ahead_at):
            continue
        if not known and state.issued_at > view.cleared_at:
            continue
        work.say(Event.ORPHAN_FOUND, token=state.id)
        work.record(opened)
        found.discard(state.id)
    work.memory.orphans = frozenset(found)
    return Seen(at, Result.GOOD)
