"""The one value that command line, metrics, web and notifications render. Pure: facts and time in, words out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rotator.core.credential import NEVER, Credential, State, Strategy
from rotator.core.drift import Part
from rotator.core.drifted import TokenDrift, drift_of, unmended
from rotator.core.facts import Kind
from rotator.core.ids import NO_TOKEN, TokenId
from rotator.core.notes import Note, Trouble
from rotator.core.protocol.each import override_code
from rotator.core.protocol.mend import subject
from rotator.core.protocol.view import Failure, Revocation, Rotation, Token, View
from rotator.core.reasons import RETIREMENT_WAITS, OperatorCode, Reason
from rotator.core.schedule.due import Due, deadline, renewal_at
from rotator.core.schedule.hooks import Hooks as Hooks
from rotator.core.schedule.hooks import hooks_at
from rotator.core.sentences import Told, away, held_up, said


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedsOperator:
    """What only a person can decide; `since` in provider time, unix seconds."""

    code: OperatorCode
    message: str
    remedy: str
    since: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRotation:
    """The open rotation as people see it; times in provider time, unix seconds.

    `reason` is the word of what it waits for, else why it was planned.
    """

    id: str
    step: str
    strategy: str
    started: float
    attempt: int
    waiting_until: float | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRetirement:
    """An open retirement as people see it; `subject` is the target that holds it up, where one does.

    `message` says in one sentence what it waits for, where that is known.
    """

    token_id: TokenId
    step: str
    until: float | None
    blocked: Reason | None
    last_used_on: float | None
    subject: str | None = None
    problem: Trouble | None = None
    message: str | None = None


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
        ends: when the target itself will delete what stands there (unix seconds by its clock), None for never.
        hooks: how what follows a publication stands, None where nothing does.
        outage: seconds for which the last roll left it without a living value; grows while it lasts.
    """

    name: str
    type: str
    required: bool
    in_sync: bool | None
    generation: int
    problem: Trouble | None = None
    accepted: Accepted | None = None
    ends: float | None = None
    hooks: Hooks | None = None
    outage: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialStatus:
    """One credential; times in provider time (unix seconds), None where there is none, `NEVER` for never.

    `reason` says why nothing is under way; None where a rotation is open or about to be. `leak` is the last revoke.
    """

    name: str
    connection: str
    owner: str
    strategy: str
    state: State
    ready: bool
    generation: int
    token_id: TokenId | None
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
    reason: Reason | None = None
    drift: TokenDrift | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    leak: Revocation | None = None
    revoking: bool = False
    exposed_at: float | None = None


def credential_status(
    credential: Credential,
    view: View,
    now: float,
    note: Note | None = None,
    used: Mapping[TokenId, float] | None = None,
) -> CredentialStatus:
    """Return the status of one credential.

    Args:
        credential: its configuration (`managed=False` when it is gone from there).
        view: the fold of its facts.
        now: provider time, unix seconds.
        note: the driver's last words; may be absent.
        used: token id -> last use at the provider as last seen; may be absent.
    """
    told = Told(credential, view, now, note or Note(), used or {})
    needs, targets, token = _needs(told), _targets(told), view.tokens.get(subject(credential, view))
    state = _state(told, needs, targets)
    reason, message = said(told, state, targets)
    return CredentialStatus(
        name=credential.name,
        connection=credential.connection,
        owner=credential.owner,
        strategy=_strategy(told).value,
        state=state,
        ready=_lives(told, token) and all(_stands(told, t.name) for t in targets if t.required),
        generation=view.generation,
        token_id=token.id if token else view.current or None,
        token_name=(token.name or None) if token else None,
        expires_on=token.expires_at if token else None,
        next_rotation=renewal_at(credential, view) if token and view.current and credential.managed else None,
        rotation_deadline=deadline(credential, view) if token and view.current else None,
        last_success=_optional(view.confirmed_at),
        next_attempt=_waits_until(told) if _fails(told) else None,
        failing_since=_optional(view.failing_since),
        rotation=_rotation(told, view.rotation) if view.rotation else None,
        retirements=tuple(_retirement(told, token_id) for token_id in view.retirements),
        paused=_paused(told),
        needs_operator=needs,
        reason=reason,
        message=needs.message if needs and needs.code.blocks else message,
        targets=targets,
        request=_request(view),
        problem=_trouble(view.rotation.failures) if view.rotation else unmended(view),
        drift=drift_of(credential, view),
        labels=credential.labels,
        over_budget=view.rotation.over_budget(now) if view.rotation else False,
        leak=max(view.revoked.values(), key=lambda word: word.at, default=None),
        revoking=view.revoking,
        exposed_at=_optional(view.exposed_at),
    )


