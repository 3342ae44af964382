"""The one value that the command line, metrics, web and notifications render.

Pure: facts, configuration and time in, words out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rotator.core.credential import NEVER, Credential, State, Strategy
from rotator.core.facts import Kind
from rotator.core.protocol.rules import override_code
from rotator.core.protocol.view import Failure, View
from rotator.core.schedule.due import deadline, renewal_at

BLOCKED: Final = frozenset(
    {"grace", "still_used", "still_published", "targets_not_in_sync", "soak", "paused", "restored_journal", "failed"}
)
"""Closed list of reasons why a retirement waits."""

STUCK: Final = frozenset({"target_unwritable", "journal_unsafe"})
"""Waits of a rotation that is due and may not start: nothing was tried, so no fact says that it fails."""

REMEDIES: Final[Mapping[str, str]] = {
    "target_occupied": (
        "look at what stands at the target; `rotator resolve NAME --retry` overwrites it, `--accept` keeps it"
    ),
    "target_overridden": (
        "somebody changed a managed key; `rotator resolve NAME --retry` restores ours, `--accept` keeps theirs"
    ),
    "rejected": (
        "minted tokens are not what was asked for; check grants and permissions, then `rotator resolve NAME --retry`"
    ),
    "management_token": (
        "give the connection a management token that the provider accepts, and that is not the token to be ended"
    ),
    "mass_death": "check the provider's status and the management token; nothing is replaced until tokens answer again",
    "restored_journal": (
        "the journal is older than what stands outside; check `rotator status`, then `rotator resolve NAME --retry`"
    ),
}
"""Closed list of codes of `needs_operator`, each with what to do."""

MESSAGES: Final[Mapping[str, str]] = {
    "target_occupied": "a value that is not ours stands at {subject}",
    "target_overridden": "somebody else changed the managed key at {subject}",
    "rejected": "{count} minted tokens were turned down in a row",
    "management_token": "the management token cannot do this",
    "mass_death": "so many tokens of the connection died at once that the answers are not believed",
    "restored_journal": "something outside is ahead of the journal: it was lost or restored",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedsOperator:
    """What only a person can decide."""

    code: str
    message: str
    remedy: str
    since: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRotation:
    """The open rotation as people see it; times in provider time, unix seconds."""

    id: str
    step: str
    strategy: str
    started: float
    attempt: int
    waiting_until: float | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Why something could not be done when last tried.

    `act` of a target is `check` (write preflight), `read` or the failed act; of a credential or a retirement `mint`,
    `extend`, `accept` (the verification of a new value), `disable` or `delete`.
    """

    act: str
    message: str
    remedy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRetirement:
    """An open retirement as people see it; `subject` is the target that holds it up, where one does."""

    token_id: str
    step: str
    until: float | None
    blocked: str | None
    last_used_on: float | None
    subject: str | None = None
    problem: Trouble | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request for a rotation that no rotation serves yet; `at` in provider time, unix seconds."""

    id: str
    by: str
    at: float
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """Who said by `resolve --accept` that a foreign value may stand at a target, and when (provider time)."""

    by: str
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetStatus:
    """One target.

    Attributes:
        name: as configured.
        type: kind of target.
        required: whether a rotation waits for it.
        in_sync: whether it is known to hold the current value and to take the next one; None where it was never seen.
        generation: the generation that was last written there, 0 where none was.
        problem: why it could not be used when last tried.
        accepted: who said that what stands there instead of ours is right.
    """

    name: str
    type: str
    required: bool
    in_sync: bool | None
    generation: int
    problem: Trouble | None = None
    accepted: Accepted | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialStatus:
    """One credential; times in provider time (unix seconds), None where there is none, `NEVER` for never."""

    name: str
    connection: str
    owner: str
    strategy: str
    state: State
    ready: bool
    generation: int
    token_id: str | None
    token_name: str | None
    expires_on: float | None
    next_rotation: float | None
    rotation_deadline: float | None
    last_success: float | None
    next_attempt: float | None
    failing_since: float | None
    rotation: OpenRotation | None
    retirements: tuple[OpenRetirement, ...]
    paused: Mapping[str, object] | None
    needs_operator: NeedsOperator | None
    message: str
    targets: tuple[TargetStatus, ...]
    request: Asked | None = None
    problem: Trouble | None = None
    over_budget: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """The driver's last word on one obligation, as it noted it on release: until when, and why."""

    until: float
    why: str
    code: str = ""
    subject: str = ""


def human(seconds: float) -> str:
    """Return a duration (>= 0 seconds) in human words: `45 s`, `12 min`, `5 h`, `61 d`, `never` for an infinite one."""
    if seconds == NEVER:
        return "never"
    for length, unit in ((86400.0, "d"), (3600.0, "h"), (60.0, "min")):
        if seconds >= 2 * length or (seconds >= length and unit == "d"):
            return f"{seconds / length:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"


