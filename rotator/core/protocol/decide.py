"""`decide`: what is to be done next for one credential's open obligations. Total, deterministic, free of effects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from rotator.core.credential import Strategy
from rotator.core.facts import Kind
from rotator.core.protocol.recreate import RECREATE, REPUBLISH
from rotator.core.protocol.retire import RETIRE
from rotator.core.protocol.revoke import REVOKE
from rotator.core.protocol.roll import ROLL
from rotator.core.protocol.rules import Case, Row, Verdict, ask, asked_about


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """The rows of all machines; the simulation runs mutants of it."""

    rotations: Mapping[Strategy, Mapping[Kind, Row]] = field(
        default_factory=lambda: {Strategy.RECREATE: RECREATE, Strategy.ROLL: ROLL, Strategy.REPUBLISH: REPUBLISH}
    )
    retire: Mapping[Kind, Row] = field(default_factory=lambda: RETIRE)
    revoke: Mapping[Kind, Row] = field(default_factory=lambda: REVOKE)


TABLES: Final = Tables()


def decide_rotation(case: Case, tables: Tables = TABLES) -> Verdict | None:
    """Answer for the open rotation; None where none is open."""
    rotation = case.view.rotation
    return ask(tables.rotations[rotation.strategy][rotation.step], case) if rotation else None


def decide_retirements(case: Case, tables: Tables = TABLES, *, revoked: bool = False) -> dict[str, Verdict]:
    """Answer for each open retirement of a revoked token, or for each other one; by token id, oldest first."""
    rows = tables.revoke if revoked else tables.retire
    return {
        token: ask(rows[retirement.step], asked_about(case, retirement))
        for token, retirement in case.view.retirements.items()
        if (token in case.view.revoked) is revoked
    }
