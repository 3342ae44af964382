"""A fleet of 10,000 after a day without a daemon, in simulated provider time: is the request budget used, and obeyed?

The decisions and the budget are the daemon's own (`core.schedule.admission`, `journal.budget`), and so is the order of
the requests (`app.requests`); the provider is a counter that refuses what its documented limit refuses. What a request
means, and how long it takes, is left out: here the budget is the bottleneck by orders of magnitude.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from pathlib import Path

from bench.row import Row
from rotator.app.requests import ASKED
from rotator.config.models import RateBudget
from rotator.core.credential import DAY, HOUR
from rotator.core.errors import RateLimited
from rotator.core.ports.runtime import Priority
from rotator.core.schedule.admission import Renewal, admitted
from rotator.journal.budget import SqliteBudget
from rotator.journal.open import open_journal
from rotator.journal.sealing import generate_key

CREDENTIALS = 10_000
LIFETIME, MARGIN = 30 * DAY, 10 * DAY
WINDOW, LIMIT = 300.0, 1200
"""Cloudflare's: requests of one user in every five minutes."""
TICK, EVALUATE = 1.0, 15.0
RETIREMENT = 3
"""The last requests of a rotation, which wait for grace and soak."""
GRACE = DAY


@dataclass(slots=True)
class Clock:
    """Time that moves by hand."""

    seconds: float = 1_800_000_000.0

    def utc(self) -> float:
        """Now."""
        return self.seconds

    boot = utc

    def boot_id(self) -> str:
        """One boot."""
        return "bench"

    def wait(self, seconds: float) -> bool:
        """Never waits."""
        return False


class Provider:
    """Counts requests, and refuses what is too much in its window."""

    def __init__(self) -> None:
        self.sent: deque[float] = deque()
        self.total = self.refused = 0

    def ask(self, now: float) -> None:
        """One request."""
        while self.sent and self.sent[0] <= now - WINDOW:
            self.sent.popleft()
        self.sent.append(now)
        self.total += 1
        self.refused += len(self.sent) > LIMIT


@dataclass(slots=True)
class Work:
    """Requests that a rotation or a retirement has left, and whether a retirement follows."""

    left: int
    retires: bool


class Outage:
    """The hours after the outage."""

    def __init__(self, budget: SqliteBudget, clock: Clock) -> None:
        self.budget, self.clock, self.provider = budget, clock, Provider()
        self.ahead = sum(asked.recreate for asked in ASKED) - RETIREMENT
        began = clock.seconds
        self.fleet = {
            f"{number:05d}": Renewal(
                due_at=began - DAY * (number + 1) / CREDENTIALS,
                expires_at=began - DAY * (number + 1) / CREDENTIALS + MARGIN,
                lifetime=LIFETIME,
                planned_at=began - LIFETIME + MARGIN,
            )
            for number in range(CREDENTIALS)
        }
        self.open: deque[Work] = deque()
        self.retiring: deque[float] = deque()
        self.expired = self.started = 0

    def run(self) -> float:
        """Let time pass until everything that was due has been started; return the seconds that took."""
        began, late = self.clock.seconds, CREDENTIALS
        while self.started < late:
            self.finish()
            if (self.clock.seconds - began) % EVALUATE == 0:
                self.start()
            self.clock.seconds += TICK
        return self.clock.seconds - began

    def start(self) -> None:
        """Start what the pace admits, the soonest expiry first, as far as the budget grants a first request."""
        now = self.clock.seconds
        chosen = admitted(self.fleet, now)
        due = sorted((r.expires_at, name) for name, r in self.fleet.items() if r.due_at <= now)
        for expires_at, name in due:
            if chosen is not None and name not in chosen:
                continue
            if not self.granted(Priority.START):
                return
            self.started += 1
            self.expired += expires_at <= now
            self.fleet[name] = replace(self.fleet[name], planned_at=now, due_at=now + LIFETIME - MARGIN)
            self.open.append(Work(self.ahead - 1, retires=True))
            self.finish()

    def finish(self) -> None:
        """Let what is open go on, the oldest first, and what has waited for its grace begin."""
        while self.retiring and self.retiring[0] <= self.clock.seconds:
            self.retiring.popleft()
            self.open.append(Work(RETIREMENT, retires=False))
        while self.open:
            work = self.open[0]
            if not self.granted(Priority.FINISH):
                return
            work.left -= 1
            if not work.left:
                self.open.popleft()
                if work.retires:
                    self.retiring.append(self.clock.seconds + GRACE)

    def granted(self, priority: Priority) -> bool:
        """Send one request, if the budget grants it."""
        try:
            self.budget.take(priority)
        except RateLimited:
            return False
        self.provider.ask(self.clock.seconds)
        return True


def measure(folder: Path) -> list[Row]:
    """Measure."""
    generate_key(folder / "key")
    clock, limits = Clock(), RateBudget()
    journal = open_journal(f"sqlite:///{folder}/state.db", folder / "key", clock=clock)
    outage = Outage(journal.budget("account", limits.requests, limits.window), clock)
    took = outage.run()
    journal.close()
    allowed = limits.requests * took / limits.window
    note = f"{outage.started:,} rotations started in {took / HOUR:.1f} h, {outage.provider.total:,} requests"
    what = f"{CREDENTIALS:,} due after a day's outage"
    return [
        Row(
            name=f"{what}: requests sent",
            value=outage.provider.total,
            unit="",
            baseline=allowed,
            against="the budget",
            goal=0.95,
            at_least=True,
            note=note,
        ),
        Row(name=f"{what}: answered with 429", value=outage.provider.refused, unit="", goal=0),
        Row(name=f"{what}: expired before their turn", value=outage.expired, unit="", goal=0),
    ]
