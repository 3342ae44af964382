"""The act that needs no effect: one fact is journaled, and said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from rotator.core.events import Event
from rotator.core.facts import (
    Abandoned,
    Confirmed,
    Kind,
    OfRotation,
    OfTarget,
    OfToken,
    Retired,
    Revoked,
    TargetReleased,
    What,
)
from rotator.core.plain import Json
from rotator.core.protocol.rules import Action, given
from rotator.core.protocol.view import Rotation
from rotator.engine.whose import named_for_adoption
from rotator.engine.work import Work

SAID: Final[Mapping[Kind, Event]] = {
    Kind.ABANDONED: Event.ROTATION_ABANDONED,
    Kind.VERIFIED: Event.ROTATION_VERIFIED,
    Kind.DISPLACED: Event.ROTATION_DISPLACED,
    Kind.SUPERSEDED: Event.TOKEN_SUPERSEDED,
    Kind.CONDEMNED: Event.TOKEN_CONDEMNED,
    Kind.TARGET_RELEASED: Event.TARGET_RELEASED,
}


def record(work: Work, action: Action) -> None:
    """Journal one fact that needs no effect."""
    fact, before, rotation = _completed(work, given(action.fact, "the fact to record")), work.view, work.view.rotation
    if isinstance(fact, Retired):  # first: after the fact nobody would come back for a key that a crash left
        work.journal.destroy(work.stream, fact.token_id)
    work.record(fact)
    said: dict[str, object] = {}
    if rotation and isinstance(fact, OfRotation):  # the fact may have closed it
        said = {"rotation": rotation.rid, "step": fact.kind.value, "attempt": rotation.attempt}
    if isinstance(fact, Confirmed) and rotation:
        work.say(
            Event.ROTATION_CONFIRMED,
            **said,
            strategy=rotation.strategy.value,
            generation=rotation.generation,
            duration=round(work.now - rotation.started, 3),
            left=", ".join(sorted(rotation.terms.targets & before.heeded.keys())) or None,
        )
    elif isinstance(fact, Revoked):  # of the daemon's own accord: the provider said so
        for leaked in fact.tokens:
            work.say(Event.TOKEN_EXPOSED, token=leaked, reason=fact.reason)
    elif fact.kind in SAID:
        token = fact.token_id if isinstance(fact, OfToken) else None
        target = fact.target if isinstance(fact, OfTarget) else None
        work.say(SAID[fact.kind], **said, token=token, target=target, reason=getattr(fact, "why", None))


def _completed(work: Work, fact: What) -> What:
    """The fact with what only this process or the journaled stanza knows."""
    if isinstance(fact, Confirmed):
        return replace(fact, adopt=named_for_adoption(work))
    if isinstance(fact, Abandoned) and not fact.rejected and work.view.rotation:
        return replace(fact, why=unanswered(work, work.view.rotation) or fact.why)
    if isinstance(fact, TargetReleased):
        of = fact.of or fact.target
        place = _spec(work, "places", of)
        return replace(fact, stanza=_spec(work, "targets", of), place=place if isinstance(place, str) else "")
    return fact


def unanswered(work: Work, rotation: Rotation) -> str:
    """Why the outcome of the open attempt is not known, as this process saw it: no answer, or one like HTTP 500."""
    name, why = work.memory.unknown
    return why if name and name == rotation.attempt_name else ""


def _spec(work: Work, what: str, name: str) -> Json:
    """What the journaled stanza says of a target, None where it says nothing."""
    found = work.view.spec.get(what)
    return found.get(name) if isinstance(found, dict) else None
