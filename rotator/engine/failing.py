"""An act that failed: the fact about it, and what is said. Which errors mean that certainly nothing was applied."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from rotator.core.errors import (
    Conflict,
    OutcomeUnknown,
    Refused,
    RotatorError,
    Unavailable,
)
from rotator.core.events import Event
from rotator.core.facts import (
    Failed,
)
from rotator.core.ids import NO_TOKEN, TokenId
from rotator.core.protocol.rules import Result
from rotator.engine.work import Work

CERTAIN: Final = (Refused, Unavailable)
"""Nothing was applied: the answer said no, or nothing was sent."""


def type_of(work: Work, name: str) -> str:
    """Return the kind of a target for log lines, empty where it has left the configuration."""
    return next((t.type for t in work.credential.targets if t.name == name), "")


def failed(
    work: Work, act: str, target: str, error: RotatorError, *, not_written: str | None = None, token: TokenId = NO_TOKEN
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


LEFT_ALONE: Final[Mapping[Result, tuple[str, str]]] = {
    Result.OVERRIDDEN: (
        "a value that is not ours stands there, so nothing was written",
        "look whose it is; `rotator resolve {credential} --retry` writes ours over it, `--accept` keeps it",
    ),
    Result.HEEDED: (
        "a value that is not ours stands there and was accepted, so nothing was written",
        "`rotator resolve {credential} --undo` ends that; then decide again",
    ),
    Result.UNSURE: (
        "nobody can tell yet whose value stands there, so nothing was written",
        "nothing yet: it is looked at again by itself; `rotator check` says whether the provider answers",
    ),
}
"""What stands at a target and is never written over: what that means, and what to do."""


def left_alone(work: Work, name: str, result: Result) -> Conflict:
    """Return why a target was not written; `result` is one of `LEFT_ALONE`."""
    what, remedy = LEFT_ALONE[result]
    return Conflict(f"writing {name}: {what}", remedy.format(credential=work.credential.name))


def unconfigured(work: Work, doing: str) -> Unavailable:
    """Return that a target of the open rotation has no adapter any more."""
    return Unavailable(
        f"{doing}: it is not configured",
        "put the target back into the configuration, or close the rotation with"
        f" `rotator resolve {work.credential.name} --abandon`",
    )


def why_of(act: str, error: RotatorError) -> Failed:
    """What was tried, why it failed, and what to do."""
    return Failed(act=act, why=error.message, remedy=error.remedy)
