"""What stands at a target, and what follows: first sights, overrides and adoptions are journaled here.

Nothing counts as in sync that is not known to be: an unknown value is journaled as seen before anybody is asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from rotator.core.credential import NEVER
from rotator.core.events import Event
from rotator.core.facts import Adopted, Baseline, Draft, Held, Known, Overridden, OverrideEnded, Sighted
from rotator.core.ids import NO_CREDENTIAL, NO_TOKEN, NO_VALUE, CredentialId, Fingerprint, TokenId
from rotator.core.ports.source import Looks, TokenState
from rotator.core.ports.target import Evidence
from rotator.core.protocol.names import parse
from rotator.core.protocol.rules import Look, Result, Sight
from rotator.core.secret import Secret
from rotator.engine.holding import (
    Stand,
    desired,
    holder,
    nobodys,
    opened,
    pieces,
    provable,
    strangers,
    untouched,
    value_key,
)
from rotator.engine.markers import marker_stand
from rotator.engine.whose import Other, Whose, another, may_ask, named_for_adoption, refused, whose
from rotator.engine.work import Work

WHAT: Final[Mapping[Whose, str]] = {
    Whose.REFUSED: "a value that the provider does not accept here",
    Whose.BARRED: "a value that only other hosts may use, so that nobody can tell here whose it is",
}


def stand(work: Work, name: str) -> Stand:
    """Read a target, tell what it holds, and journal a first sight, a change of hands, an override or an adoption.

    Raises:
        Unavailable: the target or the provider gave no usable answer; nothing but the sight was journaled.
    """
    target, first = work.bound.targets[name], untouched(work, name)
    reading = target.read()
    work.ends(name, reading.ends)
    if target.evidence is Evidence.MARKER:
        return marker_stand(work, name, reading)
    fingerprint, token_id = holder(work, target, reading)
    _guest_left(work, name, fingerprint)
    result = _known(work, name, fingerprint, token_id)
    found = Stand(result=result or Result.UNSURE, reading=reading, fingerprint=fingerprint, token_id=token_id)
    if result is None:
        if work.view.heeded.get(name) == fingerprint:
            return _accepted(work, name, found)
        found = _unknown(work, name, found, first=first)
    if found.result in (Result.OVERRIDDEN, Result.UNSURE):
        return found
    return _beside(work, name, found, first=first)


def _known(work: Work, name: str, fingerprint: Fingerprint, token_id: TokenId) -> Result | None:
    """Tell what the journal alone can tell; None for a value that it does not know, or that it never published."""
    view = work.view
    rotation = view.rotation
    if not fingerprint:
        return Result.ABSENT
    if fingerprint == view.fingerprint:
        return Result.CURRENT
    if rotation and fingerprint == rotation.fingerprint:
        return Result.MINE
    if token_id and (view.ever_published(token_id) or token_id in view.marked):
        return Result.OLDER
    if (name, fingerprint) in view.allowed:
        return Result.REPLACEABLE
    return None


def _accepted(work: Work, name: str, found: Stand) -> Stand:
    """An operator said that what stands there is right: adopted where it is the token named for that, else left alone.

    A stranger's token is never adopted: adopting would end with its retirement.
    """
    target = work.bound.targets[name]
    key, adopt = value_key(work.source, target), work.credential.adopt
    if adopt and provable(work.source, target) and _own_shape(work, found.reading.values[key], key):
        kind, state = whose(work, found.reading.values[key])
        if kind is Whose.ADOPTED and state is not None and state.active and state.id not in work.view.marked:
            work.record(OverrideEnded(target=name))
            found = _ours(work, name, found, state, adopted=True, right=True)
            return _beside(work, name, found, first=False)
    return replace(found, result=Result.HEEDED)


def _own_shape(work: Work, value: Secret, key: str) -> bool:
    return work.source.looks_like(value, key, adopted=bool(work.credential.adopt)).looks is Looks.OWN


# --- side keys: what stands beside a value that is ours, or may be written over


def _beside(work: Work, name: str, found: Stand, *, first: bool) -> Stand:
    """Judge the other managed keys, and journal what is seen.

    A stranger's content occupies the target at first sight; later it is left and reported, and never stops the value.
    """
    live = found.result in (Result.CURRENT, Result.MINE)
    wanted = _wanted(work, name, found) if live else {}
    strange = strangers(work, name, found.reading, wanted)
    if first:
        target, standing = work.bound.targets[name], found.reading.values
        free = {key: piece for key, piece in strange.items() if nobodys(work.source, target, key, standing[key])}
        strange = {key: piece for key, piece in strange.items() if key not in free}
        found = replace(found, free=found.free | frozenset(free.values()))
        if strange:
            identity = work.journal.fingerprint(Secret("\n".join(sorted(strange.values()))))
            if work.view.heeded.get(name) == identity:
                return replace(found, result=Result.HEEDED)
            what = f"{', '.join(strange)} holds something that is not ours"
            said = _foreign(work, name, found, strange, what, first=first, identity=identity)
            if said.result is Result.OVERRIDDEN:
                return said
            found, strange = replace(found, free=said.free), {}
    amiss = _amiss(work, name, found, wanted, strange) if live else []
    complete = live and not amiss
    _sight(work, name, found, strange, amiss, wanted if complete else {}, first=first)
    result = found.result if complete or not live else Result.OLDER  # changed by hand: ours to heal
    return replace(found, result=result, complete=complete)


def _amiss(
    work: Work, name: str, found: Stand, wanted: Mapping[str, Secret], strange: Mapping[str, Fingerprint]
) -> list[str]:
    """Managed keys that do not hold what belongs to the value beside them, and that are ours to heal."""
    keys, standing = work.bound.targets[name].keys, found.reading.values
    if wanted:
        return [key for key in keys if key not in strange and standing.get(key) != wanted[key]]
    wrote = pieces(work, standing)  # nothing can be derived any more: whatever we wrote is good
    return [key for key in keys if key not in strange and wrote.get(key, "") not in work.view.pieces]


def _wanted(work: Work, name: str, found: Stand) -> Mapping[str, Secret]:
    """What the managed keys must hold; empty where the value can neither be opened nor read.

    A value that the journal cannot open any more is sealed anew where it stands.
    """
    target = work.bound.targets[name]
    value = opened(work, found.fingerprint)
    if value is None and provable(work.source, target):
        value = found.reading.values[value_key(work.source, target)]
        work.record(Known(token_id=found.token_id, fingerprint=found.fingerprint), value)
        work.forget(Look(Sight.ALIVE, found.fingerprint))
    return desired(work, target, found.fingerprint, value) if value is not None else {}


def _sight(
    work: Work,
    name: str,
    found: Stand,
    strange: Mapping[str, Fingerprint],
    amiss: list[str],
    ours: Mapping[str, Secret],
    *,
    first: bool,
) -> None:
    """Journal a first sight or a change of what stands there, and the end of an override."""
    view = work.view
    keys = {key: piece for key, piece in pieces(work, ours).items() if key not in strange}
    if {*view.pieces, found.fingerprint}.issuperset(keys.values()):
        keys = {}  # else written by us in earlier days, or found as they should be: ours from now on
    said: dict[str, Any] = {"target": name, "token_id": found.token_id, "fingerprint": found.fingerprint}
    said |= {"strange": dict(strange), "amiss": tuple(amiss), "keys": keys}
    if first:
        work.record(Baseline(**said, free=tuple(sorted(found.free))))
        work.say(Event.TARGET_BASELINE, target=name)
    elif keys or _news(work, name, found, strange, amiss):
        work.record(Sighted(**said, old=view.last.get(name, NO_TOKEN)))
    if name in view.overridden or name in view.heeded or name in view.guests:
        work.record(OverrideEnded(target=name))  # an accepted value is left alone until it changes


def _news(work: Work, name: str, found: Stand, strange: Mapping[str, Fingerprint], amiss: list[str]) -> bool:
    view = work.view
    before = (
        view.last.get(name, NO_TOKEN),
        view.holds.get(name, ""),
        view.strange.get(name, {}),
        view.amiss.get(name, ()),
    )
    return before != (found.token_id, found.fingerprint, dict(strange), tuple(amiss))


# --- values that the journal does not know, or never published


def _unknown(work: Work, name: str, found: Stand, *, first: bool) -> Stand:
    """Adopt it, know it, or ask an operator. What the shape tells is asked of nobody."""
    target, view = work.bound.targets[name], work.view
    key = value_key(work.source, target)
    value = found.reading.values[key]
    keys = {key: found.fingerprint, **strangers(work, name, found.reading, {})}  # a person decides over all of them
    if not first and view.holds.get(name) != found.fingerprint:
        old = view.last.get(name, NO_TOKEN)
        work.record(Sighted(target=name, token_id=found.token_id, fingerprint=found.fingerprint, old=old))
    other = None if found.token_id else another(work, name, found.fingerprint)
    if other and other.managed:
        return _anothers(work, name, found, other, first=first)
    shape = work.source.looks_like(value, key, adopted=bool(work.credential.adopt))
    if first and shape.looks is Looks.PLACEHOLDER:
        return replace(found, result=Result.REPLACEABLE, free=frozenset(keys.values()))
    if not found.token_id and not (provable(work.source, target) and shape.looks is Looks.OWN):
        return _foreign(work, name, found, keys, f"{key} holds {shape.what}", first=first)
    if not provable(work.source, target) or not may_ask(work, name, found.fingerprint):
        return replace(found, result=Result.UNSURE if found.token_id else Result.OVERRIDDEN)
    kind, state = whose(work, value)
    if other and kind in (Whose.FOREIGN, Whose.REFUSED, Whose.BARRED):
        return _anothers(work, name, found, other, first=first)
    return _answered(work, name, found, kind, state, first=first)


def _answered(work: Work, name: str, found: Stand, kind: Whose, state: TokenState | None, *, first: bool) -> Stand:
    """What the provider's answer means. One that is unusable decides nothing."""
    key = value_key(work.source, work.bound.targets[name])
    if kind is Whose.UNSURE or (kind is Whose.BARRED and found.token_id):
        return found
    if kind is Whose.REFUSED and found.token_id:
        proven = refused(work, found.fingerprint)  # ours, and never published
        return replace(found, result=Result.OLDER if proven else Result.UNSURE)
    work.memory.doubts.pop(found.fingerprint, None)
    late = kind is Whose.ADOPTED and not first and state is not None and not _still_adoptable(work, state)
    if state is not None and kind in (Whose.ADOPTED, Whose.OURS) and not late:
        return _ours(work, name, found, state, adopted=kind is Whose.ADOPTED)
    what = f"{key} holds {WHAT.get(kind, 'a value of another token')}"
    keys = {key: found.fingerprint, **strangers(work, name, found.reading, {})}
    return _foreign(work, name, found, keys, what, first=first)


