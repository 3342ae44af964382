"""A path through the states in short: how many quiet moves, then which trouble, and so on. It can be gone again."""

from __future__ import annotations

from collections.abc import Sequence

from rotator.testing.cover import judge
from rotator.testing.cover.families import Family, first
from rotator.testing.cover.key import key
from rotator.testing.cover.model import Model
from rotator.testing.cover.moves import Move, moves
from rotator.testing.laws import Violation
from rotator.testing.simulation.world import Mutation

Path = list[int | str]

LONG = 400
"""Quiet moves after which a run should have come to rest long since."""


def shortened(trace: Sequence[tuple[str, bool]]) -> Path:
    """Return the path of a trace of (label, whether the quiet world does that)."""
    path: Path = []
    for label, natural in trace:
        if not natural:
            path.append(label)
        elif path and isinstance(path[-1], int):
            path[-1] += 1
        else:
            path.append(1)
    return path


def walk(family: Family, mutation: Mutation, path: Path) -> Violation | None:
    """Go the path, then on without trouble; return the first law that is broken, None where all hold.

    Raises:
        LookupError: the path cannot be gone: something changed since it was noted.
    """
    model = first(family, mutation)
    for part in path:
        for _ in range(part if isinstance(part, int) else 1):
            model = (_quiet(model, family) if isinstance(part, int) else _named(model, family, part)).model
            if model.broken:
                return model.broken
    return _rest(model, family)


def _rest(model: Model, family: Family) -> Violation | None:
    """The quiet world goes on until it only repeats itself: that must be rest."""
    seen: dict[object, int] = {}
    models: list[Model] = []
    while (k := key(model)) not in seen and len(models) < LONG:
        seen[k] = len(models)
        models.append(model)
        model = _quiet(model, family).model
        if model.broken:
            return model.broken
    for each in models[seen.get(k, 0) :]:
        judge.rest(each)
        if each.broken:
            return each.broken
    return None


def _quiet(model: Model, family: Family) -> Move:
    return next(move for move in moves(model, family) if move.natural)


def _named(model: Model, family: Family, label: str) -> Move:
    for move in moves(model, family):
        if move.label == label:
            return move
    raise LookupError(f"{label!r} cannot happen here")
