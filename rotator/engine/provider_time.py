"""Provider time: the provider's `Date` header carried on by a clock that no one sets.

It decides what time it is for every durable deadline, and whether the clocks can be believed. A jump freezes new starts
and ends no wait until it is confirmed across a settle time. Thread-safe without locks: its state is one value, replaced
at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

TOLERANCE: Final = 5.0
"""Seconds by which two answers may disagree (whole seconds, latency, a fleet of front ends) without being a jump."""

LOCAL: Final = 300.0
"""Seconds by which the local clock may be off without making the provider's first answer suspect."""


@dataclass(frozen=True, slots=True)
class _Known:
    """Offset of provider time over boot time; a candidate that contradicts it, and since when (boot time)."""

    offset: float
    candidate: float | None = None
    since: float = 0.0


class ProviderTime:
    """The time of one provider."""

    def __init__(
        self, boot: Callable[[], float], utc: Callable[[], float], settle: float, *, trusted: bool = False
    ) -> None:
        """Nothing is known yet.

        Args:
            boot: seconds that never go back and count while the machine sleeps.
            utc: the local wall clock, the best guess before the first answer.
            settle: seconds across which a jump must be confirmed.
            trusted: a provider on this machine: its time counts at once and never freezes anything.
        """
        self._boot, self._utc, self._trusted = boot, utc, trusted
        self.settle = settle
        """May be changed at any time; counts from the next answer on."""
        self._known: _Known | None = None

    def observe(self, date: float) -> None:
        """Take the `Date` of an answer, in unix seconds, at the moment when it came.

        The first one is held against the local clock: where the two disagree, neither is believed until confirmed.
        """
        boot, known = self._boot(), self._known
        offset = date - boot
        if self._trusted:
            near = known is not None and abs(offset - known.offset) <= 1
            self._known = _Known(max(offset, known.offset) if near and known else offset)
            return
        if known is None:
            local = self._utc() - boot
            near = abs(offset - local) <= LOCAL
            self._known = _Known(offset) if near else _Known(local, candidate=offset, since=boot)
        elif abs(offset - known.offset) <= TOLERANCE:
            # dates are cut to whole seconds, so the greatest offset seen is the nearest to the truth
            self._known = _Known(max(offset, known.offset))
        elif known.candidate is None or abs(offset - known.candidate) > TOLERANCE:
            self._known = replace(known, candidate=offset, since=boot)
        elif boot - known.since >= self.settle:
            self._known = _Known(offset)

    def now(self) -> float:
        """Return provider time in unix seconds; in an unconfirmed jump the earlier of the two, which ends no wait."""
        known = self._known
        if known is None:
            return self._utc()
        offset = known.offset if known.candidate is None else min(known.offset, known.candidate)
        return self._boot() + offset

    def believed(self) -> float:
        """Return provider time as if an unconfirmed jump were none: what facts and expiries are written with.

        A fact that is stamped with a clock that went back for a minute would let every wait that counts from it end
        early, and an expiry that is computed from such a clock may lie in the past.
        """
        known = self._known
        return self._utc() if known is None else self._boot() + known.offset

    @property
    def heard(self) -> bool:
        """Whether the provider has said what time it is, to this process."""
        return self._known is not None

    @property
    def skew(self) -> float:
        """Seconds by which the provider's newest date is ahead of the local clock, confirmed or not; 0 before any."""
        known = self._known
        if known is None:
            return 0.0
        newest = known.offset if known.candidate is None else known.candidate
        return self._boot() + newest - self._utc()

    @property
    def steady(self) -> bool:
        """Whether the provider has said what time it is, and no jump waits to be confirmed."""
        known = self._known
        return known is not None and known.candidate is None
