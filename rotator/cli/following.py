"""Following a request through the facts of its credential, until the rotation that serves it is confirmed or done.

Pure: facts in, a state out. A request is served by the first rotation that is planned after it; one that is displaced
hands it on to its successor, and a newer request is served by the same rotation.
"""

from __future__ import annotations

from enum import StrEnum

from rotator.core.credential import Strategy
from rotator.core.facts import Fact, Kind, Requested
from rotator.core.ids import RequestId
from rotator.core.protocol.fold import fold
from rotator.core.protocol.view import View, blank


class Served(StrEnum):
    """How far a request is; closed, part of `rotate -o json`."""

    REQUESTED = "requested"
    ROTATING = "rotating"
    CONFIRMED = "confirmed"
    DONE = "done"
    DISPLACED = "displaced"
    """Its rotation was closed without a successor, by an operator or because another value was adopted."""


class Follower:
    """Takes the facts of one stream in order."""

    def __init__(self, request_id: RequestId) -> None:
        self.view: View = blank()
        self.rotation_id: str | None = None
        self._request_id = request_id
        self._asked = self._confirmed = False
        self.skipped: tuple[str, ...] = ()
        """Required targets that its rotation left alone: an operator had accepted what stands there."""
        self._before: frozenset[str] = frozenset()
        self._olds: frozenset[str] = frozenset()

    def take(self, fact: Fact) -> None:
        """Take the next fact."""
        before, self.view = self.view, fold(self.view, fact)
        if isinstance(fact.what, Requested) and fact.what.request_id == self._request_id:
            self._asked = True
        elif fact.kind is Kind.PLANNED and self._asked and not self._confirmed:
            rotation = self.view.rotation
            if rotation is not None and rotation.strategy is not Strategy.REPUBLISH:
                self.rotation_id, self._before = fact.rid, frozenset(before.retirements)
        elif fact.kind is Kind.CONFIRMED and fact.rid == self.rotation_id:
            self._confirmed = True
            self._olds = frozenset(self.view.retirements) - self._before
            if (done := before.rotation) is not None:
                self.skipped = tuple(sorted(done.terms.required - before.released.keys() - done.written))

    @property
    def olds(self) -> frozenset[str]:
        """Tokens that its rotation replaced and that are not retired yet."""
        return self._olds & self.view.retirements.keys()

    @property
    def state(self) -> Served:
        """How far the request is."""
        view = self.view
        is_open = view.rotation is not None and view.rotation.rid == self.rotation_id
        if self._confirmed:
            return Served.CONFIRMED if is_open or self.olds else Served.DONE
        if self.rotation_id is None:
            return Served.REQUESTED
        return Served.ROTATING if is_open or view.want or view.request else Served.DISPLACED

    @property
    def step(self) -> str:
        """The step of its open rotation, or empty."""
        rotation = self.view.rotation
        return rotation.step.value if rotation is not None and rotation.rid == self.rotation_id else ""
