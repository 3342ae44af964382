"""The rows of `recreate` (new token, overlap, retire the old) and of `republish` (heal drift with the current value).

A recreate ends with CONFIRMED, which opens a retirement of the old token. A lost answer is never adopted and never
rolled: the attempt is abandoned after the settle time and a fresh name is used.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rotator.core.facts import Abandoned, Kind
from rotator.core.protocol.each import each
from rotator.core.protocol.rules import (
    Act,
    Case,
    Do,
    Look,
    Operator,
    Result,
    Row,
    Rule,
    Seen,
    Sight,
    Verdict,
    Wait,
    do,
    look,
    need,
    wait,
)
from rotator.core.protocol.telling import close, of_rotation, record, tell
from rotator.core.reasons import OperatorCode, Reason

K = Kind

ROOM_FRESH: Final = 30.0
"""A canary row must have been written, read back and decrypted at most that many seconds before a mint."""

WRITABLE_FRESH: Final = 60.0
"""The write preflight of the targets is at most that many seconds old at a mint and at the start of a publication."""

ACCEPTED_FRESH: Final = 50.0
"""A verification may be at most 60 s old at each write; ten of them are left for the write itself."""

TRIES: Final = 8
"""Verifications of a fresh token within the propagation time."""

PATIENCE: Final = 24
"""Propagation times (one hour at the default) before a token that GET shows active is turned down."""


def held(case: Case) -> Verdict | None:
    """An operator's pause stops starts; it never stops what was captured, nor the successor of a revoked token."""
    pause = case.view.pause
    if pause is None or case.now >= pause.until or case.view.uncured:
        return None
    return Wait(min(pause.until, case.now + case.watch), Reason.PAUSED)


def closing(case: Case) -> Verdict | None:
    """An operator told us to close this rotation and keep what is published."""
    if case.view.closing != case.rotation.rid:
        return None
    return close(case, "closed by an operator", closed=True)


def unmanaged(case: Case) -> Verdict | None:
    """A credential that left the configuration: what was not published yet is given up, the rest finishes."""
    if case.credential.managed or case.rotation.published:
        return None
    return close(case, "gone from the configuration", closed=True)


def at_most_rejects(case: Case) -> Verdict | None:
    """After so many captured tokens that were turned down, a person has to look."""
    if case.rotation.rejects < case.policy.rejects:
        return None
    return Operator(OperatorCode.REJECTED, case.now + case.watch)


_STRAY: Final = frozenset({Result.ABSENT, Result.OLDER, Result.REPLACEABLE})


def strayed(case: Case) -> frozenset[str]:
    """Targets of the configuration that were seen to hold something else than the current value, not by our leave.

    A write-only target of which a restored journal knows too little counts, too, once the current token is newer than
    the restore: its value certainly is.
    """
    view = case.view
    current = view.tokens.get(view.current)
    new = current is not None and current.born > view.ahead_at
    found = set()
    for name in case.credential.all & view.baselines:
        seen = case.seen.get(Look(Sight.STANDS, name))
        stale = seen is None or case.age(seen) > case.watch + ACCEPTED_FRESH
        if stale or seen is None or name in view.overridden or name in view.heeded:
            continue
        if seen.result in _STRAY or (seen.result is Result.UNKNOWN and new):
            found.add(name)
    return frozenset(found)


def healable_at(case: Case) -> float:
    """Provider time from which drift may be healed: whoever keeps overwriting us is not answered at once each time."""
    return case.view.healed_at + 10 * case.credential.policy.retry


def drifted(case: Case) -> frozenset[str]:
    """Targets that strayed and may be healed now."""
    return strayed(case) if case.now >= healable_at(case) else frozenset()


def ending(case: Case) -> bool:
    """Whether a target that strayed holds a token of ours that nears its end, and the current one does not."""
    stands = {case.view.at(name).token_id for name in drifted(case)} - {case.view.current}
    return not case.emergency and any(case.emergency_of(token) for token in stands if token)


def yields(case: Case) -> Verdict | None:
    """A rotation that waits before its first intent lets a republish pass."""
    return None if case.rotation.attempt else heals(case)


def heals(case: Case) -> Verdict | None:
    """Close, so that a republish passes, where a target has drifted and the current value can heal it."""
    view = case.view
    if not view.fingerprint or case.dead(view.fingerprint) or view.uncured or not drifted(case):
        return None
    return close(case, "a target has drifted", yields=True)


def mint_or_heal(case: Case) -> Verdict | None:
    """Mint; while the next try backs off, a republish passes, as before the first one: that may last for days.

    After a captured token was turned down only what nears its end is worth that: how often it happened is forgotten.
    """
    verdict = do(Act.MINT)(case)
    if isinstance(verdict, Do) or (case.rotation.rejects and not ending(case)):
        return verdict
    return heals(case) or verdict


def one_is_enough(case: Case, seen: Seen) -> Verdict | None:
    """With the published value missing, dead or near its end, one writable required target is enough to go ahead."""
    if seen.result is Result.SOME and case.urgent:
        return _PASS
    return yields(case)


