"""What stands at a target, and whose it is. First sights, overrides and adoptions are journaled here.

It knows targets by their keys alone: the *value key* is the managed key by which a value can be told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from rotator.core.credential import NEVER
from rotator.core.errors import JournalUnsafe, Refused
from rotator.core.events import Event
from rotator.core.facts import Kind
from rotator.core.ports.source import TokenState
from rotator.core.ports.target import Reading, Target
from rotator.core.protocol.names import AttemptName, is_of, parse
from rotator.core.protocol.rules import Look, Result, Sight
from rotator.core.secret import Secret
from rotator.engine.work import Doubt, Work

LITERAL = "literal:"
VALUE = "token.value"

SILENCE = 10
"""Times the span of a proof without any refusal after which earlier ones count no more."""


class Whose(StrEnum):
    """Whose an unknown value is."""

    ADOPTED = "adopted"
    OURS = "ours"
    FOREIGN = "foreign"
    DEAD = "dead"
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """What stands at a target.

    Attributes:
        result: what it means for the credential.
        reading: version and values.
        fingerprint: of the value that stands there, empty for none.
        token_id: whose it is, empty where that is not known.
        complete: whether every managed key is as it should be for that value.
    """

    result: Result
    reading: Reading
    fingerprint: str = ""
    token_id: str = ""
    complete: bool = False


def opened(work: Work, fingerprint: str) -> Secret | None:
    """Open a value of the journal; None where its key was destroyed or it does not decrypt.

    The trouble of one value is no trouble of the journal: where that is in trouble, the next fact says so.
    """
    try:
        return work.journal.reveal(work.stream, fingerprint)
    except (KeyError, JournalUnsafe):
        return None


def desired(work: Work, target: Target, fingerprint: str, value: Secret | None = None) -> dict[str, Secret]:
    """Return what the managed keys must hold for a value of the journal, which is opened unless it is given.

    Raises:
        Refused: the value cannot be opened.
    """
    token_id = work.view.values[fingerprint]
    value = value or opened(work, fingerprint)
    if value is None:
        raise Refused("opening a value of the journal: its key was destroyed, or it was changed since", code="value")
    outputs = work.source.outputs(token_id, value, work.view.expires_at(token_id))
    return {key: literal_or(outputs, name) for key, name in target.keys.items()}


def pieces(work: Work, values: Mapping[str, Secret]) -> dict[str, str]:
    """Return the fingerprint of each managed key's value, by which what we wrote is known for ever."""
    return {key: work.journal.fingerprint(value) for key, value in sorted(values.items())}


def literal_or(outputs: Mapping[str, Secret], name: str) -> Secret:
    """Return a literal, or the source's output of that name."""
    return Secret(name.removeprefix(LITERAL)) if name.startswith(LITERAL) else outputs[name]


def value_key(target: Target) -> str:
    """Return the managed key by which a value can be told: the token's value, else a secret derived from it."""
    by_output = {name: key for key, name in target.keys.items()}
    return by_output.get(VALUE) or by_output["r2.secret_access_key"]


def holder(work: Work, target: Target, reading: Reading) -> tuple[str, str]:
    """Return fingerprint and token id of the value in a reading; an unknown one has no id, an absent one neither."""
    key = value_key(target)
    found = reading.values.get(key)
    if found is None:
        return "", ""
    if target.keys[key] == VALUE:
        fingerprint = work.journal.fingerprint(found)
        return fingerprint, work.view.values.get(fingerprint, "")
    piece = work.journal.fingerprint(found)
    if (known := work.view.pieces.get(piece, "")) in work.view.values:
        return known, work.view.values[known]
    for fingerprint in reversed(tuple(work.view.values)):  # written before fingerprints of derived secrets were kept
        value = opened(work, fingerprint)
        if value is not None and desired(work, target, fingerprint, value)[key] == found:
            return fingerprint, work.view.values[fingerprint]
    return piece, ""


def refused(work: Work, fingerprint: str) -> bool:
    """Note that a value was refused; True once it is proven dead: three times over two minutes, the control passing.

    The first refusals are kept, not the last ones: many targets that hold the same value ask so often that ten refusals
    never span two minutes. After a long silence counting starts again.
    """
    if not work.source.control():
        return False
    now, doubt = work.now, work.memory.doubts.setdefault(fingerprint, Doubt())
    fresh = bool(doubt.times) and now - doubt.times[-1] <= SILENCE * work.tuning.doubt
    doubt.times = (*doubt.times[:9], now) if fresh else (now,)
    return len(doubt.times) >= 3 and now - doubt.times[0] >= work.tuning.doubt


