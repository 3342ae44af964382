"""From a seed to a scenario: what is configured, what people do, when things break."""

from __future__ import annotations

import random

from rotator.core.credential import EVERYTHING, Can, Strategy
from rotator.testing.simulation.faults import Faults, Hit, Site
from rotator.testing.simulation.world import Event, Mutation, Scenario, World

FOCUSES = ("", "edit", "optional", "remove", "restore", "roll", "modest", "blind")

NOTHING_MORE = Can(disable=False, last_use=False, list=False, move_expiry=False, name_length=60)
MODEST = (NOTHING_MORE, Can(disable=False), Can(last_use=False), Can(list=False), Can(roll=False, move_expiry=False))
MODEST_ROLL = (Can(list=False), Can(overlap=False), Can(disable=False, last_use=False))
"""Providers that cannot do everything."""


def scenario(seed: int, focus: str = "") -> Scenario:
    """Return the scenario of a seed; a focus makes one kind of trouble certain."""
    chance = random.Random(seed * 7919 + 13)
    strategy = Strategy.ROLL if chance.random() < 0.3 or focus == "roll" else Strategy.RECREATE
    if focus not in ("", "roll"):
        strategy = Strategy.RECREATE
    count = 2 if chance.random() < 0.2 and not focus else 1
    horizon = 5000.0
    events: list[Event] = []

    def when() -> float:
        return float(round(chance.uniform(300, horizon - 1200)))

    def place() -> str:
        return chance.choice(["vault", "aws", "env", *(["blind"] if focus == "blind" else [])])

    def name() -> str:
        return f"c{chance.randrange(count)}"

    def some(likely: float, most: int, kind: str, *choices: object) -> None:
        if kind == focus:
            likely, most = 1.0, 5
        if chance.random() < likely:
            for _ in range(chance.randint(1, most)):
                events.append((when(), *_happening(kind)))

    def _happening(kind: str) -> Event:
        if kind == "edit":
            return (
                "edit",
                place(),
                name(),
                chance.choice(["known", "known", "garbage", "foreign", "absent", "unknown", "placeholder"]),
                float(chance.randrange(9)),
            )
        if kind == "remove":
            return (chance.choice(["remove", "add"]), chance.choice(["vault", "aws", "env", "extra", "extra"]))
        if kind == "restore":
            age = chance.choice([7.0, 14.0, 30.0, 60.0, 300.0, 600.0, 1500.0, 3000.0])
            return ("restore", age, float(chance.random() < 0.3))
        if kind == "request":
            return ("request", name())
        if kind == "jump":
            return (
                "jump",
                chance.choice([-86400.0, -900.0, 900.0, 4000.0, 86400.0 * 400]),
                chance.choice([5.0, 30.0, 50.0]),
            )
        if kind == "full":
            return ("full", chance.choice([30.0, 300.0]))
        if kind == "outsider":
            return (
                "outsider",
                name(),
                "roll" if strategy is Strategy.ROLL else chance.choice(["disable", "delete", "newest"]),
            )
        if kind == "freeze":
            return ("freeze", place(), chance.choice([60.0, 400.0, 1500.0]))
        if kind == "empty":
            return ("empty", 0.0)
        return ("down", place(), chance.choice([10.0, 60.0, 400.0, 400.0, 2000.0]))

    some(0.6, 3, "request")
    some(0.5, 3, "optional" if focus == "optional" else "down")
    some(0.5 if focus == "blind" else 0.25, 2, "edit")
    some(0.15, 1, "full")
    some(0.15, 1, "outsider")
    some(0.2, 2, "remove")
    some(0.15, 1, "restore")
    some(0.06, 1, "empty")
    some(0.15, 2, "jump")
    adopted = strategy is Strategy.ROLL or chance.random() >= 0.15
    if chance.random() < 0.15:
        events.append(
            (
                0.5,
                "edit",
                place(),
                name(),
                chance.choice(["foreign", "garbage", "absent", "unknown", "placeholder"]),
                1.0,
            )
        )
    optional = (place(),) if chance.random() < 0.25 or focus == "optional" else ()
    quiet, rate = (
        300.0 if focus == "blind" else chance.choice([0.0, 300.0, 300.0]),
        chance.choice([0.0, 0.5, 1.0, 1.0, 1.5]),
    )
    some(0.15, 2, "freeze")
    modest = MODEST_ROLL if strategy is Strategy.ROLL else MODEST
    can = chance.choice(modest) if chance.random() < 0.2 or focus == "modest" else EVERYTHING
    return Scenario(
        strategy=strategy,
        credentials=count,
        optional=optional,
        adopted=adopted,
        quiet=quiet,
        events=tuple(events),
        horizon=horizon,
        rate=rate,
        idle=chance.random() < 0.2,
        can=can,
        blind=focus == "blind",
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
