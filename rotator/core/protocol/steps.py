"""Which fact may follow which. All legality lives in this file; nothing here knows a provider or how a step is done.

`legal` runs inside the inserting transaction, on the fold of everything that is durable, so that of two processes that
decided the same thing only one gets its fact in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from rotator.core.credential import Strategy
from rotator.core.facts import Draft, Kind
from rotator.core.protocol.view import View

K = Kind

NEXT: Final[Mapping[Strategy, Mapping[Kind, frozenset[Kind]]]] = {
    Strategy.RECREATE: {
        K.PLANNED: frozenset({K.INTENT, K.DISPLACED}),
        K.INTENT: frozenset({K.CAPTURED, K.ABANDONED, K.DISPLACED}),
        K.ABANDONED: frozenset({K.INTENT, K.DISPLACED}),
        K.CAPTURED: frozenset({K.VERIFIED, K.ABANDONED, K.DISPLACED}),
        K.VERIFIED: frozenset({K.PUBLISHING, K.DISPLACED}),
        K.PUBLISHING: frozenset({K.CONFIRMED, K.DISPLACED}),
    },
    Strategy.ROLL: {
        K.PLANNED: frozenset({K.EXTENDED, K.INTENT, K.DISPLACED}),
        K.INTENT: frozenset({K.CAPTURED, K.VERIFIED, K.INTENT, K.DISPLACED}),
        K.CAPTURED: frozenset({K.VERIFIED, K.DISPLACED}),
        K.VERIFIED: frozenset({K.PUBLISHING, K.DISPLACED}),
        K.PUBLISHING: frozenset({K.CONFIRMED, K.INTENT, K.DISPLACED}),
        K.CONFIRMED: frozenset({K.INTENT, K.DONE, K.DISPLACED}),
    },
    Strategy.REPUBLISH: {
        K.PLANNED: frozenset({K.VERIFIED, K.DISPLACED}),
        K.VERIFIED: frozenset({K.PUBLISHING, K.DISPLACED}),
        K.PUBLISHING: frozenset({K.CONFIRMED, K.DISPLACED}),
    },
}
"""strategy -> step -> facts that may move it. An absent step ends it. A late capture is legal in every step."""

RETIREMENT_NEXT: Final[Mapping[Kind, Kind]] = {
    K.SUPERSEDED: K.RETIREMENT,
    K.CONDEMNED: K.RETIREMENT,
    K.DISABLED: K.SUPERSEDED,
    K.DELETED: K.DISABLED,  # of a source that cannot disable: SUPERSEDED
    K.RETIRED: K.DELETED,
}
"""fact -> the step of a retirement that it must find (a CONDEMNED token goes on like a SUPERSEDED one)."""

Guard = Callable[[View, Draft], str]
Guards = Mapping[Kind, tuple[Guard, ...]]


def step_of_rotation(view: View, draft: Draft) -> str:
    """The open rotation is the one meant, and its step allows the fact."""
    rotation = view.rotation
    if rotation is None or rotation.rid != draft.rid:
        return f"rotation {draft.rid or '?'} is not open"
    allowed = NEXT[rotation.strategy].get(rotation.step, frozenset())
    return "" if draft.kind in allowed else f"{draft.kind} may not follow {rotation.step} in a {rotation.strategy}"


def no_open_rotation(view: View, draft: Draft) -> str:
    """At most one open rotation of a credential."""
    return f"rotation {view.rotation.rid} is open already" if view.rotation else ""


def of_this_publication(view: View, draft: Draft) -> str:
    """The fact belongs to the publication that is under way."""
    rotation = view.rotation
    if rotation is None or rotation.rid != draft.rid or rotation.step is not K.PUBLISHING:
        return "no publication of this rotation is under way"
    return "" if rotation.generation == draft.generation else f"generation {draft.generation} is not under way"


def fresh_name(view: View, draft: Draft) -> str:
    """An attempt name is used once."""
    return f"attempt {draft.token_name} was used before" if draft.token_name in view.attempts else ""


def not_captured(view: View, draft: Draft) -> str:
    """An attempt is given up while nothing of it was captured, or when its token was turned down unpublished."""
    state = view.attempts.get(draft.token_name)
    if draft.detail.get("rejected"):
        rotation = view.rotation
        mine = state == "captured" and rotation is not None and rotation.token_id == draft.token_id
        return (
            ""
            if mine and not view.ever_published(draft.token_id)
            else "only a captured token that was never published can be turned down"
        )
    return "" if state == "intent" else f"attempt {draft.token_name} is {state or 'unknown'}"


def not_marked(view: View, draft: Draft) -> str:
    """No transition publishes a token that was superseded or condemned."""
    rotation = view.rotation
    token = draft.token_id or (rotation.token_id if rotation else "")
    return f"token {token} is {view.marked[token]}" if token in view.marked else ""


def unowned(view: View, draft: Draft) -> str:
    """A retirement opens only for a token that no rotation, no retirement and not the credential itself owns."""
    token, rotation = draft.token_id, view.rotation
    if token in view.marked or token in view.retirements:
        return f"token {token} is being retired already"
    if token == view.current or (rotation and token == rotation.token_id):
        return f"token {token} is in use"
    if rotation and draft.token_name == rotation.attempt_name and view.attempts.get(draft.token_name) == "intent":
        return f"token {token} may be the open attempt's"
    return ""


def retirement_step(view: View, draft: Draft) -> str:
    """The retirement stands at the step before."""
    found = view.retirements.get(draft.token_id)
    expected = RETIREMENT_NEXT[draft.kind]
    if found is None:
        return f"no retirement of token {draft.token_id} is open"
    step = K.SUPERSEDED if found.step is K.CONDEMNED else found.step
    if draft.kind is K.DELETED and draft.detail.get("undisabled"):
        expected = K.SUPERSEDED
    return "" if step is expected else f"{draft.kind} may not follow {found.step}"


def not_in_use(view: View, draft: Draft) -> str:
    """Neither the current token nor the one under way is ever marked for destruction."""
    rotation = view.rotation
    used = draft.token_id == view.current or (rotation is not None and draft.token_id == rotation.token_id)
    return f"token {draft.token_id} is in use" if used else ""


def never_published(view: View, draft: Draft) -> str:
    """Condemned is only for an attempt that the journal knows, born after any restore point, never published."""
    token = view.tokens.get(draft.token_id)
    if view.ever_published(draft.token_id):
        return f"token {draft.token_id} was published"
    if token is None or token.attempt_name not in view.attempts:
        return f"token {draft.token_id} is of no attempt that this journal knows"
    return "" if token.born > view.ahead_at else f"token {draft.token_id} is older than the restore of this journal"


def adoptable(view: View, draft: Draft) -> str:
    """A value found at a target is adopted unless its token is marked, or it is one that we published ourselves."""
    if draft.token_id in view.marked:
        return f"token {draft.token_id} is {view.marked[draft.token_id]}"
    known = draft.fingerprint in view.values and view.ever_published(draft.token_id)
    return "the value is known already" if known else ""


GUARDS: Final[Guards] = {
    K.PLANNED: (no_open_rotation,),
    K.INTENT: (step_of_rotation, fresh_name),
    K.CAPTURED: (),
    K.ABANDONED: (step_of_rotation, not_captured),
    K.VERIFIED: (step_of_rotation, not_marked),
    K.PUBLISHING: (step_of_rotation, not_marked),
    K.CONFIRMED: (step_of_rotation,),
    K.DONE: (step_of_rotation,),
    K.DISPLACED: (step_of_rotation,),
    K.EXTENDED: (step_of_rotation,),
    K.PUBLISH_INTENT: (of_this_publication, not_marked),
    K.WRITTEN: (of_this_publication,),
    K.READ_BACK: (of_this_publication,),
    K.UNWRITTEN: (of_this_publication,),
    K.RETIREMENT: (unowned,),
    K.SUPERSEDED: (retirement_step, not_in_use),
    K.CONDEMNED: (retirement_step, not_in_use, never_published),
    K.DISABLED: (retirement_step,),
    K.DELETED: (retirement_step,),
    K.RETIRED: (retirement_step,),
    K.ADOPTED: (adoptable,),
}
"""Kinds that are absent are legal at any time."""


def legal(view: View, draft: Draft, guards: Guards = GUARDS) -> str:
    """Return why the fact must be refused after what is folded in `view`, or an empty string."""
    return next((why for guard in guards.get(draft.kind, ()) if (why := guard(view, draft))), "")
