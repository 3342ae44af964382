"""One search that proves a family and, on the way, every rule and guard that decides something in it.

A rule that is left out changes nothing before the first state in which it would have answered. So the whole protocol is
searched once, each state in which a rule (or a guard of a fact) answers is kept, and the protocol without that rule
goes on from there: quietly, or with one more trouble. It must break a law.
"""

from __future__ import annotations

import random
from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from rotator.core.facts import Draft, Kind, What
from rotator.core.protocol.decide import TABLES
from rotator.core.protocol.rules import Case, Rule, Verdict
from rotator.core.protocol.steps import GUARDS, RETIREMENT_NEXT, Guard
from rotator.core.protocol.view import View
from rotator.testing.cover.gate import Astray
from rotator.testing.cover.model import Model
from rotator.testing.cover.moves import Move, moves
from rotator.testing.cover.path import Elsewhere, Path, quietly, troubles_of
from rotator.testing.cover.search import Search
from rotator.testing.cover.slots import guard_name, retirement_name, revoke_name, rotation_name, slots
from rotator.testing.laws import Violation
from rotator.testing.simulation.state import Mutation

SEEDS = 250
"""States kept for each rule; the first ones, which are those with the fewest troubles."""


@dataclass(frozen=True, slots=True)
class Caught:
    """Where a mutant breaks a law that the whole protocol keeps there."""

    path: Path
    violation: Violation


@dataclass(slots=True)
class Survey(Search):
    """A search that remembers where rules and guards decide something.

    Attributes:
        wanted: what must be caught; where something is, the search ends as soon as all of it was.
        habits: names of habits of ports and journal that the whole search goes without (a twin of a guard).
        caught: name of a rule or guard -> how it was caught.
        seeds: name of a rule or guard -> states in which it decides, with their numbers.
    """

    wanted: tuple[str, ...] = ()
    habits: frozenset[str] = frozenset()
    caught: dict[str, Caught] = field(default_factory=dict)
    seeds: dict[str, list[tuple[int, Model]]] = field(default_factory=lambda: defaultdict(list))
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
        for name in self.wanted:
            if name not in self.caught and (found := self.without(name)):
                self.caught[name] = found
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
        ends = {
            step: tuple(self._rule(revoke_name(step, at, rule), rule) for at, rule in enumerate(row))
            for step, row in TABLES.revoke.items()
        }
        guards = {
            kind: tuple(self._guard(guard_name(kind, guard), guard) for guard in found)
            for kind, found in GUARDS.items()
        }
        guards = {kind: (self._follows(kind), *found) for kind, found in guards.items()}
        tables = replace(TABLES, rotations=rotations, retire=retire, revoke=ends)
        return Mutation(names=self.habits, tables=tables, guards=guards)

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

    def expand(self, number: int, model: Model) -> Iterator[Move]:
        """The moves of a state; it is kept for each rule that answered in one of them."""
        following = moves(model, self.family)
        while True:
            self.said.clear()
            move = next(following, None)
            if move is None:
                return
            for name in self.said & set(self.wanted) if self.wanted else self.said:
                kept = self.seeds[name]
                if len(kept) < SEEDS and (not kept or kept[-1][1] is not model):
                    kept.append((number, model))
            yield move

    def without(self, name: str) -> Caught | None:
        """Return how the protocol without this rule breaks a law in this family; None where all hold."""
        mutation = replace(slots()[name], names=self.habits)
        good: set[object] = set()
        for number, seed in self.seeds.get(name, ()):
            for found in self._from(_with(seed, mutation), good):
                path = Path(self.family, troubles_of([*self.trace(number), *found]))
                try:
                    violation = path.walk(mutation)
                except Elsewhere:
                    continue
                if violation is not None and path.walk(Mutation(names=self.habits)) is None:
                    return Caught(path, violation)
        return None

    def _from(self, model: Model, good: set[object]) -> Iterator[list[tuple[str, bool]]]:
        """On from one state: quietly, or after one more move of any kind; the moves that break a law."""
        try:
            if quietly(model, self.family, good):
                yield []
                return
            for move in moves(model, self.family):
                if not move.natural and (move.model.broken or quietly(move.model, self.family, good)):
                    yield [(move.label, False)]
                    return
        except Astray:
            return


def _with(model: Model, mutation: Mutation) -> Model:
    """The same state under another protocol."""
    other = model.copy()
    other.mutation, other.store.guards, other.store.mutants = mutation, mutation.guards, mutation.names
    return other
