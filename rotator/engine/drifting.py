"""A living token beside what was asked for: looked at by listing, put right in place, or taken as it is.

A list may lag or leave out: what it says is news only when one GET says it, too. Nothing here changes a value.
"""

from __future__ import annotations

from dataclasses import replace

from rotator.core.credential import NEVER
from rotator.core.drift import MENDED, RIGHTS, Difference, Part
from rotator.core.errors import OutcomeUnknown
from rotator.core.events import Event
from rotator.core.facts import Compared, Failed, Kept, Updated, Updating
from rotator.core.ids import NO_ROTATION, TokenId
from rotator.core.instants import rfc3339
from rotator.core.ports.source import TokenState
from rotator.core.protocol.rules import TICK, Action, Look, Result, Seen, Sight
from rotator.core.protocol.view import View
from rotator.engine.failing import CERTAIN, why_of
from rotator.engine.unsure import NO_ANSWER, unsure
from rotator.engine.work import Work

GONE = "gone"
"""The status of a token that the provider does not know."""

SELDOM = 12
"""Watch intervals between two GETs of a token whose list does not show what it may do."""


def drift(work: Work, of: str) -> Seen:
    """How does a living token differ from what was asked for? Journaled whenever that changes.

    The look counts from when the list was made, so that every change is seen within one watch interval.
    """
    at, view, token_id = work.now, work.view, TokenId(of)
    try:
        if view.rotation is not None or work.source_of(token_id) is not work.source:
            return Seen(at, Result.GOOD)  # our own acts change it, or it is about to be replaced by another owner's
        state, age = _listed(work, token_id)
        if state is None and _seldom(work, token_id):
            return replace(work.memory.seen[Look(Sight.DRIFT, of)], at=at)
        asked = state is None
        state = state or _asked(work, token_id)
        found = differences_of(work.view, state)
        if not _news(work, state, found):
            # a list that took longer than a watch to make would be made again at once, without end
            return _seen(work, at if asked else at - min(age, work.tuning.watch / 2), state, found)
        if not asked:
            state = _asked(work, token_id)
            found = differences_of(work.view, state)
        if _news(work, state, found):
            _journal(work, state, found)
        return _seen(work, at, state, found)
    except NO_ANSWER as error:
        return unsure(work, at, error)


def _listed(work: Work, token_id: TokenId) -> tuple[TokenState | None, float]:
    """The token in a list that is new enough and shows what it may do, and how old that list is in seconds."""
    if not work.source.can.list:
        return None, 0.0
    rows = work.fleet.tokens(work.credential, work.source, work.tuning.watch / 2)
    age = work.fleet.listed(work.credential)
    state = next((one for one in rows if one.id == token_id), None)
    changed = max(work.view.updated.get(token_id, -NEVER), work.view.updating.get(token_id, -NEVER))
    if state is None or work.now - age <= changed + TICK:
        return None, 0.0  # made before our own change
    compared = work.source.compared(state)
    return (compared if compared.compared else None), age


def _seldom(work: Work, token_id: TokenId) -> bool:
    """Whether the token was asked for a while ago only, and nothing of ours changed since."""
    seen = work.memory.seen.get(Look(Sight.DRIFT, token_id))
    asked = work.memory.compared.get(token_id)
    if seen is None or asked is None or work.source.can.list:
        return False
    return work.now - asked < SELDOM * work.tuning.watch


def _asked(work: Work, token_id: TokenId) -> TokenState:
    """GET; a token that is not there has the status `gone`."""
    state = work.source.get(token_id)
    work.memory.compared[token_id] = work.now
    if state is not None:
        return state
    known = work.view.tokens.get(token_id)
    return TokenState(
        id=token_id,
        name=known.name if known else "",
        status=GONE,
        issued_at=known.born if known else 0.0,
        modified_at=0.0,
        expires_at=known.expires_at if known else NEVER,
        final=True,
    )


def differences_of(view: View, state: TokenState) -> tuple[Difference, ...]:
    """Return in what a token differs from what was asked for, and from what was last known of it."""
    found = list(state.differences)
    if state.compared and not state.equal and not found:
        found.append(Difference(part=Part.POLICIES, message=state.differs or "it may do something else", widens=True))
    token = view.tokens.get(state.id)
    if token is not None and token.name and state.name != token.name:
        found.append(Difference(part=Part.NAME, message=f"its name is {state.name!r}"))
    ends = _ends(view, state.id)
    if token is not None and not _same(ends, state.expires_at):
        found.append(
            Difference(part=Part.EXPIRY, message=f"its end was moved to {rfc3339(state.expires_at) or 'never'}")
        )
    if not state.active:
        found.append(Difference(part=Part.STATUS, message=f"the provider says that it is {state.status}"))
    return tuple(found)


