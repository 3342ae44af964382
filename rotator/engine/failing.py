"""An act that failed: the fact about it, and what is said. Which errors mean that certainly nothing was applied."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from rotator.core.errors import (
    OutcomeUnknown,
    Refused,
    RotatorError,
    Unavailable,
)
from rotator.core.events import Event
from rotator.core.facts import (
    Failed,
)
from rotator.engine.work import Work

CERTAIN: Final = (Refused, Unavailable)
"""Nothing was applied: the answer said no, or nothing was sent."""


def type_of(work: Work, name: str) -> str:
    """Return the kind of a target for log lines, empty where it has left the configuration."""
    return next((t.type for t in work.credential.targets if t.name == name), "")


def failed(
    work: Work, act: str, target: str, error: RotatorError, *, not_written: str | None = None, token: str = ""
) -> None:
    """Journal a failed act; `not_written`: the version of the target on top of which certainly nothing was written."""
    work.record(replace(why_of(act, error), target=target, token_id=token, not_written=not_written))
    if not target:
        work.say(Event.PROVIDER_UNAVAILABLE, act=act, reason=error.message, remedy=error.remedy or None)
    else:
        unknown = isinstance(error, OutcomeUnknown)
        work.say(
            Event.OUTCOME_UNKNOWN if unknown else Event.TARGET_FAILED,
            act=act,
            target=target,
            target_type=type_of(work, target),
            reason=error.message,
            remedy=error.remedy or None,
        )


def why_of(act: str, error: RotatorError) -> Failed:
    """What was tried, why it failed, and what to do."""
    return Failed(act=act, why=error.message, remedy=error.remedy)
