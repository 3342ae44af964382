"""Every rule of every row and every entry of the tables of legal facts, left out one at a time: generated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from types import MappingProxyType
from typing import Any, TypeVar

from rotator.core.credential import Strategy
from rotator.core.facts import Draft, Kind, What
from rotator.core.protocol import recreate, retire, revoke, roll
from rotator.core.protocol.decide import TABLES
from rotator.core.protocol.rules import Row, Rule
from rotator.core.protocol.steps import GUARDS, NEXT, RETIREMENT_NEXT, Guard
from rotator.core.protocol.view import View
from rotator.testing.simulation.state import Mutation

T = TypeVar("T")


@cache
def slots() -> Mapping[str, Mutation]:
    """Name of what is left out -> the protocol without it."""
    return dict([*_rules(), *_guards(), *_steps()])


def together(mutations: Sequence[Mutation]) -> Mutation:
    """The protocol without all of that: of rules that stand in one row, each is found by itself."""
    if len(mutations) == 1:
        return mutations[0]
    rotations = {
        strategy: {step: _common([m.tables.rotations[strategy][step] for m in mutations]) for step in rows}
        for strategy, rows in TABLES.rotations.items()
    }
    retire = {step: _common([m.tables.retire[step] for m in mutations]) for step in TABLES.retire}
    ends = {step: _common([m.tables.revoke[step] for m in mutations]) for step in TABLES.revoke}
    guards = {kind: _common([m.guards[kind] for m in mutations]) for kind in GUARDS}
    return Mutation(tables=replace(TABLES, rotations=rotations, retire=retire, revoke=ends), guards=guards)


def _common(rows: Sequence[tuple[T, ...]]) -> tuple[T, ...]:
    """What all rows have."""
    return tuple(part for part in max(rows, key=len) if all(part in row for row in rows))


def rule_name(rule: Any) -> str:
    """A rule as it is written in its row."""
    maker, _, inner = rule.__qualname__.partition(".")
    for module in (recreate, roll, retire, revoke):
        for name, found in vars(module).items():
            if found is rule:
                return name
    given = [cell.cell_contents for cell in rule.__closure__ or ()] if inner else []
    said = dict.fromkeys(str(value) for value in given if isinstance(value, str))
    return f"{maker}({', '.join(said)})" if inner else str(maker)


def rotation_name(strategy: Strategy, step: Kind, at: int, rule: Rule) -> str:
    """A rule by its place."""
    return f"{strategy} {step} {at + 1} {rule_name(rule)}"


def retirement_name(step: Kind, at: int, rule: Rule) -> str:
    """A rule of a retirement by its place."""
    return f"retirement {step} {at + 1} {rule_name(rule)}"


def revoke_name(step: Kind, at: int, rule: Rule) -> str:
    """A rule of the end of a leaked token by its place."""
    return f"revoke {step} {at + 1} {rule_name(rule)}"


def guard_name(kind: Kind, guard: Guard) -> str:
    """A guard of a kind of fact."""
    return f"legal {kind} {guard.__name__}"


def _without(row: Row, at: int) -> Row:
    return row[:at] + row[at + 1 :]


def _rules() -> Iterator[tuple[str, Mutation]]:
    """Each rule of each row; a row without its last rule decides nothing, and its step stays for ever."""
    for strategy, rows in TABLES.rotations.items():
        for step, row in rows.items():
            for at, rule in enumerate(row):
                changed = {**TABLES.rotations, strategy: {**rows, step: _without(row, at)}}
                tables = replace(TABLES, rotations=MappingProxyType(changed))
                yield rotation_name(strategy, step, at, rule), Mutation(tables=tables)
    for step, row in TABLES.retire.items():
        for at, rule in enumerate(row):
            tables = replace(TABLES, retire={**TABLES.retire, step: _without(row, at)})
            yield retirement_name(step, at, rule), Mutation(tables=tables)
    for step, row in TABLES.revoke.items():
        for at, rule in enumerate(row):
            tables = replace(TABLES, revoke={**TABLES.revoke, step: _without(row, at)})
            yield revoke_name(step, at, rule), Mutation(tables=tables)


def _guards() -> Iterator[tuple[str, Mutation]]:
    """Each guard of each kind of fact."""
    for kind, guards in GUARDS.items():
        for guard in guards:
            kept = tuple(g for g in guards if g is not guard)
            yield guard_name(kind, guard), Mutation(guards={**GUARDS, kind: kept})


def _steps() -> Iterator[tuple[str, Mutation]]:
    """Each fact that may follow a step, refused there."""
    for strategy, steps in NEXT.items():
        for step, allowed in steps.items():
            for kind in sorted(allowed):

                def refuses(view: View, fact: What, draft: Draft, of: tuple[str, Kind] = (strategy, step)) -> str:
                    rotation = view.rotation
                    if rotation is None or rotation.rid != draft.rid or (rotation.strategy, rotation.step) != of:
                        return ""
                    return f"{draft.kind} was left out after {of[1]}"

                yield f"{strategy} {kind} after {step}", _refusing(kind, refuses)
    for kind, before in RETIREMENT_NEXT.items():

        def refuses_too(view: View, fact: What, draft: Draft) -> str:
            return f"{draft.kind} was left out"

        yield f"retirement {kind} after {before}", _refusing(kind, refuses_too)


def _refusing(kind: Kind, guard: Guard) -> Mutation:
    guards: Mapping[Kind, tuple[Guard, ...]] = {**GUARDS, kind: (guard, *GUARDS.get(kind, ()))}
    return Mutation(guards=guards)
