"""What all other facts change in a view: retirements, what was seen outside, what operators did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from rotator.core.facts import (
    Adopted,
    Ahead,
    Baseline,
    Configured,
    Draft,
    Held,
    How,
    Known,
    OfToken,
    Overridden,
    OverrideEnded,
    Paused,
    Requested,
    Resolved,
    Resumed,
    Retired,
    RetirementOpened,
    Sighted,
    TargetAdded,
    TargetReleased,
    Unknown,
)
from rotator.core.protocol import amend
from rotator.core.protocol.view import Acceptance, AttemptState, Guest, Pause, Request, View


def configured(view: View, fact: Configured, of: Draft) -> View:
    """The stanza changed; what it said of the scope that it left is kept for the tokens there."""
    found = fact.spec.get("scope")
    before, after = view.scope, found if isinstance(found, str) else ""
    tokens = view.tokens
    if after and not before:  # an older version did not note where tokens live
        tokens = {t: token if token.scope else replace(token, scope=after) for t, token in tokens.items()}
    former = amend.plus(view.former, before, view.spec) if before and after != before else view.former
    return replace(view, spec=fact.spec, tokens=tokens, former=amend.minus(former, after))


def retirement(view: View, fact: RetirementOpened, of: Draft) -> View:
    """A token that nothing owned gets its retirement."""
    retirements = amend.opened(view, of.at, fact.policy, fact.token_id)
    return replace(view, tokens=amend.tokens_with(view, fact), retirements=retirements)


def retirement_step(view: View, fact: OfToken, of: Draft) -> View:
    """A retirement goes one step on; the irrevocable first one marks the token for ever."""
    found = view.retirements[fact.token_id]
    after = replace(found, step=fact.kind, since=of.at, failures={})
    marked = view.marked if fact.token_id in view.marked else amend.plus(view.marked, fact.token_id, fact.kind)
    return replace(view, retirements=amend.plus(view.retirements, fact.token_id, after), marked=marked)


def retired(view: View, fact: Retired, of: Draft) -> View:
    """A retirement is over."""
    return replace(view, retirements=amend.minus(view.retirements, fact.token_id))


def baseline(view: View, fact: Baseline, of: Draft) -> View:
    """A target was seen for the first time."""
    allowed = view.allowed | {(fact.target, piece) for piece in fact.free}
    if fact.replace:
        allowed = allowed | {(fact.target, fact.fingerprint)}
    view = replace(view, pieces=amend.pieces(view, fact))
    view = amend.beside(view, of.at, fact) if fact.strange is not None else view
    return replace(
        view,
        holds=amend.plus(view.holds, fact.target, fact.fingerprint),
        baselines=view.baselines | {fact.target},
        released=amend.minus(view.released, fact.target),
        last=amend.plus(view.last, fact.target, fact.token_id),
        allowed=allowed,
    )


def known(view: View, fact: Known, of: Draft) -> View:
    """A value that stands at a target belongs to a token of ours, and is not the newest."""
    view = replace(
        view,
        values=amend.plus(view.values, fact.fingerprint, fact.token_id),
        tokens=amend.tokens_with(view, fact),
        stood=view.stood | {fact.token_id},
    )
    return amend.restored(view, of.at) if fact.ahead else view


def adopted(view: View, fact: Adopted, of: Draft) -> View:
    """A value found at a target becomes the current one; everything older gets a retirement."""
    rotation = view.rotation
    olds = [t for t in (view.current, rotation.token_id if rotation else "", fact.adopt) if t != fact.token_id]
    attempts = view.attempts
    if rotation and attempts.get(rotation.attempt_name) is AttemptState.INTENT:
        attempts = amend.plus(attempts, rotation.attempt_name, AttemptState.ABANDONED)
    view = replace(
        view,
        values=amend.plus(view.values, fact.fingerprint, fact.token_id),
        tokens=amend.tokens_with(view, fact, adopted=not fact.ours),
        current=fact.token_id,
        fingerprint=fact.fingerprint,
        generation=max(view.generation, fact.generation),
        rotation=None,
        attempts=attempts,
        stood=view.stood | {fact.token_id},
        retirements=amend.minus(amend.opened(view, of.at, fact.policy, *olds), fact.token_id),
    )
    if fact.target:
        view = override_gone(amend.moved(view, of.at, fact), fact.target)
        view = replace(view, generations=amend.generations(view, fact))
    return amend.restored(view, of.at) if fact.ahead else view


def overridden(view: View, fact: Overridden, of: Draft) -> View:
    """A managed key holds a value that is not ours; what an operator accepted there before is gone."""
    stream = fact.stream
    guest = Guest(stream=stream, token_id=fact.token_id, fingerprint=fact.fingerprint) if stream else None
    since = view.overridden_at[fact.target] if fact.target in view.overridden else of.at
    view = override_gone(view, fact.target, but_occupied=True)
    first = fact.target not in view.baselines
    return replace(
        view,
        overridden_at=amend.plus(view.overridden_at, fact.target, since),
        overridden=amend.plus(view.overridden, fact.target, fact.fingerprint),
        occupied=view.occupied | {fact.target} if first else view.occupied,
        holds=amend.plus(view.holds, fact.target, fact.fingerprint),
        strange=amend.set_or_gone(view.strange, fact.target, fact.keys),
        what=amend.set_or_gone(view.what, fact.target, fact.what),
        guests=amend.plus(view.guests, fact.target, guest) if guest else view.guests,
    )


def override_ended(view: View, fact: OverrideEnded, of: Draft) -> View:
    """It does no more."""
    return override_gone(view, fact.target)


def override_gone(view: View, target: str, *, but_occupied: bool = False) -> View:
    """The view without anything that was said of a value that is not ours at a target."""
    return replace(
        view,
        overridden=amend.minus(view.overridden, target),
        occupied=view.occupied if but_occupied else view.occupied - {target},
        heeded=amend.minus(view.heeded, target),
        accepted=amend.minus(view.accepted, target),
        what=amend.minus(view.what, target),
        guests=amend.minus(view.guests, target),
    )


def held(view: View, fact: Held, of: Draft) -> View:
    """A target of another credential holds a value of ours, or does so no longer."""
    streams = dict(view.held.get(fact.token_id, {}))
    before = streams.get(fact.by, frozenset())
    after = before - {fact.target} if fact.ended else before | {fact.target}
    return replace(
        view,
        held=amend.set_or_gone(view.held, fact.token_id, amend.set_or_gone(streams, fact.by, after)),
    )


def released(view: View, fact: TargetReleased, of: Draft) -> View:
    """A target left the configuration; its stanza is kept, so that it can still be read.

    With `of`, the target stays and its place left: what is known of that place goes by a name of its own.
    """
    if fact.of:
        view = _renamed(view, fact.of, fact.target)
    past = amend.plus(view.past, fact.target, fact.stanza)
    vacated = amend.set_or_gone(view.vacated, fact.target, fact.place)
    return replace(view, released=amend.plus(view.released, fact.target, of.at), past=past, vacated=vacated)


def _renamed(view: View, before: str, after: str) -> View:
    """What was known of a target is known of another name; the target itself was never seen."""
    rotation = view.rotation
    if rotation is not None:
        gone = {before}
        rotation = replace(rotation, written=rotation.written - gone, read_back=rotation.read_back - gone)
    view = override_gone(view, before)
    return replace(
        view,
        rotation=rotation,
        baselines=view.baselines - {before} | {after},
        last=_moved_key(view.last, before, after),
        holds=_moved_key(view.holds, before, after),
        amiss=amend.minus(view.amiss, before),
        strange=amend.minus(view.strange, before),
        open_writes={(after if t == before else t, token): v for (t, token), v in view.open_writes.items()},
    )


def _moved_key(table: Mapping[str, str], before: str, after: str) -> dict[str, str]:
    return {after if key == before else key: value for key, value in table.items()}


def added(view: View, fact: TargetAdded, of: Draft) -> View:
    """A target came back: it is looked at as if for the first time."""
    return replace(
        view,
        released=amend.minus(view.released, fact.target),
        baselines=view.baselines - {fact.target},
        past=amend.minus(view.past, fact.target),
        vacated=amend.minus(view.vacated, fact.target),
    )


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
        return replace(
            view,
            overridden={**view.overridden, **view.heeded},
            overridden_at={**view.overridden_at, **dict.fromkeys(view.heeded, of.at)},
            heeded={},
            kept={},
            accepted={},
        )
    if how is How.ACCEPT:
        said = dict.fromkeys({*view.overridden, *view.strange}, Acceptance(by=of.actor, at=of.at))
        kept = {target: keys for target, keys in view.strange.items() if target not in view.overridden}
        view = replace(
            view,
            heeded={**view.heeded, **view.overridden},
            kept={**view.kept, **kept},
            accepted={**view.accepted, **said},
        )
    elif how is How.RETRY:
        beside = {(target, piece) for target, keys in view.strange.items() for piece in keys.values()}
        view = replace(view, allowed=view.allowed | set(view.overridden.items()) | beside)
    if rotation and how is How.RETRY:
        view = replace(view, rotation=replace(rotation, rejects=0, failures={}))
    closes = how is How.ABANDON and rotation is not None
    strange = {} if how is How.RETRY else {t: keys for t, keys in view.strange.items() if t not in view.overridden}
    return replace(
        view,
        overridden={},
        occupied=frozenset(),
        strange=strange,
        cleared_at=of.at,
        closing=rotation.rid if closes and rotation else view.closing,
    )


def sighted(view: View, fact: Sighted, of: Draft) -> View:
    """What a look at a target saw: who let go of it, and what stands beside the value."""
    view = amend.beside(amend.moved(view, of.at, fact, fact.old), of.at, fact)
    return replace(view, pieces=amend.pieces(view, fact))


def ahead(view: View, fact: Ahead, of: Draft) -> View:
    """A name of ours was seen that the journal does not know."""
    return amend.restored(view, of.at)


def resumed(view: View, fact: Resumed, of: Draft) -> View:
    """The pause is over."""
    return replace(view, pause=None)


def unknown(view: View, fact: Unknown, of: Draft) -> View:
    """A fact of a newer version: nothing, or from here on this version must leave the stream alone."""
    return view if fact.passed_over or view.newer else replace(view, newer=fact.word, newer_at=of.at)
