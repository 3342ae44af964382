"""Two states are one where nothing that decides differs: times become ages, names numbers, bookkeeping is left out."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, Final, cast

from rotator.core.credential import NEVER, Policy, Strategy
from rotator.core.facts import Draft
from rotator.core.ports.source import TokenState
from rotator.core.ports.target import Reading
from rotator.core.protocol.view import View
from rotator.core.secret import Secret
from rotator.testing.cover.model import NAME, TICK, Model, Proc
from rotator.testing.simulation.provider import Tok

OLD: Final = 2 * TICK
"""Seconds after which every timer of the model has run."""

FAR: Final = 15_000.0
"""Seconds from which on an end is far away: neither a renewal nor the emergency window is near."""

LEFT_OUT: Final = frozenset(
    {"position", "spec", "planned_at", "confirmed_at", "rotations", "failing_since", "served", "message", "digest",
     "why", "born", "past", "modified_at", "issued_at", "troubles", "alarmed", "remarks",
     "unknown", "name", "principal"}
)  # fmt: skip
"""Fields that no rule reads, or that others tell: a token's birth is the order of its id."""

ORDERED: Final = frozenset({"values", "attempts"})


class Canon:
    """Makes one key."""

    def __init__(self, now: float, names: Mapping[str, str] | None = None) -> None:
        self.now, self.names = now, dict(names or {})

    def time(self, at: float) -> Hashable:
        """A time as an age."""
        age = self.now - at
        if age >= OLD:
            return "old" if at != -NEVER else "never"
        return round(age) if age >= -FAR else "far"

    def text(self, text: str) -> str:
        """A name that chance made, by the order in which it appears."""
        if "~" in text or (text[:1] in ("r", "#") and text[-1:].isdigit()):
            return self.names.setdefault(text, f"n{len(self.names)}")
        return text

    def of(self, found: Any) -> Hashable:
        """Anything, by its type."""
        kind = type(found)
        if kind is str:
            return self.text(found)
        if kind in AS_IT_IS:
            return cast("Hashable", found)
        if kind is float:
            return self.time(found)
        of = self.of
        if kind is tuple or kind is list:
            return tuple([of(x) for x in found])
        if kind is dict:
            return tuple(
                [(of(k), of(v)) for k, v in (sorted(found.items(), key=_first) if len(found) > 1 else found.items())]
            )
        if kind is frozenset:
            return tuple([of(x) for x in (sorted(found, key=str) if len(found) > 1 else found)])
        if kind is Policy:
            return str(found.strategy)
        if kind is Secret:
            return str(found.reveal())
        if isinstance(found, Enum):
            return str(found)
        return self.record(found) if is_dataclass(found) else kind.__name__

    def record(self, found: Any) -> Hashable:
        """A dataclass, field by field."""
        of = self.of
        plain, ordered = _fields(type(found))
        known = [of(getattr(found, name)) for name in plain]
        known += [tuple([(of(k), of(v)) for k, v in getattr(found, name).items()]) for name in ordered]
        return tuple(known)


AS_IT_IS: Final = frozenset({type(None), bool, int})


_known: dict[Any, tuple[tuple[str, ...], tuple[str, ...]]] = {}