def minted_for(work: Work, name: AttemptName, *, inherits: bool = False) -> bool:
    """Whether a token of that name is this credential's: of an attempt of its own, or else by the name's base.

    A name says what the credential was called when the token was made. After a rename its own tokens bear the former
    name; another credential that is called so now must not take them for its own, for it would retire them.
    With `inherits`, a token whose credential left the configuration is its own, too: a rename that was taken back.
    """
    if str(name) in work.view.attempts:
        return True
    if not is_of(name, work.credential.name):
        return False
    if name.instance != work.journal.instance:
        return True
    return work.journal.stream_of(name.rid, managed=inherits) in ("", work.stream)


def whose(work: Work, value: Secret, fingerprint: str) -> tuple[Whose, TokenState | None]:
    """Ask the provider whose an unknown value is; raises what the source raises."""
    token_id = work.source.verify(value)
    if token_id is None:
        return (Whose.DEAD if refused(work, fingerprint) else Whose.UNSURE), None
    work.memory.doubts.pop(fingerprint, None)
    state = work.source.get(token_id)
    if state is None:
        return Whose.UNSURE, None
    if state.id == work.credential.adopt:
        return Whose.ADOPTED, state
    name = parse(state.name)
    return (Whose.OURS if name and minted_for(work, name, inherits=True) else Whose.FOREIGN), state


def stand(work: Work, name: str) -> Stand:
    """Read a target, tell what it holds, and journal a first sight, a change of hands, an override or an adoption.

    Raises:
        Unavailable: the target or the provider gave no usable answer; nothing was journaled.
    """
    target, view = work.bound.targets[name], work.view
    reading = target.read()
    fingerprint, token_id = holder(work, target, reading)
    first = name not in view.baselines
    result = _known(work, name, fingerprint, token_id)
    if result is None:
        return _unknown(work, name, reading, fingerprint, token_id)
    if result is Result.HEEDED:
        return _accepted(work, name, reading, fingerprint)
    if not first and view.last.get(name, "") != token_id:
        work.append(work.draft(Kind.SEEN, target=name, token_id=token_id, detail={"old": view.last.get(name, "")}))
    if first:
        work.append(work.draft(Kind.BASELINE, target=name, token_id=token_id))
        work.say(Event.TARGET_BASELINE, target=name)
    if name in view.overridden or name in view.heeded:  # an accepted value is left alone until it changes
        work.append(work.draft(Kind.OVERRIDE_ENDED, target=name))
    complete = result in (Result.CURRENT, Result.MINE) and _complete(work, target, reading, fingerprint)
    if result in (Result.CURRENT, Result.MINE) and not complete:
        result = Result.OLDER  # another managed key was changed by hand: ours to heal
    return Stand(result=result, reading=reading, fingerprint=fingerprint, token_id=token_id, complete=complete)


def _complete(work: Work, target: Target, reading: Reading, fingerprint: str) -> bool:
    """Whether every managed key is as it should be; the value that stands there saves opening the one in the journal.

    A value that the journal cannot open any more is sealed anew where it can be read.
    """
    found, standing = opened(work, fingerprint), reading.values[value_key(target)]
    if found is None and target.keys[value_key(target)] == VALUE:
        token = work.view.values[fingerprint]
        work.append(work.draft(Kind.KNOWN, token_id=token, fingerprint=fingerprint), standing)
        work.forget(Look(Sight.ALIVE, fingerprint))
        found = standing
    if found is None:  # only what is derived from it stands there: compare with what was written
        wrote = pieces(work, reading.values)
        return wrote.keys() == target.keys.keys() and all(p in work.view.pieces for p in wrote.values())
    return reading.values == desired(work, target, fingerprint, found)


def _accepted(work: Work, name: str, reading: Reading, fingerprint: str) -> Stand:
    """An operator said that what stands there is right: adopted where it is the token named for that, else left alone.

    A stranger's token is never adopted: adopting would end with its retirement.
    """
    target = work.bound.targets[name]
    key = value_key(target)
    if work.credential.adopt and target.keys[key] == VALUE:
        kind, state = whose(work, reading.values[key], fingerprint)
        if kind is Whose.ADOPTED and state is not None and state.active and state.id not in work.view.marked:
            work.append(work.draft(Kind.OVERRIDE_ENDED, target=name))
            return _ours(work, name, reading, fingerprint, state, adopted=True, right=True)
    return Stand(result=Result.HEEDED, reading=reading, fingerprint=fingerprint)


