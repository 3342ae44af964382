"""Chaos: SIGKILL at random moments, restart, until there were enough kills; then things may come to rest."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from typing import Final

from rotator.demo.stage import Stage

ENOUGH: Final = 3
"""Kills before the demo may score."""

PAUSES: Final = (0.2, 4.0)
"""Bounds of the time between a daemon's being ready and its end, in seconds."""

START: Final = 30.0
"""Seconds that a daemon gets to become ready."""


class Chaos:
    """Kills and restarts the daemon of a stage."""

    def __init__(self, stage: Stage, say: Callable[[str], None], most: int | None = None) -> None:
        """`say` takes one line for people; no more than `most` kills, None for no limit."""
        self._most = most
        self._stage, self._say = stage, say
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="chaos", daemon=True)

    def start(self) -> None:
        """Start killing."""
        self._thread.start()

    @property
    def enough(self) -> bool:
        """Whether there were enough kills."""
        return self._stage.kills >= ENOUGH

    def stop(self) -> None:
        """No more kills; the daemon runs when this returns."""
        self._stop.set()
        self._thread.join(30)

    def _loop(self) -> None:
        chance = random.Random()  # noqa: S311 - when to kill is no secret
        while self._most is None or self._stage.kills < self._most:
            until = time.monotonic() + START
            while not self._stage.ready() and time.monotonic() < until:
                if self._stop.wait(0.05):
                    return
            if self._stop.wait(chance.uniform(*PAUSES)):
                return
            self._stage.kill()
            self._say(f"SIGKILL number {self._stage.kills}; starting the daemon again")
            self._stage.start()