def _foreign(
    work: Work,
    name: str,
    found: Stand,
    keys: Mapping[str, Fingerprint],
    what: str,
    *,
    first: bool,
    identity: Fingerprint = NO_VALUE,
    guest: tuple[CredentialId, TokenId] = (NO_CREDENTIAL, NO_TOKEN),
) -> Stand:
    """Somebody else's content: to be overwritten where the configuration says so, else a person is asked at once."""
    view, (stream, token) = work.view, guest
    if first and not stream and any(t.replace for t in work.credential.targets if t.name == name):
        result = Result.REPLACEABLE if found.fingerprint else Result.ABSENT
        return replace(found, result=result, free=found.free | frozenset(keys.values()))
    identity = identity or found.fingerprint
    keys = {**strangers(work, name, found.reading, {}), **keys}  # one decision is about all that is not ours there
    if view.overridden.get(name) != identity:
        work.record(
            Overridden(target=name, fingerprint=identity, token_id=token, keys=dict(keys), what=what, stream=stream)
        )
        work.say(Event.TARGET_OVERRIDDEN, target=name, reason=what)
    if name not in view.baselines:
        work.record(Baseline(target=name, fingerprint=identity))
    return replace(found, result=Result.OVERRIDDEN, token_id=NO_TOKEN)


