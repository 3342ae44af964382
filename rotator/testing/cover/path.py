"""One way through the states, to be walked again: the quiet world, but for a few moves that are named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rotator.testing.cover import judge
from rotator.testing.cover.families import Family, first
from rotator.testing.cover.key import key
from rotator.testing.cover.model import Model
from rotator.testing.cover.moves import moves
from rotator.testing.laws import Violation
from rotator.testing.simulation.state import Mutation

LONG = 400
"""Quiet moves after which a run should have come to rest long since."""

Troubles = tuple[tuple[int, str], ...]
"""Troubles in order: how many quiet moves come before each, and its label."""


class Elsewhere(Exception):
    """A move of a path is not possible where it should be: the protocol or the world has changed since."""


@dataclass(frozen=True, slots=True)
class Path:
    """A family's first state, and what happens from there."""

    family: Family
    troubles: Troubles

    def walk(self, mutation: Mutation | None = None) -> Violation | None:
        """Return the law that is broken on the way or at rest, None where all hold.

        Raises:
            Elsewhere: a trouble is not possible where the path has it.
        """
        model = first(self.family, mutation)
        for quiet, label in self.troubles:
            for _ in range(quiet):
                model = natural(model, self.family)
                if model.broken:
                    return model.broken
            found = next((m.model for m in moves(model, self.family) if m.label == label and not m.natural), None)
            if found is None:
                raise Elsewhere(f"{label!r} is not possible there")
            model = found
            if model.broken:
                return model.broken
        return quietly(model, self.family, set())


def troubles_of(trace: Sequence[tuple[str, bool]]) -> Troubles:
    """The moves of a trace that the quiet world would not make, and how many quiet ones come before each."""
    found, quiet = [], 0
    for label, is_natural in trace:
        if is_natural:
            quiet += 1
        else:
            found.append((quiet, label))
            quiet = 0
    return tuple(found)


def natural(model: Model, family: Family) -> Model:
    """The state after what the quiet world does next."""
    return next(move.model for move in moves(model, family) if move.natural)


def quietly(model: Model, family: Family, good: set[object]) -> Violation | None:
    """The law that the quiet world breaks from a state on; `good` are keys of states from which it breaks none."""
    seen: dict[object, int] = {}
    models: list[Model] = []
    while (k := key(model)) not in seen and len(models) < LONG:
        if k in good:
            good |= seen.keys()
            return None
        seen[k] = len(models)
        models.append(model)
        model = natural(model, family)
        if model.broken:
            return model.broken
    for each in models[seen.get(key(model), 0) :]:
        judge.rest(each)
        if each.broken:
            return each.broken
    good |= seen.keys()
    return None