def _fields(kind: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the fields that count, and of the mappings among them whose order counts."""
    found = _known.get(kind)
    if found is not None:
        return found
    names = [f.name for f in fields(kind) if f.name not in LEFT_OUT]
    found = (tuple(n for n in names if n not in ORDERED), tuple(n for n in names if n in ORDERED))
    return _known.setdefault(kind, found)


def _first(item: tuple[Any, Any]) -> str:
    return str(item[0])


_views: dict[tuple[int, float], tuple[View, Hashable, dict[str, str]]] = {}


def _view(view: View, now: float) -> tuple[Hashable, dict[str, str]]:
    """The key of a view, made once: views never change."""
    found = _views.get((id(view), now))
    if found is None or found[0] is not view:
        if len(_views) > 50_000:
            _views.clear()
        canon = Canon(now)
        _views[id(view), now] = found = (view, canon.of(view), canon.names)
    return found[1], found[2]


def key(model: Model) -> Hashable:
    """A digest of what decides what can come of a state; how many faults are left is not part of it."""
    view, names = _view(model.view, model.now)
    canon = Canon(model.now, names)
    of = canon.of
    held = model.store.leases.get(NAME)
    toks = tuple(_token(canon, t, model) for t in model.toks.values())
    places = tuple(
        (p.data.get(NAME, ""), p.by.get(NAME, ""),
         canon.time(p.since.get(NAME, -NEVER)) if p.by.get(NAME) or model.strategy is Strategy.ROLL else "",
         canon.text(f"#{p.name}{p.version}"), canon.time(p.down), canon.time(p.frozen))
        for p in model.places.values()
    )  # fmt: skip
    lease = held is not None and held.holder in model.alive() and held.until > model.now
    spools = tuple(
        (me in model.alive(), tuple(v for _, _, v in s)) for me, s in sorted(model.store.spools.items()) if s
    )
    procs = [_proc(canon, proc, model) for proc in model.procs]
    if len(procs) > 1 and (len(procs[0]), hash(procs[0])) > (len(procs[1]), hash(procs[1])):
        procs.reverse()
    since = _restored(model)
    whole = (
        view, toks, places, lease, spools, tuple(procs), of(model.late),
        tuple(sorted(model.locks)), tuple(sorted(model.required.items())), model.managed, model.adopt,
        tuple(sorted(model.happened)), tuple(sorted(model.displaced.items())), since,
        model.store.full_until > model.now,
        model.cramped_until > model.now, len(model.spooled - model.view.values.keys()),
    )  # fmt: skip
    return hash(whole), hash((whole, "again"))


def _token(canon: Canon, tok: Tok, model: Model) -> Hashable:
    """A token: only what a look or a law may still ask."""
    if tok.status == "deleted":
        return canon.text(tok.name)
    used = "" if model.held(tok) else canon.time(tok.used)
    return (
        canon.text(tok.name), tok.status, tok.value, tok.equal, tok.killed, tok.gone_by, canon.time(tok.expires),
        tok.accepted_at > model.now and canon.time(tok.accepted_at), canon.time(tok.disabled_at),
        canon.time(tok.gone), used,
        model.now - tok.verified < TICK - 5,
    )  # fmt: skip


def _restored(model: Model) -> Hashable:
    """What is older than the restore, and than the operator's word about it."""
    view = model.view
    if not view.ahead:
        return ()
    return (
        view.cleared_at >= view.ahead_at,
        tuple((t.born > view.ahead_at, t.born > view.cleared_at) for t in model.toks.values()),
    )


def _proc(canon: Canon, proc: Proc, model: Model) -> tuple[Hashable, ...]:
    held = model.store.leases.get(NAME)
    holds = held is not None and held.holder == proc.me and held.until > model.now
    if proc.view is None:
        return (proc.stopped, proc.done, holds, canon.of(proc.memory))
    mine = held is not None and proc.lease is not None and (held.holder, held.epoch) == (proc.me, proc.lease.epoch)
    view = () if proc.view is model.view else _view(proc.view, model.now)[0]
    log = tuple((e.operation, _answer(canon, e.result, model), type(e.error).__name__) for e in proc.log)
    config = proc.credential is not None and (proc.credential.managed, tuple(sorted(proc.credential.required)))
    since = canon.time(proc.since) if proc.stopped or proc.pending == "sleep" else ""
    return (
        proc.stopped, mine, holds, proc.pending, canon.time(proc.began), since, canon.of(proc.memory), view, log,
        config, proc.first,
    )  # fmt: skip


def _answer(canon: Canon, found: object, model: Model) -> Hashable:
    """What of an answer within an act matters for the rest of the act."""
    if isinstance(found, View):
        return "view" if found is model.view else _view(found, model.now)[0]
    if isinstance(found, TokenState):
        return (found.id, found.status, found.equal)
    if isinstance(found, tuple) and found and isinstance(found[0], TokenState):
        return tuple((t.id, t.status) for t in found)
    if isinstance(found, Reading):
        return (canon.text(found.version), tuple(v.reveal() for v in found.values.values()))
    if isinstance(found, Draft):
        return found.kind
    return canon.of(found)
