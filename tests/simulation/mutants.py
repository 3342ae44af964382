"""Mutants of the protocol: each leaves out one rule, guard or habit of the ports; the judge must catch every one.

A mutant is tried in directed worlds first (one or two faults at the sites that show it), then on random seeds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from rotator.core.credential import Strategy
from rotator.core.facts import Draft, Kind
from rotator.core.protocol import recreate, retire, roll, steps
from rotator.core.protocol.decide import TABLES
from rotator.core.protocol.rules import Act, Action, Result, Row, Rule, Seen, Sight
from rotator.core.protocol.view import View
from rotator.engine import look
from rotator.engine.driver import Driver
from rotator.engine.work import Work
from rotator.testing.simulation.faults import Hit, Site
from rotator.testing.simulation.scenario import build
from rotator.testing.simulation.world import Mutation, Scenario, World

K = Kind
SEEDS = 150
"""Random seeds on which a mutant may hide."""

QUIET = Scenario(horizon=1100.0, tail=2400.0, rate=0.0, lags=False, quiet=0.0, events=((60.0, "request", "c0"),))
ROLLING = replace(QUIET, strategy=Strategy.ROLL, horizon=300.0, tail=1800.0)


# --- how a mutant is made


def without(row: Row, *rules: Rule) -> Row:
    """The row without some of its rules, which must be in it."""
    assert all(rule in row for rule in rules)
    return tuple(r for r in row if r not in rules)


def rows(strategy: Strategy, changes: dict[Kind, Row]) -> Mutation:
    """A mutant of one rotation table."""
    tables = dict(TABLES.rotations)
    tables[strategy] = {**tables[strategy], **changes}
    return Mutation(tables=replace(TABLES, rotations=MappingProxyType(tables)))


def retiring(changes: dict[Kind, Row]) -> Mutation:
    """A mutant of the retirement table."""
    return Mutation(tables=replace(TABLES, retire={**TABLES.retire, **changes}))


def named(*names: str) -> Mutation:
    """A mutant of the simulated ports or of the journal's laws."""
    return Mutation(names=frozenset(names))


def guarded(kind: Kind, guard: steps.Guard, instead: steps.Guard | None = None) -> Mutation:
    """A mutant without one guard of the journal, or with another one in its place."""
    kept = tuple(instead if g is guard and instead else g for g in steps.GUARDS[kind] if g is not guard or instead)
    assert kept != steps.GUARDS[kind]
    return Mutation(guards={**steps.GUARDS, kind: kept})


def both(process_fault: dict[tuple[str, str, int], Hit]) -> dict[Site, Hit]:
    """A plan for whichever process does the work: (stream, operation, passage) -> fault."""
    return {(p, stream, op, n): hit for (stream, op, n), hit in process_fault.items() for p in "AB"}


@dataclass(frozen=True, slots=True)
class Patch:
    """A look of the engine and what stands in its place during the run of a mutant."""

    sight: Sight
    instead: Callable[[Work, str], Seen]


@dataclass(frozen=True, slots=True)
class Mutant:
    """A mutant, directed worlds that show it, the focus of the seeds, and a patch where tables do not reach."""

    mutation: Mutation
    worlds: tuple[tuple[Scenario, dict[Site, Hit]], ...] = ()
    focus: str = ""
    patch: Patch | None = None

    def violations(self) -> Iterator[str]:
        """The first violation of every world and seed that shows the mutant."""
        with self._patched():
            for scenario, plan in self.worlds:
                yield from _first(build(1, what=scenario, plan=plan, mutation=self.mutation))
            for seed in range(SEEDS):
                yield from _first(build(seed, self.focus, mutation=self.mutation))

    @contextmanager
    def _patched(self) -> Iterator[None]:
        if self.patch is None:
            yield
            return
        looks: Any = look.LOOKS
        before = looks[self.patch.sight]
        looks[self.patch.sight] = self.patch.instead
        try:
            yield
        finally:
            looks[self.patch.sight] = before


def _first(world: World) -> Iterator[str]:
    try:
        world.run()
    except Exception as error:  # noqa: BLE001 - a mutant may break the engine outright; that is caught as well
        yield f"crashed: {error!r}"
    for violation in world.violations[:1]:
        yield f"{violation.law}: {violation.text}"


# --- habits that are left out


def owned_by_name(view: View, draft: Draft) -> str:
    """A twin of a captured token counts as owned because of its name."""
    if view.attempts.get(draft.token_name) == "captured":
        return "its name is ours"
    return steps.unowned(view, draft)


class WaitsInside(Driver):
    """Waits for the settle time inside the act instead of noting a deadline: nobody renews the lease meanwhile."""

    def _perform(self, work: Work, actions: tuple[Action, ...]) -> None:
        if actions[0].act is Act.RECORD and actions[0].kind is K.ABANDONED:
            work.runtime.sleep(work.credential.policy.settle)
        super()._perform(work, actions)


def dead_after_one_refusal(work: Work, of: str) -> Seen:
    """One refusal proves a value dead."""
    token, at = work.view.values.get(of, ""), work.now
    try:
        alive = work.source.verify(work.journal.reveal(work.stream, of)) == token
    except look.NO_ANSWER:
        return Seen(at, Result.UNSURE)
    return Seen(at, Result.GOOD if alive else Result.DEAD)


