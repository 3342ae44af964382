"""What facts about the outside change in a view: what was seen there, what is configured, what operators did."""

from __future__ import annotations

from dataclasses import replace

from rotator.core.facts import (
    Adopted,
    Ahead,
    Baseline,
    Configured,
    Draft,
    Forgotten,
    Held,
    Hooked,
    How,
    Known,
    Overridden,
    OverrideEnded,
    Paused,
    Requested,
    Resolved,
    Resumed,
    Sighted,
    TargetAdded,
    TargetReleased,
    Unknown,
)
from rotator.core.ids import NO_TOKEN, NO_VALUE
from rotator.core.protocol import folding, marker_facts
from rotator.core.protocol.view import Acceptance, AttemptState, Guest, Hooking, Past, Pause, Request, TargetView, View


def configured(view: View, fact: Configured, of: Draft) -> View:
    """The stanza changed; what it said of the scope that it left is kept for the tokens there."""
    found = fact.spec.get("scope")
    before, after = view.scope, found if isinstance(found, str) else ""
    tokens = view.tokens
    if after and not before:  # an older version did not note where tokens live
        tokens = {t: token if token.scope else replace(token, scope=after) for t, token in tokens.items()}
    former = folding.plus(view.former, before, view.spec) if before and after != before else view.former
    return replace(view, spec=fact.spec, tokens=tokens, former=folding.minus(former, after))


def baseline(view: View, fact: Baseline, of: Draft) -> View:
    """A target was seen for the first time."""
    allowed = view.at(fact.target).allowed | {*fact.free}
    if fact.replace:
        allowed = allowed | {fact.fingerprint}
    view = replace(view, pieces=folding.pieces(view, fact))
    view = folding.beside(view, of.at, fact) if fact.strange is not None else view
    return folding.with_target(
        view,
        fact.target,
        known=True,
        holds=fact.fingerprint,
        token_id=fact.token_id,
        released=None,
        allowed=allowed,
    )


def known(view: View, fact: Known, of: Draft) -> View:
    """A value that stands at a target belongs to a token of ours, and is not the newest."""
    view = replace(
        view,
        values=folding.plus(view.values, fact.fingerprint, fact.token_id),
        tokens=folding.tokens_with(view, fact),
        stood=view.stood | {fact.token_id},
    )
    return folding.restored(view, of.at) if fact.ahead else view


def adopted(view: View, fact: Adopted, of: Draft) -> View:
    """A value found at a target becomes the current one; everything older gets a retirement."""
    rotation = view.rotation
    olds = [t for t in (view.current, rotation.token_id if rotation else NO_TOKEN, fact.adopt) if t != fact.token_id]
    attempts = view.attempts
    if rotation and attempts.get(rotation.attempt_name) is AttemptState.INTENT:
        attempts = folding.plus(attempts, rotation.attempt_name, AttemptState.ABANDONED)
    view = replace(
        view,
        values=folding.plus(view.values, fact.fingerprint, fact.token_id),
        tokens=folding.tokens_with(view, fact, adopted=not fact.ours),
        current=fact.token_id,
        fingerprint=fact.fingerprint,
        generation=max(view.generation, fact.generation),
        rotation=None,
        attempts=attempts,
        stood=view.stood | {fact.token_id},
        retirements=folding.minus(folding.opened(view, of.at, fact.policy, *olds), fact.token_id),
    )
    if fact.target:
        view = override_gone(folding.moved(view, of.at, fact), fact.target)
        view = folding.generated(view, fact)
    return folding.restored(view, of.at) if fact.ahead else view


def overridden(view: View, fact: Overridden, of: Draft) -> View:
    """A managed key holds a value that is not ours; what an operator accepted and consumers said before is gone."""
    stream = fact.stream
    guest = Guest(stream=stream, token_id=fact.token_id, fingerprint=fact.fingerprint) if stream else None
    before = view.at(fact.target)
    return folding.with_target(
        view,
        fact.target,
        overridden=fact.fingerprint,
        overridden_at=of.at if before.overridden is None else before.overridden_at,
        what=fact.what,
        guest=guest,
        occupied=before.occupied or not before.known,
        heeded=None,
        accepted=None,
        ack=None,
        holds=fact.fingerprint,
        strange=fact.keys,
        strange_at=before.strange_at if before.strange else of.at,
    )


def override_ended(view: View, fact: OverrideEnded, of: Draft) -> View:
    """It does no more."""
    return override_gone(view, fact.target)


def override_gone(view: View, target: str) -> View:
    """The view without anything that was said of a value that is not ours at a target."""
    return folding.with_target(
        view, target, overridden=None, what="", guest=None, occupied=False, heeded=None, accepted=None
    )


def held(view: View, fact: Held, of: Draft) -> View:
    """A target of another credential holds a value of ours, or does so no longer."""
    streams = dict(view.held.get(fact.token_id, {}))
    before = streams.get(fact.by, frozenset())
    after = before - {fact.target} if fact.ended else before | {fact.target}
    return replace(
        view,
        held=folding.set_or_gone(view.held, fact.token_id, folding.set_or_gone(streams, fact.by, after)),
    )


def hooked(view: View, fact: Hooked, of: Draft) -> View:
    """What follows a publication was done, or some of it failed."""
    before = view.at(fact.target).hooked
    same = before is not None and before.generation == fact.generation
    count = ((before.count if before and same else 0) + 1) if fact.failed else 0
    after = Hooking(
        generation=fact.generation, at=of.at, failed=fact.failed, count=count, why=fact.why, remedy=fact.remedy
    )
    return folding.with_target(view, fact.target, hooked=after)


