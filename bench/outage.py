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
from rotator.daemon import WORKERS
from rotator.journal.budget import SharedBudget
from rotator.journal.key_file import generate_key
from rotator.journal.open import open_journal

CREDENTIALS = 10_000
LIFETIME, MARGIN = 30 * DAY, 10 * DAY
WINDOW, LIMIT = 300.0, 1200
"""Cloudflare's: requests of one user in every five minutes."""
EVALUATE = 15.0
"""The daemon asks that often what is due."""
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

    def __init__(self, budget: SharedBudget, clock: Clock) -> None:
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
        began = self.clock.seconds
        while self.started < CREDENTIALS:
            self.turn()
            self.clock.seconds += EVALUATE
        return self.clock.seconds - began

    def turn(self) -> None:
        """Work as the daemon's threads do after a tick, side by side, until the budget grants nothing more."""
        while self.retiring and self.retiring[0] <= self.clock.seconds:
            self.retiring.popleft()
            self.open.append(Work(RETIREMENT, retires=False))
        waiting, moved = self.admitted(), True
        while moved:
            moved = False
            while waiting and len(self.open) < WORKERS and self.granted(Priority.START):
                self.start(waiting.popleft())
                moved = True
            for _ in range(min(WORKERS, len(self.open))):
                if not self.granted(Priority.FINISH):
                    return
                moved = True
                self.step(self.open.popleft())

    def admitted(self) -> deque[str]:
        """Return what is due and may start, the soonest expiry first."""
        now = self.clock.seconds
        chosen = admitted(self.fleet, now)
        due = sorted((r.expires_at, name) for name, r in self.fleet.items() if r.due_at <= now)
        return deque(name for _, name in due if chosen is None or name in chosen)

    def start(self, name: str) -> None:
        """The first request of a rotation was sent."""
        now = self.clock.seconds
        self.started += 1
        self.expired += self.fleet[name].expires_at <= now
        self.fleet[name] = replace(self.fleet[name], planned_at=now, due_at=now + LIFETIME - MARGIN)
        self.open.append(Work(self.ahead - 1, retires=True))

    def step(self, work: Work) -> None:
        """One more request of it was sent."""
        work.left -= 1
        if work.left:
            self.open.append(work)
        elif work.retires:
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
