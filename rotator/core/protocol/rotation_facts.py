"""What the facts of a rotation change in a view, from its plan to its end."""

from __future__ import annotations

from dataclasses import replace

from rotator.core.credential import Strategy
from rotator.core.facts import (
    Abandoned,
    Captured,
    Confirmed,
    Displaced,
    Done,
    Draft,
    Extended,
    Failed,
    Intent,
    Kind,
    Planned,
    Publishing,
    PublishIntent,
    ReadBack,
    Unwritten,
    Verified,
    Written,
)
from rotator.core.ids import NO_ROTATION, NO_TOKEN, NO_VALUE
from rotator.core.protocol import drift_facts, folding, marker_facts, pair_facts
from rotator.core.protocol.view import AttemptState, Rotation, View

K = Kind

LOST = "the answer was lost"
"""Why a mint is repeated, where the process that sent it did not live to say more."""


def planned(view: View, fact: Planned, of: Draft) -> View:
    """A rotation opens, with frozen terms."""
    healing = fact.terms.policy.strategy is Strategy.REPUBLISH
    rotation = Rotation(
        rid=of.rid,
        terms=fact.terms,
        step=K.PLANNED,
        since=of.at,
        started=of.at,
        token_id=fact.token_id,
        fingerprint=fact.fingerprint,
        before=view.fingerprint,
        request_id=fact.request_id,
    )
    if healing:
        return replace(view, rotation=rotation, yielded=False, healed_at=of.at)
    served = view.served
    if view.request and view.request.id == rotation.request_id:
        served = folding.plus(served, view.request.id, of.rid)
        view = replace(view, request=None)
    return replace(view, rotation=rotation, want=False, yielded=False, planned_at=of.at, served=served)


def intent(view: View, fact: Intent, of: Draft) -> View:
    """A mint is about to be sent; what was before is kept for a certain refusal."""
    rotation = view.opened
    rolls = rotation.strategy is Strategy.ROLL
    lost = rotation.step is K.INTENT
    after = replace(
        rotation,
        step=K.INTENT,
        since=of.at,
        attempt=fact.attempt,
        attempt_name=fact.token_name,
        token_id=rotation.token_id if rolls else NO_TOKEN,
        fingerprint=NO_VALUE,
        written=frozenset(),
        read_back=frozenset(),
        rolled_at=rotation.rolled_at or (of.at if rolls else 0.0),
        prior=None if lost and rolls else replace(rotation, prior=None),
        failures=folding.failures_with(folding.checked(rotation.failures), ("mint", ""), of.at, fact.why or LOST)
        if lost
        else folding.checked(rotation.failures),
    )
    return replace(view, rotation=after, attempts=folding.plus(view.attempts, fact.token_name, AttemptState.INTENT))


def captured(view: View, fact: Captured, of: Draft) -> View:
    """A minted value is durable; a late one is kept and moves nothing."""
    if fact.fingerprint in view.values:
        return view
    name, rotation = fact.attempt_name or fact.token_name, view.rotation
    state = view.attempts.get(name)
    late = state is AttemptState.INTENT
    digest = rotation.terms.digest if rotation and rotation.strategy is Strategy.RECREATE else ""
    view = replace(
        view,
        values=folding.plus(view.values, fact.fingerprint, fact.token_id),
        tokens=folding.tokens_with(view, fact, digest=digest),
        attempts=folding.plus(view.attempts, name, state if state and not late else AttemptState.CAPTURED),
    )
    if rotation and rotation.step is K.INTENT and rotation.attempt_name == name:
        view = replace(
            view,
            rotation=replace(
                rotation,
                step=K.CAPTURED,
                since=of.at,
                token_id=fact.token_id,
                fingerprint=fact.fingerprint,
                prior=None,
                failures=folding.minus(rotation.failures, ("mint", "")),
            ),
        )
        view = folding.died(view)
    return pair_facts.captured(view, fact, of)  # of a credential a late capture: kept, moves nothing


