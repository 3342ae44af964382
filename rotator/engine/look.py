"""Looks: everything that a rule may ask to see. They change nothing outside; they journal what was seen, never an act.

That is: sights of targets (`stands`, and SEEN where a target let go of a token), that something outside is ahead of the
journal (AHEAD), the retirement of a token that nothing owns, and once for each reason that something fails.
Every look answers: an unusable answer from outside is UNSURE, BAD or UNREADABLE, never an exception of a port.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from rotator.core.credential import NEVER, Strategy
from rotator.core.errors import Barred, JournalUnsafe, RotatorError
from rotator.core.events import Event
from rotator.core.facts import Failed, Kind
from rotator.core.ids import NO_TOKEN, Fingerprint, TokenId
from rotator.core.ports.source import TokenState
from rotator.core.ports.target import Remark
from rotator.core.protocol.rules import Look, Result, Seen, Sight
from rotator.core.secret import Secret
from rotator.engine.drained import in_sync, quiet, unpublished
from rotator.engine.drifting import drift
from rotator.engine.holding import opened
from rotator.engine.stands import stand
from rotator.engine.sweep import orphans
from rotator.engine.turns import taken
from rotator.engine.unsure import NO_ANSWER, unsure
from rotator.engine.whose import adoptable, refused
from rotator.engine.work import Work

UNEQUAL: Final = "its grants or conditions are not those of the terms"

TRUST: Final = 12
"""Watch intervals for which an accepted value whose token did not change is not verified again."""


def room(work: Work, of: str) -> Seen:
    """Prove that the journal can hold a value right now."""
    at = work.now
    try:
        work.journal.canary()
    except JournalUnsafe as error:
        work.say(Event.JOURNAL_UNSAFE, reason=error.message)
        return Seen(at, Result.BAD)
    return Seen(at, Result.GOOD)


def writable(work: Work, of: str) -> Seen:
    """Ask the targets of the open rotation whether a write would be allowed."""
    at, case = work.now, work.case()
    able = set()
    for name in sorted(case.targets() & work.bound.targets.keys()):
        try:
            remarks = work.bound.targets[name].check()
            able.add(name)
            work.trouble(name, "check", None)
            _remember(work, name, remarks)
        except NO_ANSWER as error:
            work.trouble(name, "check", error)
            _unwritable(work, name, error)
    required, free = case.required(), able - work.view.overridden.keys()
    return Seen(at, Result.GOOD if required <= able else Result.SOME if free & required or not required else Result.BAD)


def _remember(work: Work, target: str, remarks: Sequence[Remark]) -> None:
    """Say what is remarkable of a place, once for as long as it is so."""
    found = {remark for remark in remarks if not (remark.about and work.fleet.serves(remark.about))}
    for remark in sorted(found - work.memory.remarks.get(target, frozenset()), key=lambda one: one.code):
        work.say(Event.CONFIG_WARNING, target=target, code=remark.code, reason=remark.message)
    work.memory.remarks[target] = frozenset(found)


def _unwritable(work: Work, name: str, error: RotatorError) -> None:
    """Journal that a target takes no write, once for each reason: nothing else would say that the rotation fails."""
    rotation = work.view.rotation
    known = rotation.failures.get(("check", name)) if rotation else None
    if rotation is None or (known is not None and known.message == error.message):
        return
    work.record(Failed(act="check", why=error.message, remedy=error.remedy, target=name))


def accepted(work: Work, of: TokenId) -> Seen:
    """Is the captured token active, equal to the terms, and does the provider accept its value?"""
    at, rotation = work.now, work.view.rotation
    if rotation is None or rotation.token_id != of:
        return Seen(at, Result.UNSURE)
    try:
        state = work.source_of(of).get(of)
        if state is None:
            young = at - rotation.since <= work.credential.policy.propagation
            return Seen(
                at,
                Result.LAG if young and rotation.step is Kind.CAPTURED else Result.DEAD,
                "the provider does not know it",
            )
        if not state.active:
            exposed = state.exposed and work.view.ever_published(of)
            return Seen(at, Result.EXPOSED if exposed else Result.DEAD, f"the provider says that it is {state.status}")
        if not state.equal:
            return Seen(at, Result.DEAD, f"it is not what was asked for: {state.differs or UNEQUAL}")
        value = opened(work, rotation.fingerprint)
        if value is None:
            return Seen(at, Result.DEAD, "its value cannot be opened any more")
        if not proven(work, value, of, state):
            return Seen(at, Result.LAG)
        work.memory.verified[rotation.fingerprint] = (at, state.modified_at)
        return Seen(at, Result.GOOD)
    except Barred as error:
        _barred(work, error)
        return Seen(at, Result.BAD, error.message)
    except NO_ANSWER as error:
        return unsure(work, at, error)


def proven(work: Work, value: Secret, token_id: TokenId, state: TokenState | None = None) -> bool:
    """Whether the provider accepts a value of ours as that token's.

    Where the operator said that this host cannot use the token, GET is all that can be asked: it shows the token active
    and equal to the terms, and that the value is the token's own was proven by the answer that brought it.

    Args:
        work: the pass.
        value: a value of the journal, captured as the token's.
        token_id: the token.
        state: what GET said just now, if it was asked.
    """
    source = work.source_of(token_id)
    if source.verifies:
        return source.verify(value) == token_id
    shown = state or source.get(token_id)
    return shown is not None and shown.active and shown.equal


def _takes(work: Work, value: Secret, token_id: TokenId, state: TokenState) -> bool:
    """Whether a published value is accepted; where this host may not use it, GET decides, and it says active."""
    try:
        return proven(work, value, token_id, state)
    except Barred:
        return True


def _barred(work: Work, error: Barred) -> None:
    """Journal once that this host may not verify: from then on the credential fails, with a remedy."""
    known = work.view.opened.failures.get(("accept", ""))
    if known is None or known.message != error.message:
        work.record(Failed(act="accept", why=error.message, remedy=error.remedy))
    work.say(Event.VERIFICATION_BARRED, reason=error.message, remedy=error.remedy)


def alive(work: Work, of: Fingerprint) -> Seen:
    """Does a value of ours live? Dead only if GET says so, or after three refusals while a control token passes.

    Inside an open roll one refusal suffices to roll again (BAD), while the control passes and the value was accepted
    before or had its time to propagate; it proves nothing about the value once the roll is over.
    """
    at, view, memory = work.now, work.view, work.memory
    token_id = view.values.get(of, NO_TOKEN)
    rotation = view.rotation
    rolling = rotation is not None and rotation.strategy is Strategy.ROLL and rotation.fingerprint == of
    try:
        source = work.source_of(token_id)
        fresh = work.tuning.watch
        lists = not rolling and source is work.source and source.can.list
        listing = work.fleet.tokens(work.credential, source, fresh) if lists else ()
        state = next((one for one in listing if one.id == token_id), None)
        if state is None or not state.active:
            state = source.get(token_id)  # a list may lag or leave out; only GET condemns
        if state is None or not state.active:
            return _dead(work, at, of, state.status if state else "gone", exposed=state is not None and state.exposed)
        memory.used[token_id] = state.last_used_at or 0.0
        if _replaced(work, of):
            return Seen(at, Result.GOOD)
        when, modified = memory.verified.get(of, (-NEVER, 0.0))
        if not rolling and modified == state.modified_at and at - when < TRUST * work.tuning.watch:
            return Seen(at, Result.GOOD)
        value = opened(work, of)
        if value is None:
            return Seen(at, Result.LOST, "it cannot be opened any more")
        if _takes(work, value, token_id, state):
            memory.verified[of] = (at, state.modified_at)
            return _lives(work, at, of)
        if rolling and rotation is not None:
            young = at - rotation.since <= rotation.policy.propagation
            settled = of in memory.verified or bool(rotation.read_back) or not young
            return Seen(at, Result.BAD if settled and source.control() else Result.UNSURE)
        proven = refused(work, of, source)
        return _dead(work, at, of, "the provider refuses it") if proven else Seen(at, Result.UNSURE)
    except NO_ANSWER as error:
        return unsure(work, at, error)


def _replaced(work: Work, of: Fingerprint) -> bool:
    """Whether the successor of a published value was written everywhere: from then on nothing of ours uses the old one.

    Else its last use would never be long ago.
    """
    rotation = work.view.rotation
    if rotation is None or not rotation.generation or of == rotation.fingerprint:
        return False
    return work.case().required() <= rotation.written


def lives(work: Work, at: float, fingerprint: Fingerprint) -> None:
    """Remember that a published value was accepted at `at`, where an act asked the provider anyway."""
    work.memory.seen[Look(Sight.ALIVE, fingerprint)] = _lives(work, at, fingerprint)


def token(work: Work, of: TokenId) -> Seen:
    """Is a token active?"""
    at = work.now
    try:
        state = work.source_of(of).get(of)
    except NO_ANSWER as error:
        return unsure(work, at, error)
    if state is not None and of == work.credential.adopt and of not in work.view.tokens and not adoptable(work, state):
        return Seen(at, Result.DEAD, "another credential minted it")
    return Seen(at, Result.GOOD if state is not None and state.active else Result.DEAD)


def oracle(work: Work, of: str) -> Seen:
    """After a lost answer of a roll: which captured value of this token lives? Never the one from before the roll."""
    at, view = work.now, work.view
    rotation = view.rotation
    if rotation is None:
        return Seen(at, Result.UNSURE)
    try:
        for fingerprint in reversed(tuple(view.values)):
            if view.values[fingerprint] != rotation.token_id or fingerprint == rotation.before:
                continue
            value = opened(work, fingerprint)
            if value is not None and work.source.verify(value) == rotation.token_id:
                return Seen(at, Result.GOOD, value=fingerprint)
    except NO_ANSWER as error:
        return unsure(work, at, error)
    return Seen(at, Result.GOOD)


def stands(work: Work, of: str) -> Seen:
    """Read a target and tell what it holds."""
    at = work.now
    if of not in work.bound.targets:
        return Seen(at, Result.UNREADABLE)
    try:
        found = stand(work, of)
    except NO_ANSWER as error:
        work.trouble(of, "read", error)
        return Seen(at, Result.UNREADABLE)
    work.trouble(of, "read", None)
    if found.result in (Result.OLDER, Result.ABSENT) and of in work.view.baselines and work.view.current:
        work.say(Event.TARGET_DRIFTED, target=of, holds=found.result.value)
    return Seen(at, found.result)


def control(work: Work, of: str) -> Seen:
    """Does the provider accept our own login? Its answer tells its time, too."""
    at = work.now
    try:
        return Seen(at, Result.GOOD if work.source.control() else Result.BAD)
    except NO_ANSWER as error:
        return unsure(work, at, error)


def _lives(work: Work, at: float, fingerprint: Fingerprint) -> Seen:
    work.memory.doubts.pop(fingerprint, None)
    work.fleet.died(work.credential, False)
    return Seen(at, Result.GOOD)


def _dead(work: Work, at: float, fingerprint: Fingerprint, why: str, *, exposed: bool = False) -> Seen:
    if fingerprint == work.view.fingerprint:
        rotation = work.view.rotation
        renewed = rotation.written if rotation else frozenset()
        for name in sorted(work.credential.all - renewed) if renewed else ("",):
            work.say(Event.VALUE_DEAD, target=name or None, reason=why)
        if not exposed:  # believed at once, however many there are
            work.fleet.died(work.credential, True)
    return Seen(at, Result.EXPOSED if exposed else Result.DEAD, why)


LOOKS: Final[Mapping[Sight, Callable[[Work, Any], Seen]]] = {
    Sight.ROOM: room,
    Sight.WRITABLE: writable,
    Sight.ACCEPTED: accepted,
    Sight.ALIVE: alive,
    Sight.TOKEN: token,
    Sight.ORACLE: oracle,
    Sight.IN_SYNC: in_sync,
    Sight.QUIET: quiet,
    Sight.UNPUBLISHED: unpublished,
    Sight.STANDS: stands,
    Sight.ORPHANS: orphans,
    Sight.DRIFT: drift,
    Sight.CONTROL: control,
    Sight.TURN: taken,
}
"""By sight: how it is taken; what it is of is a token, a value, a target or a rotation, as the sight needs it."""


def take(work: Work, look: Look) -> None:
    """Take one look and remember it with its age."""
    seen = LOOKS[look.sight](work, look.of)
    work.memory.seen[look] = seen
