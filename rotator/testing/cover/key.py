"""Two states are one where nothing that decides differs: times become ages, names numbers, bookkeeping is left out.

Tokens that are over, and attempts of which nothing can come any more, are left out, too, and those that are left are
counted anew: whether an earlier attempt went wrong and was cleaned up does not make another state.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, Final, cast

from rotator.core.credential import NEVER, Policy, Strategy
from rotator.core.facts import Draft
from rotator.core.ports.source import Minted, TokenState
from rotator.core.ports.target import Reading
from rotator.core.protocol.rules import Look
from rotator.core.protocol.view import View
from rotator.core.secret import Secret
from rotator.engine.work import Memory
from rotator.testing.cover.model import NAME, TICK, Model, Proc
from rotator.testing.simulation.provider import Tok

OLD: Final = 2 * TICK
"""Seconds after which every timer of the model has run."""

FAR: Final = 15_000.0
"""Seconds from which on an end is far away: neither a renewal nor the emergency window is near."""

LEFT_OUT: Final = frozenset(
    {"position", "spec", "planned_at", "confirmed_at", "rotations", "failing_since", "served", "message", "digest",
     "why", "born", "past", "modified_at", "issued_at", "troubles", "alarmed", "remarks",
     "unknown", "name", "principal", "dead_since", "outage"}
)  # fmt: skip
"""Fields that no rule reads, or that others tell: a token's birth is the order of its id."""

ORDERED: Final = frozenset({"values", "attempts"})
COUNTED: Final = frozenset({"generation", "generations", "ack"})
"""Numbers of which only the distance to the last publication counts."""


class Canon:
    """Makes one key.

    Attributes:
        now: provider time.
        over: ids, values, fingerprints and names of what is left out.
        renamed: ids, values and fingerprints of what is left -> their new number.
        names: names that chance made -> the order in which they appeared.
        base: number of the last publication.
    """

    def __init__(self, now: float, over: frozenset[str], renamed: Mapping[str, str], base: int) -> None:
        self.now, self.over, self.renamed, self.base = now, over, renamed, base
        self.names: dict[str, str] = {}

    def time(self, at: float) -> Hashable:
        """A time as an age."""
        age = self.now - at
        if age >= OLD:
            return "old" if at != -NEVER else "never"
        return round(age) if age >= -FAR else "far"

    def text(self, text: str) -> str:
        """An id by its new number; a name that chance made by the order in which it appears."""
        if text in self.renamed:
            return self.renamed[text]
        if text in self.over:
            return "over"
        if "~" in text or (text[:1] == "r" and text[-1:].isdigit()):
            return self.names.setdefault(text, f"n{len(self.names)}")
        return self.version(text) if text[:1] == "#" or text[:2] == "f#" else text

    def version(self, text: str) -> str:
        """A version of a place, by the order in which those of that place appear."""
        kind = text.rstrip("0123456789")
        count = self.names.get(kind, "")
        if text not in self.names:
            self.names[text], self.names[kind] = f"{kind}{len(count)}", count + "."
        return self.names[text]

    def of(self, found: Any) -> Hashable:
        """Anything, by its type."""
        kind = type(found)
        if kind is str:
            return self.text(found)
        if kind in AS_IT_IS:
            return cast("Hashable", found)
        if kind is float:
            return self.time(found)
        made = MAKERS.get(kind)
        if made is None:
            made = MAKERS[kind] = _maker(found)
        return made(self, found)

    def many(self, found: Any) -> Hashable:
        """A tuple or list."""
        of = self.of
        return tuple([of(x) for x in found]) if found else ()

    def mapping(self, found: Mapping[Any, Any]) -> Hashable:
        """A mapping without what is over, in an order of its own."""
        if not found:
            return ()
        items = sorted(found.items(), key=_first) if len(found) > 1 else found.items()
        return self.ordered(items)

    def ordered(self, items: Any) -> Hashable:
        """Items of a mapping in this order."""
        of, over = self.of, self.over
        if over:
            return tuple([(of(k), of(v)) for k, v in items if k not in over and not (type(k) is Look and k.of in over)])
        return tuple([(of(k), of(v)) for k, v in items])

    def some(self, found: frozenset[Any]) -> Hashable:
        """A set."""
        if not found:
            return ()
        return tuple([self.of(x) for x in sorted(found - self.over, key=str)])

    def record(self, found: Any) -> Hashable:
        """A dataclass, field by field."""
        plain, ordered, counted = _fields(type(found))
        of = self.of
        known = [of(getattr(found, name)) for name in plain]
        for name in ordered:
            known.append(self.ordered(getattr(found, name).items()))
        for name in counted:
            known.append(self.counted(getattr(found, name)))
        return tuple(known)

    def counted(self, found: Any) -> Hashable:
        """Numbers of publications."""
        if isinstance(found, Mapping):
            return tuple([(self.of(k), v - self.base) for k, v in found.items() if k not in self.over])
        return cast("Hashable", found - self.base if found else found)