def abandoned(view: View, fact: Abandoned, of: Draft) -> View:
    """An attempt is given up; a captured token that was turned down gets its retirement."""
    rotation = view.opened
    rejected = fact.rejected
    retirements = folding.opened(view, of.at, rotation.policy, rotation.token_id) if rejected else view.retirements
    rotation = replace(
        rotation,
        step=K.ABANDONED,
        since=of.at,
        token_id=NO_TOKEN,
        fingerprint=NO_VALUE,
        prior=None,
        rejects=rotation.rejects + rejected,
        failures=folding.failures_with(rotation.failures, ("mint", ""), of.at, fact.why),
    )
    state = AttemptState.REJECTED if rejected else AttemptState.ABANDONED
    attempts = folding.plus(view.attempts, fact.token_name, state)
    return folding.failing_since(replace(view, rotation=rotation, attempts=attempts, retirements=retirements), of.at)


def verified(view: View, fact: Verified, of: Draft) -> View:
    """The captured value is what was asked for."""
    rotation = view.opened
    rotation = replace(
        rotation,
        step=K.VERIFIED,
        since=of.at,
        token_id=fact.token_id or rotation.token_id,
        fingerprint=fact.fingerprint or rotation.fingerprint,
        prior=None,
        failures=folding.minus(rotation.failures, ("accept", "")),
    )
    return folding.died(replace(view, rotation=rotation))


def publishing(view: View, fact: Publishing, of: Draft) -> View:
    """A publication begins and takes the next generation."""
    rotation = view.opened
    rotation = replace(
        rotation,
        step=K.PUBLISHING,
        since=of.at,
        generation=fact.generation,
        written=frozenset(),
        read_back=frozenset(),
        failures=folding.checked(rotation.failures),
    )
    return replace(view, rotation=rotation, generation=max(view.generation, fact.generation))


def confirmed(view: View, fact: Confirmed, of: Draft) -> View:
    """The published value is the current one; the older ones get their retirements."""
    rotation = view.opened
    first, healing = view.current == "", rotation.strategy is Strategy.REPUBLISH
    olds = [t for t in (view.current, fact.adopt) if t != rotation.token_id]
    view = replace(
        view,
        current=rotation.token_id,
        fingerprint=rotation.fingerprint,
        stood=view.stood | {rotation.token_id},
        retirements=folding.opened(view, of.at, rotation.policy, *olds),
        failing_since=0.0,
    )
    if not healing:
        view = replace(view, confirmed_at=of.at, rotations=view.rotations + (not first))
    stays = rotation.strategy is Strategy.ROLL
    return replace(view, rotation=replace(rotation, step=K.CONFIRMED, since=of.at) if stays else None)


def done(view: View, fact: Done, of: Draft) -> View:
    """A roll is over."""
    return replace(view, rotation=None)


def displaced(view: View, fact: Displaced, of: Draft) -> View:
    """The rotation closes before it was confirmed."""
    rotation = view.opened
    retirements = view.retirements
    if rotation.token_id != view.current and rotation.strategy is not Strategy.ROLL:
        retirements = folding.opened(view, of.at, rotation.policy, rotation.token_id)
    attempts = view.attempts
    if attempts.get(rotation.attempt_name) is AttemptState.INTENT:
        attempts = folding.plus(attempts, rotation.attempt_name, AttemptState.ABANDONED)
    healing = rotation.strategy is Strategy.REPUBLISH
    want = not fact.closed and not (healing and not fact.dead)
    return replace(
        view,
        rotation=None,
        want=view.want or want,
        yielded=fact.yields,
        closing=NO_ROTATION if view.closing == of.rid else view.closing,
        retirements=retirements,
        attempts=attempts,
    )


