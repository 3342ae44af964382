"""The laws over the model: asked at each effect, with the world's own knowledge only, and once more at rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from rotator.core.credential import NEVER, Strategy
from rotator.core.facts import Abandoned, Draft, Kind, OfPublication, OfRotation, OfToken, Planned
from rotator.core.ids import NO_TOKEN
from rotator.core.protocol.steps import legal
from rotator.core.protocol.view import View
from rotator.core.schedule.due import Due
from rotator.testing.cover.model import LIFE, NAME, POLICY, TICK, Model
from rotator.testing.laws import Law
from rotator.testing.simulation.provider import Place, Tok

MOST = 7
"""Values that one run may make, two troubles and a late duplicate included; one more is a runaway."""


OUTAGE = 2 * TICK
"""Seconds that an outage lasts; at the moment at which it begins, nobody can know of it."""


def minted(model: Model) -> None:
    """We minted or rolled."""
    if len(model.by_value) > MOST + len(model.foreign):
        model.bad(Law.RUNAWAY, f"{len(model.by_value)} values")


def sends(model: Model, act: str, token: str) -> None:
    """A request with an effect goes out: no operator's word that stood when the act was decided may be against it."""
    view = model.acting.view if model.acting else None
    if view is None:
        return  # a late one
    pause, rotation = view.pause, view.rotation
    if pause is not None and model.now < pause.until and act != "extend":
        captured = act in ("mint", "roll") and rotation is not None and rotation.rolled_at
        if not captured:
            model.bad(Law.HELD, f"{act} {token} while paused")
    if act in ("mint", "roll") and rotation is not None:
        _mints(model, act, view)
        if view.closing == rotation.rid and not rotation.rolled_at:
            model.bad(Law.HELD, f"{act} in a rotation that was to be closed")
        if model.acting and model.acting.credential and not model.acting.credential.managed and not rotation.rolled_at:
            model.bad(Law.HELD, f"{act} for a credential that left the configuration")
        if rotation.rejects >= POLICY.rejects:
            model.bad(Law.HELD, f"{act} after {rotation.rejects} tokens that were turned down")


def _mints(model: Model, act: str, view: View) -> None:
    """A mint or a roll goes out that was decided on `view`."""
    rotation, began = view.opened, model.acting.began if model.acting else model.now
    if any(operation == act for operation, _ in model.late) and "stop" not in model.happened:
        model.bad(Law.SETTLED, f"{act} while an earlier one may still arrive")
    if model.cramped_until > model.now > model.cramped_until - OUTAGE and began == model.now:
        model.bad(Law.ROOM, f"{act} while there is no room for a value")
    _writable(model, view, act)
    lives = [f for f, token in view.values.items() if token == rotation.token_id and f != rotation.before]
    if act == "roll" and any(model.live(f[1:]) for f in lives) and rotation.step is Kind.INTENT:
        model.bad(Law.WASTED, f"{lives} live")


def _writable(model: Model, view: View, what: str) -> None:
    """Something begins that needs the targets: none of them may be known to refuse writes."""
    case = model.acting.began if model.acting else model.now
    rotation = view.opened
    current = model.toks.get(view.current)
    urgent = current is None or not model.live(current.value) or current.expires - model.now < POLICY.emergency(LIFE)
    if urgent or case != model.now:
        return
    for name in sorted(rotation.terms.required & {n for n, r in model.required.items() if r}):
        place = model.places[name]
        for end in (place.frozen, place.down):
            if end > model.now > end - OUTAGE:
                model.bad(Law.WRITABLE, f"{what} while {name} refuses writes")


def rolled(model: Model, tok: Tok, sent: float) -> None:
    """A roll that comes late must not kill a value that was published meanwhile; a paused process may."""
    if model.happened & {"stop", "kill", "duplicate", "outsider"}:
        return
    for name in model.held(tok):
        place = model.places[name]
        if not place.by.get(NAME) and place.since.get(NAME, -NEVER) > sent:
            model.bad(Law.LATE_ROLL, f"a roll sent {model.now - sent:.0f} s ago killed what stands at {name}")