AS_IT_IS: Final = frozenset({type(None), bool, int})

MAKERS: Final[dict[Any, Callable[[Canon, Any], Hashable]]] = {
    tuple: Canon.many,
    list: Canon.many,
    dict: Canon.mapping,
    frozenset: Canon.some,
    Policy: lambda canon, found: str(found.strategy),
    Secret: lambda canon, found: canon.text(found.reveal()),
}


def _maker(found: Any) -> Callable[[Canon, Any], Hashable]:
    """How things of a type are told that was not seen before."""
    if isinstance(found, Enum):
        return lambda canon, one: str(one)
    if is_dataclass(found):
        return Canon.record
    return lambda canon, one: type(one).__name__


_known: dict[Any, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {}


def _fields(kind: Any) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Names of the fields that count: plain ones, mappings whose order counts, numbers of publications."""
    found = _known.get(kind)
    if found is None:
        names = [f.name for f in fields(kind) if f.name not in LEFT_OUT]
        special = ORDERED | COUNTED
        _known[kind] = found = (
            tuple(n for n in names if n not in special),
            tuple(n for n in names if n in ORDERED),
            tuple(n for n in names if n in COUNTED),
        )
    return found


def _first(item: tuple[Any, Any]) -> str:
    return str(item[0])


# --- what is over


def _over(model: Model) -> frozenset[str]:
    """Tokens that are ended, whose value stands nowhere and of which nobody thinks any more; and attempts likewise."""
    view, rotation = model.view, model.view.rotation
    dead = [t for t in model.toks.values() if t.status == "deleted" and t.id not in model.foreign]
    if not dead and len(view.attempts) < 2:
        return frozenset()
    thought = set(_thought_of(model))
    thought |= view.retirements.keys() | {view.current}
    if rotation is not None:
        thought |= {rotation.token_id, rotation.attempt_name}
    standing = {place.data.get(NAME) for place in model.places.values()}
    if model.pasted:
        ours = [t for t in model.toks.values() if t.owner == NAME]
        thought |= {t.id for t in ours[:1]} | {t.id for t in dead[:1]}
    over: set[str] = set()
    values = model.by_value.items()
    for tok in dead:
        its = [value for value, owner in values if owner == tok.id]
        if tok.id in thought or tok.name in thought or any(v in standing or v in thought for v in its):
            continue
        if any(tok.id in target.open_writes for target in view.targets.values()) and model.marks:
            continue
        over |= {tok.id, tok.name, *its, *(f"f{value}" for value in its)}
    living = {t.name for t in model.toks.values() if t.id not in over}
    over |= view.attempts.keys() - living - thought
    return frozenset(over)


def _thought_of(model: Model) -> Iterator[str]:
    """Ids, names and values of which a process thinks that stands within an act, or that are on their way."""
    for proc in model.procs:
        if proc.view is None or (proc.view is model.view and not proc.log):
            continue
        yield from _of_view(proc.view)
        for entry in proc.log:
            found = entry.result
            if isinstance(found, str):
                yield found
            elif isinstance(found, View):
                yield from _of_view(found)
            elif isinstance(found, Minted):
                yield found.token_id
            elif isinstance(found, Reading):
                yield from (value.reveal() for value in found.values.values())
            elif isinstance(found, TokenState):
                yield found.id
            elif isinstance(found, tuple):
                yield from (one.id for one in found if isinstance(one, TokenState))
    for _, arguments in model.late:
        yield from (one for one in arguments if isinstance(one, str))
    for records in model.store.spools.values():
        yield from (value for _, _, value in records)


def _of_view(view: View) -> Iterator[str]:
    yield view.current
    yield from view.retirements
    if view.rotation is not None:
        yield from (view.rotation.token_id, view.rotation.attempt_name)


def _renamed(model: Model, over: frozenset[str]) -> dict[str, str]:
    """New numbers of what is left; nothing where nothing is left out."""
    if not over:
        return {}
    found: dict[str, str] = {}
    for number, token in enumerate(t for t in model.toks if t not in over):
        found[token] = f"t{number}"
    for number, value in enumerate(v for v in model.by_value if v not in over):
        found[value], found[f"f{value}"] = f"v{number}", f"fv{number}"
    return found


# --- the key

_views: dict[Any, tuple[View, Hashable, dict[str, str]]] = {}


def _view(view: View, canon: Canon) -> tuple[Hashable, dict[str, str]]:
    """The key of a view, made once: views never change."""
    at = (id(view), canon.now, canon.over, canon.base)
    found = _views.get(at)
    if found is None or found[0] is not view:
        if len(_views) > 50_000:
            _views.clear()
        canon = Canon(canon.now, canon.over, canon.renamed, canon.base)
        _views[at] = found = (view, hash(canon.record(view)), canon.names)
    return found[1], found[2]


def key(model: Model) -> Hashable:
    """A digest of what decides what can come of a state; how many faults are left is not part of it.

    64 bits: among a million states two different ones share a digest with a probability of one to forty million.
    """
    return hash(whole(model))


def whole(model: Model) -> tuple[Hashable, ...]:
    """What is digested."""
    over = _over(model)
    canon = Canon(model.now, over, _renamed(model, over), model.view.generation)
    view, names = _view(model.view, canon)
    canon.names = dict(names)
    of, text = canon.of, canon.text
    held, now, store = model.store.leases.get(NAME), model.now, model.store
    alive = model.alive()
    toks = tuple([_token(canon, t, model) for t in model.toks.values() if t.id not in over])
    places = tuple(
        [(text(p.data.get(NAME, "")), p.by.get(NAME, ""),
          canon.time(p.since.get(NAME, -NEVER)) if p.by.get(NAME) or model.strategy is Strategy.ROLL else "",
          canon.version(f"#{p.name}{p.version}"), canon.time(p.down), canon.time(p.frozen))
         for p in model.places.values()]
    )  # fmt: skip
    lease = held is not None and held.holder in alive and held.until > now
    spools = tuple([(me in alive, tuple([text(v) for _, _, v in s])) for me, s in sorted(store.spools.items()) if s])
    procs = [_proc(canon, proc, model) for proc in model.procs]
    if len(procs) > 1 and (len(procs[0]), hash(procs[0])) > (len(procs[1]), hash(procs[1])):
        procs.reverse()
    return (
        view, toks, places, lease, spools, tuple(procs), of(model.late),
        tuple(sorted(model.locks)), tuple(sorted(model.required.items())), model.managed, model.adopt,
        _excuses(model), of(model.displaced), _restored(model, over),
        store.full_until > now, model.cramped_until > now, len(model.spooled - model.view.values.keys()),
    )  # fmt: skip


def _excuses(model: Model) -> Hashable:
    """What has happened that excuses something later: a law that cannot be broken any more needs none."""
    happened = model.happened
    rolls = model.strategy is Strategy.ROLL and bool(happened & {"stop", "kill", "duplicate", "outsider"})
    return rolls, "stop" in happened and bool(model.left or model.late), "abandon" in happened


def _token(canon: Canon, tok: Tok, model: Model) -> Hashable:
    """A token: only what a look or a law may still ask."""
    if tok.status == "deleted":
        return canon.text(tok.name)
    used = "" if model.held(tok) else canon.time(tok.used)
    return (
        canon.text(tok.name), tok.status, canon.text(tok.value), tok.equal, tok.killed, tok.gone_by,
        canon.time(tok.expires), tok.accepted_at > model.now and canon.time(tok.accepted_at),
        canon.time(tok.disabled_at), canon.time(tok.gone), used, model.now - tok.verified < TICK - 5,
    )  # fmt: skip


def _restored(model: Model, over: frozenset[str]) -> Hashable:
    """What is older than the restore, and than the operator's word about it."""
    view = model.view
    if not view.ahead:
        return ()
    toks = [t for t in model.toks.values() if t.id not in over]
    return (
        view.cleared_at >= view.ahead_at,
        tuple([(t.born > view.ahead_at, t.born > view.cleared_at) for t in toks]),
    )


def _proc(canon: Canon, proc: Proc, model: Model) -> tuple[Hashable, ...]:
    held = model.store.leases.get(NAME)
    holds = held is not None and held.holder == proc.me and held.until > model.now
    if proc.view is None:
        return (proc.stopped, proc.done, holds, _memory(canon, proc.memory))
    mine = held is not None and proc.lease is not None and (held.holder, held.epoch) == (proc.me, proc.lease.epoch)
    view = () if proc.view is model.view else _view(proc.view, canon)[0]
    log = tuple([(e.operation, _answer(canon, e.result, model), type(e.error).__name__) for e in proc.log])
    config = proc.credential is not None and (proc.credential.managed, tuple(sorted(proc.credential.required)))
    since = canon.time(proc.since) if proc.stopped or proc.pending == "sleep" else ""
    return (
        proc.stopped, mine, holds, proc.pending, canon.time(proc.began), since, _memory(canon, proc.memory), view, log,
        config, proc.first,
    )  # fmt: skip


EMPTY: Final = Memory()


def _memory(canon: Canon, memory: Memory) -> Hashable:
    """What a process remembers; most of the time nothing."""
    return () if memory == EMPTY else canon.record(memory)


def _answer(canon: Canon, found: object, model: Model) -> Hashable:
    """What of an answer within an act matters for the rest of the act."""
    if found is None:
        return None
    if isinstance(found, View):
        return "view" if found is model.view else _view(found, canon)[0]
    if isinstance(found, TokenState):
        return (canon.text(found.id), found.status, found.equal)
    if isinstance(found, tuple) and found and isinstance(found[0], TokenState):
        return tuple([(canon.text(t.id), t.status) for t in found if t.id not in canon.over])
    if isinstance(found, Reading):
        return (canon.text(found.version), tuple([canon.text(v.reveal()) for v in found.values.values()]))
    if isinstance(found, Draft):
        return found.kind
    return canon.of(found)