def extended(view: View, fact: Extended, of: Draft) -> View:
    """The expiry was moved ahead of a roll."""
    rotation = view.opened
    tokens = folding.tokens_with(view, fact)
    tokens[fact.token_id] = replace(tokens[fact.token_id], expires_at=fact.expires_at)
    drift = folding.minus(view.drift, fact.token_id)  # its end is ours again; the rest is seen at the next look
    return replace(view, tokens=tokens, drift=drift, rotation=replace(rotation, extended=fact.expires_at))


def failure(view: View, fact: Failed, of: Draft) -> View:
    """A failed act, for the back-off; a certain refusal of a mint returns to the step before its intent."""
    act, why, remedy, rotation = fact.act, fact.why, fact.remedy, view.rotation
    if fact.not_written is not None:
        view = folding.unintended(view, fact.target, fact.token_id, fact.not_written)
    retirement = view.retirements.get(fact.token_id)
    if retirement and act in ("disable", "delete"):
        failures = folding.failures_with(retirement.failures, (act, ""), of.at, why, remedy=remedy)
        after = replace(retirement, failures=failures)
        return replace(view, retirements=folding.plus(view.retirements, fact.token_id, after))
    if act == "update":
        return drift_facts.failed(view, fact, of)
    if rotation is None or rotation.rid != of.rid:
        return view
    attempts = view.attempts
    if act == "mint" and fact.token_name and attempts.get(fact.token_name) is AttemptState.INTENT:
        attempts = folding.plus(attempts, fact.token_name, AttemptState.REFUSED)
        if rotation.step is K.INTENT and rotation.attempt_name == fact.token_name and rotation.prior:
            rotation = replace(rotation.prior, attempt=rotation.attempt)
    failures = folding.failures_with(
        rotation.failures, (act, fact.target), of.at, why, fact.code, remedy, full=fact.full
    )
    rotation = replace(rotation, failures=failures)
    return folding.failing_since(replace(view, rotation=rotation, attempts=attempts), of.at)


def publish_intent(view: View, fact: PublishIntent, of: Draft) -> View:
    """A write is about to happen on top of that version."""
    rotation, writes = view.opened, view.at(fact.target).open_writes
    view = folding.generated(marker_facts.intended(view, fact.target, fact.token_id, of.at), fact)
    view = folding.with_target(
        view,
        fact.target,
        open_writes=folding.plus(writes, fact.token_id, (*writes.get(fact.token_id, ()), fact.version)),
    )
    return replace(
        view,
        pieces=folding.pieces(view, fact),
        intended=view.intended | {fact.token_id},
        rotation=replace(rotation, published=True),
    )


def written(view: View, fact: Written, of: Draft) -> View:
    """A target holds the value of this publication."""
    view = marker_facts.wrote(view, fact, of)
    rotation = view.opened
    rotation = replace(
        rotation,
        written=rotation.written | {fact.target},
        failures=folding.minus(rotation.failures, ("write", fact.target)),
    )
    view = folding.generated(folding.moved(view, of.at, fact, fact.old), fact)
    if not fact.marker:  # a write-only target compares nothing: a copy under way may still arrive, until this one stood
        left = folding.minus(view.at(fact.target).open_writes, fact.token_id)
        view = folding.with_target(view, fact.target, open_writes=left)
    return replace(view, rotation=rotation, pieces=folding.pieces(view, fact))


def read_back(view: View, fact: ReadBack, of: Draft) -> View:
    """It was read back over a new connection, and verified."""
    view = folding.lives(marker_facts.stood(view, fact), of.at, fact.target, fact.outage)
    rotation = view.opened
    rotation = replace(
        rotation,
        read_back=rotation.read_back | {fact.target},
        failures=folding.minus(rotation.failures, ("read_back", fact.target)),
    )
    return replace(view, rotation=rotation)


def unwritten(view: View, fact: Unwritten, of: Draft) -> View:
    """A target does not hold it any more."""
    rotation = view.opened
    gone = {fact.target}
    return replace(
        view, rotation=replace(rotation, written=rotation.written - gone, read_back=rotation.read_back - gone)
    )
