"""Facts into a view: what each kind of fact changes. Total, deterministic; it judges nothing (`steps.legal` does)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from rotator.core.facts import Draft, Fact, Kind
from rotator.core.protocol import (
    drift_facts,
    marker_facts,
    outside_facts,
    pair_facts,
    retirement_facts,
    revoke_facts,
    rotation_facts,
)
from rotator.core.protocol.view import View

K = Kind
Folder = Callable[[View, Any, Draft], View]
"""(view, what the fact tells, its envelope) -> the view after it."""


FOLDERS: Final[Mapping[Kind, Folder]] = {
    K.PLANNED: rotation_facts.planned,
    K.INTENT: rotation_facts.intent,
    K.CAPTURED: rotation_facts.captured,
    K.ABANDONED: rotation_facts.abandoned,
    K.VERIFIED: rotation_facts.verified,
    K.PUBLISHING: rotation_facts.publishing,
    K.CONFIRMED: rotation_facts.confirmed,
    K.DONE: rotation_facts.done,
    K.DISPLACED: rotation_facts.displaced,
    K.EXTENDED: rotation_facts.extended,
    K.FAILED: rotation_facts.failure,
    K.PUBLISH_INTENT: rotation_facts.publish_intent,
    K.WRITTEN: rotation_facts.written,
    K.READ_BACK: rotation_facts.read_back,
    K.UNWRITTEN: rotation_facts.unwritten,
    K.RETIREMENT: retirement_facts.retirement,
    K.SUPERSEDED: retirement_facts.retirement_step,
    K.CONDEMNED: retirement_facts.retirement_step,
    K.DISABLED: retirement_facts.retirement_step,
    K.DELETED: retirement_facts.retirement_step,
    K.RETIRED: retirement_facts.retired,
    K.REVOKED: revoke_facts.revoked,
    K.BASELINE: outside_facts.baseline,
    K.SEEN: outside_facts.sighted,
    K.KNOWN: outside_facts.known,
    K.ADOPTED: outside_facts.adopted,
    K.OVERRIDDEN: outside_facts.overridden,
    K.OVERRIDE_ENDED: outside_facts.override_ended,
    K.TARGET_RELEASED: outside_facts.released,
    K.TARGET_ADDED: outside_facts.added,
    K.HELD: outside_facts.held,
    K.HOOKED: outside_facts.hooked,
    K.AHEAD: outside_facts.ahead,
    K.COMPARED: drift_facts.compared,
    K.UPDATING: drift_facts.updating,
    K.UPDATED: drift_facts.updated,
    K.KEPT: drift_facts.kept,
    K.FORGOTTEN: outside_facts.forgotten,
    K.CONFIGURED: outside_facts.configured,
    K.REQUEST: outside_facts.request,
    K.PAUSED: outside_facts.paused,
    K.RESUMED: outside_facts.resumed,
    K.RESOLVED: outside_facts.resolved,
    K.UNKNOWN: outside_facts.unknown,
    K.ACK: marker_facts.acknowledged,
    K.MEMBER: pair_facts.member,
    K.EXTENDING: pair_facts.extending,
    K.PROLONGED: pair_facts.prolonged,
    K.ROLLING: pair_facts.rolling,
    K.PLACED: pair_facts.placed,
    K.UNKEPT: pair_facts.unkept,
}


def fold(view: View, fact: Draft) -> View:
    """Return the view after one more fact, which must have been legal.

    A `Fact` also moves `position`; a bare `Draft` leaves it, so that a rule can be asked about a future.
    """
    after = FOLDERS[fact.what.kind](view, fact.what, fact)
    if not isinstance(fact, Fact):
        return after
    if after is view:
        return replace(view, position=fact.position)
    object.__setattr__(after, "position", fact.position)  # made just now, and nobody else has it: no second copy
    return after