def _ends(view: View, token_id: TokenId) -> float:
    """The end that the token had before anybody moved it."""
    before = view.drift.get(token_id)
    return before.ends if before and Part.EXPIRY in before.parts else view.expires_at(token_id)


def _same(one: float, other: float) -> bool:
    return one == other or abs(one - other) < 1


def _news(work: Work, state: TokenState, found: tuple[Difference, ...]) -> bool:
    """Whether the journal does not say this yet."""
    view, digest = work.view, work.credential.digest
    token, before = view.tokens.get(state.id), view.drift.get(state.id)
    if (
        token is None
        or found != (before.differences if before else ())
        or not _same(token.expires_at, state.expires_at)
    ):
        return True
    rights = {one.part for one in found} & RIGHTS
    return (before.digest if rights and before else token.digest) != digest


def _journal(work: Work, state: TokenState, found: tuple[Difference, ...]) -> None:
    before = work.view.drift.get(state.id)
    work.record(
        Compared(
            token_id=state.id,
            token_name=state.name,
            born=state.issued_at,
            expires_at=state.expires_at,
            status=state.status,
            digest=work.credential.digest,
            differences=found,
        ),
        rid=NO_ROTATION,
    )
    if found:
        said = "; ".join(one.message for one in found)
        work.say(Event.TOKEN_DRIFTED, token=state.id, reason=said)
    elif before is not None:
        work.say(Event.TOKEN_MENDED, token=state.id)


def _seen(work: Work, at: float, state: TokenState, found: tuple[Difference, ...]) -> Seen:
    """What is right again after a change whose answer was lost is settled: it cannot arrive any more."""
    sent = work.view.updating.get(state.id)
    settled = sent is not None and work.now >= sent + work.credential.policy.settle + TICK
    if settled and not {one.part for one in found} & MENDED:
        work.record(Updated(token_id=state.id), rid=NO_ROTATION)
    return Seen(at, Result.BAD if found else Result.GOOD)


def update(work: Work, action: Action) -> None:
    """Make the current token what is asked for, in place. A crash leaves it as it was or as it is to be.

    Its value, its end and its status are none of what is sent, so what is published lives on in every case.
    """
    token_id = action.token_id
    known = work.view.tokens.get(token_id)
    work.record(Updating(token_id=token_id, digest=work.credential.digest), rid=NO_ROTATION)
    work.forget(Look(Sight.DRIFT, token_id))
    work.runtime.crash("before_update_send")
    try:
        name = known.name if known and known.name else _asked(work, token_id).name
        work.source.update(token_id, name)
    except CERTAIN as error:
        work.record(_refused(token_id, why_of("update", error)), rid=NO_ROTATION)
        work.say(Event.PROVIDER_UNAVAILABLE, act="update", reason=error.message, remedy=error.remedy or None)
        return
    except OutcomeUnknown as error:
        work.say(Event.OUTCOME_UNKNOWN, act="update", reason=error.message)
        return
    work.runtime.crash("after_update_send")
    work.record(Updated(token_id=token_id), rid=NO_ROTATION)
    work.say(Event.TOKEN_UPDATED, token=token_id)


def _refused(token_id: TokenId, why: Failed) -> Failed:
    return Failed(act=why.act, why=why.why, remedy=why.remedy, code=why.code, token_id=token_id)


def keep(work: Work, action: Action) -> None:
    """Take what somebody made of the current token as right. A crash leaves it to the next pass."""
    try:
        state = work.source.get(action.token_id)
    except CERTAIN as error:
        work.record(_refused(action.token_id, why_of("update", error)), rid=NO_ROTATION)
        return
    if state is None:
        work.forget(Look(Sight.DRIFT, action.token_id))
        return
    kept = Kept(token_id=state.id, token_name=state.name, digest=work.credential.digest, like=work.source.like(state))
    work.record(kept, rid=NO_ROTATION)
    work.forget(Look(Sight.DRIFT, action.token_id))
    work.bound = work.fleet.bound(work.stream, work.view) or work.bound  # from now on tokens are compared with it
