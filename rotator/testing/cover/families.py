"""Where the search begins, and what the world may do besides losing requests: one family for each kind of trouble."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from rotator.core.credential import EVERYTHING, Strategy
from rotator.core.facts import Captured, Configured, Draft, Requested
from rotator.core.ids import CredentialId, Fingerprint, RequestId
from rotator.core.protocol.view import Mark, TargetView
from rotator.testing.cover import events
from rotator.testing.cover.effects import version
from rotator.testing.cover.events import Event
from rotator.testing.cover.model import KINDS, LIFE, NAME, TICK, Model, Proc
from rotator.testing.simulation.provider import Place
from rotator.testing.simulation.state import Mutation
from rotator.testing.simulation.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One search.

    Attributes:
        name: what it is about.
        strategy: recreate or roll.
        current: whether a value stands at the targets already.
        older: whether there was a token before the current one, deleted by now, whose value somebody may paste.
        request: whether an operator asked for a rotation.
        events: what else may happen, once for each fault that is left.
        faults: names of the faults; empty for all.
        most: how many faults and events, each at any moment.
        steady: whether of moves that may come in any order with the same end only one order is made, and of two idle
            processes the one that worked last comes first.
        before: changes the first state.
    """

    name: str
    strategy: Strategy = Strategy.RECREATE
    current: bool = True
    request: bool = True
    older: bool = False
    events: Mapping[str, Event] = field(default_factory=dict)
    faults: frozenset[str] = frozenset()
    most: int = 1
    steady: bool = False
    before: Callable[[Model], None] = lambda model: None

    def allows(self, fault: str) -> bool:
        """Whether that fault is part of this search."""
        return not self.faults or fault in self.faults


def first(family: Family, mutation: Mutation | None = None) -> Model:
    """The state in which the search of a family begins."""
    mutation = mutation or Mutation()
    model = Model(store=Store(mutation.names, mutation.guards), mutation=mutation, strategy=family.strategy)
    model.places = {name: Place(name=name, kind=kind) for name, kind in KINDS.items()}
    model.required = dict.fromkeys(KINDS, True)
    model.procs = [Proc(name="A"), Proc(name="B")]
    model.foreign = frozenset({model.make(CredentialId("others"), "team copy").id})
    model.left = family.most
    model.pasted = any("is saved" in name for name in family.events)
    credential = model.credential()
    at = model.now - 10 * TICK
    if family.older:
        model.make(NAME, "c0~i1.r00.1.1x0").status = "deleted"
    if family.current:
        tok = model.make(NAME, "c0~i1.r0.1.1x0", model.now + LIFE)
        fingerprint = Fingerprint(f"f{tok.value}")
        tok.verified = at
        facts = [
            Draft(what=Captured(attempt=0, token_id=tok.id, token_name=tok.name, fingerprint=fingerprint,
                                born=tok.born, attempt_name=tok.name, expires_at=tok.expires), at=at),
        ]  # fmt: skip
        for draft in facts:
            model.store.put(NAME, draft, tok.value, 1)
        stream = model.store.stream(NAME)
        stream.view = replace(
            stream.view, current=tok.id, fingerprint=fingerprint, generation=1, stood=frozenset({tok.id}),
            targets={name: TargetView(known=True, token_id=tok.id) for name in KINDS},
        )  # fmt: skip
        for place in model.places.values():
            place.data, place.since, place.by = {NAME: tok.value}, {NAME: at}, {NAME: ""}
    model.note(Draft(what=Configured(spec=credential.spec), at=at))
    if family.request and family.current:
        model.note(Draft(what=Requested(request_id=RequestId("q1")), at=model.now))
    family.before(model)
    model.backup = model.view
    return model


def _poor(model: Model) -> None:
    """A source that cannot disable a token: it only deletes."""
    model.can = replace(EVERYTHING, disable=False)


def _blind(model: Model) -> None:
    """One of the targets is write-only: it shows a version, which changes with every write, and no value."""
    place, view = model.places["vault"], model.view
    place.kind, model.marks = "blind", True
    if not view.current:
        return
    mark = Mark(
        marker=version(place), token_id=view.current, fingerprint=view.fingerprint, at=model.now - 10 * TICK, stood=True
    )
    found = replace(view.at("vault"), mark=mark, generations={view.current: 1})
    model.store.stream(NAME).view = replace(view, targets={**view.targets, "vault": found})


