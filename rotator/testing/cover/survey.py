"""One search that proves a family and, on the way, every rule and guard that decides something in it.

A rule that is left out changes nothing before the first state in which it would have answered. So the whole protocol is
searched once, each state in which a rule (or a guard of a fact) answers is kept, and the protocol without that rule
goes on from there: quietly, or with one more trouble. It must break a law.
"""

from __future__ import annotations

import random
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from rotator.core.facts import Draft, Kind, What
from rotator.core.protocol.decide import TABLES
from rotator.core.protocol.rules import Case, Rule, Verdict
from rotator.core.protocol.steps import GUARDS, RETIREMENT_NEXT, Guard
from rotator.core.protocol.view import View
from rotator.testing.cover import judge
from rotator.testing.cover.gate import Astray
from rotator.testing.cover.key import key
from rotator.testing.cover.model import Model
from rotator.testing.cover.moves import Move, moves
from rotator.testing.cover.search import Search
from rotator.testing.cover.slots import guard_name, retirement_name, rotation_name, slots, together
from rotator.testing.laws import Violation
from rotator.testing.simulation.world import Mutation

SEEDS = 250
"""States kept for each rule; the first ones, which are those with the fewest troubles."""

LONG = 400
"""Quiet moves after which a run should have come to rest long since."""


@dataclass(slots=True)
class Survey(Search):
    """A search that remembers where rules and guards decide something.

    Attributes:
        wanted: what must be caught; where something is, the search ends as soon as all of it was.
        habits: names of habits of ports and journal that the whole search goes without (a twin of a guard).
        caught: name of a rule or guard -> the law that fell without it.
        seeds: name of a rule or guard -> states in which it decides.
    """

    wanted: tuple[tuple[str, ...], ...] = ()
    habits: frozenset[str] = frozenset()
    caught: dict[str, Violation] = field(default_factory=dict)
    seeds: dict[str, list[Model]] = field(default_factory=lambda: defaultdict(list))
    said: set[str] = field(default_factory=set)

    chance: random.Random = field(default_factory=lambda: random.Random(1))
    expanded: int = 0

    def __post_init__(self) -> None:
        self.mutation = self._watched()

    def next(self, queue: deque[tuple[int, Model]]) -> tuple[int, Model]:
        """Where the search ends early, one state with all its troubles is followed to its end before the next."""
        if not self.wanted or queue[-1][1].left:
            return queue.popleft()
        if self.expanded == 0:
            mixed = list(queue)
            self.chance.shuffle(mixed)
            queue.clear()
            queue.extend(mixed)
        self.expanded += 1
        return queue.pop()

    def enough(self) -> bool:
        """Every hundred states those are tried that are wanted and not caught."""
        if not self.expanded or self.expanded % 100:
            return False
        for names in self.wanted:
            if names[0] not in self.caught and (found := self.without(names)):
                self.caught[names[0]] = found
            for name in names:
                self.seeds[name].clear()
        return len(self.caught) == len(self.wanted)

    def _watched(self) -> Mutation:
        """The whole protocol; whatever answers leaves its name."""
        rotations = {
            strategy: {
                step: tuple(self._rule(rotation_name(strategy, step, at, rule), rule) for at, rule in enumerate(row))
                for step, row in rows.items()
            }
            for strategy, rows in TABLES.rotations.items()
        }
        retire = {
            step: tuple(self._rule(retirement_name(step, at, rule), rule) for at, rule in enumerate(row))
            for step, row in TABLES.retire.items()
        }
        guards = {
            kind: tuple(self._guard(guard_name(kind, guard), guard) for guard in found)
            for kind, found in GUARDS.items()
        }
        guards = {kind: (self._follows(kind), *found) for kind, found in guards.items()}
        return Mutation(names=self.habits, tables=replace(TABLES, rotations=rotations, retire=retire), guards=guards)

    def _rule(self, name: str, rule: Rule) -> Rule:
        def watched(case: Case) -> Verdict | None:
            found = rule(case)
            if found is not None:
                self.said.add(name)
            return found

        return watched

    def _follows(self, kind: Kind) -> Guard:
        """No guard, but a witness: which fact follows which."""

        def witness(view: View, what: What, draft: Draft) -> str:
            retirement, rotation = RETIREMENT_NEXT.get(kind), view.rotation
            if retirement is not None:
                self.said.add(f"retirement {kind} after {retirement}")
            elif rotation is not None and rotation.rid == draft.rid:
                self.said.add(f"{rotation.strategy} {kind} after {rotation.step}")
            return ""

        return witness

    def _guard(self, name: str, guard: Guard) -> Guard:
        def watched(view: View, what: What, draft: Draft) -> str:
            found = guard(view, what, draft)
            if found:
                self.said.add(name)
            return found

        return watched

    def expand(self, model: Model) -> Iterator[Move]:
        """The moves of a state; it is kept for each rule that answered in one of them."""
        following = moves(model, self.family)
        while True:
            self.said.clear()
            move = next(following, None)
            if move is None:
                return
            of = self.said if not self.wanted else self.said & {name for names in self.wanted for name in names}
            for name in of:
                kept = self.seeds[name]
                if len(kept) < SEEDS and (not kept or kept[-1] is not model):
                    kept.append(model)
            yield move

    def without(self, names: Iterable[str]) -> Violation | None:
        """Return the law that the protocol without these rules breaks in this family; None where all hold."""
        names = tuple(names)
        mutation = replace(together([slots()[name] for name in names]), names=self.habits)
        good: set[object] = set()
        for name in names:
            for seed in self.seeds.get(name, ()):
                found = self._from(_with(seed, mutation), good)
                if found is not None:
                    return found
        return None

    def _from(self, model: Model, good: set[object]) -> Violation | None:
        """On from one state: quietly, or after one more move of any kind."""
        try:
            found = self._quietly(model, good)
            if found is not None:
                return found
            for move in moves(model, self.family):
                if not move.natural and (found := move.model.broken or self._quietly(move.model, good)):
                    return found
        except Astray:
            return None
        return None

    def _quietly(self, model: Model, good: set[object]) -> Violation | None:
        seen: dict[object, int] = {}
        models: list[Model] = []
        while (k := key(model)) not in seen and len(models) < LONG:
            if k in good:
                good |= seen.keys()
                return None
            seen[k] = len(models)
            models.append(model)
            model = next(move for move in moves(model, self.family) if move.natural).model
            if model.broken:
                return model.broken
        for each in models[seen.get(key(model), 0) :]:
            judge.rest(each)
            if each.broken:
                return each.broken
        good |= seen.keys()
        return None


def _with(model: Model, mutation: Mutation) -> Model:
    """The same state under another protocol."""
    other = model.copy()
    other.mutation, other.store.guards, other.store.mutants = mutation, mutation.guards, mutation.names
    return other
