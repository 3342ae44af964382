"""What a write-only target shows, and what follows.

A marker proves that nothing was written there since our write, never what stands there. What somebody else writes
within the second of our write stays invisible: that is the price of such targets.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from rotator.core.events import Event
from rotator.core.facts import Baseline, Overridden, OverrideEnded, Sighted
from rotator.core.ids import NO_TOKEN, NO_VALUE, Fingerprint, TokenId
from rotator.core.ports.target import Reading
from rotator.core.protocol.rules import TICK, Result
from rotator.core.secret import Secret
from rotator.engine.holding import Stand, untouched
from rotator.engine.work import Work

YOUNG: Final = 2.0
"""Seconds of the target's own clock for which another write might still share a marker."""


def marker_stand(work: Work, name: str, reading: Reading) -> Stand:
    """Tell what a write-only target holds, and journal a first sight, a change, or an override."""
    view, first = work.view, untouched(work, name)
    fingerprint, token_id = marked(work, name, reading)
    found = Stand(result=Result.OLDER, reading=reading, fingerprint=fingerprint, token_id=token_id)
    if not reading.marker:
        return _sight(work, name, replace(found, result=Result.ABSENT), first=first)
    if token_id:
        current, rotation = fingerprint == view.fingerprint, view.rotation
        mine = rotation is not None and fingerprint == rotation.fingerprint
        result = Result.CURRENT if current else Result.MINE if mine else Result.OLDER
        return _sight(work, name, replace(found, result=result, complete=current or mine), first=first)
    if view.heeded.get(name) == fingerprint:
        return replace(found, result=Result.HEEDED)
    mark = view.marks.get(name)
    if view.ahead and (mark is None or mark.at <= view.ahead_at):
        return _sight(work, name, replace(found, result=Result.UNKNOWN), first=first)
    if (name, fingerprint) in view.allowed:
        return _sight(work, name, replace(found, result=Result.REPLACEABLE), first=first)
    until = pending_until(work, name)
    if until is not None and work.now - reading.age <= until + YOUNG:
        # our own write may have moved it, or somebody else's: the current value is written again once nothing arrives;
        # where the place says that it was moved later than that, it was somebody else
        _sight(work, name, found, first=False)
        return replace(found, result=Result.UNSURE if work.now < until else Result.OLDER)
    if first and any(t.replace for t in work.credential.targets if t.name == name):
        return _sight(work, name, replace(found, result=Result.REPLACEABLE), first=True, free=True)
    return _foreign(work, name, found)


def marked(work: Work, name: str, reading: Reading) -> tuple[Fingerprint, TokenId]:
    """Return fingerprint and token id of the value that a marker stands for; of an unknown one the id is empty."""
    mark = work.view.marks.get(name)
    if mark is not None and reading.marker == mark.marker:
        return mark.fingerprint, mark.token_id
    return (work.journal.fingerprint(Secret(reading.marker)) if reading.marker else NO_VALUE), NO_TOKEN


def pending_until(work: Work, name: str) -> float | None:
    """Provider time until which a write of ours may still move the marker; None where none is under way or in doubt."""
    view = work.view
    sent = [view.intents_at.get(at, 0.0) for at in view.open_writes if at[0] == name]
    mark = view.marks.get(name)
    if mark is not None and not mark.stood:
        sent.append(mark.at)
    return max(sent) + work.credential.policy.settle + TICK if sent else None


def settled(work: Work, name: str, reading: Reading) -> bool:
    """Whether all that was under way is over: after `settle` the place shows our last write, or what was there before.

    Only that ends a write: a refusal says nothing of a copy that something on the way sent, too.
    """
    until, found = pending_until(work, name), work.view.at(name)
    if until is None or work.now < until or reading.age < YOUNG:
        return False
    if found.mark is not None and reading.marker == found.mark.marker:
        return True
    sent_on_top_of = {version for versions in found.open_writes.values() for version in versions}
    return sent_on_top_of == {reading.version}


def shows(work: Work, name: str, before: Reading) -> str:
    """Return the marker right after a write of ours, empty where it did not move; raises as the target's `read`."""
    after = work.bound.targets[name].read()
    return after.marker if after.marker != before.marker else ""


def stands_settled(work: Work, name: str, reading: Reading) -> bool:
    """Whether a marker is the one that was noted after our write, and too old for another write to share it."""
    mark = work.view.marks.get(name)
    return mark is not None and reading.marker == mark.marker and reading.age >= YOUNG


def let_go(work: Work, name: str, reading: Reading, of: TokenId) -> bool | None:
    """Whether a write-only target certainly holds no value of a token; None where nobody can tell."""
    view = work.view
    if (name, of) in view.open_writes:
        return False  # until a later write of ours stood there, it may still arrive
    if not reading.marker:
        return True
    _, token_id = marked(work, name, reading)
    if token_id:
        return token_id != of
    theirs = [generation for (_, token), generation in view.generations.items() if token == of]
    if not theirs and view.before_restore(of):
        theirs = [view.ahead_generation]
    return True if theirs and view.acks.get(name, 0) > max(theirs) else None  # said of what stands there now


def _sight(work: Work, name: str, found: Stand, *, first: bool, free: bool = False) -> Stand:
    view = work.view
    token, piece = found.token_id, found.fingerprint
    if first:
        work.record(Baseline(target=name, token_id=token, fingerprint=piece, free=(piece,) if free else ()))
        work.say(Event.TARGET_BASELINE, target=name)
    else:
        rests, old = settled(work, name, found.reading), view.last.get(name, NO_TOKEN)
        if rests or (old, view.holds.get(name, "")) != (token, piece):
            work.record(Sighted(target=name, token_id=token, fingerprint=piece, old=old, settled=rests))
    if name in view.overridden or name in view.heeded:
        work.record(OverrideEnded(target=name))
    return found


def _foreign(work: Work, name: str, found: Stand) -> Stand:
    view = work.view
    if view.overridden.get(name) != found.fingerprint:
        what = "somebody else wrote it, and it cannot be read"
        work.record(Overridden(target=name, fingerprint=found.fingerprint, what=what))
        work.say(Event.TARGET_OVERRIDDEN, target=name, reason=what)
    if name not in view.baselines:
        work.record(Baseline(target=name, fingerprint=found.fingerprint))
    return replace(found, result=Result.OVERRIDDEN)
