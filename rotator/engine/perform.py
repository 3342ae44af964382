"""Acts: one effect each, with the facts before and after it. What a crash inside leaves behind is said at each.

`OutcomeUnknown` is never treated as a failure: the fact that would say so is simply not written, and the next decision
finds out by reading.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from rotator.core.credential import NEVER, Strategy, Terms
from rotator.core.errors import (
    Conflict,
    OperatorNeeded,
    OutcomeUnknown,
    RateLimited,
    Refused,
    RotatorError,
    Unavailable,
)
from rotator.core.events import Event
from rotator.core.facts import (
    Captured,
    Extended,
    Intent,
    Planned,
    PublishIntent,
    ReadBack,
    Unwritten,
    Written,
)
from rotator.core.ids import NO_REQUEST, NO_TOKEN, NO_VALUE, RotationId
from rotator.core.ports.source import Minted
from rotator.core.ports.target import Publication, Reading
from rotator.core.protocol.names import AttemptName
from rotator.core.protocol.recreate import drifted
from rotator.core.protocol.rules import Act, Action, Look, Sight, given
from rotator.core.protocol.view import Rotation
from rotator.core.reasons import OperatorCode
from rotator.core.schedule.due import why_due
from rotator.core.schedule.holds import held_back
from rotator.engine.capturing import capture
from rotator.engine.drifting import keep, update
from rotator.engine.ending import delete, disable
from rotator.engine.failing import CERTAIN, LEFT_ALONE, failed, left_alone, type_of, unconfigured, why_of
from rotator.engine.holding import holder, opened, pieces, provable, publication, value_key
from rotator.engine.hooks import hook
from rotator.engine.look import lives, proven, take
from rotator.engine.markers import marked, shows, stands_settled
from rotator.engine.recording import record, unanswered
from rotator.engine.stands import stand
from rotator.engine.turns import in_turn
from rotator.engine.work import Work, whole_seconds


def plan(work: Work, action: Action) -> None:
    """Open a rotation with frozen terms, in turn with its group, unless it yields to another member just now.

    A crash leaves it open or not; the next pass decides the same.
    """
    if action.strategy is Strategy.REPUBLISH:
        _plan(work, action)
        return

    def free() -> bool:
        case = work.case()
        why = why_due(case)
        return why is not None and held_back(case, why) is None

    in_turn(work, lambda: _plan(work, action), free)


def _plan(work: Work, action: Action) -> None:
    view, credential = work.view, work.credential
    strategy, request = given(action.strategy, "the strategy to plan"), view.request
    healing = strategy is Strategy.REPUBLISH
    policy = credential.policy
    budget = request.outage_budget if request and not healing else 0.0
    required = credential.required | drifted(work.case()) if healing else credential.required
    terms = Terms(
        policy=replace(policy, strategy=strategy, outage_budget=budget or policy.outage_budget),
        targets=credential.all,
        required=required,
        digest=credential.digest,
        why=str(action.why or why_due(work.case()) or ""),
    )
    keeps = strategy is not Strategy.RECREATE
    planned = Planned(
        terms=terms,
        token_id=(view.current or credential.adopt) if keeps else NO_TOKEN,
        fingerprint=view.fingerprint if healing else NO_VALUE,
        request_id=request.id if request and not healing else NO_REQUEST,
    )
    work.record(planned, rid=RotationId(work.runtime.token_hex(6)))
    work.say(Event.ROTATION_PLANNED, strategy=strategy.value, reason=terms.why)


def mint(work: Work, action: Action) -> None:
    """Intent, one wire request, capture. The first statement after the answer makes the value durable.

    A crash after the intent leaves an attempt whose answer counts as lost; a crash between the spool and the capture
    leaves an encrypted record that is imported before the next decision.
    """
    rotation = work.view.opened
    number, rolls = rotation.attempt + 1, rotation.strategy is Strategy.ROLL
    name = str(
        AttemptName(
            base=work.credential.name,
            instance=work.journal.instance,
            rid=rotation.rid,
            epoch=work.lease.epoch,
            attempt=number,
            nonce="x" + work.runtime.token_hex(2),
            limit=work.source.can.name_length,
        )
    )
    life = rotation.policy.lifetime
    expires_at = NEVER if life == NEVER else whole_seconds(work.believed + life)
    lost = unanswered(work, rotation)
    work.record(Intent(attempt=number, token_name=name, token_id=rotation.token_id, why=lost))
    point = "roll_send" if rolls else "create_send"
    work.runtime.crash(f"before_{point}")
    try:
        source = work.source_of(rotation.token_id) if rolls else work.source
        minted = source.roll(rotation.token_id) if rolls else source.mint(name, expires_at)
    except CERTAIN as error:
        _mint_refused(work, name, number, error)
        return
    except OperatorNeeded as error:
        _mint_refused(work, name, number, error)
        raise
    except OutcomeUnknown as error:
        work.memory.unknown = (name, error.message)
        work.say(Event.OUTCOME_UNKNOWN, act="mint", reason=error.message)
        return
    work.runtime.crash(f"after_{point}")
    _capture(work, name, number, minted)


def _mint_refused(work: Work, name: str, number: int, error: RotatorError) -> None:
    limited = isinstance(error, RateLimited)
    code = error.code if isinstance(error, OperatorNeeded) else None if limited else _management(work)
    work.record(replace(why_of("mint", error), code=code, attempt=number, token_name=name, full=_full(error)))
    said = Event.RATE_LIMITED if limited else Event.MINT_REFUSED
    work.say(said, reason=error.message, remedy=error.remedy or None)


def _full(error: RotatorError) -> bool:
    """Whether the provider said that as many tokens exist as may."""
    return isinstance(error, Refused) and error.code == "quota"


def _management(work: Work) -> OperatorCode | None:
    """The code under which a person is asked for another management token; None while this one is accepted.

    Asked from the second failure in a row on: valid tokens are refused now and then, and one refusal proves nothing.
    """
    if ("mint", "") not in work.view.opened.failures:
        return None
    try:
        return None if work.source.control() else OperatorCode.MANAGEMENT_TOKEN
    except CERTAIN:
        return None  # nobody knows: then it is the provider's trouble, which ends automatically


def _capture(work: Work, name: str, number: int, minted: Minted) -> None:
    """Spool first, then the journal, for as long as it takes: this process holds the only copy. Either is enough."""
    rotation = work.view.opened
    what = Captured(
        attempt=number,
        token_id=minted.token_id,
        token_name=minted.name,
        attempt_name=name,
        born=minted.issued_at,
        expires_at=minted.expires_at,
        fingerprint=work.journal.fingerprint(minted.value),
    )
    work.view = capture(work.journal, work.runtime, work.stream, work.stamped(what), minted.value, work.say)
    work.say(Event.ROTATION_CAPTURED, token=minted.token_id, strategy=rotation.strategy.value)


def extend(work: Work, action: Action) -> None:
    """Move the expiry before a roll, proven by GET. A crash leaves it moved or not; it is asked again."""
    rotation = work.view.opened
    life = rotation.policy.lifetime
    wanted = NEVER if life == NEVER else whole_seconds(work.believed + life)
    work.runtime.crash("before_extend_send")
    try:
        source = work.source_of(rotation.token_id)
        source.extend(rotation.token_id, wanted)
        work.runtime.crash("after_extend_send")
        state = source.get(rotation.token_id)
    except (*CERTAIN, OutcomeUnknown) as error:
        failed(work, "extend", "", error)
        return
    if state is None or state.expires_at < wanted - 1:
        failed(work, "extend", "", Refused("the provider did not move the expiry"))
        return
    extended = Extended(token_id=state.id, token_name=state.name, born=state.issued_at, expires_at=state.expires_at)
    work.record(extended)


def write(work: Work, action: Action) -> None:
    """Publish at one target: read, fenced publish intent, write on top of exactly that version.

    A crash leaves the old or the new value there; the open publish intent keeps the token from being destroyed.
    """
    rotation, name = work.view.opened, action.target
    target = work.bound.targets.get(name)
    if target is None:
        failed(work, "write", name, unconfigured(work, f"writing {name}"))
        return
    place = next((t.place for t in work.credential.targets if t.name == name), name)
    version: str | None = None
    try:
        with work.journal.place(work.lease, place):
            found = stand(work, name)
            if work.view.rotation is None or work.view.rotation.rid != rotation.rid:
                return  # what stood there was adopted: decide anew
            done = found.fingerprint == rotation.fingerprint and found.complete
            if not done and found.result in LEFT_ALONE:
                raise left_alone(work, name, found.result)
            values, ours = publication(work, name, rotation.fingerprint, found.reading)
            if not done:  # else nothing new is published; the write only finishes what a crash cut off (marks, labels)
                keys = pieces(work, ours)
                work.record(PublishIntent(**_of(rotation, name), version=found.reading.version, keys=keys))
                version = found.reading.version
            work.runtime.crash("before_target_write")
            target.write(
                Publication(
                    credential=work.credential.name,
                    rid=rotation.rid,
                    generation=rotation.generation,
                    token_id=rotation.token_id,
                    expires_at=work.view.expires_at(rotation.token_id),
                    values=values,
                    expected=found.reading,
                    still_mine=lambda: work.journal.check(work.lease),
                )
            )
            work.runtime.crash("after_target_write")
            work.forget(Look(Sight.STANDS, name))
            marker = _marker(work, name, found.reading) if name in work.bound.markers else ""
            keys = pieces(work, ours)
            work.record(Written(**_of(rotation, name), old=found.token_id, keys=keys, marker=marker))
            work.say(Event.TARGET_WRITTEN, target=name, target_type=type_of(work, name), generation=rotation.generation)
    except OutcomeUnknown as error:
        work.forget(Look(Sight.STANDS, name))
        failed(work, "write", name, error)
    except (*CERTAIN, Conflict) as error:
        work.forget(Look(Sight.STANDS, name))
        if name in work.bound.markers and not isinstance(error, Unavailable):
            version = None  # it compares nothing, so a copy of the request may arrive although this one was refused
        failed(work, "write", name, error, not_written=version, token=rotation.token_id)


def read_back(work: Work, action: Action) -> None:
    """Read a target over a new connection and verify the value that was read. Nothing changes outside."""
    rotation, name = work.view.opened, action.target
    target = work.bound.targets.get(name)
    if target is None:
        failed(work, "read_back", name, unconfigured(work, f"reading {name} back"))
        return
    try:
        reading = target.read()
        if name in work.bound.markers:
            _read_marker_back(work, rotation, name, reading)
            return
        fingerprint, _ = holder(work, target, reading)
        wanted, _ = publication(work, name, rotation.fingerprint, reading)
        work.forget(Look(Sight.STANDS, name))
        if fingerprint != rotation.fingerprint or reading.values != wanted:
            work.record(Unwritten(**_of(rotation, name)))
            return
        proves = provable(work.source, target)
        value = reading.values[value_key(work.source, target)] if proves else opened(work, fingerprint)
        at = work.now
        if value is not None and proven(work, value, rotation.token_id):
            work.record(ReadBack(**_of(rotation, name), outage=_outage(work, name)))
            if rotation.strategy is not Strategy.ROLL:  # a roll's value is looked at again after the settle time
                lives(work, at, fingerprint)
        else:
            failed(
                work,
                "read_back",
                name,
                Unavailable(
                    f"verifying the value read back from {name}: the provider refused it",
                    "it is tried again by itself; if that does not end, look at the provider's status",
                ),
            )
    except CERTAIN as error:
        failed(work, "read_back", name, error)


def _marker(work: Work, name: str, before: Reading) -> str:
    """Return what a write-only target shows after our write; without that nobody knows what stands there."""
    try:
        if marker := shows(work, name, before):
            return marker
        why = f"writing {name}: what it shows did not change, so nobody knows whether the value arrived"
        do = "it is written again by itself; if that does not end, look whether the place takes writes at all"
    except CERTAIN as error:
        why, do = f"writing {name}: {error.message}", error.remedy
    raise OutcomeUnknown(why, do)


def _read_marker_back(work: Work, rotation: Rotation, name: str, reading: Reading) -> None:
    """A marker that outlived everything that could still arrive says that our write was the last one."""
    work.forget(Look(Sight.STANDS, name))
    fingerprint, _ = marked(work, name, reading)
    if fingerprint != rotation.fingerprint:
        work.record(Unwritten(**_of(rotation, name)))
    elif not stands_settled(work, name, reading):
        failed(work, "read_back", name, Unavailable(f"reading {name} back: it was written a moment ago"))
    else:
        work.record(ReadBack(**_of(rotation, name), marker=reading.marker, outage=_outage(work, name)))


def _outage(work: Work, target: str) -> float:
    """Seconds, by the provider's clock, since a roll ended what stood at a target; 0 where none did."""
    since = work.view.at(target).dead_since
    return 0.0 if since is None else max(0.0, work.believed - since)


def look(work: Work, action: Action) -> None:
    """Take one look."""
    take(work, given(action.look, "what to look at"))


def _of(rotation: Rotation, target: str) -> dict[str, Any]:
    """What a fact says of the publication that is under way at a target."""
    return {
        "target": target,
        "token_id": rotation.token_id,
        "generation": rotation.generation,
        "fingerprint": rotation.fingerprint,
    }


ACTS: Final[Mapping[Act, Callable[[Work, Action], None]]] = {
    Act.PLAN: plan,
    Act.MINT: mint,
    Act.EXTEND: extend,
    Act.WRITE: write,
    Act.READ_BACK: read_back,
    Act.DISABLE: disable,
    Act.DELETE: delete,
    Act.UPDATE: update,
    Act.KEEP: keep,
    Act.RECORD: record,
    Act.LOOK: look,
    Act.HOOK: hook,
}


def perform(work: Work, action: Action) -> None:
    """Do one act.

    Raises:
        Fenced: the lease was lost; nothing more may be done in this pass.
        IllegalFact: somebody else was faster; decide anew.
        JournalUnsafe: nothing is known to be durable from here on.
        RateLimited: the provider asks to wait (looks and acts turn it into facts where they can).
    """
    ACTS[action.act](work, action)
