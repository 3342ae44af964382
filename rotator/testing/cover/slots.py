"""Every rule of every row and every entry of the tables of legal facts, left out one at a time: generated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from rotator.core.facts import Draft, Kind
from rotator.core.protocol import recreate, retire, roll
from rotator.core.protocol.decide import TABLES
from rotator.core.protocol.rules import Row
from rotator.core.protocol.steps import GUARDS, NEXT, RETIREMENT_NEXT, Guard
from rotator.core.protocol.view import View
from rotator.testing.simulation.world import Mutation


def slots() -> dict[str, Mutation]:
    """Name of what is left out -> the protocol without it."""
    return dict([*_rules(), *_guards(), *_steps()])


def rule_name(rule: Any) -> str:
    """A rule as it is written in its row."""
    maker, _, inner = rule.__qualname__.partition(".")
    for module in (recreate, roll, retire):
        for name, found in vars(module).items():
            if found is rule:
                return name
    given = [cell.cell_contents for cell in rule.__closure__ or ()] if inner else []
    said = [str(value) for value in given if isinstance(value, str)]
    return f"{maker}({', '.join(said)})" if inner else str(maker)


def _without(row: Row, at: int) -> Row:
    return row[:at] + row[at + 1 :]


def _rules() -> Iterator[tuple[str, Mutation]]:
    """Each rule of each row; a row without its last rule decides nothing, and its step stays for ever."""
    for strategy, rows in TABLES.rotations.items():
        for step, row in rows.items():
            for at, rule in enumerate(row):
                changed = {**TABLES.rotations, strategy: {**rows, step: _without(row, at)}}
                tables = replace(TABLES, rotations=MappingProxyType(changed))
                yield f"{strategy} {step} {at + 1} {rule_name(rule)}", Mutation(tables=tables)
    for step, row in TABLES.retire.items():
        for at, rule in enumerate(row):
            tables = replace(TABLES, retire={**TABLES.retire, step: _without(row, at)})
            yield f"retirement {step} {at + 1} {rule_name(rule)}", Mutation(tables=tables)


def _guards() -> Iterator[tuple[str, Mutation]]:
    """Each guard of each kind of fact."""
    for kind, guards in GUARDS.items():
        for guard in guards:
            kept = tuple(g for g in guards if g is not guard)
            yield f"legal {kind} {guard.__name__}", Mutation(guards={**GUARDS, kind: kept})


def _steps() -> Iterator[tuple[str, Mutation]]:
    """Each fact that may follow a step, refused there."""
    for strategy, steps in NEXT.items():
        for step, allowed in steps.items():
            for kind in sorted(allowed):

                def refuses(view: View, draft: Draft, of: tuple[str, Kind] = (strategy, step)) -> str:
                    rotation = view.rotation
                    if rotation is None or rotation.rid != draft.rid or (rotation.strategy, rotation.step) != of:
                        return ""
                    return f"{draft.kind} was left out after {of[1]}"

                yield f"{strategy} {kind} after {step}", _refusing(kind, refuses)
    for kind, before in RETIREMENT_NEXT.items():

        def refuses_too(view: View, draft: Draft) -> str:
            return f"{draft.kind} was left out"

        yield f"retirement {kind} after {before}", _refusing(kind, refuses_too)


def _refusing(kind: Kind, guard: Guard) -> Mutation:
    guards: Mapping[Kind, tuple[Guard, ...]] = {**GUARDS, kind: (guard, *GUARDS.get(kind, ()))}
    return Mutation(guards=guards)
