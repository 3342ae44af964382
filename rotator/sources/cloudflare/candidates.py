"""Which of several values authenticates: the file's, then the journal's, then the standby's; the first that lives.

A value is doubted from its first refusal on; before anything else is sent, all of them are read again and asked for.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from rotator.core.errors import RotatorError
from rotator.core.secret import Secret

BELIEVED: Final = 30.0
"""Seconds for which a value that was just seen to live is not doubted, and for which one that was refused is not asked
again where nothing lives."""

Read = Callable[[], Secret | None]


class Candidates:
    """The values of one login; safe for threads. It keeps none but to tell them apart."""

    def __init__(
        self,
        read: Callable[[], Secret],
        others: Sequence[Read],
        lives: Callable[[Secret], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Remember where to look; nothing is read.

        Args:
            read: the value that counts as long as it lives; raises where there is none.
            others: the ones that may take its place, in this order; None where there is none.
            lives: asks the provider; raises where no usable answer came.
            clock: monotonic seconds.
        """
        self._read, self._others, self._lives, self._clock = read, tuple(others), lives, clock
        self._lock = threading.RLock()
        self._refused: list[Secret] = []
        self._doubted = False
        self._settled_at = float("-inf")
        self._lived: tuple[Secret, float] | None = None

    def value(self) -> Secret:
        """Return the value that authenticates now.

        Raises:
            ConfigError, Unavailable: the first one cannot be read, and no other one is known to live.
        """
        with self._lock:
            if self._doubted:
                self._settle()
            found = next((value for value in self._all() if value not in self._refused), None)
        return self._read() if found is None else found

    def doubt(self, value: Secret) -> None:
        """Note that a value was refused: before the next request all of them are read and asked for again."""
        if not self._others:
            return
        with self._lock:
            now = self._clock()
            believed = self._lived is not None and self._lived[0] == value and now - self._lived[1] < BELIEVED
            if not believed and not (value in self._refused and now - self._settled_at < BELIEVED):
                self._doubted = True

    def note(self, value: Secret, lives: bool) -> None:
        """Note what somebody else was told of a value."""
        with self._lock:
            if lives:
                self._refused = [known for known in self._refused if known != value]
                self._lived = (value, self._clock())
            elif self._others and value not in self._refused:
                self._refused.append(value)

    def _all(self) -> list[Secret]:
        found = []
        for read in (self._read, *self._others):
            with suppress(RotatorError):
                value = read()
                if value is not None:
                    found.append(value)
        return found

    def _settle(self) -> None:
        """Ask for one after the other until one lives; without an answer nothing is decided."""
        self._settled_at = self._clock()
        self._doubted = False
        for value in self._all():
            try:
                lives = self._lives(value)
            except RotatorError:
                self._doubted = True
                return
            self.note(value, lives)
            if lives:
                return
