"""What a request waits for, in one sentence: said by `rotate --wait` whenever it changes. Pure."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime

from rotator.cli.following import Served
from rotator.core.notes import Note, Trouble, Waits
from rotator.core.reasons import Reason
from rotator.core.remarks import named
from rotator.core.status import CredentialStatus

UNTAKEN = "nobody has looked at it yet"


def waits_for(served: Served, status: CredentialStatus, note: Note, olds: Collection[str], now: float) -> str:
    """Return what holds up a request, with the credential's name in what to do; empty where work is being done.

    Args:
        served: how far the request is.
        status: of its credential.
        note: the last words of whoever drove it.
        olds: ids of the tokens that its rotation replaced and that are not retired yet.
        now: provider time, unix seconds.
    """
    if status.paused:
        return f"paused; `rotator resume {status.name}` ends that"
    if served is Served.CONFIRMED:
        return "; ".join(_retirement(status.name, note.waits.get(old), now) for old in sorted(olds))
    if status.rotation is not None:
        return _rotation(status, note.waits.get("rotation"), now)
    start = note.waits.get("start")
    if start is None or start.why in (None, Reason.FRESH, Reason.DRIFT, Reason.PAUSED):
        return UNTAKEN  # what was noted is from before the request
    return _waiting(status.name, start, now)


def _rotation(status: CredentialStatus, waits: Waits | None, now: float) -> str:
    """The last failure with what to do, else what it waits for."""
    troubled = [
        f"{target.name}: {_trouble(status.name, target.problem)}" for target in status.targets if target.problem
    ]
    if troubled:
        return "; ".join(troubled)
    if status.problem:
        return _trouble(status.name, status.problem)
    return _waiting(status.name, waits, now) if waits else ""


def _trouble(name: str, problem: Trouble) -> str:
    return problem.message + (f" (do: {named(problem.remedy, name)})" if problem.remedy else "")


def _retirement(name: str, waits: Waits | None, now: float) -> str:
    why = _waiting(name, waits, now) if waits else ""
    return f"the old token is not retired yet{': ' * bool(why)}{why}"


def _waiting(name: str, waits: Waits, now: float) -> str:
    """A reason with its target, its end and what to do; nothing of a pause, for one that lasts was said before."""
    if waits.why in (None, Reason.PAUSED):
        return ""
    subject = f" ({waits.subject})" if waits.subject else ""
    until = (
        f", until {datetime.fromtimestamp(waits.until, UTC):%H:%M:%S} UTC" if now + 1 < waits.until < now + 1e8 else ""
    )
    return waits.text + subject + until + (f" (do: {named(waits.why.remedy, name)})" if waits.why.remedy else "")
