"""What can happen next in a state: each move is a label, its price in faults, and the state after it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

from rotator.core.errors import RotatorError
from rotator.core.facts import Draft, How, Resolved, Resumed
from rotator.core.protocol.rules import Look, Result, Seen, Sight
from rotator.engine.work import Memory
from rotator.testing.cover.effects import EFFECTS, kill
from rotator.testing.cover.families import Family
from rotator.testing.cover.gate import OUTCOMES, Chooser, Gate
from rotator.testing.cover.model import NAME, TICK, Model
from rotator.testing.cover.ports import run

PAUSE = 2 * TICK
"""Longest time for which a process is stopped, in seconds: well past its lease."""


@dataclass(frozen=True, slots=True)
class Move:
    """One step: what it is called, and the state after it; `natural` where it is what a quiet world does next."""

    label: str
    model: Model
    natural: bool = False


def moves(model: Model, family: Family) -> Iterator[Move]:
    """Everything that can happen. What a quiet world does next is marked: a late request comes as late as it may."""
    natural = True
    if family.steady and (at := _shut_out(model)) is not None:
        yield Move(f"{model.procs[at].name} goes on", _changed(model, at, stopped=False), natural=True)
        return
    running = [i for i, p in enumerate(model.procs) if p.runs(model.now)]
    for i, proc in enumerate(model.procs):
        if proc.stopped:
            yield Move(f"{proc.name} goes on", _changed(model, i, stopped=False), natural and not running)
            natural = natural and bool(running)
    for i in running:
        for move in _effects(model, i, family):
            yield replace(move, natural=natural and move.natural)
        natural = False
    idle = [i for i, p in enumerate(model.procs) if p.view is None and not p.stopped and not p.done]
    if not running:
        if family.steady and len(idle) > 1 and _holder(model) == model.procs[idle[1]].me:
            idle.reverse()
        for i in idle:
            for move in _continuations(model, i, "", f"{model.procs[i].name} begins"):
                yield replace(move, natural=natural and move.natural)
            natural = False
            if family.steady or _alike(model):
                break
        awaited = any(p.stopped and model.now - p.since >= PAUSE for p in model.procs)
        if not idle and not model.late and not awaited:
            yield Move("time passes", tick(model), natural)
    for at, (operation, _) in enumerate(model.late):
        yield Move(f"late {operation} arrives", _arrive(model, at), natural)
        natural = False
    if model.left:
        for label, event in family.events.items():
            other = model.copy()
            if event(other):
                yield Move(label, _paid(other, "event"))


def _holder(model: Model) -> tuple[str, int] | None:
    held = model.store.leases.get(NAME)
    return held.holder if held else None


def _shut_out(model: Model) -> int | None:
    """A stopped process that stands before a fact for which it has lost the right, with no lock in its hands.

    Whenever it goes on, it is refused and ends its pass; so it may as well go on at once.
    """
    if "no_fence" in model.mutants:
        return None
    for at, proc in enumerate(model.procs):
        shut = proc.stopped and proc.pending == "append" and _holder(model) != proc.me
        if shut and proc.me not in model.locks.values():
            return at
    return None


def _alike(model: Model) -> bool:
    first, second = model.procs[0], model.procs[-1]
    return first.view is second.view is None and first.memory == second.memory and first.stopped == second.stopped


def _effects(model: Model, i: int, family: Family) -> Iterator[Move]:
    """The effect before which a process stands: done, or with each fault; or its process ends or is stopped there."""
    proc = model.procs[i]
    yield from _continuations(model, i, "", f"{proc.name} {proc.pending}")
    if not model.left:
        return
    for fault in OUTCOMES[proc.pending]:
        if family.allows(fault):
            paid = _paid(model.copy(), fault)
            yield from (
                replace(m, natural=False)
                for m in _continuations(paid, i, fault, f"{proc.name} {proc.pending}: {fault}")
            )
    if family.allows("kill"):
        other = _paid(model.copy(), "kill")
        kill(other, i)
        yield Move(f"{proc.name} is killed before {proc.pending}", other)
    if family.allows("stop") and not any(p.stopped for p in model.procs):
        other = _paid(_changed(model, i, stopped=True), "stop")
        yield Move(f"{proc.name} is stopped before {proc.pending}", other)


def _continuations(model: Model, i: int, outcome: str, label: str) -> Iterator[Move]:
    """Run one process on, with every choice of one unusable answer of a read on the way."""
    open_: list[tuple[str, ...]] = [()]
    while open_:
        told = open_.pop()
        other = model.copy()
        chooser = Chooser(told)
        gate = Gate(other, i, outcome, chooser)
        run(gate)
        more = f", read {len(told)}: {told[-1]}" if told else ""
        if told:
            _paid(other, told[-1])
        yield Move(label + more, other, not told)
        if not told and model.left:
            for at, others in enumerate(chooser.others):
                open_ += [("",) * at + (fault,) for fault in others]


def _paid(model: Model, fault: str) -> Model:
    model.left -= 1
    kept = {"stop", "kill", "duplicate"} & {fault}
    model.happened |= kept
    return model


def _changed(model: Model, i: int, *, stopped: bool) -> Model:
    other = model.copy()
    other.procs[i] = replace(other.procs[i], stopped=stopped, since=model.now)
    return other


def _arrive(model: Model, at: int) -> Model:
    other = model.copy()
    operation, arguments = other.late[at]
    other.late = other.late[:at] + other.late[at + 1 :]
    with suppress(RotatorError):
        EFFECTS[operation](other, *arguments)
    _again(other)
    return other


def _again(model: Model) -> None:
    """The world has changed: whoever was done may look again."""
    model.procs = [replace(p, done=False) if p.view is None else p for p in model.procs]


def tick(model: Model) -> Model:
    """Time passes: every timer of the settle time runs out; an operator answers whatever asks for him."""
    other = model.copy()
    other.now += TICK
    other.procs = [
        replace(p, done=False, memory=_older(p.memory, other.now)) if p.view is None else p for p in other.procs
    ]
    _operator(other)
    return other


def _operator(model: Model) -> None:
    """He answers one tick after he was asked."""
    view = model.view
    if view.pause is not None and model.now >= view.pause.since + TICK:
        model.note(Draft(what=Resumed(), at=model.now))
    asked = view.overridden or (view.rotation and view.rotation.rejects >= 2)
    restored = view.ahead and view.cleared_at < view.ahead_at
    if asked or (restored and model.now > view.ahead_at + TICK):
        model.note(Draft(what=Resolved(how=How.RETRY), at=model.now))


def _older(memory: Memory, now: float) -> Memory:
    """What a process may have forgotten by then is forgotten: all but deaths and doubts."""
    kept = {look: seen for look, seen in memory.seen.items() if _lasting(look, seen) and now - seen.at <= 2 * TICK}
    verified = {k: v for k, v in memory.verified.items() if now - v[0] <= TICK}
    return Memory(seen=kept, doubts=memory.doubts, verified=verified)


def _lasting(look: Look, seen: Seen) -> bool:
    return seen.result is Result.DEAD and look.sight in (Sight.ALIVE, Sight.ACCEPTED, Sight.TOKEN)
