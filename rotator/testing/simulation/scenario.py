"""From a seed to a scenario: what is configured, what people do, when things break."""

from __future__ import annotations

import random

from rotator.core.credential import EVERYTHING, Can, Strategy
from rotator.core.drift import OnDrift
from rotator.testing.simulation.faults import Faults, Hit, Site
from rotator.testing.simulation.state import Event, Mutation, Scenario
from rotator.testing.simulation.world import World

FOCUSES = ("", "edit", "optional", "remove", "restore", "roll", "modest", "blind", "changed", "leak")

SEEDED = FOCUSES[:-1]
"""The focus of a seed is one of these in turn; one that came later is asked for by name, so that every seed stays what
it was."""

NOTHING_MORE = Can(disable=False, last_use=False, list=False, move_expiry=False, name_length=60)
MODEST = (NOTHING_MORE, Can(disable=False), Can(last_use=False), Can(list=False), Can(roll=False, move_expiry=False))
MODEST_ROLL = (Can(list=False), Can(overlap=False), Can(disable=False, last_use=False))
"""Providers that cannot do everything."""


HORIZON = 5000.0
"""Seconds of virtual time after which a scenario ends."""

EDITS = ("known", "known", "garbage", "foreign", "absent", "unknown", "placeholder")
"""What somebody else may write to a managed key."""

STANDS = ("foreign", "garbage", "absent", "unknown", "placeholder")
"""What may stand there before the first start."""


class _Dice:
    """The chance of one seed, and the events that it brings."""

    def __init__(self, seed: int, focus: str) -> None:
        self.chance = random.Random(seed * 7919 + 13)
        self.focus = focus
        self.strategy = Strategy.ROLL if self.chance.random() < 0.3 or focus == "roll" else Strategy.RECREATE
        if focus not in ("", "roll", "leak"):
            self.strategy = Strategy.RECREATE
        self.count = 2 if self.chance.random() < 0.2 and not focus else 1
        self.events: list[Event] = []

    def place(self) -> str:
        return self.chance.choice(["vault", "aws", "env", *(["blind"] if self.focus == "blind" else [])])

    def name(self) -> str:
        return f"c{self.chance.randrange(self.count)}"

    def some(self, likely: float, most: int, kind: str) -> None:
        """Let a kind of trouble happen perhaps, up to so many times; the focus certainly, and more often."""
        if kind == self.focus:
            likely, most = 1.0, 5
        if self.chance.random() < likely:
            for _ in range(self.chance.randint(1, most)):
                self.events.append((float(round(self.chance.uniform(300, HORIZON - 1200))), *self.happening(kind)))

    def happening(self, kind: str) -> Event:
        """Return one trouble of a kind."""
        choice = self.chance.choice
        if kind == "edit":
            return ("edit", self.place(), self.name(), choice(EDITS), float(self.chance.randrange(9)))
        if kind == "remove":
            return (choice(["remove", "add"]), choice(["vault", "aws", "env", "extra", "extra"]))
        if kind == "restore":
            age = choice([7.0, 14.0, 30.0, 60.0, 300.0, 600.0, 1500.0, 3000.0])
            return ("restore", age, float(self.chance.random() < 0.3))
        if kind == "request":
            return ("request", self.name())
        if kind == "jump":
            return ("jump", choice([-86400.0, -900.0, 900.0, 4000.0, 86400.0 * 400]), choice([5.0, 30.0, 50.0]))
        if kind == "full":
            return ("full", choice([30.0, 300.0]))
        if kind == "outsider":
            rolls = self.strategy is Strategy.ROLL
            return ("outsider", self.name(), "roll" if rolls else choice(["disable", "delete", "newest"]))
        if kind == "freeze":
            return ("freeze", self.place(), choice([60.0, 400.0, 1500.0]))
        if kind == "empty":
            return ("empty", 0.0)
        return ("down", self.place(), choice([10.0, 60.0, 400.0, 400.0, 2000.0]))


def _leak(chance: random.Random, name: str) -> Event:
    """Somebody revokes, or the provider finds a value in public."""
    return ("expose", name) if chance.random() < 0.3 else ("revoke", name, float(chance.random() < 0.2))


def scenario(seed: int, focus: str = "") -> Scenario:
    """Return the scenario of a seed; a focus makes one kind of trouble certain."""
    dice = _Dice(seed, focus)
    chance, strategy = dice.chance, dice.strategy
    dice.some(0.6, 3, "request")
    dice.some(0.5, 3, "optional" if focus == "optional" else "down")
    dice.some(0.5 if focus == "blind" else 0.25, 2, "edit")
    dice.some(0.15, 1, "full")
    dice.some(0.15, 1, "outsider")
    dice.some(0.2, 2, "remove")
    dice.some(0.15, 1, "restore")
    dice.some(0.06, 1, "empty")
    dice.some(0.15, 2, "jump")
    adopted = strategy is Strategy.ROLL or chance.random() >= 0.15
    if chance.random() < 0.15:
        dice.events.append((0.5, "edit", dice.place(), dice.name(), chance.choice(STANDS), 1.0))
    optional = (dice.place(),) if chance.random() < 0.25 or focus == "optional" else ()
    quiet = 300.0 if focus == "blind" else chance.choice([0.0, 300.0, 300.0])
    rate = chance.choice([0.0, 0.5, 1.0, 1.0, 1.5])
    dice.some(0.15, 2, "freeze")
    modest = MODEST_ROLL if strategy is Strategy.ROLL else MODEST
    can = chance.choice(modest) if chance.random() < 0.2 or focus == "modest" else EVERYTHING
    drift = OnDrift.REPORT
    by_hand = random.Random(seed * 31 + 5)  # dice of its own: the runs of all other seeds stay what they were
    if by_hand.random() < 0.2 or focus == "changed":
        drift = by_hand.choice([OnDrift.RESTORE, OnDrift.RESTORE, OnDrift.REPORT])
        for _ in range(by_hand.randint(1, 4)):
            at = float(round(by_hand.uniform(300, HORIZON - 1200)))
            dice.events.append((at, "changed", f"c{by_hand.randrange(dice.count)}"))
    leaks = random.Random(seed * 37 + 11)  # likewise
    if leaks.random() < 0.15 or focus == "leak":
        for _ in range(leaks.randint(1, 3)):
            name = f"c{leaks.randrange(dice.count)}"
            dice.events.append((float(round(leaks.uniform(300, HORIZON - 1200))), *_leak(leaks, name)))
    return Scenario(
        strategy=strategy,
        credentials=dice.count,
        optional=optional,
        adopted=adopted,
        quiet=quiet,
        events=tuple(dice.events),
        horizon=HORIZON,
        rate=rate,
        idle=chance.random() < 0.2,
        can=can,
        blind=focus == "blind",
        drift=drift,
    )


def build(
    seed: int,
    focus: str = "",
    *,
    mutation: Mutation | None = None,
    plan: dict[Site, Hit] | None = None,
    what: Scenario | None = None,
    listing: bool = False,
    trace: bool = False,
) -> World:
    """Make the world of a seed, ready to run; `plan` replaces random faults by exactly these."""
    found = what or scenario(seed, focus)
    faults = Faults(random.Random(seed + 7), found.rate, plan, listing)
    return World(seed, found, faults, mutation or Mutation(), trace=trace)


def focus_of(seed: int) -> str:
    """Return the focus of a seed when nobody asks for one."""
    return SEEDED[seed % len(SEEDED)]


def replay(seed: int, focus: str) -> str:
    """Return the one command that replays a seed with a readable trace."""
    return f"python -m rotator.testing.simulation {seed} {focus} --trace".replace("  ", " ")