def _lives(told: Told, token: Token | None) -> bool:
    """Whether the token lives as far as the journal knows."""
    if token is None or token.expires_at <= told.now or told.view.uncured:
        return False
    drift = told.view.drift.get(token.id)
    return not (told.credential.watched and drift is not None and Part.STATUS in drift.parts)


def _optional(at: float) -> float | None:
    return None if at in (0.0, -NEVER) else at


def _finite(at: float) -> float | None:
    return None if at in (NEVER, -NEVER) else at


# ------------------------------------------------------------------------------------------------------ state and needs
def _state(told: Told, needs: NeedsOperator | None, targets: Sequence[TargetStatus]) -> State:
    """The first that applies."""
    view = told.view
    asked: tuple[tuple[object, State], ...] = (
        (not told.credential.managed, State.UNMANAGED),
        (needs and needs.code.blocks, State.NEEDS_OPERATOR),
        (told.paused, State.PAUSED),
        (_fails(told), State.FAILING),
        (view.rotation, State.ROTATING),
        (not view.current and not told.credential.watched, State.UNINITIALIZED),
        (any(target.required for target in away(targets)), State.FAILING),
        (told.credential.watched and _ended(told), State.FAILING),
    )
    return next((state for applies, state in asked if applies), State.IDLE)


def _ended(told: Told) -> bool:
    """Whether the token that is only watched was seen, and is dead."""
    token = told.view.tokens.get(subject(told.credential, told.view))
    return token is not None and not _lives(told, token)


def _fails(told: Told) -> bool:
    """Whether the open rotation fails, or is kept from beginning."""
    waits = told.waits("rotation")
    blocked = waits is not None and waits.why is not None and waits.why.blocks
    return told.view.rotation is not None and (bool(told.view.failing_since) or blocked)


def _paused(told: Told) -> Mapping[str, object] | None:
    pause = told.view.pause
    if pause is None or not told.paused:
        return None
    until, reason = _finite(pause.until), pause.reason or None
    return {"since": pause.since, "until": until, "reason": reason, "actor": pause.actor}


def _needs(told: Told) -> NeedsOperator | None:
    """The first question that is open: what stands at a target, what was turned down, what the driver asks."""
    view, rotation = told.view, told.view.rotation
    if view.newer:
        return _needed(told, OperatorCode.NEWER_VERSION, view.newer_at, view.newer)
    if told.credential.managed or rotation or view.retirements:  # else it is nobody's question what stands there
        for name in sorted(view.overridden):
            what = f"{name} ({view.what[name]})" if name in view.what else name
            return _needed(told, override_code(view, name), view.overridden_at[name], what)
        for name in sorted(view.strange):
            if name not in view.heeded and view.strange[name] != view.kept.get(name):
                what = f"{name} ({', '.join(sorted(view.strange[name]))})"
                return _needed(told, OperatorCode.TARGET_OVERRIDDEN, view.strange_at.get(name, told.now), what)
    if rotation and rotation.rejects >= rotation.policy.rejects:
        return _needed(told, OperatorCode.REJECTED, rotation.since)
    for waits in told.note.waits.values():
        if waits.code:
            return _needed(told, waits.code, waits.since or view.failing_since or told.now, waits.subject)
    if view.ahead and view.cleared_at < view.ahead_at:
        return _needed(told, OperatorCode.RESTORED_JOURNAL, view.ahead_at)
    return None


def _needed(told: Told, code: OperatorCode, since: float, subject: str = "") -> NeedsOperator:
    count = told.view.rotation.rejects if told.view.rotation else 0
    return NeedsOperator(code=code, message=code.say(subject=subject, count=count), remedy=code.remedy, since=since)


# ------------------------------------------------------------------------------------------------- rotation, retirement
def _strategy(told: Told) -> Strategy:
    """That of the open rotation; healing is no strategy that anybody configured."""
    rotation = told.view.rotation
    mine = rotation is not None and rotation.strategy is not Strategy.REPUBLISH
    return rotation.strategy if rotation and mine else told.credential.policy.strategy


