"""What `status` says of a credential in one sentence, and the reason why nothing is under way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from rotator.core.credential import NEVER, Credential, State
from rotator.core.durations import human
from rotator.core.ids import CredentialId, TokenId
from rotator.core.instants import rfc3339
from rotator.core.notes import Note, Trouble, Waits
from rotator.core.protocol.view import Rotation, View
from rotator.core.reasons import Reason
from rotator.core.schedule.due import emergency_at, renewal_at
from rotator.core.schedule.holds import HOLDS_BACK


class Target(Protocol):
    """What a sentence needs to know of a target."""

    @property
    def name(self) -> str:
        """As configured."""

    @property
    def required(self) -> bool:
        """Whether a rotation waits for it."""

    @property
    def in_sync(self) -> bool | None:
        """Whether it holds the current value; None where it was never seen."""

    @property
    def accepted(self) -> object | None:
        """Who said that what stands there instead of ours is right."""

    @property
    def problem(self) -> Trouble | None:
        """Why it could not be used when last tried."""


_Target = TypeVar("_Target", bound=Target)


@dataclass(frozen=True, slots=True)
class Told:
    """Everything that one status is told from."""

    credential: Credential
    view: View
    now: float
    note: Note
    used: Mapping[TokenId, float]

    def waits(self, name: str) -> Waits | None:
        """The driver's last words on one obligation."""
        return self.note.waits.get(name)

    @property
    def paused(self) -> bool:
        """Whether an operator's pause lasts."""
        return self.view.pause is not None and self.now < self.view.pause.until


def said(told: Told, state: State, targets: Sequence[Target]) -> tuple[Reason | None, str]:
    """The reason why nothing is under way, and one sentence for people."""
    pause = told.view.pause
    if state is State.UNINITIALIZED:
        return _nothing_yet(told, targets)
    if state is State.UNMANAGED:
        return None, "gone from the configuration; nothing is revoked"
    if state is State.PAUSED and pause:
        return Reason.PAUSED, "paused" + (f": {pause.reason}" if pause.reason else "")
    if told.view.rotation:
        return None, _of_rotation(told, told.view.rotation, state, targets)
    if told.credential.watched:
        dead = "; its token is dead" if state is State.FAILING else ""
        return Reason.FRESH, f"watched only: it has no targets, so nothing is minted{dead}"
    return _resting(told, targets)


def _nothing_yet(told: Told, targets: Sequence[Target]) -> tuple[Reason | None, str]:
    troubled, start = [target for target in targets if target.problem], told.waits("start")
    why = start.why if start else None
    if troubled:
        return why, f"nothing was published yet ({_named(troubled)} cannot be read)"
    proving = " (a value that stands at a target is being verified)" if why is Reason.VERIFICATION else ""
    return why, f"nothing was published yet{proving}"


def _of_rotation(told: Told, rotation: Rotation, state: State, targets: Sequence[Target]) -> str:
    """The last error where it fails, else what it waits for."""
    waits = told.waits("rotation")
    tried = (found for (act, _), found in rotation.failures.items() if act != "check")  # its target says that itself
    failing = max(tried, key=lambda found: found.last, default=None)
    troubled = [target for target in targets if target.problem]
    if failing and state is State.FAILING and failing.message:
        why = failing.message
    elif waits and waits.why is Reason.TARGET_UNWRITABLE and troubled:
        why = f"{waits.text}: {_named([t for t in troubled if t.required] or troubled)}"
    else:
        why = waits.text if waits else ""
    return f"rotating: {rotation.step}" + (f" ({why})" if why else "")


def _resting(told: Told, targets: Sequence[Target]) -> tuple[Reason | None, str]:
    start, left = told.waits("start"), renewal_at(told.credential, told.view) - told.now
    why = start.why if start else None
    if out := away(targets):
        if start and why is Reason.DRIFT:
            return why, f"out of sync: {_named(out)}; healed again in {human(max(start.until - told.now, 1.0))}"
        return Reason.OUT_OF_SYNC, f"out of sync: {_named(out)}"
    held = ""
    if start and why in HOLDS_BACK:
        held = f" ({start.text}: {start.subject})" if why is Reason.GROUP and start.subject else f" ({start.text})"
    if held and told.view.request:
        return why, f"a rotation is requested{held}"
    if left > 0:
        left_alone = [target for target in targets if target.accepted]
        more = f"; left alone as accepted: {_named(left_alone)}" if left_alone else ""
        return Reason.FRESH, ("fresh; never expires" if left == NEVER else f"fresh; rotates in {human(left)}") + more
    if calendar := _by_calendar(told):
        return calendar
    return why if held else None, f"due for rotation{held}"


def _by_calendar(told: Told) -> tuple[Reason, str] | None:
    """A freeze or closed windows, also where no daemon says so."""
    hours, now = told.credential.hours, told.now
    if told.view.request or now >= emergency_at(told.credential, told.view) or hours.opens(now) <= now:
        return None
    until = f"until {rfc3339(hours.opens(now)) or 'further notice'}"
    if freeze := hours.frozen(now):
        why = f": {freeze.reason}" if freeze.reason else ""
        return Reason.FREEZE, f"due for rotation ({Reason.FREEZE.text}, {until}{why})"
    return Reason.WINDOW, f"due for rotation ({Reason.WINDOW.text}, {until})"


def held_up(told: Told, token_id: TokenId) -> str | None:
    """What holds up the retirement of a token, in one sentence that says which it is where that is known."""
    waits = told.waits(token_id)
    if waits is None or waits.why is None:
        return None
    view, name = told.view, waits.subject
    unreadable = (name, "read") in told.note.troubles
    if waits.why is Reason.STILL_PUBLISHED and name:
        if targets := view.held.get(token_id, {}).get(CredentialId(name)):
            return f"it stands at another credential's target ({', '.join(sorted(targets))})"
        if unreadable:
            return f"{name} cannot be read, so nobody knows whether the old value still stands there"
        if view.last.get(name) == token_id:
            return f"{name} still holds the old value"
        if (name, token_id) in view.open_writes:
            return f"a write of the old value to {name} may still arrive there"
        if name in view.marks and name in view.heeded:
            return (
                f"what stands at {name} was accepted and cannot be read, so it may be the old value: `rotator ack` says"
                " which generation its consumers use, `rotator resolve --undo` ends the acceptance"
            )
        return f"either {name} may still hold the old value or receive it, or it cannot be read"
    if waits.why is Reason.PROVIDER_SILENT and name:
        return f"an unknown value stands at {name}, and the provider has not said whose it is"
    if waits.why is Reason.TARGETS_NOT_IN_SYNC and name:
        if unreadable:
            return f"{name} cannot be read, so nobody knows whether it holds the current value"
        if view.holds.get(name, view.fingerprint) != view.fingerprint:
            return f"{name} does not hold the current value"
        return f"either {name} does not hold the current value, or it cannot be read"
    if waits.why is Reason.UNACKNOWLEDGED and name:
        says = f"`rotator ack {told.credential.name} --target {name} --generation {view.generation}` says so"
        return f"nothing shows that the consumers of {name} use the new value: {says}"
    return f"{waits.text} ({name})" if name else waits.text


def away(targets: Iterable[_Target]) -> list[_Target]:
    """Targets that are not known to hold the current value, without anybody's leave."""
    return [target for target in targets if target.in_sync is False and not target.accepted]


def _named(targets: Sequence[Target]) -> str:
    return ", ".join(target.name for target in targets)
