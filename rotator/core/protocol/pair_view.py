"""What the facts of a pair add up to, for each of its two members. Immutable; made by `fold` alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from rotator.core.durations import NEVER
from rotator.core.ids import NO_VALUE, Fingerprint, TokenId


class Phase(StrEnum):
    """What is open for one member."""

    KEPT = "kept"
    """Nothing."""
    EXTENDING = "extending"
    """Its end is being moved."""
    ROLLING = "rolling"
    """A new value was asked for, and the answer is not known."""
    CAPTURED = "captured"
    """A new value is durable, and not known to stand in its place and to live."""


@dataclass(frozen=True, slots=True)
class Tries:
    """How often in a row something was refused, and when last (provider time); why and what to do, for people."""

    count: int
    last: float
    why: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberView:
    """One of the two.

    Attributes:
        token_id: id at the provider.
        role: which of the two it is, as the configuration calls it.
        life: seconds that it gets at each renewal, `NEVER` for one without end.
        expires_at: its end as last proven, provider time.
        fingerprint: the value that stands in its place and is known to be right.
        fresh_at: when that value was made, as far as it is known; provider time.
        rolled_at: when a new value of it was captured last, `-NEVER` for never.
        extended_at: when its end was last proven to have moved, `-NEVER` for never.
        extending: the end to which it is being moved, 0 for none.
        sent_at: when the open request was sent last.
        attempt: number of the last request for a new value.
        rolling: whether that one is open.
        lost: whether the answer to an earlier one was lost, so that a refusal of this one closes nothing.
        captured: the value that it brought, while it is not known to be right in its place.
        captured_at: since when.
        tries: refusals in a row, by act.
    """

    token_id: TokenId
    role: str
    life: float = NEVER
    expires_at: float = NEVER
    fingerprint: Fingerprint = NO_VALUE
    fresh_at: float = 0.0
    rolled_at: float = -NEVER
    extended_at: float = -NEVER
    extending: float = 0.0
    sent_at: float = 0.0
    attempt: int = 0
    rolling: bool = False
    lost: bool = False
    captured: Fingerprint = NO_VALUE
    captured_at: float = 0.0
    tries: Mapping[str, Tries] = field(default_factory=dict)

    @property
    def phase(self) -> Phase:
        """What is open; a new value comes first, because the old one may be dead."""
        if self.captured:
            return Phase.CAPTURED
        if self.rolling:
            return Phase.ROLLING
        return Phase.EXTENDING if self.extending else Phase.KEPT

    @property
    def unresolved(self) -> bool:
        """Whether a request for a new value is not over."""
        return self.rolling or bool(self.captured)


Pair = Mapping[TokenId, MemberView]
"""The members that are known, at most two."""
