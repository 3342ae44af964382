"""Looks at what an old token's end waits for: new values everywhere, no target that holds it, nobody who uses it.

They change nothing outside; that a target let go of a token is journaled (SEEN), because grace counts from there.
"""

from __future__ import annotations

from rotator.core.facts import Condemned, Sighted
from rotator.core.ids import NO_VALUE, Fingerprint, TokenId
from rotator.core.ports.source import Looks, TokenState
from rotator.core.ports.target import Reading, Target
from rotator.core.protocol.rules import Look, Result, Seen, Sight
from rotator.core.protocol.steps import never_published
from rotator.engine.holding import holder, provable, value_key
from rotator.engine.markers import let_go, marked, stands_settled
from rotator.engine.unsure import NO_ANSWER, unsure
from rotator.engine.whose import Whose, refused, whose
from rotator.engine.work import Work


def in_sync(work: Work, of: str) -> Seen:
    """Do all required targets, of the open rotation's terms and of the configuration now, hold a current value?"""
    at, view = work.now, work.view
    rotation = view.rotation
    good = (set() if view.uncured else {view.fingerprint}) | (
        {rotation.fingerprint} if rotation and rotation.generation else set()
    )
    gate = set(work.credential.required) | (set(rotation.terms.required) if rotation else set())
    for name in sorted(gate - view.released.keys()):
        if name in view.heeded:
            continue
        target = work.bound.targets.get(name)
        if target is None:
            return Seen(at, Result.BAD, subject=name)
        try:
            synced = _good(work, name, target, good - {NO_VALUE})
        except NO_ANSWER as error:
            work.trouble(name, "read", error)  # what people read must tell it from a target that holds something else
            return Seen(at, Result.BAD, subject=name)
        work.trouble(name, "read", None)
        if not synced:
            return Seen(at, Result.BAD, subject=name)
    return Seen(at, Result.GOOD)


def _good(work: Work, name: str, target: Target, good: set[Fingerprint]) -> bool:
    """Whether a target holds one of these values; a write-only one must have shown it for long enough."""
    reading = target.read()
    if name in work.bound.markers:
        return marked(work, name, reading)[0] in good and stands_settled(work, name, reading)
    return holder(work, target, reading)[0] in good


def quiet(work: Work, of: TokenId) -> Seen:
    """Has nobody used the old token for the quiet time? A token that is dead already is quiet."""
    at = work.now
    try:
        state = work.source_of(of).get(of)
    except NO_ANSWER as error:
        return unsure(work, at, error)
    return _quiet(work, at, of, state)


def _quiet(work: Work, at: float, of: TokenId, state: TokenState | None) -> Seen:
    """Judge what the provider said at `at` of an old token's last use."""
    view = work.view
    if state is None or not state.active:
        return Seen(at, Result.GOOD)
    retirement, known = view.retirements.get(of), view.tokens.get(of)
    policy = retirement.policy if retirement else work.credential.policy
    needed = policy.quiet_adopted if known is None or known.adopted else policy.quiet
    if not work.source.can.last_use:  # nobody sees a use: as long as that it must have been free of all targets
        since = max(retirement.opened if retirement else at, view.let_go.get(of, 0.0))
        return Seen(at, Result.GOOD if at - since >= needed else Result.BAD)
    if state.last_used_at is None:
        return Seen(at, Result.GOOD)
    work.memory.used[of] = state.last_used_at
    return Seen(at, Result.GOOD if at - state.last_used_at >= needed else Result.BAD)


def unpublished(work: Work, of: TokenId) -> Seen:
    """Does every target, present or released less than `grace` ago, hold no value of this token, now and later?

    DEAD where the provider calls the token dead: then no consumer can be hurt any more. What it says answers QUIET too,
    as of the same moment: nobody asks twice for one answer.
    """
    at, view = work.now, work.view
    try:
        state = work.source_of(of).get(of)
    except NO_ANSWER as error:
        return unsure(work, at, error)
    work.memory.seen[Look(Sight.QUIET, of)] = _quiet(work, at, of, state)
    if state is None or state.final:
        return Seen(at, Result.DEAD)
    retirement = view.retirements.get(of)
    grace = retirement.policy.grace if retirement else work.credential.policy.grace
    if held := view.held.get(of):
        return Seen(at, Result.BAD, subject=min(held))  # it stands at a place of another credential of ours
    for name in sorted(work.credential.all | view.baselines):
        if name in view.released and at - view.released[name] > grace:
            continue
        if (found := _let_go(work, name, of)) is not Result.GOOD:
            return Seen(work.now, found, subject=name)
    return Seen(at, Result.GOOD)


def _let_go(work: Work, name: str, of: TokenId) -> Result:
    """Read one target for `unpublished`: GOOD once it let go of the token and cannot come to hold it.

    BAD where it holds it, may come to hold it, or cannot be read; UNSURE where only the provider can tell whose value
    stands there, and does not.
    """
    view, target = work.view, work.bound.targets.get(name)
    may_hold = name in work.credential.required or view.last.get(name) == of or (name, of) in view.open_writes
    if name in work.bound.markers:  # whoever writes over ours there may bring back what we wrote before
        may_hold = may_hold or (name, of) in view.generations or view.before_restore(of)
    nowhere = Result.BAD if may_hold else Result.GOOD
    if target is None:
        return nowhere
    try:
        reading = target.read()
    except NO_ANSWER as error:
        if may_hold:
            work.trouble(name, "read", error)  # what people read must tell it from a target that holds the value
        return nowhere
    work.trouble(name, "read", None)
    if name in work.bound.markers:
        gone = let_go(work, name, reading, of)
        if gone is None:  # nobody can tell; what was certainly never published stands nowhere
            return Result.GOOD if not may_hold or _never_published(work, of) else Result.BAD
        if not gone:
            return Result.BAD
        fingerprint, found = marked(work, name, reading)
    elif reading.version in view.open_writes.get((name, of), ()):
        return Result.BAD  # a paused writer may still win on top of this version
    else:
        fingerprint, found = holder(work, target, reading)
    if found == of:
        return Result.BAD
    if fingerprint and not found and name not in work.bound.markers:
        whose_is_it = _of_another(work, name, reading, fingerprint, of)
        if whose_is_it is not Result.GOOD:
            return whose_is_it
    if view.last.get(name) == of:  # it let go only now: grace counts from here
        work.record(Sighted(target=name, token_id=found, fingerprint=fingerprint, old=of))
        return Result.BAD
    return Result.GOOD


def _never_published(work: Work, of: TokenId) -> bool:
    """Whether a token was certainly never published, and so stands nowhere."""
    fact = Condemned(token_id=of)
    return not never_published(work.view, fact, work.stamped(fact))


def _of_another(work: Work, name: str, reading: Reading, fingerprint: Fingerprint, of: TokenId) -> Result:
    """GOOD where an unknown value is certainly none of that token: by its shape, or as the provider says.

    BAD where it is that token's; UNSURE until the provider has said so, or has refused it often enough.
    """
    target = work.bound.targets[name]
    key = value_key(work.source, target)
    value, adopted = reading.values[key], bool(work.credential.adopt)
    if not provable(work.source, target) or work.source.looks_like(value, key, adopted=adopted).looks is not Looks.OWN:
        return Result.GOOD
    try:
        kind, state = whose(work, value)
        if kind is Whose.REFUSED:  # a living token's value is refused now and then
            return Result.GOOD if refused(work, fingerprint) else Result.UNSURE
    except NO_ANSWER:
        return Result.UNSURE
    if state is None:
        return Result.UNSURE
    return Result.BAD if state.id == of else Result.GOOD
