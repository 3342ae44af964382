"""Mutants of the protocol: each leaves out one rule, guard or habit of the ports. Every one must be caught by the judge."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from rotator.core.credential import Strategy
from rotator.core.facts import Draft, Kind
from rotator.core.protocol import recreate, retire, roll, steps
from rotator.core.protocol.decide import TABLES, Tables
from rotator.core.protocol.rules import Act, Action, Row, Rule
from rotator.core.protocol.view import View
from rotator.engine import driver as driving
from rotator.engine import look, stands
from rotator.engine.driver import Driver
from rotator.engine.work import Work
from rotator.testing.simulation.world import Mutation

K = Kind


def without(row: Row, rule: Rule) -> Row:
    """The row without one rule, which must be in it."""
    assert rule in row
    return tuple(r for r in row if r is not rule)


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


def owned_by_name(view: View, draft: Draft) -> str:
    """A twin of a captured token counts as owned because of its name."""
    name = view.attempts.get(draft.token_name) == "captured"
    return "its name is ours" if name else steps.unowned(view, draft)


class WaitsInside(Driver):
    """Waits for the settle time inside the act instead of noting a deadline: nobody renews the lease meanwhile."""

    def _perform(self, work: Work, actions: tuple[Action, ...]) -> None:
        if actions[0].act is Act.RECORD and actions[0].kind is K.ABANDONED:
            work.runtime.sleep(work.credential.policy.settle)
        super()._perform(work, actions)


class PatchedDriver(Driver):
    """Runs with one function of the engine replaced; the simulation is single-threaded, so that is safe for a run."""

    module: Any
    name: str
    instead: Callable[..., Any]

    def _run(self, stream: str) -> driving.Pass:
        # patched around every pass and restored at every port call would be wrong: greenlets interleave, and all
        # processes of a mutant world are mutants, so the patch stays for the whole run (see `patched`)
        return super()._run(stream)


@dataclass(frozen=True, slots=True)
class Patch:
    """A function of the engine and what stands in its place during the run of a mutant."""

    module: Any
    name: str
    instead: Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Mutant:
    """A mutant, the kind of trouble that shows it soonest, and a patch of the engine where rows do not reach."""

    mutation: Mutation
    focus: str = ""
    patch: Patch | None = None


R, O = recreate.RECREATE, roll.ROLL
S = retire.RETIRE
recreating, rolling = Strategy.RECREATE, Strategy.ROLL


def _no_wait(row: Row) -> Row:
    return row[1:]


MUTANTS: dict[str, Mutant] = {
    # the ten that everybody would think of first
    "publish before capture": Mutant(named("publish_first")),
    "publish before verification": Mutant(rows(recreating, {K.CAPTURED: without(R[K.CAPTURED], recreate.accepted)})),
    "verification older than 60 s at the write": Mutant(
        rows(recreating, {K.PUBLISHING: without(R[K.PUBLISHING], recreate.fresh)}), "optional"
    ),
    "no settle after a lost answer of a roll": Mutant(rows(rolling, {K.INTENT: _no_wait(O[K.INTENT])}), "roll"),
    "no settle before an attempt is abandoned": Mutant(rows(recreating, {K.INTENT: _no_wait(R[K.INTENT])})),
    "wait inside a call": Mutant(Mutation(driver=WaitsInside, tables=rows(recreating, {K.INTENT: _no_wait(R[K.INTENT])}).tables)),
    "abandon outside a fenced transaction": Mutant(named("abandon_unfenced")),
    "sweep that condemns by name": Mutant(named("condemn_by_name")),
    "ownership by name": Mutant(guarded(K.RETIREMENT, steps.unowned, owned_by_name)),
    "sweep that does not read the targets": Mutant(
        retiring({k: without(S[k], retire.unpublished) for k in (K.RETIREMENT, K.SUPERSEDED, K.CONDEMNED, K.DISABLED)}), "restore"
    ),
    "version read anew after the fence": Mutant(named("reread_version"), "edit"),
    "AAD with the epoch in it": Mutant(named("epoch_in_aad")),
    # the journal
    "no fence": Mutant(named("no_fence")),
    "captures are fenced": Mutant(named("capture_fenced")),
    "no spool": Mutant(named("no_spool")),
    "spools are not imported": Mutant(named("no_replay")),
    "a marked token may be published": Mutant(guarded(K.PUBLISH_INTENT, steps.not_marked)),
    # publication
    "blind write": Mutant(named("blind_write"), "edit"),
    "no exchange back": Mutant(named("no_exchange_back"), "edit"),
    "no place lock": Mutant(named("no_place_lock")),
    "no room check": Mutant(
        rows(recreating, {k: without(R[k], recreate.room) for k in (K.PLANNED, K.ABANDONED)})
    ),
    "no displacement": Mutant(
        rows(recreating, {k: without(R[k], recreate.displaced) for k in (K.VERIFIED, K.PUBLISHING)}), "optional"
    ),
    # retirement
    "no grace": Mutant(retiring({K.RETIREMENT: without(S[K.RETIREMENT], retire.grace)})),
    "no quiet": Mutant(retiring({K.RETIREMENT: without(S[K.RETIREMENT], retire.quiet)})),
    "no soak": Mutant(retiring({K.DISABLED: S[K.DISABLED][:1] + S[K.DISABLED][2:]})),
    "no condemnation": Mutant(retiring({K.RETIREMENT: without(S[K.RETIREMENT], retire.condemn)}), "restore"),
    "condemned although published": Mutant(
        Mutation(
            guards={**steps.GUARDS, K.CONDEMNED: (steps.retirement_step, steps.not_in_use)},
            tables=replace(
                TABLES,
                retire={
                    **S,
                    K.RETIREMENT: (retire.held, lambda case: retire.record(K.CONDEMNED)(case)),
                },
            ),
        )
    ),
    "retires what an older journal knows": Mutant(
        retiring({K.RETIREMENT: without(S[K.RETIREMENT], retire.report_only)}), "restore"
    ),
    # roll
    "a roll is not healed": Mutant(rows(rolling, {K.CONFIRMED: without(O[K.CONFIRMED], roll.healed)}), "roll"),
    "a roll is done without settle": Mutant(rows(rolling, {K.CONFIRMED: _no_wait(O[K.CONFIRMED])}), "roll"),
    "a rolled value is not proven alive": Mutant(rows(rolling, {K.PUBLISHING: without(O[K.PUBLISHING], roll.alive)}), "roll"),
    "the oracle may answer with the old value": Mutant(Mutation(), "roll", Patch(look, "oracle", lambda w, of: _old_oracle(w, of))),
    # looks
    "dead after one refusal": Mutant(Mutation(), "", Patch(stands, "refused", lambda work, fingerprint: True)),
}


def _old_oracle(work: Work, of: str) -> Any:
    from rotator.core.protocol.rules import Result, Seen

    for fingerprint in reversed(tuple(work.view.values)):
        rotation = work.view.rotation
        if rotation and work.view.values[fingerprint] == rotation.token_id:
            try:
                if work.source.verify(work.journal.reveal(work.stream, fingerprint)) == rotation.token_id:
                    return Seen(work.now, Result.GOOD, fingerprint)
            except Exception:
                return Seen(work.now, Result.UNSURE)
    return Seen(work.now, Result.GOOD)
