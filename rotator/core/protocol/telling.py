"""What the rows record: each fact made from what a case knows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from rotator.core.facts import (
    Abandoned,
    Condemned,
    Confirmed,
    Displaced,
    Done,
    Kind,
    Publishing,
    Retired,
    Superseded,
    Verified,
    What,
)
from rotator.core.protocol.rules import Act, Action, Case, Do, Rule, Verdict


def of_rotation(case: Case) -> dict[str, Any]:
    """What a fact says of the token and the attempt of the open rotation."""
    rotation = case.rotation
    return {
        "token_id": rotation.token_id,
        "token_name": rotation.attempt_name,
        "attempt": rotation.attempt,
        "generation": rotation.generation,
    }


def _publishing(case: Case) -> What:
    return Publishing(**{**of_rotation(case), "generation": case.view.generation + 1})


def _confirmed(case: Case) -> What:
    left = tuple(sorted(case.targets() & case.view.heeded.keys()))
    return Confirmed(**of_rotation(case), adopt=case.credential.adopt, left=left)


TELLS: Final[Mapping[Kind, Callable[[Case], What]]] = {
    Kind.ABANDONED: lambda case: Abandoned(**of_rotation(case), why="the answer was lost"),
    Kind.VERIFIED: lambda case: Verified(**of_rotation(case), fingerprint=case.rotation.fingerprint),
    Kind.PUBLISHING: _publishing,
    Kind.CONFIRMED: _confirmed,
    Kind.DONE: lambda case: Done(**of_rotation(case)),
    Kind.SUPERSEDED: lambda case: Superseded(token_id=case.retired.token_id),
    Kind.CONDEMNED: lambda case: Condemned(token_id=case.retired.token_id),
    Kind.RETIRED: lambda case: Retired(token_id=case.retired.token_id),
}
"""What a row records, from what it knows."""


def tell(fact: What) -> Do:
    """Journal this fact."""
    return Do((Action(Act.RECORD, fact=fact),))


def record(kind: Kind) -> Rule:
    """Journal a fact of that kind."""

    def rule(case: Case) -> Verdict:
        return tell(TELLS[kind](case))

    return rule


def close(case: Case, why: str, *, closed: bool = False, dead: bool = False, yields: bool = False) -> Do:
    """Close the rotation before it was confirmed; the flags are those of the fact."""
    return tell(Displaced(**of_rotation(case), why=why, closed=closed, dead=dead, yields=yields))