def _known(work: Work, name: str, fingerprint: str, token_id: str) -> Result | None:
    """Tell what the journal alone can tell; None for a value that it does not know, or that it never published."""
    view = work.view
    rotation = view.rotation
    if not fingerprint:
        return Result.ABSENT
    if view.heeded.get(name) == fingerprint:
        return Result.HEEDED
    if fingerprint == view.fingerprint:
        return Result.CURRENT
    if rotation and fingerprint == rotation.fingerprint:
        return Result.MINE
    if token_id and (view.ever_published(token_id) or token_id in view.marked):
        return Result.OLDER
    if (name, fingerprint) in view.allowed:
        return Result.REPLACEABLE
    return None


def _unknown(work: Work, name: str, reading: Reading, fingerprint: str, token_id: str) -> Stand:
    """A value that the journal does not know, or never published: adopt it, know it, or ask an operator."""
    target, view = work.bound.targets[name], work.view
    first = name not in view.baselines
    value = reading.values[value_key(target)]
    provable = target.keys[value_key(target)] == VALUE
    kind, state = whose(work, value, fingerprint) if provable else (Whose.FOREIGN, None)
    if kind is Whose.UNSURE:
        return Stand(result=Result.UNSURE, reading=reading, fingerprint=fingerprint)
    if kind is Whose.DEAD and token_id:
        return Stand(result=Result.OLDER, reading=reading, fingerprint=fingerprint, token_id=token_id)
    if kind is Whose.ADOPTED and not first and state is not None and not _still_adoptable(work, state):
        kind = Whose.FOREIGN
    if kind in (Whose.ADOPTED, Whose.OURS) and state is not None:
        return _ours(work, name, reading, fingerprint, state, adopted=kind is Whose.ADOPTED)
    may_replace = first and (kind is Whose.DEAD or _replaces(work, name))
    if may_replace:
        work.append(work.draft(Kind.BASELINE, target=name, fingerprint=fingerprint, detail={"replace": True}))
        return Stand(result=Result.REPLACEABLE, reading=reading, fingerprint=fingerprint)
    if view.overridden.get(name) != fingerprint:
        work.append(work.draft(Kind.OVERRIDDEN, target=name, fingerprint=fingerprint))
        work.say(Event.TARGET_OVERRIDDEN, target=name)
    if first:
        work.append(work.draft(Kind.BASELINE, target=name))
    return Stand(result=Result.OVERRIDDEN, reading=reading, fingerprint=fingerprint)


def _replaces(work: Work, name: str) -> bool:
    return any(t.replace for t in work.credential.targets if t.name == name)


def _still_adoptable(work: Work, state: TokenState) -> bool:
    """The token named for adoption is taken over once; later its value is somebody's override."""
    view = work.view
    return state.id == view.current or state.id in view.retirements or state.id in view.tokens


def _ours(
    work: Work,
    name: str,
    reading: Reading,
    fingerprint: str,
    state: TokenState,
    *,
    adopted: bool,
    right: bool = False,
) -> Stand:
    """A live value of a token of ours: the current one if it is the newest or an operator said so, else only known."""
    view = work.view
    first = name not in view.baselines
    value = reading.values[value_key(work.bound.targets[name])]
    parsed = parse(state.name)
    ours = parsed is not None and not adopted
    rivals = [
        view.tokens[t].born for t in (view.current, view.rotation.token_id if view.rotation else "") if t in view.tokens
    ]
    newest = right or state.issued_at > max(rivals, default=-NEVER) or state.id == view.current
    ahead = ours and state.id not in view.tokens
    detail: dict[str, object] = {
        "born": state.issued_at,
        "attempt_name": state.name if ours else "",
        "ours": ours,
        "ahead": ahead,
        "adopt": work.credential.adopt,
        "policy": work.credential.policy.to_json(),
    }
    if state.expires_at != NEVER:
        detail["expires_at"] = state.expires_at
    facts = {
        "target": name,
        "token_id": state.id,
        "token_name": state.name,
        "fingerprint": fingerprint,
        "detail": detail,
    }
    if ahead:
        work.say(Event.JOURNAL_BEHIND, target=name)
    sealed = None if fingerprint in view.values else value
    if state.active and newest and state.id not in view.marked:
        work.append(work.draft(Kind.ADOPTED, **facts), sealed)
        work.say(Event.VALUE_ADOPTED, target=name, token=state.id)
        if parsed and ahead:
            work.lease = work.journal.raise_epoch(work.lease, parsed.epoch)
        result = Result.CURRENT
    else:
        work.append(work.draft(Kind.KNOWN, **facts), sealed)
        result = Result.OLDER
    if first:
        work.append(work.draft(Kind.BASELINE, target=name, token_id=state.id))
    return Stand(result=result, reading=reading, fingerprint=fingerprint, token_id=state.id)
