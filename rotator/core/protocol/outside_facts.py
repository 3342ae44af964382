"""What all other facts change in a view: retirements, what was seen outside, what operators did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from rotator.core.credential import NEVER
from rotator.core.facts import Draft, Kind
from rotator.core.protocol import amend
from rotator.core.protocol.view import Acceptance, Guest, Pause, Request, View

K = Kind


def configured(view: View, fact: Draft) -> View:
    """The stanza changed; what it said of the scope that it left is kept for the tokens there."""
    before, after = view.scope, fact.text("scope")
    tokens = view.tokens
    if after and not before:  # an older version did not note where tokens live
        tokens = {t: token if token.scope else replace(token, scope=after) for t, token in tokens.items()}
    former = amend.plus(view.former, before, view.spec) if before and after != before else view.former
    return replace(view, spec=fact.detail, tokens=tokens, former=amend.minus(former, after))


def retirement(view: View, fact: Draft) -> View:
    """A token that nothing owned gets its retirement."""
    policy = amend.policy(fact)
    return replace(
        view, tokens=amend.tokens_with(view, fact), retirements=amend.opened(view, fact.at, policy, fact.token_id)
    )


def retirement_step(view: View, fact: Draft) -> View:
    """A retirement goes one step on; the irrevocable first one marks the token for ever."""
    found = view.retirements[fact.token_id]
    after = replace(found, step=fact.kind, since=fact.at, failures={})
    marked = view.marked if fact.token_id in view.marked else amend.plus(view.marked, fact.token_id, fact.kind)
    return replace(view, retirements=amend.plus(view.retirements, fact.token_id, after), marked=marked)


def retired(view: View, fact: Draft) -> View:
    """A retirement is over."""
    return replace(view, retirements=amend.minus(view.retirements, fact.token_id))


def baseline(view: View, fact: Draft) -> View:
    """A target was seen for the first time."""
    free = fact.detail.get("free")
    pieces = [str(piece) for piece in free] if isinstance(free, list) else []
    allowed = view.allowed | {(fact.target, piece) for piece in pieces}
    if fact.detail.get("replace"):
        allowed = allowed | {(fact.target, fact.fingerprint)}
    view = replace(view, pieces=amend.pieces(view, fact))
    view = amend.beside(view, fact) if "strange" in fact.detail else view
    return replace(
        view,
        holds=amend.plus(view.holds, fact.target, fact.fingerprint),
        baselines=view.baselines | {fact.target},
        released=amend.minus(view.released, fact.target),
        last=amend.plus(view.last, fact.target, fact.token_id),
        allowed=allowed,
    )


def known(view: View, fact: Draft) -> View:
    """A value that stands at a target belongs to a token of ours, and is not the newest."""
    view = replace(
        view,
        values=amend.plus(view.values, fact.fingerprint, fact.token_id),
        tokens=amend.tokens_with(view, fact),
        stood=view.stood | {fact.token_id},
    )
    return amend.restored(view, fact) if fact.detail.get("ahead") else view


def adopted(view: View, fact: Draft) -> View:
    """A value found at a target becomes the current one; everything older gets a retirement."""
    policy = amend.policy(fact)
    rotation = view.rotation
    olds = [t for t in (view.current, rotation.token_id if rotation else "", fact.text("adopt")) if t != fact.token_id]
    attempts = view.attempts
    if rotation and attempts.get(rotation.attempt_name) == "intent":
        attempts = amend.plus(attempts, rotation.attempt_name, "abandoned")
    view = replace(
        view,
        values=amend.plus(view.values, fact.fingerprint, fact.token_id),
        tokens=amend.tokens_with(view, fact, adopted=not fact.detail.get("ours")),
        current=fact.token_id,
        fingerprint=fact.fingerprint,
        generation=max(view.generation, int(fact.generation)),
        rotation=None,
        attempts=attempts,
        stood=view.stood | {fact.token_id},
        retirements=amend.minus(amend.opened(view, fact.at, policy, *olds), fact.token_id),
    )
    if fact.target:
        view = override_ended(amend.moved(view, fact), fact)
        view = replace(view, generations=amend.generations(view, fact))
    return amend.restored(view, fact) if fact.detail.get("ahead") else view


def overridden(view: View, fact: Draft) -> View:
    """A managed key holds a value that is not ours; what an operator accepted there before is gone."""
    stream = fact.text("stream")
    guest = Guest(stream=stream, token_id=fact.token_id, fingerprint=fact.fingerprint) if stream else None
    since = view.overridden_at[fact.target] if fact.target in view.overridden else fact.at
    view = override_gone(view, fact.target, but_occupied=True)
    first = fact.target not in view.baselines
    return replace(
        view,
        overridden_at=amend.plus(view.overridden_at, fact.target, since),
        overridden=amend.plus(view.overridden, fact.target, fact.fingerprint),
        occupied=view.occupied | {fact.target} if first else view.occupied,
        holds=amend.plus(view.holds, fact.target, fact.fingerprint),
        strange=amend.set_or_gone(view.strange, fact.target, amend.named(fact, "keys")),
        what=amend.set_or_gone(view.what, fact.target, fact.text("what")),
        guests=amend.plus(view.guests, fact.target, guest) if guest else view.guests,
    )


def override_ended(view: View, fact: Draft) -> View:
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


def held(view: View, fact: Draft) -> View:
    """A target of another credential holds a value of ours, or does so no longer."""
    by = fact.text("by")
    streams = dict(view.held.get(fact.token_id, {}))
    before = streams.get(by, frozenset())
    after = before - {fact.target} if fact.detail.get("ended") else before | {fact.target}
    return replace(
        view,
        held=amend.set_or_gone(view.held, fact.token_id, amend.set_or_gone(streams, by, after)),
    )


def released(view: View, fact: Draft) -> View:
    """A target left the configuration; its stanza is kept, so that it can still be read.

    With `of`, the target stays and its place left: what is known of that place goes by a name of its own.
    """
    if of := fact.text("of"):
        view = _renamed(view, of, fact.target)
    past = amend.plus(view.past, fact.target, fact.detail.get("stanza"))
    vacated = amend.set_or_gone(view.vacated, fact.target, fact.text("place"))
    return replace(view, released=amend.plus(view.released, fact.target, fact.at), past=past, vacated=vacated)


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


def added(view: View, fact: Draft) -> View:
    """A target came back: it is looked at as if for the first time."""
    return replace(
        view,
        released=amend.minus(view.released, fact.target),
        baselines=view.baselines - {fact.target},
        past=amend.minus(view.past, fact.target),
        vacated=amend.minus(view.vacated, fact.target),
    )


def request(view: View, fact: Draft) -> View:
    """An operator asked for a rotation: he has perhaps removed the cause of a failure, so nothing backs off."""
    request = Request(
        id=fact.text("request_id"),
        at=fact.at,
        strategy=fact.text("strategy"),
        outage_budget=fact.number("outage_budget"),
        reason=fact.text("reason"),
        actor=fact.actor,
    )
    rotation = view.rotation and replace(view.rotation, failures={})
    return replace(view, request=request, rotation=rotation)


def paused(view: View, fact: Draft) -> View:
    """An operator stopped starts and retirements."""
    pause = Pause(since=fact.at, until=fact.number("until", NEVER), reason=fact.text("reason"), actor=fact.actor)
    return replace(view, pause=pause)


def resolved(view: View, fact: Draft) -> View:
    """An operator decided: retry = do ours, accept = leave what stands there alone, undo = ask about it again.

    Retry and accept confirm the sweep. `abandon` only closes the open rotation; the DISPLACED fact is the driver's.
    """
    how, rotation = fact.text("how"), view.rotation
    if how == "undo":
        return replace(
            view,
            overridden={**view.overridden, **view.heeded},
            overridden_at={**view.overridden_at, **dict.fromkeys(view.heeded, fact.at)},
            heeded={},
            kept={},
            accepted={},
        )
    if how == "accept":
        said = dict.fromkeys({*view.overridden, *view.strange}, Acceptance(by=fact.actor, at=fact.at))
        kept = {target: keys for target, keys in view.strange.items() if target not in view.overridden}
        view = replace(
            view,
            heeded={**view.heeded, **view.overridden},
            kept={**view.kept, **kept},
            accepted={**view.accepted, **said},
        )
    elif how == "retry":
        beside = {(target, piece) for target, keys in view.strange.items() for piece in keys.values()}
        view = replace(view, allowed=view.allowed | set(view.overridden.items()) | beside)
    if rotation and how == "retry":
        view = replace(view, rotation=replace(rotation, rejects=0, failures={}))
    closes = how == "abandon" and rotation is not None
    strange = {} if how == "retry" else {t: keys for t, keys in view.strange.items() if t not in view.overridden}
    return replace(
        view,
        overridden={},
        occupied=frozenset(),
        strange=strange,
        cleared_at=fact.at,
        closing=rotation.rid if closes and rotation else view.closing,
    )