def _drifted(model: Model) -> None:
    """Somebody has emptied a target while nothing else was to be done."""
    events.edit("env", "absent")(model)


def _idle(model: Model) -> None:
    """Consumers use a value now and then, so that only the targets tell that it is still wanted."""
    model.idle = True


def _adopted(model: Model) -> None:
    """A token that people made stands at one target; the configuration names it."""
    tok = model.make(NAME, "made by hand", model.now + LIFE)
    model.adopt = tok.id
    place = model.places["vault"]
    place.data, place.by = {NAME: tok.value}, {NAME: ""}


SAVED: Final[Mapping[str, Event]] = {
    f"{what} is saved at {name}": events.edit(name, what)
    for name in KINDS
    for what in ("absent", "foreign", "older", "before")
}
OUTAGES: Final[Mapping[str, Event]] = {
    "vault cannot be written": events.freeze("vault"),
    "env cannot be written": events.freeze("env"),
    "vault is away": events.down("vault"),
    "env is away": events.down("env"),
    "the disk is full": events.full,
    "the disk has no room for a value": events.cramped,
}
PEOPLE: Final[Mapping[str, Event]] = {
    "pause": events.pause,
    "close": events.close,
    "request": events.request,
    "the credential leaves": events.unmanaged,
}
CONFIGURED: Final[Mapping[str, Event]] = {
    "env leaves": events.remove("env"),
    "vault leaves": events.remove("vault"),
    "env comes": events.add("env"),
    "vault comes": events.add("vault"),
}
ENDS: Final[Mapping[str, Event]] = {
    "the end is near": events.near_end,
    "a late consumer": events.late_user,
    "somebody disables the token": events.outsider("disable"),
    "somebody disables the newest token": events.outsider("newest"),
}
LEAKS: Final[Mapping[str, Event]] = {"somebody revokes it": events.revoke}
LOST: Final[Mapping[str, Event]] = {
    "the journal is restored": events.restore(empty=False),
    "the journal is gone": events.restore(empty=True),
}
EVENTS: Final[Mapping[str, Event]] = {**SAVED, **OUTAGES, **PEOPLE, **CONFIGURED, **ENDS, **LEAKS, **LOST}

FEW: Final = frozenset({"kill", "lose_answer", "late", "stop", "lie", "wrong_grants"})
"""The faults that go on beside events."""

FAMILIES: Final = (
    Family(name="recreate"),
    Family(name="first creation", current=False),
    Family(name="roll", strategy=Strategy.ROLL),
    Family(name="somebody saves", older=True, events=SAVED, faults=FEW),
    Family(name="outages", events=OUTAGES, faults=FEW),
    Family(name="people", events=PEOPLE, faults=FEW),
    Family(name="targets come and go", events=CONFIGURED, faults=FEW),
    Family(name="ends", events=ENDS, faults=FEW),
    Family(name="idle consumers", older=True, events=SAVED, faults=FEW, before=_idle),
    Family(name="a source that cannot disable", faults=FEW | {"twin"}, before=_poor),
    Family(name="drift", request=False, faults=FEW | {"fail"}, events={**PEOPLE, **ENDS}, before=_drifted),
    Family(name="a write-only target", events=OUTAGES, faults=FEW, before=_blind),
    Family(name="somebody saves at a write-only target", events=SAVED, faults=FEW, before=_blind),
    Family(name="first creation at a write-only target", current=False, events=OUTAGES, faults=FEW, before=_blind),
    Family(name="outages of a roll", strategy=Strategy.ROLL, events=OUTAGES, faults=FEW),
    Family(name="adopted", current=False, events=SAVED, faults=FEW, before=_adopted),
    Family(name="restored", events=LOST, faults=FEW),
    Family(name="a roll is disturbed", strategy=Strategy.ROLL, faults=FEW,
           events={**PEOPLE, **ENDS, "somebody rolls it": events.outsider("roll")}),
    Family(name="a leak", request=False, events=LEAKS, faults=FEW),
    Family(name="a leak in a rotation", events=LEAKS, faults=FEW),
    Family(name="a leak in a roll", strategy=Strategy.ROLL, events=LEAKS, faults=FEW),
    Family(name="a leak while a target is healed", request=False, events=LEAKS, faults=FEW, before=_drifted),
    Family(name="a leak at a source that cannot disable", request=False, events=LEAKS, faults=FEW, before=_poor),
)  # fmt: skip