def changed(model: Model, place: Place, old: str, new: str, *, writer: bool) -> None:
    """A managed key changed."""
    now, by = model.now, place.by.get(NAME, "")
    before, after = model.of_value(old), model.of_value(new)
    if before is not None:
        before = model.tok(before.id)
        before.used, before.gone, before.gone_by = max(before.used, now), now, by
    place.by[NAME] = "" if writer else "op"
    place.since[NAME] = now
    if not writer or after is None:
        return
    if place.kind == "blind" and "stop" in model.happened:
        return  # nothing is compared there: what a process that was paused sends late can only be made good
    theirs = by == "op" and before is not None and before.id in model.foreign
    if theirs and place.kind not in ("file", "blind") and (place.name, f"f{old}") not in model.view.allowed:
        # what was displaced from a file may still be put back
        model.bad(Law.OVERRIDE, f"overwrote a live value of somebody else at {place.name}")
    if after.id not in model.foreign:
        _wrote(model, place.name, before, new, after, by)


def _wrote(model: Model, place: str, before: Tok | None, new: str, after: Tok, by: str) -> None:
    """We wrote a value of ours."""
    durable = f"f{new}" in model.view.values or any(v == new for s in model.store.spools.values() for _, _, v in s)
    if not durable and after.born > model.lost_at:
        model.bad(Law.CAPTURE_FIRST, f"{after.id} stands at {place} before it is durable")
    word, began = model.view.revoked.get(after.id), model.acting.began if model.acting else -NEVER
    if word is not None and began > word.at:
        model.bad(Law.LEAK, f"wrote {after.id} at {place}, which was revoked before")
    if model.strategy is not Strategy.RECREATE or word is not None:
        return
    if after.killed == "us":
        model.bad(Law.DEAD, f"wrote {after.id} at {place}, which we ended")
    elif after.status == "active" and after.accepted_at > model.now:
        model.bad(Law.LAG, f"wrote {after.id} at {place} before the provider accepts it")
    elif not after.equal:
        model.bad(Law.GRANTS, f"wrote {after.id} at {place} with wrong grants")
    elif model.acting is not None and model.acting.began - after.verified > TICK - 5:
        age = model.acting.began - after.verified
        model.bad(Law.STALE, f"wrote {after.id} at {place} in an act that began {age:.0f} s after its verification")
    newer = before is not None and before.status == "active" and before.born > after.born
    closed = model.view.closing or "abandon" in model.happened
    if newer and before is not None and by != "op" and before.id not in model.foreign and not closed:
        model.bad(Law.REGRESS, f"{after.id} replaced the newer {before.id} at {place}")


def destroyed(model: Model, tok: Tok, act: str) -> None:
    """We disable or delete a token."""
    now = model.now
    seen = model.acting.began if model.acting else now
    if tok.id in model.foreign:
        model.bad(Law.FOREIGN, f"{act} of {tok.id}, which is not ours")
        return
    if (word := model.view.revoked.get(tok.id)) is not None:
        _leaked(model, tok, act, word.at)
        return
    sends(model, act, tok.id)
    _still_wanted(model, tok, act, seen)
    if tok.status == "active" and tok.gone_by != "op":
        if now - tok.gone < POLICY.grace - 1:
            model.bad(Law.GRACE, f"{act} of {tok.id} {now - tok.gone:.0f} s after its last target")
        elif tok.used < seen and now - tok.used < POLICY.quiet - 1 and tok.gone != -NEVER:
            model.bad(Law.QUIET, f"{act} of {tok.id} {now - tok.used:.0f} s after a use")
    if act == "delete" and tok.killed in ("", "us") and now - tok.disabled_at < POLICY.soak - 1:
        model.bad(Law.SOAK, f"deleted {tok.id} without soak")


def _leaked(model: Model, tok: Tok, act: str, since: float) -> None:
    """A leaked token ends: after its successor stands somewhere, or a minute without a publication."""
    standing = [place.data.get(NAME, "") for name, place in model.places.items() if name in model.required]
    cured = any(model.live(v) and model.by_value.get(v) not in model.view.revoked for v in standing)
    first = tok.status == "active" and tok.id == model.view.current and model.managed
    if first and not cured and model.now - since < 60:
        model.bad(Law.CURE, f"{act} of {tok.id} {model.now - since:.0f} s after it was revoked; nothing succeeds it")


def fact(model: Model, draft: Draft, before: View) -> None:
    """A fact became durable after what is folded in `before`."""
    if why := legal(before, draft):
        model.bad(Law.ONE_STEP, why)
    decided = model.acting.view if model.acting else None
    if decided is not None and draft.kind in STEPS and decided.rotation is not None:
        _goes_on(model, draft, decided)
    if draft.kind in FACTS:
        FACTS[draft.kind](model, draft, before)


