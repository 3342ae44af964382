"""What people, machines and disks do to the model: each changes a copy of a state, or says that it cannot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from rotator.core.credential import NEVER
from rotator.core.facts import Draft, How, Paused, Requested, Resolved, Revoked
from rotator.core.ids import RequestId
from rotator.core.protocol.revoke import to_revoke
from rotator.core.protocol.view import View, blank
from rotator.testing.cover.effects import kill, store_place
from rotator.testing.cover.judge import OUTAGE
from rotator.testing.cover.model import NAME, POLICY, TICK, Model
from rotator.testing.simulation.store import Stream

Event = Callable[[Model], bool]


def again(model: Model) -> bool:
    """The world has changed: a process that had its pass may have another one."""
    model.procs = [replace(p, done=False) if p.view is None else p for p in model.procs]
    return True


def edit(place: str, what: str) -> Event:
    """An operator saves something at a managed key: nothing, a value of somebody else, or an older one of ours."""

    def event(model: Model) -> bool:
        value = {
            "absent": "",
            "foreign": model.toks[min(model.foreign)].value,
            "older": next((t.value for t in model.toks.values() if t.owner == NAME and t.status == "deleted"), "?"),
            "before": next((t.value for t in model.toks.values() if t.owner == NAME), "?"),
        }[what]
        if model.places[place].data.get(NAME, "") == value or value == "?":
            return False
        store_place(model, place, value, writer=False)
        return again(model)

    return event


def outsider(act: str) -> Event:
    """Somebody disables the current token, rolls it, or disables the newest one."""

    def event(model: Model) -> bool:
        ours = [t for t in model.toks.values() if t.owner == NAME]
        found = model.toks.get(model.view.current) if act != "newest" else ours[-1] if ours else None
        if found is None or found.status != "active":
            return False
        tok = model.tok(found.id)
        model.happened |= {"outsider"}
        if act == "roll":
            tok.value = f"v{len(model.by_value)}"
            model.by_value[tok.value] = tok.id
        else:
            tok.status, tok.killed = "disabled", "outsider"
        return again(model)

    return event


def freeze(name: str) -> Event:
    """A place can be read and not be written for a while."""

    def event(model: Model) -> bool:
        if model.places[name].frozen > model.now:
            return False
        model.place(name).frozen = model.now + OUTAGE
        return True

    return event


def down(name: str) -> Event:
    """A place answers nothing for a while."""

    def event(model: Model) -> bool:
        if model.places[name].down > model.now:
            return False
        model.place(name).down = model.now + OUTAGE
        return True

    return event


def full(model: Model) -> bool:
    """The disk of the journal is full for a while."""
    if model.store.full_until > model.now:
        return False
    model.store.full_until = model.now + TICK
    return True


def cramped(model: Model) -> bool:
    """The disk of the journal has room for small facts, and not for a value."""
    if model.cramped_until > model.now:
        return False
    model.cramped_until = model.now + OUTAGE
    return True


def late_user(model: Model) -> bool:
    """A consumer uses a value once more that was replaced."""
    gone = [t for t in model.toks.values() if t.status == "active" and t.gone > -NEVER and not model.held(t)]
    for tok in gone:
        model.tok(tok.id).used = model.now
    return bool(gone)


def near_end(model: Model) -> bool:
    """Time flies until the soonest end of a live token of ours is near."""
    ends = [t.expires for t in model.toks.values() if t.status == "active" and t.expires < NEVER and t.owner == NAME]
    if not ends or any(p.pending and not p.stopped for p in model.procs) or model.late:
        return False
    model.now = max(model.now, min(ends) - POLICY.emergency(model.now) + 2)
    return again(model)


def pause(model: Model) -> bool:
    """An operator stops starts and retirements."""
    if model.view.pause is not None:
        return False
    model.note(Draft(what=Paused(), at=model.now))
    return True


def close(model: Model) -> bool:
    """An operator closes the open rotation."""
    if model.view.rotation is None or model.view.closing:
        return False
    model.happened |= {"abandon"}
    model.note(Draft(what=Resolved(how=How.ABANDON), at=model.now))
    return again(model)


def request(model: Model) -> bool:
    """An operator asks for a rotation."""
    if model.view.request is not None:
        return False
    model.note(Draft(what=Requested(request_id=RequestId(model.fresh("q"))), at=model.now))
    return again(model)


def revoke(model: Model) -> bool:
    """An operator says that whatever may have stood somewhere has leaked."""
    named = to_revoke(model.view, model.adopt)
    if not named or model.view.revoked:
        return False
    model.note(Draft(what=Revoked(tokens=named, policy=POLICY), at=model.now, actor="ops"))
    return again(model)


def unmanaged(model: Model) -> bool:
    """The credential leaves the configuration."""
    if not model.managed:
        return False
    model.managed = False
    return again(model)


def remove(name: str) -> Event:
    """A target leaves the configuration."""

    def event(model: Model) -> bool:
        if name not in model.required:
            return False
        del model.required[name]
        return again(model)

    return event


def add(name: str) -> Event:
    """It comes back, or comes."""

    def event(model: Model) -> bool:
        if name in model.required:
            return False
        model.required[name] = True
        return again(model)

    return event


def restore(*, empty: bool) -> Event:
    """The journal of the beginning is put back, or it is gone; all processes are started again."""

    def event(model: Model) -> bool:
        if model.lost_at > -NEVER:
            return False
        first = View() if empty else model.backup
        model.store.streams = {NAME: Stream(first or blank())}
        model.store.leases, model.store.spools = {}, {}
        model.lost_at = model.now + len(model.toks) / 1000
        model.late = ()
        for index in range(len(model.procs)):
            kill(model, index)
        return True

    return event
