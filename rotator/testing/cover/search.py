"""Breadth first over everything that can happen, most faults left first: a state is gone on from once."""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from time import process_time

from rotator.testing.cover import judge
from rotator.testing.cover.families import Family, first
from rotator.testing.cover.key import key
from rotator.testing.cover.model import Model
from rotator.testing.cover.moves import Move, moves
from rotator.testing.laws import Law, Violation
from rotator.testing.simulation.state import Mutation


@dataclass(slots=True)
class Found:
    """What a search has found.

    Attributes:
        states: how many, after merging.
        transitions: how many moves were made.
        seconds: processor time.
        violation: the first law that was broken, if one was.
        trace: the moves that lead there, or to a state from which the quiet world does not come to rest.
    """

    states: int = 0
    transitions: int = 0
    seconds: float = 0.0
    violation: Violation | None = None
    trace: list[tuple[str, bool]] = field(default_factory=list)


@dataclass(slots=True)
class Search:
    """One search; a tolerant one does not end where a law was broken.

    `parents` and `natural` are by number of a state, in the order in which they were found.
    """

    family: Family
    mutation: Mutation | None = None
    limit: int = 2_000_000
    tolerant: bool = False
    numbers: dict[Hashable, int] = field(default_factory=dict)
    parents: list[tuple[int, str, bool]] = field(default_factory=list)
    natural: list[int] = field(default_factory=list)
    resting: list[Violation | None] = field(default_factory=list)

    def run(self) -> Found:
        """Search until everything was seen, or the first law is broken."""
        gc.disable()  # nothing here makes circles, and so many states are slow to look through
        try:
            return self._run()
        finally:
            gc.enable()

    def _run(self) -> Found:
        found, began = Found(), process_time()
        queues: dict[int, deque[tuple[int, Model]]] = {n: deque() for n in range(self.family.most + 1)}
        start = first(self.family, self.mutation)
        self._number(start, -1, Move("", start))
        queues[start.left].append((0, start))
        for left in sorted(queues, reverse=True):
            queue = queues[left]
            while queue and found.violation is None:
                number, model = self.next(queue)
                for move in self.expand(number, model):
                    found.transitions += 1
                    if move.model.broken and self.tolerant:
                        continue
                    if move.model.broken:
                        found.violation = move.model.broken
                        found.trace = [*self.trace(number), (move.label, move.natural)]
                        break
                    after = self.numbers.get(k := key(move.model))
                    if after is None:
                        after = self._number(move.model, number, move, k)
                        queues[move.model.left].append((after, move.model))
                    if move.natural:
                        self.natural[number] = after
                if self.enough():
                    found.states, found.seconds = len(self.parents), process_time() - began
                    return found
                if len(self.parents) > self.limit:
                    found.violation = Violation(0, Law.RUNAWAY, f"more than {self.limit} states")
        found.states = len(self.parents)
        if found.violation is None:
            self._live(found)
        found.seconds = process_time() - began
        return found

    def next(self, queue: deque[tuple[int, Model]]) -> tuple[int, Model]:
        """Which state of those with the same number of troubles left to go on from: breadth first.

        Without troubles left, one is followed to its end before the next: few states are kept at a time.
        """
        return queue.popleft() if queue[-1][1].left else queue.pop()

    def enough(self) -> bool:
        """Whether the search may end before everything was seen."""
        return False

    def expand(self, number: int, model: Model) -> Iterator[Move]:
        """The moves of a state."""
        return moves(model, self.family)

    def _number(self, model: Model, parent: int, move: Move, k: Hashable = None) -> int:
        self.numbers[key(model) if k is None else k] = number = len(self.parents)
        self.parents.append((parent, move.label, move.natural))
        self.natural.append(-1)
        self.resting.append(_at_rest(model))
        return number

    def trace(self, number: int) -> list[tuple[str, bool]]:
        """The moves from the beginning to a state: label, and whether the quiet world does that."""
        moved: list[tuple[str, bool]] = []
        while number > 0:
            number, label, natural = self.parents[number]
            moved.append((label, natural))
        return moved[::-1]

    def _live(self, found: Found) -> None:
        """From every state the quiet world comes to rest, and everything is well there."""
        good: set[int] = set()
        for number in range(len(self.parents)):
            path: dict[int, int] = {}
            at = number
            while at not in good and at not in path:
                path[at] = len(path)
                at = self.natural[at]
            if at not in good:
                circle = [n for n, order in path.items() if order >= path[at]]
                for n in circle:
                    if (why := self.resting[n]) is not None:
                        found.violation = why
                        found.trace = self.trace(number)
                        return
            good |= path.keys()


def _at_rest(model: Model) -> Violation | None:
    """What is not well if this state is one of rest; nothing where all is."""
    kept, model.broken = model.broken, None
    judge.rest(model)
    found, model.broken = model.broken, kept
    return found