def _waits_until(told: Told) -> float | None:
    waits = told.waits("rotation")
    return _finite(waits.until) if waits and told.view.rotation else None


def _rotation(told: Told, rotation: Rotation) -> OpenRotation:
    waits = told.waits("rotation")
    return OpenRotation(
        id=rotation.rid,
        step=rotation.step.value,
        strategy=rotation.strategy.value,
        started=rotation.started,
        attempt=rotation.attempt,
        waiting_until=_waits_until(told),
        reason=(waits.word if waits else "") or rotation.terms.why,
    )


def _retirement(told: Told, token_id: TokenId) -> OpenRetirement:
    found, waits = told.view.retirements[token_id], told.waits(token_id)
    why = waits.why if waits else None
    return OpenRetirement(
        token_id=token_id,
        step="open" if found.step is Kind.RETIREMENT else found.step.value,
        until=_finite(waits.until) if waits else None,
        blocked=why if why in RETIREMENT_WAITS else None,
        last_used_on=told.used.get(token_id),
        subject=(waits.subject or None) if waits else None,
        problem=_trouble(found.failures),
        message=held_up(told, token_id) if why in RETIREMENT_WAITS else None,
    )


def _request(view: View) -> Asked | None:
    asked = view.request
    return Asked(id=asked.id, by=asked.actor, at=asked.at, reason=asked.reason or None) if asked else None


def _trouble(failures: Mapping[tuple[str, str], Failure], of: str = "") -> Trouble | None:
    """The last failure of the acts on a target, or of those that concern no target."""
    failed = [(act, found) for (act, target), found in failures.items() if target == of and found.message]
    if not failed:
        return None
    act, last = max(failed, key=lambda one: one[1].last)
    return Trouble(act=act, message=last.message, remedy=last.remedy)


# -------------------------------------------------------------------------------------------------------------- targets
def _targets(told: Told) -> tuple[TargetStatus, ...]:
    view, found = told.view, []
    for target in told.credential.targets:
        problem = _problem(told, target.name)
        known, leave = target.name in view.baselines, view.accepted.get(target.name)
        found.append(
            TargetStatus(
                name=target.name,
                type=target.type,
                required=target.required,
                in_sync=holds(view, target.name) and problem is None if known else None,
                generation=view.generations.get((target.name, view.last.get(target.name, NO_TOKEN)), 0),
                problem=problem,
                accepted=Accepted(by=leave.by, at=leave.at) if leave else None,
                ends=told.note.ends.get(target.name),
                hooks=hooks_at(view.at(target.name)) if target.hooks else None,
                outage=view.at(target.name).outage_by(told.now),
            )
        )
    return tuple(found)


def _stands(told: Told, name: str) -> bool:
    """Whether a target is known to hold a living value of ours: what nobody can read now is not known."""
    return holds(told.view, name) and (name, "read") not in told.note.troubles


def holds(view: View, name: str) -> bool:
    """Whether a target holds a value of ours that lives as far as the journal knows: the current one or its successor.

    Where the value that stood everywhere is dead (a roll ended it, or a rotation replaces a dead one), only what was
    written since and read back counts, until the rotation is confirmed.
    Where something else stands beside the value than belongs to it, or where nobody knows what stands there, it does
    not count.
    """
    rotation, held = view.rotation, view.holds.get(name, "")
    left = name in view.overridden or name in view.heeded or name in view.amiss or name in view.strange
    if not view.current or left:
        return False
    if rotation is not None and (rotation.rolling or rotation.terms.why == Due.DEAD or view.uncured):
        return name in rotation.written and ("read_back", name) not in rotation.failures
    if view.uncured:
        return False
    live = {view.fingerprint, rotation.fingerprint if rotation and rotation.generation else ""} - {""}
    return held in live or (not held and view.last.get(name) == view.current)  # by token: noted by an older version


def _problem(told: Told, name: str) -> Trouble | None:
    """What is wrong with a target now: a preflight or a failed act counts only while its rotation is open."""
    rotation, troubles = told.view.rotation, told.note.troubles
    if rotation is not None:
        if name not in rotation.written and (found := troubles.get((name, "check"))):
            return found
        if failed := _trouble(rotation.failures, name):
            return failed
    return troubles.get((name, "read"))