# --- values of other credentials of ours


def _anothers(work: Work, name: str, found: Stand, other: Other, *, first: bool) -> Stand:
    """A living value of another credential stands here: it stays, and that token is not retired meanwhile."""
    if other.free:
        return replace(found, result=Result.REPLACEABLE)
    if other.leaving:
        return replace(found, result=Result.UNSURE)  # decided once the other one has left
    stream, token = other.stream, other.token_id
    if name not in work.journal.view(stream).held.get(token, {}).get(work.stream, ()):
        work.journal.note(stream, _held(work, name, token, ended=False))
    key = value_key(work.source, work.bound.targets[name])
    what = f"{key} holds a value of another credential of ours"
    return _foreign(work, name, found, {key: found.fingerprint}, what, first=first, guest=(stream, token))


def _guest_left(work: Work, name: str, fingerprint: Fingerprint) -> None:
    """Tell another credential that its value stands here no longer."""
    guest = work.view.guests.get(name)
    if guest is None or fingerprint == guest.fingerprint:
        return
    if name in work.journal.view(guest.stream).held.get(guest.token_id, {}).get(work.stream, ()):
        work.journal.note(guest.stream, _held(work, name, guest.token_id, ended=True))


def _held(work: Work, name: str, token: TokenId, *, ended: bool) -> Draft:
    return Draft(what=Held(target=name, token_id=token, by=work.stream, ended=ended), at=work.believed)


