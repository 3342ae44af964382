"""Looks: everything that a rule may ask to see. They change nothing outside; they journal what was seen, never an act.

That is: sights of targets (`stands`, and SEEN where a target let go of a token), that something outside is ahead of the
journal (AHEAD), the retirement of a token that nothing owns, and once for each reason that something fails.
Every look answers: an unusable answer from outside is UNSURE, BAD or UNREADABLE, never an exception of a port.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from rotator.core.credential import NEVER, Strategy
from rotator.core.errors import Barred, JournalUnsafe, RateLimited, Refused, RotatorError, Unavailable
from rotator.core.events import Event
from rotator.core.facts import Ahead, Condemned, Failed, Kind, RetirementOpened, Sighted
from rotator.core.ports.source import Looks, TokenState
from rotator.core.ports.target import Reading, Remark, Target
from rotator.core.protocol.names import parse
from rotator.core.protocol.retire import DEAD
from rotator.core.protocol.rules import Look, Result, Seen, Sight
from rotator.core.protocol.steps import never_published, unowned
from rotator.core.secret import Secret
from rotator.engine.holding import holder, opened, provable, value_key
from rotator.engine.markers import let_go, marked, stands_settled
from rotator.engine.stands import stand
from rotator.engine.whose import Whose, adoptable, minted_for, refused, whose
from rotator.engine.work import Work

NO_ANSWER: Final = (Unavailable, Refused)
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


def accepted(work: Work, of: str) -> Seen:
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
            return Seen(at, Result.DEAD, f"the provider says that it is {state.status}")
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
        return _unsure(work, at, error)


def proven(work: Work, value: Secret, token_id: str, state: TokenState | None = None) -> bool:
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


def _takes(work: Work, value: Secret, token_id: str, state: TokenState) -> bool:
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


def alive(work: Work, of: str) -> Seen:
    """Does a value of ours live? Dead only if GET says so, or after three refusals while a control token passes.

    Inside an open roll one refusal suffices to roll again (BAD), while the control passes and the value was accepted
    before or had its time to propagate; it proves nothing about the value once the roll is over.
    """
    at, view, memory = work.now, work.view, work.memory
    token_id = view.values.get(of, "")
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
        return _unsure(work, at, error)


def _replaced(work: Work, of: str) -> bool:
    """Whether the successor of a published value was written everywhere: from then on nothing of ours uses the old one.

    Else its last use would never be long ago.
    """
    rotation = work.view.rotation
    if rotation is None or not rotation.generation or of == rotation.fingerprint:
        return False
    return work.case().required() <= rotation.written


def lives(work: Work, at: float, fingerprint: str) -> None:
    """Remember that a published value was accepted at `at`, where an act asked the provider anyway."""
    work.memory.seen[Look(Sight.ALIVE, fingerprint)] = _lives(work, at, fingerprint)


def token(work: Work, of: str) -> Seen:
    """Is a token active?"""
    at = work.now
    try:
        state = work.source_of(of).get(of)
    except NO_ANSWER as error:
        return _unsure(work, at, error)
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
                return Seen(at, Result.GOOD, fingerprint)
    except NO_ANSWER as error:
        return _unsure(work, at, error)
    return Seen(at, Result.GOOD)


def in_sync(work: Work, of: str) -> Seen:
    """Do all required targets, of the open rotation's terms and of the configuration now, hold a current value?"""
    at, view = work.now, work.view
    rotation = view.rotation
    good = {view.fingerprint} | ({rotation.fingerprint} if rotation and rotation.generation else set())
    gate = set(work.credential.required) | (set(rotation.terms.required) if rotation else set())
    for name in sorted(gate - view.released.keys()):
        if name in view.heeded:
            continue
        target = work.bound.targets.get(name)
        if target is None:
            return Seen(at, Result.BAD, name)
        try:
            if not _good(work, name, target, good - {""}):
                return Seen(at, Result.BAD, name)
        except NO_ANSWER:
            return Seen(at, Result.BAD, name)
    return Seen(at, Result.GOOD)


def _good(work: Work, name: str, target: Target, good: set[str]) -> bool:
    """Whether a target holds one of these values; a write-only one must have shown it for long enough."""
    reading = target.read()
    if name in work.bound.markers:
        return marked(work, name, reading)[0] in good and stands_settled(work, name, reading)
    return holder(work, target, reading)[0] in good


def quiet(work: Work, of: str) -> Seen:
    """Has nobody used the old token for the quiet time? A token that is dead already is quiet."""
    at = work.now
    try:
        state = work.source_of(of).get(of)
    except NO_ANSWER as error:
        return _unsure(work, at, error)
    return _quiet(work, at, of, state)


def _quiet(work: Work, at: float, of: str, state: TokenState | None) -> Seen:
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


