"""Which fact may follow which. All legality lives in this file; nothing here knows a provider or how a step is done.

`legal` runs inside the inserting transaction, on the fold of everything that is durable, so that of two processes that
decided the same thing only one gets its fact in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from rotator.core.credential import Strategy
from rotator.core.facts import (
    Abandoned,
    Acknowledged,
    Adopted,
    Deleted,
    Draft,
    Intent,
    Kind,
    OfPublication,
    OfRotation,
    OfToken,
    RetirementOpened,
    What,
)
from rotator.core.ids import NO_TOKEN
from rotator.core.protocol.pair_steps import PAIR_GUARDS
from rotator.core.protocol.view import AttemptState, View

K = Kind

NEXT: Final[Mapping[Strategy, Mapping[Kind, frozenset[Kind]]]] = {
    Strategy.RECREATE: {
        K.PLANNED: frozenset({K.INTENT, K.DISPLACED}),
        K.INTENT: frozenset({K.CAPTURED, K.ABANDONED}),
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
"""fact -> the step of a retirement that it must find (a CONDEMNED or REVOKED token goes on like a SUPERSEDED one)."""

Guard = Callable[[View, Any, Draft], str]
"""(view, what the fact would tell, its envelope) -> why it must be refused, or an empty string."""

Guards = Mapping[Kind, tuple[Guard, ...]]


def step_of_rotation(view: View, fact: What, of: Draft) -> str:
    """The open rotation is the one meant, and its step allows the fact."""
    rotation = view.rotation
    if rotation is None or rotation.rid != of.rid:
        return f"rotation {of.rid or '?'} is not open"
    allowed = NEXT[rotation.strategy].get(rotation.step, frozenset())
    return "" if fact.kind in allowed else f"{fact.kind} may not follow {rotation.step} in a {rotation.strategy}"


def no_open_rotation(view: View, fact: What, of: Draft) -> str:
    """At most one open rotation of a credential."""
    return f"rotation {view.rotation.rid} is open already" if view.rotation else ""


def of_this_publication(view: View, fact: OfPublication, of: Draft) -> str:
    """The fact belongs to the publication that is under way."""
    rotation = view.rotation
    if rotation is None or rotation.rid != of.rid or rotation.step is not K.PUBLISHING:
        return "no publication of this rotation is under way"
    return "" if rotation.generation == fact.generation else f"generation {fact.generation} is not under way"


def fresh_name(view: View, fact: Intent, of: Draft) -> str:
    """An attempt name is used once."""
    return f"attempt {fact.token_name} was used before" if fact.token_name in view.attempts else ""


def not_captured(view: View, fact: Abandoned, of: Draft) -> str:
    """An attempt is given up while nothing of it was captured, or when its token was turned down unpublished."""
    state = view.attempts.get(fact.token_name)
    if fact.rejected:
        rotation = view.rotation
        mine = state is AttemptState.CAPTURED and rotation is not None and rotation.token_id == fact.token_id
        return (
            ""
            if mine and not view.ever_published(fact.token_id)
            else "only a captured token that was never published can be turned down"
        )
    return "" if state is AttemptState.INTENT else f"attempt {fact.token_name} is {state or 'unknown'}"


def not_marked(view: View, fact: OfRotation | OfPublication | OfToken, of: Draft) -> str:
    """No transition publishes a token that was superseded or condemned."""
    rotation = view.rotation
    token = fact.token_id or (rotation.token_id if rotation else NO_TOKEN)
    return f"token {token} is {view.marked[token]}" if token in view.marked else ""


def unowned(view: View, fact: RetirementOpened, of: Draft) -> str:
    """A retirement opens only for a token that no rotation, no retirement and not the credential itself owns."""
    token, rotation = fact.token_id, view.rotation
    if token in view.marked or token in view.retirements:
        return f"token {token} is being retired already"
    if token == view.current or (rotation and token == rotation.token_id):
        return f"token {token} is in use"
    if (
        rotation
        and fact.token_name == rotation.attempt_name
        and view.attempts.get(fact.token_name) is AttemptState.INTENT
    ):
        return f"token {token} may be the open attempt's"
    return ""


def retirement_step(view: View, fact: OfToken, of: Draft) -> str:
    """The retirement stands at the step before."""
    found = view.retirements.get(fact.token_id)
    expected = RETIREMENT_NEXT[fact.kind]
    if found is None:
        return f"no retirement of token {fact.token_id} is open"
    step = K.SUPERSEDED if found.step in (K.CONDEMNED, K.REVOKED) else found.step
    if isinstance(fact, Deleted) and fact.undisabled:
        expected = K.SUPERSEDED
    return "" if step is expected else f"{fact.kind} may not follow {found.step}"


def not_in_use(view: View, fact: OfToken, of: Draft) -> str:
    """Neither the current token nor the one under way is ever marked for destruction."""
    rotation = view.rotation
    used = fact.token_id == view.current or (rotation is not None and fact.token_id == rotation.token_id)
    return f"token {fact.token_id} is in use" if used else ""


def never_published(view: View, fact: OfToken, of: Draft) -> str:
    """Condemned is only for an attempt that the journal knows, born after any restore point, never published."""
    token = view.tokens.get(fact.token_id)
    if view.ever_published(fact.token_id):
        return f"token {fact.token_id} was published"
    if token is None or token.attempt_name not in view.attempts:
        return f"token {fact.token_id} is of no attempt that this journal knows"
    return "" if token.born > view.ahead_at else f"token {fact.token_id} is older than the restore of this journal"


def adoptable(view: View, fact: Adopted, of: Draft) -> str:
    """A value found at a target is adopted unless its token is marked, or it is one that we published ourselves."""
    if fact.token_id in view.marked:
        return f"token {fact.token_id} is {view.marked[fact.token_id]}"
    known = fact.fingerprint in view.values and view.ever_published(fact.token_id)
    return "the value is known already" if known else ""


def nothing_open(view: View, fact: What, of: Draft) -> str:
    """Only a credential is forgotten of which no rotation and no retirement is open."""
    return "a rotation is open" if view.rotation else "a retirement is open" if view.retirements else ""


def current_and_idle(view: View, fact: OfToken, of: Draft) -> str:
    """Only the current token is changed in place, and never while a rotation works with it."""
    if fact.token_id != view.current:
        return f"token {fact.token_id} is not the current one"
    return f"rotation {view.rotation.rid} is open" if view.rotation else ""


def published_generation(view: View, fact: Acknowledged, of: Draft) -> str:
    """A consumer can only use what was published."""
    return "" if 1 <= fact.generation <= view.generation else f"generation {fact.generation} was never published"


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
    K.UPDATING: (current_and_idle, not_marked),
    K.FORGOTTEN: (nothing_open,),
    K.ACK: (published_generation,),
}
"""Kinds that are absent are legal at any time; those of a pair stand in `pair_steps.PAIR_GUARDS`."""


def legal(view: View, draft: Draft, guards: Guards = GUARDS) -> str:
    """Return why the fact must be refused after what is folded in `view`, or an empty string.

    A capture is always legal: it may be the only copy of a value.
    """
    if view.newer and draft.kind is not K.CAPTURED:
        return f"a newer version of rotator wrote `{view.newer}` there, which this one does not know"
    asked = guards.get(draft.kind) or PAIR_GUARDS.get(draft.kind, ())
    return next((why for guard in asked if (why := guard(view, draft.what, draft))), "")