def _optional(at: float) -> float | None:
    return None if at in (0.0, -NEVER) else at


def _needs(credential: Credential, view: View, waits: Mapping[str, Waits]) -> NeedsOperator | None:
    for name in sorted(view.overridden):
        if not (credential.managed or view.rotation or view.retirements):
            break  # nothing is open any more: what stands there is nobody's question
        return _needed(override_code(view, name), view, subject=name, since=view.overridden_at[name])
    if view.rotation and view.rotation.rejects >= view.rotation.policy.rejects:
        return _needed("rejected", view, since=view.rotation.since)
    for found in waits.values():
        if found.code in REMEDIES:
            return _needed(found.code, view, subject=found.subject, since=view.failing_since)
    if view.ahead and view.cleared_at < view.ahead_at:
        return _needed("restored_journal", view, since=view.ahead_at)
    return None


def _needed(code: str, view: View, *, subject: str = "", since: float) -> NeedsOperator:
    count = view.rotation.rejects if view.rotation else 0
    message = MESSAGES[code].format(subject=subject, count=count)
    return NeedsOperator(code=code, message=message, remedy=REMEDIES[code], since=since)


def _retirement(view: View, token: str, waits: Mapping[str, Waits], used: Mapping[str, float]) -> OpenRetirement:
    found, wait = view.retirements[token], waits.get(token)
    step = "open" if found.step is Kind.RETIREMENT else found.step.value
    blocked = wait.why if wait and wait.why in BLOCKED else ("failed" if wait and "failed" in wait.why else None)
    until = wait.until if wait and wait.until != NEVER else None
    return OpenRetirement(
        token_id=token,
        step=step,
        until=until,
        blocked=blocked,
        last_used_on=used.get(token),
        subject=(wait.subject or None) if wait else None,
        problem=_trouble(found.failures),
    )


def _trouble(failures: Mapping[tuple[str, str], Failure], of: str = "") -> Trouble | None:
    """The last failure of the acts on a target, or of those that concern no target."""
    failed = [(act, found) for (act, target), found in failures.items() if target == of and found.message]
    if not failed:
        return None
    act, last = max(failed, key=lambda one: one[1].last)
    return Trouble(act=act, message=last.message, remedy=last.remedy)


Troubles = Mapping[tuple[str, str], Trouble]
"""By target and act, as the driver noted them on release."""


def _problem(view: View, name: str, troubles: Troubles) -> Trouble | None:
    """What is wrong with a target now: a preflight or a failed act counts only while its rotation is open."""
    rotation = view.rotation
    if rotation is not None:
        if name not in rotation.written and (found := troubles.get((name, "check"))):
            return found
        if failed := _trouble(rotation.failures, name):
            return failed
    return troubles.get((name, "read"))


def _targets(credential: Credential, view: View, troubles: Troubles) -> tuple[TargetStatus, ...]:
    found = []
    for target in credential.targets:
        problem = _problem(view, target.name, troubles)
        known = target.name in view.baselines
        found.append(
            TargetStatus(
                name=target.name,
                type=target.type,
                required=target.required,
                in_sync=_holds(view, target.name) and problem is None if known else None,
                generation=view.generations.get((target.name, view.last.get(target.name, "")), 0),
                problem=problem,
            )
        )
    return tuple(found)


def _holds(view: View, name: str) -> bool:
    """Whether a target holds a value of ours that lives as far as the journal knows: the current one or its successor.

    A roll ends the value that stood everywhere, so until it is confirmed only what it wrote and read back counts.
    """
    rotation, last = view.rotation, view.last.get(name)
    if not view.current or name in view.overridden or name in view.heeded:
        return False
    if rotation is not None and rotation.rolling:
        return name in rotation.written and ("read_back", name) not in rotation.failures
    return last == view.current or bool(rotation and rotation.generation and last == rotation.token_id)