def unpublished(work: Work, of: str) -> Seen:
    """Does no target, present or released less than `grace` ago, hold a value of this token or may come to hold it?

    What the provider says of the token answers QUIET too, as of the same moment: nobody asks twice for one answer.
    """
    at, view = work.now, work.view
    try:
        state = work.source_of(of).get(of)
    except NO_ANSWER as error:
        return _unsure(work, at, error)
    work.memory.seen[Look(Sight.QUIET, of)] = _quiet(work, at, of, state)
    if state is None or state.final:
        return Seen(at, Result.GOOD, DEAD)
    retirement = view.retirements.get(of)
    grace = retirement.policy.grace if retirement else work.credential.policy.grace
    if held := view.held.get(of):
        return Seen(at, Result.BAD, min(held))  # it stands at a place of another credential of ours
    for name in sorted(work.credential.all | view.baselines):
        if name in view.released and at - view.released[name] > grace:
            continue
        if not _let_go(work, name, of):
            return Seen(work.now, Result.BAD, name)
    return Seen(at, Result.GOOD)


def _let_go(work: Work, name: str, of: str) -> bool:
    """Read one target for `unpublished`; False while it holds the token, may come to hold it, or cannot be read."""
    view, target = work.view, work.bound.targets.get(name)
    may_hold = name in work.credential.required or view.last.get(name) == of or (name, of) in view.open_writes
    if target is None:
        return not may_hold
    try:
        reading = target.read()
    except NO_ANSWER:
        return not may_hold
    if name in work.bound.markers:
        gone = let_go(work, name, reading, of)
        if gone is None:  # nobody can tell; what was certainly never published stands nowhere
            return not may_hold or _never_published(work, of)
        if not gone:
            return False
        fingerprint, found = marked(work, name, reading)
    elif reading.version in view.open_writes.get((name, of), ()):
        return False  # a paused writer may still win on top of this version
    else:
        fingerprint, found = holder(work, target, reading)
    if found == of:
        return False
    unknown = fingerprint and not found and name not in work.bound.markers
    if unknown and not _of_another(work, name, reading, fingerprint, of):
        return False
    if view.last.get(name) == of:  # it let go only now: grace counts from here
        work.record(Sighted(target=name, token_id=found, fingerprint=fingerprint, old=of))
        return False
    return True


def _never_published(work: Work, of: str) -> bool:
    """Whether a token was certainly never published, and so stands nowhere."""
    fact = Condemned(token_id=of)
    return not never_published(work.view, fact, work.stamped(fact))


def _of_another(work: Work, name: str, reading: Reading, fingerprint: str, of: str) -> bool:
    """Whether an unknown value is certainly none of that token: by its shape, or as the provider says."""
    target = work.bound.targets[name]
    key = value_key(work.source, target)
    value, adopted = reading.values[key], bool(work.credential.adopt)
    if not provable(work.source, target) or work.source.looks_like(value, key, adopted=adopted).looks is not Looks.OWN:
        return True
    try:
        kind, state = whose(work, value)
    except NO_ANSWER:
        return False
    if kind is Whose.REFUSED:
        return refused(work, fingerprint)  # a living token's value is refused now and then
    return state is not None and state.id != of


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


def orphans(work: Work, of: str) -> Seen:
    """Look for tokens of ours that nothing owns; open their retirements.

    Only names of this journal's instance count, and of instances whose tokens were found at our own targets (the
    journal was lost). After a restore, what is older than it is only reported until an operator has confirmed it.
    """
    at, credential = work.now, work.credential
    try:
        listed = work.fleet.tokens(credential, work.source, min(work.tuning.watch, work.tuning.sweep) / 2)
    except NO_ANSWER as error:
        return _unsure(work, at, error)
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


def control(work: Work, of: str) -> Seen:
    """Does the provider accept our own login? Its answer tells its time, too."""
    at = work.now
    try:
        return Seen(at, Result.GOOD if work.source.control() else Result.BAD)
    except NO_ANSWER as error:
        return _unsure(work, at, error)


def _lives(work: Work, at: float, fingerprint: str) -> Seen:
    work.memory.doubts.pop(fingerprint, None)
    work.fleet.died(work.credential, False)
    return Seen(at, Result.GOOD)


def _dead(work: Work, at: float, fingerprint: str, why: str, *, exposed: bool = False) -> Seen:
    if fingerprint == work.view.fingerprint:
        work.say(Event.VALUE_DEAD, reason=why)
        if not exposed:  # believed at once, however many there are
            work.fleet.died(work.credential, True)
    return Seen(at, Result.DEAD, why)


def _unsure(work: Work, at: float, error: Unavailable | Refused) -> Seen:
    limited = isinstance(error, RateLimited)
    work.say(Event.RATE_LIMITED if limited else Event.PROVIDER_UNAVAILABLE, reason=error.message)
    return Seen(at, Result.UNSURE)


LOOKS: Final[Mapping[Sight, Callable[[Work, str], Seen]]] = {
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
    Sight.CONTROL: control,
}


def take(work: Work, look: Look) -> None:
    """Take one look and remember it with its age."""
    seen = LOOKS[look.sight](work, look.of)
    work.memory.seen[look] = seen