def _goes_on(model: Model, draft: Draft, decided: View) -> None:
    """A rotation goes on: no word that stood when that was decided may be against it."""
    rotation, acting = decided.opened, model.acting
    if rotation.rid != draft.rid or rotation.rolled_at:
        return  # after a roll the old value is dead: it can only go on
    if decided.closing == rotation.rid:
        model.bad(Law.HELD, f"{draft.kind} in a rotation that was to be closed")
    gone = acting is not None and acting.credential is not None and not acting.credential.managed
    if gone and rotation.step is not Kind.PUBLISHING:
        model.bad(Law.HELD, f"{draft.kind} for a credential that left the configuration")


def _verified(model: Model, draft: Draft, before: View) -> None:
    named = draft.what.token_id if isinstance(draft.what, OfRotation) else NO_TOKEN
    tok = model.toks.get(named or before.opened.token_id)
    if tok is None or model.acting is None or before.opened.strategy is Strategy.ROLL:
        return
    if model.acting.began - tok.verified > TICK - 5 or not tok.equal:
        model.bad(Law.UNPROVEN, f"{tok.id} is called verified")


def _written(model: Model, draft: Draft, before: View) -> None:
    target = draft.what.target if isinstance(draft.what, OfPublication) else ""
    if target not in model.displaced:
        return
    old, by = model.displaced.pop(target)
    tok = model.of_value(old)
    foreign = tok is not None and tok.id in model.foreign and (target, f"f{old}") not in before.allowed
    if by == "op" and foreign:
        model.bad(Law.OVERRIDE, f"a live value of somebody else was displaced at {target}")


def _abandoned(model: Model, draft: Draft, before: View) -> None:
    what = draft.what
    if not isinstance(what, Abandoned) or what.rejected:
        return
    if any(t.attempt_name == what.token_name for t in before.tokens.values()):
        model.bad(Law.ABANDONED, f"{what.token_name} was given up after its capture")


def _planned(model: Model, draft: Draft, before: View) -> None:
    current = model.toks.get(before.current)
    believed = isinstance(draft.what, Planned) and draft.what.terms.why == Due.DEAD and current is not None
    if believed and current and before.fingerprint == f"f{current.value}" and model.live(current.value):
        model.bad(Law.DOUBT, f"{current.id} was replaced as dead and lives")
    decided = model.acting.view if model.acting else None
    if decided is not None and decided.pause is not None and model.now < decided.pause.until:
        model.bad(Law.HELD, "a rotation was started while paused")


def _publishing(model: Model, draft: Draft, before: View) -> None:
    if before.opened.strategy is Strategy.RECREATE:
        _writable(model, before, "a publication begins")


def _marked(model: Model, draft: Draft, before: View) -> None:
    view = model.acting.view if model.acting and model.acting.view else before
    tok = model.toks[draft.what.token_id if isinstance(draft.what, OfToken) else NO_TOKEN]
    stood = tok.gone > -NEVER or model.held(tok) or tok.id in before.intended | before.stood
    known = tok.id in before.tokens and tok.name in before.attempts and tok.born > before.ahead_at
    if draft.kind is Kind.SUPERSEDED and known and not stood:
        model.bad(Law.TRUE_MARK, f"{tok.id} never stood anywhere")
    if view.pause is not None and model.now < view.pause.until:
        model.bad(Law.HELD, f"{draft.kind} of {tok.id} while paused")
    if not model.can.disable:
        model.tok(tok.id).disabled_at = draft.at  # the soak of a token that nobody can disable
    began = model.acting.began if model.acting else model.now
    if draft.kind is Kind.SUPERSEDED:
        _still_wanted(model, tok, draft.kind.value, began)
    if view.ahead and view.cleared_at < view.ahead_at and tok.born <= view.ahead_at:
        model.bad(Law.RESTORED, f"{draft.kind} of {tok.id}")


def _confirmed(model: Model, draft: Draft, view: View) -> None:
    rotation = view.opened
    if rotation.strategy is Strategy.ROLL and rotation.fingerprint == rotation.before:
        model.bad(Law.OLD_ROLL, "confirmed with the value from before the roll")
    for name in sorted((rotation.terms.required | {n for n, r in model.required.items() if r}) - view.released.keys()):
        place = model.places[name]
        changed_by_others = place.by.get(NAME) == "op" or name in view.heeded or name not in model.required
        if f"f{place.data.get(NAME, '')}" != rotation.fingerprint and not changed_by_others:
            model.bad(Law.CONFIRMED, f"{name} holds {place.data.get(NAME)} and {rotation.fingerprint} is confirmed")


