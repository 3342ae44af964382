"""A question to the outside that got no usable answer: never an exception of a look, and said once each time."""

from __future__ import annotations

from typing import Final

from rotator.core.errors import RateLimited, Refused, Unavailable
from rotator.core.events import Event
from rotator.core.protocol.rules import Result, Seen
from rotator.engine.work import Work

NO_ANSWER: Final = (Unavailable, Refused)


def unsure(work: Work, at: float, error: Unavailable | Refused) -> Seen:
    """Say why there is no answer, and return that nothing is known; `at` is when it was asked (provider time)."""
    limited = isinstance(error, RateLimited)
    work.say(Event.RATE_LIMITED if limited else Event.PROVIDER_UNAVAILABLE, reason=error.message)
    return Seen(at, Result.UNSURE)