# --- values of ours that the journal does not know


def _still_adoptable(work: Work, state: TokenState) -> bool:
    """The token named for adoption is taken over once; later its value is somebody's override."""
    view = work.view
    return state.id == view.current or state.id in view.retirements or state.id in view.tokens


def _ours(work: Work, name: str, found: Stand, state: TokenState, *, adopted: bool, right: bool = False) -> Stand:
    """A live value of a token of ours: the current one if it is the newest or an operator said so, else only known."""
    view = work.view
    value = found.reading.values[value_key(work.source, work.bound.targets[name])]
    parsed = parse(state.name)
    ours = parsed is not None and not adopted
    rivals = [
        view.tokens[t].born
        for t in (view.current, view.rotation.token_id if view.rotation else NO_TOKEN)
        if t in view.tokens
    ]
    newest = right or state.issued_at > max(rivals, default=-NEVER) or state.id == view.current
    ahead = ours and state.id not in view.tokens
    said: dict[str, Any] = {
        "target": name,
        "token_id": state.id,
        "token_name": state.name,
        "fingerprint": found.fingerprint,
        "born": state.issued_at,
        "expires_at": state.expires_at,
        "attempt_name": state.name if ours else "",
        "ours": ours,
        "ahead": ahead,
    }
    if ahead:
        work.say(Event.JOURNAL_BEHIND, target=name)
    sealed = None if found.fingerprint in view.values else value
    if state.active and newest and state.id not in view.marked:
        work.record(Adopted(**said, adopt=named_for_adoption(work), policy=work.credential.policy), sealed)
        work.say(Event.VALUE_ADOPTED, target=name, token=state.id)
        if parsed and ahead:
            work.lease = work.journal.raise_epoch(work.lease, parsed.epoch)
        result = Result.CURRENT
    else:
        work.record(Known(**said), sealed)
        result = Result.OLDER
    return replace(found, result=result, token_id=state.id)