def _still_wanted(model: Model, tok: Tok, act: str, seen: float) -> None:
    """A token is marked or ended: what was seen at `seen` must not have spoken against it."""
    view, now = model.view, model.now
    for name in model.held(tok):
        place = model.places[name]
        pasted = place.by.get(NAME) == "op" and place.since.get(NAME, -NEVER) >= seen
        released = name not in model.required and now - view.released.get(name, NEVER) >= POLICY.grace
        unread = not model.required.get(name, False) and place.down > seen
        if tok.status in ("active", "disabled") and tok.killed != "outsider" and not (pasted or released or unread):
            model.bad(Law.PUBLISHED, f"{act} of {tok.id}, which stands at {name}")
    if act == "disable" or not view.current or tok.killed == "outsider" or not _was_published(model, tok):
        return
    good = {view.fingerprint, view.rotation.fingerprint if view.rotation else view.fingerprint}
    for name in sorted(n for n, required in model.required.items() if required):
        place = model.places[name]
        found = f"f{place.data.get(NAME, '')}"
        late = place.since.get(NAME, -NEVER) >= seen or name in view.heeded
        if found not in good and not late:
            model.bad(Law.SYNC, f"{act} of {tok.id} while {name} holds {place.data.get(NAME)}")


def _was_published(model: Model, tok: Tok) -> bool:
    return tok.gone > -NEVER or bool(model.held(tok))


STEPS: Final = frozenset({Kind.INTENT, Kind.VERIFIED, Kind.PUBLISHING, Kind.PUBLISH_INTENT, Kind.EXTENDED})
"""Facts by which a rotation goes on."""

FACTS: Final[Mapping[Kind, Callable[[Model, Draft, View], None]]] = {
    Kind.VERIFIED: _verified,
    Kind.WRITTEN: _written,
    Kind.ABANDONED: _abandoned,
    Kind.PLANNED: _planned,
    Kind.CONFIRMED: _confirmed,
    Kind.PUBLISHING: _publishing,
    Kind.SUPERSEDED: _marked,
    Kind.CONDEMNED: _marked,
}


def rest(model: Model) -> None:
    """Everything has come to rest: one live value everywhere, and nothing beside it."""
    view = model.view
    if view.rotation:
        rotation = view.rotation
        model.bad(Law.OPEN, f"{rotation.strategy} {rotation.step}, attempt {rotation.attempt}, {rotation.failures}")
    if model.managed and (view.request or view.want or view.overridden):
        model.bad(Law.OPEN, f"{view.request}, {view.want}, {dict(view.overridden)}")
    ours = [t for t in model.toks.values() if t.id not in model.foreign]
    if alive := [t.id for t in ours if t.id in view.revoked and t.status == "active"]:
        model.bad(Law.LEAKED, f"{alive} were revoked and live")
    held = {t.id for t in ours for n in model.held(t) if n not in model.required}  # whoever reads there uses it still
    if view.retirements.keys() - held:
        model.bad(Law.RETIREMENT, f"{[(t, r.step.value) for t, r in view.retirements.items()]}")
    standing = {
        name: model.places[name].data.get(NAME, "")
        for name in sorted(model.required)
        if model.managed or model.places[name].by.get(NAME) != "op"  # what people change at an unmanaged one stays
    }
    durable = {v for v in model.by_value if f"f{v}" in view.values}
    mine = {t.id for t in ours}
    if not any(model.live(v) and model.by_value.get(v) in mine for v in durable | set(standing.values())):
        model.bad(Law.LOST, "no live value in journal or targets")
    if (missing := model.spooled - view.values.keys()) and model.lost_at == -NEVER:
        model.bad(Law.SPOOLED, f"{sorted(missing)}")
    good = model.toks[view.current].value if view.current in model.toks else ""
    if any(v != good or not model.live(v) for v in standing.values()):
        model.bad(Law.TARGETS, f"{standing}, and {view.current} is current")
    left = [t.id for t in ours if t.status in ("active", "disabled") and t.expires > model.now and t.id != view.current]
    if set(left) - held:
        model.bad(Law.ORPHAN, f"{left} beside {view.current}")
