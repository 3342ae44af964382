"""One channel's messages: what is new is noted, then sent, then noted as sent.

Always in this order: a message is durable, with its id, before it goes out, so a kill repeats it under the same id and
leaves none out. The courier has no thread of its own and never sleeps: `step` says when it wants to be called again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final, Protocol

from rotator.core.errors import Fenced, RotatorError
from rotator.core.ids import CredentialId
from rotator.core.ports.journal import Lease
from rotator.notify.decide import Message, Notice, Rules, Standing, decide
from rotator.notify.errors import ChannelDown
from rotator.notify.standing import decode, encode

STANDBY: Final = 5.0
"""Seconds between two looks whether another process still sends."""

REST: Final = 300.0
"""Seconds between two tries at a channel that is down, at most."""

TRIES: Final = 5
"""Times that a message is sent which the channel turns down, before it is put aside."""


class Book(Protocol):
    """The journal and the fleet, as a courier sees them."""

    def claim(self) -> Lease | None:
        """Take or renew the right to send; None while another living process has it."""

    def give_back(self, claim: Lease) -> None:
        """Let another process have it."""

    def kept(self) -> str:
        """Return what was kept at the last move, empty before the first."""

    def ends(self) -> Mapping[CredentialId, int]:
        """Return where every stream ends now."""

    def happened(self) -> tuple[Sequence[Notice], Mapping[CredentialId, int]]:
        """Return what happened since the cursor, and where it is then; a part of it where it is much."""

    def lasting(self) -> Sequence[Notice]:
        """Return every trouble that there is now."""

    def move(self, claim: Lease, to: Mapping[CredentialId, int], keep: str) -> None:
        """Note how far the cursor has come; raises `Fenced` where another process took over."""


class Courier:
    """Serves one channel; one thread calls it."""

    def __init__(
        self,
        book: Book,
        rules: Callable[[], Rules],
        deliver: Callable[[Message], None],
        *,
        monotonic: Callable[[], float],
        wall: Callable[[], float],
        look: Callable[[], float],
        count: Callable[[str], None] = lambda result: None,
    ) -> None:
        """Nothing is read or sent yet.

        Args:
            book: cursor, facts and troubles.
            rules: what the channel wants.
            deliver: sends one message; raises `ChannelDown`.
            monotonic: seconds that never go back.
            wall: unix seconds.
            look: seconds between two looks for what is new.
            count: told of every try: `sent`, `failed`, or `put_aside`.
        """
        self._book, self._rules, self._deliver = book, rules, deliver
        self._monotonic, self._wall, self._look, self._count = monotonic, wall, look, count
        self._claim: Lease | None = None
        self._failures, self._refused, self._not_before = 0, 0, 0.0

    def step(self) -> float:
        """Note what is new and send one message; return the seconds after which to call again.

        Crash: leaves a message that is sent again under the same id.
        """
        try:
            self._claim = self._book.claim()
            if self._claim is None:
                return STANDBY
            standing = self._noted(self._claim)
            return self._sent(self._claim, standing) if standing.outbox else self._look()
        except Fenced:
            self._claim = None
            return STANDBY
        except RotatorError:
            return STANDBY

    def finish(self) -> None:
        """Let another process go on."""
        if self._claim is not None:
            try:
                self._book.give_back(self._claim)
            except RotatorError:
                return
            finally:
                self._claim = None

    def _noted(self, claim: Lease) -> Standing:
        """What stands before the channel, durable."""
        kept = self._book.kept()
        before = decode(kept)
        if not kept:  # a new channel is told what is, not what was
            to = self._book.ends()
            happened: Sequence[Notice] = ()
        elif before.full:
            happened, to = (), {}
        else:
            happened, to = self._book.happened()
        after = decide(before, self._rules(), self._book.lasting(), happened, self._wall())
        if not kept or to or after != before:
            self._book.move(claim, to, encode(after))
        return after

    def _sent(self, claim: Lease, standing: Standing) -> float:
        """Send the oldest message."""
        rest = self._not_before - self._monotonic()
        if rest > 0:
            return min(rest, self._look())
        first, *others = standing.outbox
        try:
            self._deliver(first)
        except ChannelDown as error:
            self._failures += 1
            self._refused += error.for_good
            pause = error.rest or min(REST, 2.0 ** min(self._failures, 10))
            self._not_before = self._monotonic() + pause
            if not error.for_good or self._refused < TRIES:
                self._count("failed")
                return min(pause, self._look())
            self._count("put_aside")
        else:
            self._count("sent")
            self._failures, self._not_before = 0, 0.0
        self._refused = 0
        self._book.move(claim, {}, encode(replace(standing, outbox=tuple(others))))
        return 0.0 if others and self._not_before <= self._monotonic() else self._look()
