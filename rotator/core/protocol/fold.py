"""Facts into a view: what each kind of fact changes. Total, deterministic; it judges nothing (`steps.legal` does)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, TypeVar

from rotator.core.credential import NEVER, Policy, Strategy, Terms
from rotator.core.facts import Draft, Kind
from rotator.core.protocol.view import Failure, Pause, Request, Retirement, Rotation, Token, View

K = Kind
_Key = TypeVar("_Key")
_Value = TypeVar("_Value")
Folder = Callable[[View, Draft], View]


def _plus(table: Mapping[_Key, _Value], key: _Key, value: _Value) -> dict[_Key, _Value]:
    return {**table, key: value}


def _minus(table: Mapping[_Key, _Value], *keys: _Key) -> dict[_Key, _Value]:
    return {k: v for k, v in table.items() if k not in keys}


def _token(view: View, fact: Draft, **more: Any) -> dict[str, Token]:
    """The tokens with the one of this fact, kept as it was where it is known already."""
    if fact.token_id in view.tokens:
        return dict(view.tokens)
    token = Token(
        id=fact.token_id,
        name=fact.token_name,
        attempt_name=fact.text("attempt_name"),
        born=fact.number("born"),
        expires_at=_expiry(fact),
        **more,
    )
    return _plus(view.tokens, fact.token_id, token)


def _expiry(fact: Draft) -> float:
    return fact.number("expires_at", NEVER)


def _open(view: View, at: float, policy: Policy, *tokens: str) -> dict[str, Retirement]:
    """The retirements with one more for each token that has none and is not in use."""
    found = dict(view.retirements)
    for token in tokens:
        if token and token not in found and token not in view.marked:
            found[token] = Retirement(token_id=token, step=K.RETIREMENT, since=at, opened=at, policy=policy)
    return found


def _policy(fact: Draft) -> Policy:
    """The timings frozen into a fact that opens a retirement."""
    found = fact.detail.get("policy")
    return Policy.from_json(found) if isinstance(found, dict) else Policy()


def _restored(view: View, fact: Draft) -> View:
    """Something outside is ahead of the journal: open rotations close, the sweep only reports until it is confirmed."""
    return replace(view, ahead=True, ahead_at=max(view.ahead_at, fact.at), cleared_at=-NEVER)


def _planned(view: View, fact: Draft) -> View:
    terms = Terms.from_json(fact.detail)
    healing = terms.policy.strategy is Strategy.REPUBLISH
    rotation = Rotation(
        rid=fact.rid,
        terms=terms,
        step=K.PLANNED,
        since=fact.at,
        started=fact.at,
        token_id=fact.token_id,
        fingerprint=fact.fingerprint,
        before=view.fingerprint,
        request_id=fact.text("request_id"),
    )
    if healing:
        return replace(view, rotation=rotation, yielded=False, healed_at=fact.at)
    served = view.served
    if view.request and view.request.id == rotation.request_id:
        served = _plus(served, view.request.id, fact.rid)
        view = replace(view, request=None)
    return replace(view, rotation=rotation, want=False, yielded=False, planned_at=fact.at, served=served)


def _intent(view: View, fact: Draft) -> View:
    rotation = view.opened
    rolls = rotation.strategy is Strategy.ROLL
    lost = rotation.step is K.INTENT
    after = replace(
        rotation,
        step=K.INTENT,
        since=fact.at,
        attempt=fact.attempt,
        attempt_name=fact.token_name,
        token_id=rotation.token_id if rolls else "",
        fingerprint="",
        written=frozenset(),
        read_back=frozenset(),
        rolled_at=rotation.rolled_at or (fact.at if rolls else 0.0),
        prior=None if lost and rolls else replace(rotation, prior=None),
        failures=_failed(rotation.failures, ("mint", ""), fact.at, "the answer was lost")
        if lost
        else rotation.failures,
    )
    return replace(view, rotation=after, attempts=_plus(view.attempts, fact.token_name, "intent"))


def _captured(view: View, fact: Draft) -> View:
    if fact.fingerprint in view.values:
        return view
    name, rotation = fact.text("attempt_name") or fact.token_name, view.rotation
    state = view.attempts.get(name)
    view = replace(
        view,
        values=_plus(view.values, fact.fingerprint, fact.token_id),
        tokens=_token(view, fact),
        attempts=_plus(view.attempts, name, "captured" if state in ("intent", None) else state),
    )
    if rotation and rotation.step is K.INTENT and rotation.attempt_name == name:
        view = replace(
            view,
            rotation=replace(
                rotation,
                step=K.CAPTURED,
                since=fact.at,
                token_id=fact.token_id,
                fingerprint=fact.fingerprint,
                prior=None,
                failures=_minus(rotation.failures, ("mint", "")),
            ),
        )
    return view  # else a late capture: kept, moves nothing


def _abandoned(view: View, fact: Draft) -> View:
    rotation = view.opened
    rejected = bool(fact.detail.get("rejected"))
    retirements = _open(view, fact.at, rotation.policy, rotation.token_id) if rejected else view.retirements
    rotation = replace(
        rotation,
        step=K.ABANDONED,
        since=fact.at,
        token_id="",
        fingerprint="",
        prior=None,
        rejects=rotation.rejects + rejected,
        failures=_failed(rotation.failures, ("mint", ""), fact.at, fact.text("why")),
    )
    state = "rejected" if rejected else "abandoned"
    attempts = _plus(view.attempts, fact.token_name, state)
    return _failing(replace(view, rotation=rotation, attempts=attempts, retirements=retirements), fact.at)


def _verified(view: View, fact: Draft) -> View:
    rotation = view.opened
    rotation = replace(
        rotation,
        step=K.VERIFIED,
        since=fact.at,
        token_id=fact.token_id or rotation.token_id,
        fingerprint=fact.fingerprint or rotation.fingerprint,
        prior=None,
    )
    return replace(view, rotation=rotation)


def _publishing(view: View, fact: Draft) -> View:
    rotation = view.opened
    rotation = replace(
        rotation,
        step=K.PUBLISHING,
        since=fact.at,
        generation=fact.generation,
        written=frozenset(),
        read_back=frozenset(),
    )
    return replace(view, rotation=rotation, generation=max(view.generation, fact.generation))


def _confirmed(view: View, fact: Draft) -> View:
    rotation = view.opened
    first, healing = view.current == "", rotation.strategy is Strategy.REPUBLISH
    olds = [t for t in (view.current, fact.text("adopt")) if t != rotation.token_id]
    view = replace(
        view,
        current=rotation.token_id,
        fingerprint=rotation.fingerprint,
        stood=view.stood | {rotation.token_id},
        retirements=_open(view, fact.at, rotation.policy, *olds),
        failing_since=0.0,
    )
    if not healing:
        view = replace(view, confirmed_at=fact.at, rotations=view.rotations + (not first))
    stays = rotation.strategy is Strategy.ROLL
    return replace(view, rotation=replace(rotation, step=K.CONFIRMED, since=fact.at) if stays else None)


def _done(view: View, fact: Draft) -> View:
    return replace(view, rotation=None)


def _displaced(view: View, fact: Draft) -> View:
    rotation = view.opened
    retirements = view.retirements
    if rotation.token_id != view.current and rotation.strategy is not Strategy.ROLL:
        retirements = _open(view, fact.at, rotation.policy, rotation.token_id)
    attempts = view.attempts
    if attempts.get(rotation.attempt_name) == "intent":
        attempts = _plus(attempts, rotation.attempt_name, "abandoned")
    healing = rotation.strategy is Strategy.REPUBLISH
    want = not fact.detail.get("closed") and not (healing and not fact.detail.get("dead"))
    return replace(
        view,
        rotation=None,
        want=view.want or want,
        yielded=bool(fact.detail.get("yields")),
        closing="" if view.closing == fact.rid else view.closing,
        retirements=retirements,
        attempts=attempts,
    )


def _extended(view: View, fact: Draft) -> View:
    rotation = view.opened
    tokens = _token(view, fact)
    tokens[fact.token_id] = replace(tokens[fact.token_id], expires_at=_expiry(fact))
    return replace(view, tokens=tokens, rotation=replace(rotation, extended=_expiry(fact)))


def _failed(
    failures: Mapping[tuple[str, str], Failure], key: tuple[str, str], at: float, message: str
) -> dict[tuple[str, str], Failure]:
    before = failures.get(key)
    return _plus(failures, key, Failure((before.count if before else 0) + 1, at, message))


def _failing(view: View, at: float) -> View:
    return view if view.failing_since else replace(view, failing_since=at)


def _failure(view: View, fact: Draft) -> View:
    """A failed act, for the back-off; a certain refusal of a mint returns to the step before its intent."""
    act, why, rotation = fact.text("act"), fact.text("why"), view.rotation
    retirement = view.retirements.get(fact.token_id)
    if retirement and act in ("disable", "delete"):
        after = replace(retirement, failures=_failed(retirement.failures, (act, ""), fact.at, why))
        return replace(view, retirements=_plus(view.retirements, fact.token_id, after))
    if rotation is None or rotation.rid != fact.rid:
        return view
    attempts = view.attempts
    if act == "mint" and fact.token_name and attempts.get(fact.token_name) == "intent":
        attempts = _plus(attempts, fact.token_name, "refused")
        if rotation.step is K.INTENT and rotation.attempt_name == fact.token_name and rotation.prior:
            rotation = replace(rotation.prior, attempt=rotation.attempt)
    rotation = replace(rotation, failures=_failed(rotation.failures, (act, fact.target), fact.at, why))
    return _failing(replace(view, rotation=rotation, attempts=attempts), fact.at)


def _publish_intent(view: View, fact: Draft) -> View:
    rotation = view.opened
    return replace(
        view,
        intended=view.intended | {fact.token_id},
        open_writes=_plus(view.open_writes, (fact.target, fact.token_id), fact.text("version")),
        rotation=replace(rotation, published=True),
    )


def _moved(view: View, fact: Draft) -> View:
    """A target lets go of what stood there last: grace of that token counts from now."""
    let_go = dict(view.let_go)
    for token in (view.last.get(fact.target, ""), fact.text("old")):
        if token and token != fact.token_id:
            let_go[token] = max(let_go.get(token, 0.0), fact.at)
    return replace(view, let_go=let_go, last=_plus(view.last, fact.target, fact.token_id))


def _written(view: View, fact: Draft) -> View:
    rotation = view.opened
    rotation = replace(
        rotation,
        written=rotation.written | {fact.target},
        failures=_minus(rotation.failures, ("write", fact.target)),
    )
    view = _moved(view, fact)
    return replace(view, rotation=rotation, open_writes=_minus(view.open_writes, (fact.target, fact.token_id)))


def _read_back(view: View, fact: Draft) -> View:
    rotation = view.opened
    rotation = replace(
        rotation,
        read_back=rotation.read_back | {fact.target},
        failures=_minus(rotation.failures, ("read_back", fact.target)),
    )
    return replace(view, rotation=rotation)


def _unwritten(view: View, fact: Draft) -> View:
    rotation = view.opened
    gone = {fact.target}
    return replace(
        view, rotation=replace(rotation, written=rotation.written - gone, read_back=rotation.read_back - gone)
    )


def _retirement(view: View, fact: Draft) -> View:
    policy = _policy(fact)
    return replace(view, tokens=_token(view, fact), retirements=_open(view, fact.at, policy, fact.token_id))


def _retirement_step(view: View, fact: Draft) -> View:
    found = view.retirements[fact.token_id]
    after = replace(found, step=fact.kind, since=fact.at, failures={})
    marked = view.marked if fact.token_id in view.marked else _plus(view.marked, fact.token_id, fact.kind)
    return replace(view, retirements=_plus(view.retirements, fact.token_id, after), marked=marked)


def _retired(view: View, fact: Draft) -> View:
    return replace(view, retirements=_minus(view.retirements, fact.token_id))


def _baseline(view: View, fact: Draft) -> View:
    allowed = view.allowed | {(fact.target, fact.fingerprint)} if fact.detail.get("replace") else view.allowed
    return replace(
        view,
        baselines=view.baselines | {fact.target},
        released=_minus(view.released, fact.target),
        last=_plus(view.last, fact.target, fact.token_id),
        allowed=allowed,
    )


def _known(view: View, fact: Draft) -> View:
    view = replace(
        view,
        values=_plus(view.values, fact.fingerprint, fact.token_id),
        tokens=_token(view, fact),
        stood=view.stood | {fact.token_id},
    )
    return _restored(view, fact) if fact.detail.get("ahead") else view


def _adopted(view: View, fact: Draft) -> View:
    """A value found at a target becomes the current one; everything older gets a retirement."""
    policy = _policy(fact)
    rotation = view.rotation
    olds = [t for t in (view.current, rotation.token_id if rotation else "", fact.text("adopt")) if t != fact.token_id]
    attempts = view.attempts
    if rotation and attempts.get(rotation.attempt_name) == "intent":
        attempts = _plus(attempts, rotation.attempt_name, "abandoned")
    view = replace(
        view,
        values=_plus(view.values, fact.fingerprint, fact.token_id),
        tokens=_token(view, fact, adopted=not fact.detail.get("ours")),
        current=fact.token_id,
        fingerprint=fact.fingerprint,
        generation=max(view.generation, int(fact.generation)),
        rotation=None,
        attempts=attempts,
        stood=view.stood | {fact.token_id},
        retirements=_minus(_open(view, fact.at, policy, *olds), fact.token_id),
        overridden=_minus(view.overridden, fact.target),
    )
    return _restored(view, fact) if fact.detail.get("ahead") else view


def _overridden(view: View, fact: Draft) -> View:
    first = fact.target not in view.baselines
    return replace(
        view,
        overridden=_plus(view.overridden, fact.target, fact.fingerprint),
        occupied=view.occupied | {fact.target} if first else view.occupied,
    )


def _override_ended(view: View, fact: Draft) -> View:
    return replace(
        view,
        overridden=_minus(view.overridden, fact.target),
        occupied=view.occupied - {fact.target},
        heeded=_minus(view.heeded, fact.target),
    )


def _released(view: View, fact: Draft) -> View:
    past = _plus(view.past, fact.target, fact.detail.get("stanza"))
    return replace(view, released=_plus(view.released, fact.target, fact.at), past=past)


def _added(view: View, fact: Draft) -> View:
    return replace(
        view,
        released=_minus(view.released, fact.target),
        baselines=view.baselines - {fact.target},
        past=_minus(view.past, fact.target),
    )


def _request(view: View, fact: Draft) -> View:
    request = Request(
        id=fact.text("request_id"),
        at=fact.at,
        strategy=fact.text("strategy"),
        outage_budget=fact.number("outage_budget"),
        reason=fact.text("reason"),
        actor=fact.actor,
    )
    return replace(view, request=request)


def _paused(view: View, fact: Draft) -> View:
    pause = Pause(since=fact.at, until=fact.number("until", NEVER), reason=fact.text("reason"), actor=fact.actor)
    return replace(view, pause=pause)


def _resolved(view: View, fact: Draft) -> View:
    """An operator decided: retry = do ours, accept = what stands there is right; both confirm the sweep.

    `abandon` only closes the open rotation; the DISPLACED fact that does it is the driver's.
    """
    how, rotation = fact.text("how"), view.rotation
    if how == "accept":
        view = replace(view, heeded={**view.heeded, **view.overridden})
    elif how == "retry":
        view = replace(view, allowed=view.allowed | set(view.overridden.items()))
    if rotation and how == "retry":
        view = replace(view, rotation=replace(rotation, rejects=0, failures={}))
    closes = how == "abandon" and rotation is not None
    return replace(
        view,
        overridden={},
        occupied=frozenset(),
        cleared_at=fact.at,
        closing=rotation.rid if closes and rotation else view.closing,
    )


FOLDERS: Final[Mapping[Kind, Folder]] = {
    K.PLANNED: _planned,
    K.INTENT: _intent,
    K.CAPTURED: _captured,
    K.ABANDONED: _abandoned,
    K.VERIFIED: _verified,
    K.PUBLISHING: _publishing,
    K.CONFIRMED: _confirmed,
    K.DONE: _done,
    K.DISPLACED: _displaced,
    K.EXTENDED: _extended,
    K.FAILED: _failure,
    K.PUBLISH_INTENT: _publish_intent,
    K.WRITTEN: _written,
    K.READ_BACK: _read_back,
    K.UNWRITTEN: _unwritten,
    K.RETIREMENT: _retirement,
    K.SUPERSEDED: _retirement_step,
    K.CONDEMNED: _retirement_step,
    K.DISABLED: _retirement_step,
    K.DELETED: _retirement_step,
    K.RETIRED: _retired,
    K.BASELINE: _baseline,
    K.SEEN: _moved,
    K.KNOWN: _known,
    K.ADOPTED: _adopted,
    K.OVERRIDDEN: _overridden,
    K.OVERRIDE_ENDED: _override_ended,
    K.TARGET_RELEASED: _released,
    K.TARGET_ADDED: _added,
    K.AHEAD: _restored,
    K.CONFIGURED: lambda view, fact: replace(view, spec=fact.detail),
    K.REQUEST: _request,
    K.PAUSED: _paused,
    K.RESUMED: lambda view, fact: replace(view, pause=None),
    K.RESOLVED: _resolved,
}


def fold(view: View, fact: Draft) -> View:
    """Return the view after one more fact, which must have been legal.

    A `Fact` also moves `position`; a bare `Draft` leaves it, so that a rule can be asked about a future.
    """
    after = FOLDERS[fact.kind](view, fact)
    position = getattr(fact, "position", view.position)
    return after if after.position == position else replace(after, position=position)