def oracle_with_the_old_value(work: Work, of: str) -> Seen:
    """The value from before the roll may be the oracle's answer."""
    rotation, at = work.view.rotation, work.now
    assert rotation is not None
    try:
        for fingerprint in reversed(tuple(work.view.values)):
            if work.view.values[fingerprint] != rotation.token_id:
                continue
            if work.source.verify(work.journal.reveal(work.stream, fingerprint)) == rotation.token_id:
                return Seen(at, Result.GOOD, fingerprint)
    except look.NO_ANSWER:
        return Seen(at, Result.UNSURE)
    return Seen(at, Result.GOOD)


# --- the table

C, L, T = recreate.RECREATE, roll.ROLL, retire.RETIRE
recreating, rolling = Strategy.RECREATE, Strategy.ROLL

LAGGING = replace(QUIET, lags=True)
STUBBORN = both({("c0", op, n): ("reject", 0.0) for op in ("put", "stage") for n in (1, 2, 3)})
TWIN = both({("c0", "mint", 1): ("twin", 0.0)})
LOST = both({("c0", "mint", 1): ("lose_answer", 0.0)})
LATE_ROLL = both({("c0", "roll", 1): ("late", 40.0)})
SLOW_TWIN = both({("c0", "roll", 1): ("duplicate", 30.0)})
STOPPED_MINT = both({("c0", "mint", 1): ("stop_after", 145.0)})
RACED = {**STOPPED_MINT, **both({("c0", "abandoned", 1): ("stop", 30.0)})}
PASTED = replace(QUIET, optional=("env",), events=(*QUIET.events, (500.0, "edit", "env", "c0", "known", 0.0)))
UNWRITABLE = {
    **both({("c0", "exchange", n): ("fail", 0.0) for n in range(2, 5)}),
    ("A", "c0", "exchange", 1): ("fail", 0.0),
}
DOWN_FOR_LONG = replace(
    QUIET, horizon=7000.0, tail=4000.0, events=((60.0, "request", "c0"), (68.0, "down", "vault", 6200.0))
)
REFUSED_ONCE = both({("c0", "verify", 8): ("spurious", 0.0)})

MUTANTS: dict[str, Mutant] = {
    "publish before capture": Mutant(named("publish_first"), ((QUIET, {}),)),
    "publish before verification": Mutant(
        rows(
            recreating,
            {
                K.CAPTURED: without(C[K.CAPTURED], recreate.accepted),
                K.PUBLISHING: without(C[K.PUBLISHING], recreate.fresh),
            },
        ),
        ((LAGGING, {}),),
    ),
    "verification older than 60 s at the write": Mutant(
        rows(recreating, {K.PUBLISHING: without(C[K.PUBLISHING], recreate.fresh)}), ((QUIET, STUBBORN),)
    ),
    "no settle after a lost roll": Mutant(rows(rolling, {K.INTENT: L[K.INTENT][1:]}), ((ROLLING, LATE_ROLL),), "roll"),
    "wait inside a call": Mutant(
        Mutation(driver=WaitsInside, tables=rows(recreating, {K.INTENT: C[K.INTENT][1:]}).tables),
        ((replace(QUIET, busy=7.0), LOST),),
    ),
    "abandon outside a fenced transaction": Mutant(named("abandon_unfenced"), ((QUIET, RACED),)),
    "sweep that condemns by name": Mutant(named("condemn_by_name"), ((QUIET, TWIN),)),
    "ownership by name": Mutant(guarded(K.RETIREMENT, steps.unowned, owned_by_name), ((QUIET, TWIN),)),
    "AAD with the epoch in it": Mutant(named("epoch_in_aad"), ((QUIET, LOST),)),
    "no fence": Mutant(named("no_fence")),
    "no spool": Mutant(named("no_spool"), (), "roll"),
    "spools are not imported": Mutant(named("no_replay"), (), "roll"),
    "no exchange back": Mutant(named("no_exchange_back"), (), "edit"),
    "no displacement": Mutant(
        rows(recreating, {k: without(C[k], recreate.displaced) for k in (K.VERIFIED, K.PUBLISHING)}),
        ((DOWN_FOR_LONG, {}),),
    ),
    "no grace": Mutant(retiring({K.RETIREMENT: without(T[K.RETIREMENT], retire.grace)}), ((QUIET, {}),)),
    "no quiet": Mutant(retiring({K.RETIREMENT: without(T[K.RETIREMENT], retire.quiet)})),
    "no soak": Mutant(retiring({K.DISABLED: (T[K.DISABLED][0], *T[K.DISABLED][2:])}), ((QUIET, {}),)),
    "condemned although published": Mutant(
        Mutation(
            guards={**steps.GUARDS, K.CONDEMNED: (steps.retirement_step, steps.not_in_use)},
            tables=retiring({K.RETIREMENT: (retire.record(K.CONDEMNED),)}).tables,
        ),
        ((QUIET, {}),),
    ),
    "a rolled value is not proven alive": Mutant(
        rows(rolling, {K.PUBLISHING: without(L[K.PUBLISHING], roll.alive)}), (), "roll"
    ),
    "the oracle may answer with the old value": Mutant(
        Mutation(), (), "roll", Patch(Sight.ORACLE, oracle_with_the_old_value)
    ),
    "dead after one refusal": Mutant(
        Mutation(), ((QUIET, REFUSED_ONCE),), "", Patch(Sight.ALIVE, dead_after_one_refusal)
    ),
}