def released(view: View, fact: TargetReleased, of: Draft) -> View:
    """A target left the configuration; its stanza is kept, so that it can still be read.

    With `of`, the target stays and its place left: what is known of that place goes by a name of its own.
    """
    if fact.of:
        view = _renamed(view, fact.of, fact.target)
    past = Past(stanza=fact.stanza, place=fact.place)
    return folding.with_target(view, fact.target, released=of.at, past=past)


def _renamed(view: View, before: str, after: str) -> View:
    """What was known of a target is known of another name; the target itself was never seen."""
    view = _undone(view, before)
    there = override_gone(view, before).at(before)
    left = replace(there, known=False, token_id=None, holds=None, amiss=(), strange={}, open_writes={})
    former = replace(
        view.at(after), known=True, token_id=there.token_id, holds=there.holds, open_writes=there.open_writes
    )
    return replace(view, targets={**view.targets, before: left, after: former})


def _undone(view: View, target: str) -> View:
    """What the open rotation did at a target counts no more: another place goes by that name, or it was away."""
    rotation, gone = view.rotation, {target}
    if rotation is None:
        return view
    left = replace(rotation, written=rotation.written - gone, read_back=rotation.read_back - gone)
    return replace(view, rotation=left)


def added(view: View, fact: TargetAdded, of: Draft) -> View:
    """A target came back: it is looked at as if for the first time."""
    return folding.with_target(_undone(view, fact.target), fact.target, released=None, known=False, past=None)


def request(view: View, fact: Requested, of: Draft) -> View:
    """An operator asked for a rotation: he has perhaps removed the cause of a failure, so nothing backs off."""
    request = Request(
        id=fact.request_id,
        at=of.at,
        strategy=fact.strategy,
        outage_budget=fact.outage_budget,
        reason=fact.reason,
        actor=of.actor,
    )
    rotation = view.rotation and replace(view.rotation, failures={})
    return replace(view, request=request, rotation=rotation)


def paused(view: View, fact: Paused, of: Draft) -> View:
    """An operator stopped starts and retirements."""
    pause = Pause(since=of.at, until=fact.until, reason=fact.reason, actor=of.actor)
    return replace(view, pause=pause)


def resolved(view: View, fact: Resolved, of: Draft) -> View:
    """An operator decided: retry = do ours, accept = leave what stands there alone, undo = ask about it again.

    Retry and accept confirm the sweep. `abandon` only closes the open rotation; the DISPLACED fact is the driver's.
    """
    how, rotation = fact.how, view.rotation
    if how is How.UNDO:
        return folding.with_all(view, lambda found: _asked_again(found, of.at))
    view = folding.with_all(view, lambda found: _decided(found, how, Acceptance(by=of.actor, at=of.at)))
    if rotation and how is How.RETRY:
        view = replace(view, rotation=replace(rotation, rejects=0, failures={}))
    closes = how is How.ABANDON and rotation is not None
    return replace(view, cleared_at=of.at, closing=rotation.rid if closes and rotation else view.closing)


def _asked_again(found: TargetView, at: float) -> TargetView:
    """What was left alone at a target is asked about again."""
    if found.heeded is not None:
        found = replace(found, overridden=found.heeded, overridden_at=at, heeded=None)
    return replace(found, kept={}, accepted=None)


def _decided(found: TargetView, how: How | None, by: Acceptance) -> TargetView:
    """What an operator's decision means for what stands at a target."""
    foreign, strange = found.overridden, found.strange
    if how is How.ACCEPT and (foreign is not None or strange):
        kept = strange if strange and foreign is None else found.kept
        found = replace(found, heeded=found.heeded if foreign is None else foreign, kept=kept, accepted=by)
    elif how is How.RETRY:
        theirs = {*strange.values()} | (set() if foreign is None else {foreign})
        found = replace(found, allowed=found.allowed | theirs)
    gone = how is How.RETRY or foreign is not None
    return replace(found, overridden=None, occupied=False, strange={} if gone else strange)


def sighted(view: View, fact: Sighted, of: Draft) -> View:
    """What a look at a target saw: who let go of it, and what stands beside the value."""
    view = folding.beside(folding.moved(view, of.at, fact, fact.old), of.at, fact)
    view = marker_facts.sighted(view, fact)
    rolling = view.rotation is not None and view.rotation.rolling
    if fact.fingerprint == view.fingerprint and not rolling:  # a person brought it there
        view = folding.lives(view, of.at, fact.target)
    return replace(view, pieces=folding.pieces(view, fact))


def ahead(view: View, fact: Ahead, of: Draft) -> View:
    """A name of ours was seen that the journal does not know."""
    return folding.restored(view, of.at)


def resumed(view: View, fact: Resumed, of: Draft) -> View:
    """The pause is over."""
    return replace(view, pause=None)


def forgotten(view: View, fact: Forgotten, of: Draft) -> View:
    """Nothing is kept of the credential any more; its values were destroyed with this fact."""
    return replace(view, current=NO_TOKEN, fingerprint=NO_VALUE)


def unknown(view: View, fact: Unknown, of: Draft) -> View:
    """A fact of a newer version: nothing, or from here on this version must leave the stream alone."""
    return view if fact.passed_over or view.newer else replace(view, newer=fact.word, newer_at=of.at)