_PASS: Final = Wait(-1.0, Reason.UNDECIDED)
"""An `otherwise` that passes after all; `passing` turns it into no answer."""


def passing(rule: Rule) -> Rule:
    """Let a rule's `otherwise` decide to pass."""

    def wrapped(case: Case) -> Verdict | None:
        verdict = rule(case)
        return None if verdict is _PASS else verdict

    return wrapped


def revoked(case: Case) -> Verdict | None:
    """Its token was revoked: nothing so marked is published, so it closes, and a successor starts."""
    if case.rotation.token_id not in case.view.revoked:
        return None
    return close(case, "its token was revoked", dead=True)


def displaced(case: Case) -> Verdict | None:
    """The captured token nears its own end or was found dead: close, retire it, and let a successor start."""
    rotation = case.rotation
    found = case.seen.get(Look(Sight.ACCEPTED, rotation.token_id))
    if case.emergency_of(rotation.token_id):
        why, dead = "its token nears its end", False
    elif rotation.step is not K.CAPTURED and found is not None and found.result is Result.DEAD:
        why, dead = "its token was found dead", True
    else:
        return None
    return close(case, why, dead=dead)


def turned_down(case: Case, why: str) -> Verdict:
    """Give the captured token up: it is condemned later, and a fresh attempt is made."""
    return tell(Abandoned(**of_rotation(case), rejected=True, why=why))


def accepted(case: Case) -> Verdict | None:
    """The provider must show the token active and equal to the terms, and accept its value, before it is published.

    While it lags (GET is right, verify still says no) it is asked eight times within the propagation time, then rarely,
    up to an hour. Where this host may not ask (BAD), waiting changes nothing: a person is told, and it is asked rarely.
    """
    rotation, lag = case.rotation, case.policy.propagation
    waited = case.now - rotation.since
    seen = case.seen.get(Look(Sight.ACCEPTED, rotation.token_id))
    if seen is None:
        return look(Sight.ACCEPTED, rotation.token_id)
    barred = seen.result is Result.BAD
    every = lag / TRIES if waited <= lag and not barred else 2 * lag
    if seen.result is Result.GOOD and case.age(seen) <= ACCEPTED_FRESH:
        return None
    if seen.result is Result.DEAD and seen.at >= rotation.since:
        return turned_down(case, seen.why or "it is not what was asked for")
    if seen.result is Result.LAG and seen.at - rotation.since > PATIENCE * lag:  # before any wait: `once` forgets
        return turned_down(case, "the provider never accepted it")
    if case.age(seen) < min(every, ACCEPTED_FRESH if seen.result is Result.GOOD else every):
        return Wait(seen.at + every, Reason.VERIFICATION if barred else Reason.PROPAGATION)
    return look(Sight.ACCEPTED, rotation.token_id)


fresh = need(
    Sight.ACCEPTED,
    ACCEPTED_FRESH,
    {Result.GOOD},
    Reason.VERIFICATION,
    of=lambda case: case.rotation.token_id,
)

room = need(Sight.ROOM, ROOM_FRESH, {Result.GOOD}, Reason.JOURNAL_UNSAFE)

writable = passing(
    need(Sight.WRITABLE, WRITABLE_FRESH, {Result.GOOD}, Reason.TARGET_UNWRITABLE, otherwise=one_is_enough),
)


def yields_to_due(case: Case) -> Verdict | None:
    """A republish lets a rotation pass that is due."""
    view, rotation = case.view, case.rotation
    patient = case.now <= rotation.started + 2 * case.policy.settle
    due = case.near_end(rotation.token_id, case.credential.policy.renew_before) or view.request or view.want
    if patient or not due:
        return None
    return close(case, "a rotation is due")


mint: Row = (closing, unmanaged, held, at_most_rejects, room, writable, mint_or_heal)
each_target: Row = (each(Act.WRITE), each(Act.READ_BACK))
publish: Row = (revoked, closing, displaced, fresh, *each_target, record(K.CONFIRMED))

RECREATE: Final[Mapping[Kind, Row]] = {
    K.PLANNED: (closing, unmanaged, held, room, writable, mint_or_heal),
    K.INTENT: (wait("settle"), record(K.ABANDONED)),
    K.ABANDONED: mint,
    K.CAPTURED: (revoked, closing, unmanaged, displaced, accepted, record(K.VERIFIED)),
    K.VERIFIED: (revoked, closing, unmanaged, displaced, writable, record(K.PUBLISHING)),
    K.PUBLISHING: publish,
}
"""An INTENT that is seen here means that the answer was lost: the engine goes on from intent to capture in one act."""

REPUBLISH: Final[Mapping[Kind, Row]] = {
    K.PLANNED: (revoked, closing, yields_to_due, displaced, fresh, record(K.VERIFIED)),
    K.VERIFIED: (revoked, closing, record(K.PUBLISHING)),
    K.PUBLISHING: (revoked, closing, yields_to_due, displaced, fresh, *each_target, record(K.CONFIRMED)),
}
