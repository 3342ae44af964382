"""Mutants of the protocol: each leaves out one rule, one guard or one habit of the code; the judge must catch each.

A mutant names the worlds that show it: one scenario, some plans of one or two faults, and a few seeds. The worlds are
built around what the rule is there for, not around a moment that a search found, so that they outlive a change of
timing; without the mutation each of them must be clean.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final

from rotator.core.credential import Can, Strategy
from rotator.core.facts import Abandoned, Baseline, Draft, Kind, RetirementOpened
from rotator.core.ids import CredentialId
from rotator.core.protocol import recreate, retire, roll, steps
from rotator.core.protocol.decide import TABLES
from rotator.core.protocol.rules import Act, Action, Case, Result, Rule, Seen, Sight, Verdict, Wait, do, wait
from rotator.core.protocol.telling import record
from rotator.core.protocol.view import AttemptState, View
from rotator.core.reasons import Reason
from rotator.core.schedule import agenda
from rotator.engine import look
from rotator.engine.driver import Driver, Pass
from rotator.engine.work import Work
from rotator.testing.laws import Violation
from rotator.testing.simulation.faults import Hit, Site
from rotator.testing.simulation.scenario import build
from rotator.testing.simulation.state import Mutation, Scenario
from rotator.testing.simulation.world import World

K = Kind
Plan = dict[Site, Hit]

QUIET = Scenario(horizon=1100.0, tail=2400.0, rate=0.0, lags=False, quiet=0.0, events=((60.0, "request", "c0"),))
ROLLING = replace(QUIET, strategy=Strategy.ROLL, horizon=300.0, tail=1800.0)
IDLE = replace(QUIET, idle=True, horizon=1500.0)
"""Consumers that use a value now and then, so that only the targets tell that it is still wanted."""


@dataclass(frozen=True, slots=True)
class Patch:
    """A look of the engine and what stands in its place during the run of a mutant."""

    sight: Sight
    instead: Callable[[Work, str], Seen]


@dataclass(frozen=True, slots=True)
class Mutant:
    """What is left out, and the worlds that show it.

    Attributes:
        mutation: what the simulated ports, the journal's laws or the tables leave out.
        scenario: the world in which it shows.
        plans: faults, one plan per world.
        seeds: each plan is run with each of them.
        patch: a look of the engine, where tables do not reach.
    """

    mutation: Mutation
    scenario: Scenario = QUIET
    plans: tuple[Plan, ...] = ({},)
    seeds: tuple[int, ...] = (1, 2, 3)
    patch: Patch | None = None

    def worlds(self, mutation: Mutation) -> Iterator[World]:
        """Every world of this mutant, with this mutation in it."""
        for plan in self.plans:
            for seed in self.seeds:
                yield build(seed, what=self.scenario, plan=plan, mutation=mutation)

    def caught(self) -> Iterator[Violation]:
        """The first law that is broken in each world that shows the mutant; a mutant that crashes breaks no law."""
        with self._patched():
            for world in self.worlds(self.mutation):
                yield from world.run().violations[:1]

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


# --- how a mutant is made


def tables(strategy: Strategy, *left: Rule, step: Kind | None = None) -> Mutation:
    """The rows of a strategy (or the row of one step) without some of their rules."""
    rows = TABLES.rotations[strategy]
    kept = {k: _without(row, left) if step in (None, k) else row for k, row in rows.items()}
    assert kept != dict(rows)
    return Mutation(tables=replace(TABLES, rotations=MappingProxyType({**TABLES.rotations, strategy: kept})))


def retiring(*left: Rule) -> Mutation:
    """The rows of a retirement without some of their rules."""
    kept = {k: _without(row, left) for k, row in TABLES.retire.items()}
    assert kept != dict(TABLES.retire)
    return Mutation(tables=replace(TABLES, retire=kept))


def _without(row: tuple[Rule, ...], left: tuple[Rule, ...]) -> tuple[Rule, ...]:
    return tuple(rule for rule in row if rule not in left)


def named(name: str) -> Mutation:
    """A habit of the simulated ports or a law of the simulated journal."""
    return Mutation(names=frozenset({name}))


def faults(*found: tuple[str, int, str, float], of: str = "c0") -> Plan:
    """A plan for whichever process does the work: operation, which passage of it, fault, seconds."""
    return {(p, of, operation, n): (kind, seconds) for operation, n, kind, seconds in found for p in "AB"}


# --- habits that are left out


def owned_by_name(view: View, fact: RetirementOpened, of: Draft) -> str:
    """A twin of a captured token counts as owned because of its name."""
    if view.attempts.get(fact.token_name) is AttemptState.CAPTURED:
        return "its name is ours"
    return steps.unowned(view, fact, of)


class WaitsInside(Driver):
    """Waits for the settle time inside the act instead of noting a deadline: nobody renews the lease meanwhile."""

    def _perform(self, work: Work, actions: tuple[Action, ...]) -> None:
        if actions[0].act is Act.RECORD and isinstance(actions[0].fact, Abandoned):
            work.runtime.sleep(work.credential.policy.settle)
        super()._perform(work, actions)


class Careless(Driver):
    """Asks nobody before a third value: a person is said to have decided."""

    def _run(self, stream: CredentialId) -> Pass:
        before = agenda.exposed_again
        agenda.exposed_again = lambda case: None
        try:
            return super()._run(stream)
        finally:
            agenda.exposed_again = before


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
    rotation, at = work.view.opened, work.now
    try:
        for fingerprint in reversed(tuple(work.view.values)):
            if work.view.values[fingerprint] != rotation.token_id:
                continue
            if work.source.verify(work.journal.reveal(work.stream, fingerprint)) == rotation.token_id:
                return Seen(at, Result.GOOD, value=fingerprint)
    except look.NO_ANSWER:
        return Seen(at, Result.UNSURE)
    return Seen(at, Result.GOOD)


def refused_is_dead(work: Work, of: str) -> Seen:
    """A value that the provider refuses is taken for dead, and may be written over."""
    found = look.stands(work, of)
    if found.result is Result.OVERRIDDEN:
        piece = work.view.overridden[of]
        work.record(Baseline(target=of, fingerprint=piece, free=(piece,)))
    return found


# --- the table

recreating, rolling = Strategy.RECREATE, Strategy.ROLL
CONDEMN_ANYTHING = Mutation(
    guards={**steps.GUARDS, K.CONDEMNED: (steps.retirement_step, steps.not_in_use)},
    tables=replace(TABLES, retire={**TABLES.retire, K.RETIREMENT: (record(K.CONDEMNED),)}),
)

LOST = (faults(("mint", 1, "lose_answer", 0.0)),)
TWIN = (faults(("mint", 1, "twin", 0.0)),)
LATE_ROLL = tuple(faults(("roll", 1, "late", seconds)) for seconds in (25.0, 40.0, 48.0))
STUBBORN = (faults(*((op, n, "reject", 0.0) for op in ("put", "stage") for n in (1, 2, 3))),)
KILLED_AT_CAPTURE = (faults(("capture", 1, "fail", 0.0), ("capture", 2, "kill", 0.0)),)
RACED = (faults(("mint", 1, "stop_after", 145.0), ("abandoned", 1, "stop", 30.0)),)
PASTED = tuple(faults(("superseded", 1, "paste", seconds)) for seconds in (100.0, 200.0))
DOWN_FOR_LONG = replace(
    QUIET, horizon=7000.0, tail=4000.0, events=((60.0, "request", "c0"), (68.0, "down", "vault", 6200.0))
)
EDITED = {
    what: replace(QUIET, events=((60.0, "request", "c0"), (400.0, "edit", "vault", "c0", what, 0.0)), tail=2000.0)
    for what in ("garbage", "unknown", "foreign")
}
"""An operator saves something that is not ours at a managed key."""
SAVED = {
    place: replace(QUIET, events=((60.0, "request", "c0"), (100.0, "edit", place, "c0", "foreign", 0.0)))
    for place in ("vault", "env")
}
"""An operator saves a value of his own while a process that was about to write there is paused."""

LEAKED = replace(QUIET, events=((60.0, "revoke", "c0", 0.0),))
"""Somebody revokes a published token; nothing disturbs anybody."""
LEAKED_WHILE_HEALED = replace(
    QUIET,
    events=(
        (100.0, "edit", "vault", "c0", "absent", 0.0),
        (100.0, "freeze", "vault", 430.0),
        (500.0, "revoke", "c0", 0.0),
    ),
)
"""Somebody revokes while a target is being healed with the value that leaked."""
LEAKED_AWAY = replace(
    QUIET, events=((50.0, "down", "vault", 600.0), (50.0, "down", "aws", 600.0), (60.0, "revoke", "c0", 0.0))
)
"""Somebody revokes while most targets are away."""
FOUND_TWICE = replace(QUIET, events=((60.0, "expose", "c0"), (600.0, "expose", "c0")), horizon=2000.0)

NOTHING_MARKED = {
    kind: tuple(guard for guard in guards if guard is not steps.not_marked) for kind, guards in steps.GUARDS.items()
}


def ending(row: tuple[Rule, ...]) -> Mutation:
    """The end of a leaked token begins with another row."""
    return Mutation(tables=replace(TABLES, revoke={**TABLES.revoke, K.REVOKED: row}))


def unrevoked(*strategies: Strategy) -> Mutation:
    """Nothing closes because its token leaked, and no guard refuses what publishes it."""
    left = (recreate.revoked, recreate.yields_to_due)  # a rotation that is due would close it, too
    rows = {
        strategy: {k: _without(row, left) for k, row in TABLES.rotations[strategy].items()} for strategy in strategies
    }
    tables_ = replace(TABLES, rotations=MappingProxyType({**TABLES.rotations, **rows}))
    return Mutation(tables=tables_, guards=NOTHING_MARKED)


def not_before_its_successor(case: Case) -> Verdict | None:
    """However long that takes."""
    return Wait(case.now + 20.0, Reason.SUCCESSOR_FIRST) if case.view.uncured else None


MUTANTS: Final[Mapping[str, Mutant]] = {
    "publish before capture": Mutant(named("publish_first")),
    "publish before verification": Mutant(
        tables(recreating, recreate.accepted, recreate.fresh), replace(QUIET, lags=True), seeds=tuple(range(1, 10))
    ),
    "verification older than 60 s at the write": Mutant(
        tables(recreating, recreate.fresh, step=K.PUBLISHING), plans=STUBBORN
    ),
    "no settle after a lost roll": Mutant(
        tables(rolling, roll.ROLL[K.INTENT][1], step=K.INTENT), ROLLING, plans=LATE_ROLL
    ),
    "wait inside a call": Mutant(
        replace(tables(recreating, recreate.RECREATE[K.INTENT][0]), driver=WaitsInside),
        replace(QUIET, busy=7.0),
        plans=LOST,
    ),
    "abandon outside a fenced transaction": Mutant(named("abandon_unfenced"), plans=RACED),
    "a capture that is fenced": Mutant(named("capture_fenced"), plans=(faults(("mint", 1, "stop_after", 145.0)),)),
    "sweep that condemns by name": Mutant(named("condemn_by_name"), plans=TWIN),
    "sweep that does not read the targets": Mutant(
        retiring(retire.unpublished), replace(IDLE, optional=("env",)), plans=PASTED
    ),
    "ownership by name": Mutant(Mutation(guards={**steps.GUARDS, K.RETIREMENT: (owned_by_name,)}), plans=TWIN),
    "AAD with the epoch in it": Mutant(named("epoch_in_aad"), plans=LOST),
    "a check-and-set version read again after the fence": Mutant(
        named("reread_version"),
        SAVED["vault"],
        plans=tuple(faults(("publish_intent", n, "stop_after", 60.0)) for n in (1, 2, 3)),
    ),
    "a write that checks no version": Mutant(
        named("blind_write"),
        replace(QUIET, events=((60.0, "request", "c0"), (180.0, "request", "c0")), horizon=1500.0, tail=3000.0),
        plans=tuple(faults((op, 1, "duplicate", 260.0)) for op in ("put", "move")),
    ),
    "any text is sent to the provider": Mutant(named("send_anything"), EDITED["garbage"]),
    "a value that is refused counts as dead": Mutant(
        Mutation(), EDITED["unknown"], patch=Patch(Sight.STANDS, refused_is_dead)
    ),
    "what a target says it stored is not read back": Mutant(
        tables(recreating, recreate.RECREATE[K.PUBLISHING][5], step=K.PUBLISHING),
        plans=tuple(faults((op, 1, "lie", 0.0)) for op in ("put", "move")),
    ),
    "no place lock": Mutant(
        named("no_place_lock"),
        replace(QUIET, credentials=2, events=((60.0, "request", "c0"), (60.0, "request", "c1"))),
        plans=tuple(faults(("exchange", 1, "stop", seconds)) for seconds in (20.0, 200.0)),
    ),
    "no exchange back": Mutant(named("no_exchange_back"), SAVED["env"], plans=(faults(("exchange", 1, "stop", 60.0)),)),
    "no spool": Mutant(named("no_spool"), plans=KILLED_AT_CAPTURE),
    "spools are not imported": Mutant(named("no_replay"), plans=KILLED_AT_CAPTURE),
    "no displacement": Mutant(tables(recreating, recreate.displaced), DOWN_FOR_LONG),
    "no grace": Mutant(retiring(retire.grace), IDLE),
    "no quiet": Mutant(retiring(retire.quiet), replace(QUIET, quiet=300.0), seeds=(1, 2, 3, 4)),
    "no witness of a write-only target": Mutant(
        retiring(retire.witnessed), replace(QUIET, blind=True, mute=True, can=Can(last_use=False))
    ),
    "no soak": Mutant(retiring(retire.RETIRE[K.DISABLED][1])),
    "condemned although published": Mutant(CONDEMN_ANYTHING),
    "a roll that does not move the expiry": Mutant(tables(rolling, roll.extended), ROLLING),
    "a rolled value is not proven alive": Mutant(
        tables(rolling, roll.alive),
        replace(ROLLING, events=((60.0, "request", "c0"), (80.0, "outsider", "c0", "roll"))),
        plans=tuple(faults((op, 1, "stop", 30.0)) for op in ("put", "move", "exchange")),
    ),
    "the oracle may answer with the old value": Mutant(
        Mutation(),
        ROLLING,
        plans=(faults(("roll", 1, "lose_request", 0.0)),),
        patch=Patch(Sight.ORACLE, oracle_with_the_old_value),
    ),
    "a leaked token waits for its grace": Mutant(
        ending((retire.held, retire.unpublished, retire.grace, do(Act.DISABLE))), LEAKED
    ),
    "a leaked token does not wait for its successor": Mutant(ending((do(Act.DISABLE),)), LEAKED),
    "a leaked token waits for its successor without end": Mutant(
        ending((not_before_its_successor, do(Act.DISABLE))), LEAKED_AWAY
    ),
    "a leaked token is published again": Mutant(unrevoked(Strategy.REPUBLISH), LEAKED_WHILE_HEALED),
    "a leaked token is disabled and never deleted": Mutant(
        Mutation(tables=replace(TABLES, revoke={**TABLES.revoke, K.DISABLED: (wait("soak"),)})), LEAKED
    ),
    "a third value after two that were found in public": Mutant(Mutation(driver=Careless), FOUND_TWICE),
    "dead after one refusal": Mutant(
        Mutation(),
        plans=tuple(faults(("verify", n, "spurious", 0.0)) for n in range(3, 12)),
        seeds=(1,),
        patch=Patch(Sight.ALIVE, dead_after_one_refusal),
    ),
}
