"""Whether a token can do what it is meant for: a read for each permission, and its policies where a read is not enough.

Only reads are sent, authenticated by the token itself. A Write permission is proven when its policy, read by the
management token, holds it on the resource *and* a read of that product is answered; nothing is ever written to try it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from rotator.core.errors import RotatorError
from rotator.core.secret import Secret
from rotator.sources.cloudflare.calls import Call, Calls
from rotator.sources.cloudflare.errors import LOCATION, NOT_FOUND, PERMISSION, ROUTE, UNACCEPTED
from rotator.sources.cloudflare.grantable import held_on
from rotator.sources.cloudflare.trials import Trial

REFUSALS: Final = frozenset({PERMISSION, UNACCEPTED})
READS: Final = "Read"


class Proven(StrEnum):
    """What a trial showed."""

    PASSED = "passed"
    FAILED = "failed"
    UNPROVEN = "unproven"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """One permission on one resource, tried.

    Attributes:
        trial: what was tried.
        verdict: what it showed.
        status: HTTP status of the read, None where none was sent or answered.
        message: why it is so, one sentence.
        remedy: what to do, or empty.
    """

    trial: Trial
    verdict: Proven
    status: int | None
    message: str
    remedy: str = ""


def prove(
    calls: Calls, value: Secret, trials: Sequence[Trial], shown: Mapping[str, Any] | None, remedy: str
) -> list[Proof]:
    """Try every permission.

    Args:
        calls: the wire.
        value: the token's own value, which authenticates the reads.
        trials: what to try.
        shown: the token as its management token reads it, None where that could not be read.
        remedy: what to do about a permission that is missing.

    Raises:
        RateLimited: not now; what was tried so far is lost.
    """
    return [_prove(calls, value, trial, shown, remedy) for trial in trials]


def _prove(calls: Calls, value: Secret, trial: Trial, shown: Mapping[str, Any] | None, remedy: str) -> Proof:
    place = trial.place
    holds = None if shown is None else trial.group_id in held_on(shown, place.scope, place.id, place.account_id)
    if holds is False:
        message = "its policies do not hold it"
        return Proof(trial=trial, verdict=Proven.FAILED, status=None, message=message, remedy=remedy)
    path = trial.call
    if path is None:
        return Proof(trial=trial, verdict=Proven.UNPROVEN, status=None, message=_untried(trial, holds))
    call = Call(operation="probe", doing=f"reading {path}", method="GET", path=path)
    try:
        reply = calls.call(call, value)
    except RotatorError as error:
        return Proof(trial=trial, verdict=Proven.UNPROVEN, status=None, message=error.message, remedy=error.remedy)
    if reply.verdict is None:
        return _answered(trial, holds)
    row, said, status = reply.verdict.row, reply.verdict.said, reply.status
    if row.word in REFUSALS:
        return Proof(trial=trial, verdict=Proven.FAILED, status=status, message=said, remedy=remedy)
    if row.word == LOCATION:
        return Proof(
            trial=trial,
            verdict=Proven.UNPROVEN,
            status=status,
            message=said,
            remedy="this host's address is not in the token's request_ip: run it on a host that is",
        )
    why = "there is nothing to read it on" if row.word in (NOT_FOUND, ROUTE) else "the answer says neither"
    return Proof(trial=trial, verdict=Proven.UNPROVEN, status=status, message=f"{why}: {said}")


def _answered(trial: Trial, holds: bool | None) -> Proof:
    """A read was answered: enough for Read; a Write needs its policy besides, for a Read permission answers too."""
    reads = trial.permission.endswith(f" {READS}")
    if reads:
        return Proof(trial=trial, verdict=Proven.PASSED, status=200, message="the read was answered")
    if holds:
        message = "its policy holds it, and a read of the product was answered"
        return Proof(trial=trial, verdict=Proven.PASSED, status=200, message=message)
    return Proof(
        trial=trial,
        verdict=Proven.UNPROVEN,
        status=200,
        message="a read was answered, but writing cannot be tried, and its policies cannot be read",
        remedy="give the management token the right to read tokens, or try what the token is for",
    )


def _untried(trial: Trial, holds: bool | None) -> str:
    said = "its policy holds it; " if holds else ""
    if trial.group is None:
        return f"{said}nobody knows how a permission with this id is tried"
    if not trial.place.id and trial.place.label.startswith("all"):
        return f"{said}there is nothing to try it on"
    return f"{said}cannot be proven without writing or running something"