def _message(
    state: State,
    view: View,
    credential: Credential,
    now: float,
    waits: Mapping[str, Waits],
    targets: Sequence[TargetStatus],
) -> str:
    troubled = [target for target in targets if target.problem]
    if state is State.UNINITIALIZED:
        start = waits.get("start")
        proving = start is not None and start.why == "verification"
        why = f"{_named(troubled)} cannot be read" if troubled else "a value that stands at a target is being verified"
        return "nothing was published yet" + (f" ({why})" if troubled or proving else "")
    if state is State.UNMANAGED:
        return "gone from the configuration; nothing is revoked"
    if state is State.PAUSED and view.pause:
        return "paused" + (f": {view.pause.reason}" if view.pause.reason else "")
    if view.rotation:
        wait = waits.get("rotation")
        failing = max(view.rotation.failures.values(), key=lambda f: f.last, default=None)
        why = failing.message if failing and state is State.FAILING and failing.message else (wait.why if wait else "")
        if why == "target_unwritable" and troubled:
            why += f": {_named([t for t in troubled if t.required] or troubled)}"
        step = view.rotation.step.value
        return f"rotating: {step}" + (f" ({why})" if why else "")
    start = waits.get("start")
    if start is not None and start.why == "drift" and (away := [t for t in targets if t.in_sync is False]):
        return f"out of sync: {_named(away)}; healed again in {human(max(start.until - now, 1.0))}"
    left = renewal_at(credential, view) - now
    return (
        "due for rotation"
        if left <= 0
        else "fresh; never expires"
        if left == NEVER
        else f"fresh; rotates in {human(left)}"
    )


def _named(targets: Sequence[TargetStatus]) -> str:
    return ", ".join(target.name for target in targets)


def credential_status(
    credential: Credential,
    view: View,
    now: float,
    waits: Mapping[str, Waits],
    used: Mapping[str, float] | None = None,
    troubles: Troubles | None = None,
) -> CredentialStatus:
    """Return the status of one credential.

    Args:
        credential: its configuration (`managed=False` when it is gone from there).
        view: the fold of its facts.
        now: provider time, unix seconds.
        waits: the driver's last words by `rotation`, `start` or token id; may be empty.
        used: token id -> last use at the provider as last seen; may be absent.
        troubles: what the driver noted of targets that could not be used; may be absent.
    """
    needs = _needs(credential, view, waits)
    rotation, wait = view.rotation, waits.get("rotation")
    paused = view.pause is not None and now < view.pause.until
    failing = bool(rotation) and (bool(view.failing_since) or (wait is not None and wait.why in STUCK))
    blank = not view.current and rotation is None
    blocking = needs is not None and needs.code != "restored_journal"
    state = (
        State.UNMANAGED
        if not credential.managed
        else State.NEEDS_OPERATOR
        if blocking
        else State.PAUSED
        if paused
        else State.FAILING
        if failing
        else State.ROTATING
        if rotation
        else State.UNINITIALIZED
        if blank
        else State.IDLE
    )
    token = view.tokens.get(view.current)
    targets = _targets(credential, view, troubles or {})
    alive = token is not None and token.expires_at > now
    steps = NEVER if not rotation or not wait else wait.until
    return CredentialStatus(
        name=credential.name,
        connection=credential.connection,
        owner=credential.owner,
        strategy=(
            rotation.strategy
            if rotation and rotation.strategy is not Strategy.REPUBLISH
            else credential.policy.strategy
        ).value,
        state=state,
        ready=alive and all(_holds(view, t.name) for t in targets if t.required),
        generation=view.generation,
        token_id=view.current or None,
        token_name=(token.name or None) if token else None,
        expires_on=token.expires_at if token else None,
        next_rotation=renewal_at(credential, view) if token and credential.managed else None,
        rotation_deadline=deadline(credential, view) if token else None,
        last_success=_optional(view.confirmed_at),
        next_attempt=None if steps == NEVER or not failing else steps,
        failing_since=_optional(view.failing_since),
        rotation=OpenRotation(
            id=rotation.rid,
            step=rotation.step.value,
            strategy=rotation.strategy.value,
            started=rotation.started,
            attempt=rotation.attempt,
            waiting_until=None if steps == NEVER else steps,
            reason=wait.why if wait else rotation.terms.why,
        )
        if rotation
        else None,
        retirements=tuple(_retirement(view, t, waits, used or {}) for t in view.retirements),
        paused={
            "since": view.pause.since,
            "until": _finite(view.pause.until),
            "reason": view.pause.reason or None,
            "actor": view.pause.actor,
        }
        if paused and view.pause
        else None,
        needs_operator=needs,
        message=(needs.message if blocking and needs else _message(state, view, credential, now, waits, targets)),
        targets=targets,
        request=_request(view),
        problem=_trouble(rotation.failures) if rotation else None,
        over_budget=rotation.over_budget(now) if rotation else False,
    )


def _request(view: View) -> Asked | None:
    asked = view.request
    return Asked(id=asked.id, by=asked.actor, at=asked.at, reason=asked.reason or None) if asked else None


def _finite(at: float) -> float | None:
    return None if at in (NEVER, -NEVER) else at


def worst(statuses: Sequence[CredentialStatus]) -> int:
    """Exit code for a set of credentials: 3 needs an operator, 1 something fails, else 0."""
    if any(s.needs_operator and s.needs_operator.code != "restored_journal" for s in statuses):
        return 3
    return 1 if any(s.state is State.FAILING for s in statuses) else 0
