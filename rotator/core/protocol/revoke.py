"""The end of a token that leaked, and what it means for a rotation that works with it.

A revoke waits for nothing that protects consumers: its successor is published first where that goes within a minute,
then the token is disabled and deleted, whatever stands where. A target that is away is written over when it comes back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rotator.core.credential import DAY
from rotator.core.facts import Kind, Revoked
from rotator.core.ids import NO_TOKEN, RequestId, TokenId
from rotator.core.protocol.rules import TICK, Act, Case, Look, Operator, Result, Row, Sight, Verdict, Wait, do
from rotator.core.protocol.telling import record, tell
from rotator.core.protocol.view import View
from rotator.core.reasons import OperatorCode, Reason

K = Kind

PATIENCE: Final = 60.0
"""Seconds without a publication after which a leaked token is disabled before its successor stands anywhere."""

AWAY: Final = 2
"""Failures in a row after which a target is away: nobody waits for it."""


def to_revoke(view: View, adopt: TokenId = NO_TOKEN) -> tuple[TokenId, ...]:
    """Return the tokens that a revoke decided now names: every living one whose value may have stood anywhere.

    While an earlier revoke is unfinished they are those that it names: what was minted since is their cure.

    Args:
        view: the credential's facts.
        adopt: the token that its configuration takes over, for as long as it has no token of its own.
    """
    if view.revoking:
        return tuple(token for token in view.revoked if token in view.retirements or token == view.current)
    under_way = view.rotation.token_id if view.rotation else NO_TOKEN
    taken = NO_TOKEN if view.current or adopt in view.marked else adopt
    over = {token for token, found in view.retirements.items() if found.step in (K.DISABLED, K.DELETED)}
    over |= view.marked.keys() - view.retirements.keys()
    found = dict.fromkeys((view.current, under_way, *view.retirements, taken))
    known = {view.current, taken}
    return tuple(t for t in found if t and t not in over and (t in known or view.ever_published(t)))


def spread(case: Case) -> bool:
    """Whether the successor stands wherever it can: at every target but those that are away or left to somebody."""
    view, rotation = case.view, case.view.rotation
    if rotation is None or rotation.step is not K.PUBLISHING or rotation.token_id in view.revoked:
        return False
    away = {target for (_, target), failed in rotation.failures.items() if failed.count >= AWAY}
    asked = case.targets() - view.overridden.keys() - view.heeded.keys()
    if asked & away:  # nothing is read back before every required target is written
        return bool(asked - away) and asked - away <= rotation.written
    return bool(asked) and asked <= rotation.read_back | (rotation.written & case.markers)


def successor_first(case: Case) -> Verdict | None:
    """The successor is published first, while that goes on and there is room for it; for a minute at most."""
    view, token = case.view, case.retired.token_id
    word, credential, rotation = view.revoked[token], case.credential, view.rotation
    mints = credential.managed and not credential.watched and case.can.overlap and not word.bare
    refused = rotation.failures.get((Act.MINT, "")) if rotation else None
    full = refused is not None and refused.full
    if not view.uncured or not mints or full or spread(case):
        return None
    until = max(word.at, view.let_go.get(token, 0.0)) + PATIENCE + TICK
    return Wait(until, Reason.SUCCESSOR_FIRST) if case.now < until else None


def deletes_at_once(case: Case) -> Verdict | None:
    """A source that cannot disable a token."""
    return None if case.can.disable else do(Act.DELETE)(case)


REVOKE: Final[Mapping[Kind, Row]] = {
    K.REVOKED: (successor_first, deletes_at_once, do(Act.DISABLE)),
    K.DISABLED: (do(Act.DELETE),),
    K.DELETED: (record(K.RETIRED),),
}
"""The rows of the retirement of a revoked token, instead of those of `retire`."""


def exposed(case: Case) -> Verdict | None:
    """The provider ended a published token because its value was found in public: the same as a revoke of it."""
    view, rotation = case.view, case.view.rotation
    looks = [(view.current, Look(Sight.ALIVE, view.fingerprint))]
    if rotation is not None:
        looks.append((rotation.token_id, Look(Sight.ACCEPTED, rotation.token_id)))
        looks.append((rotation.token_id, Look(Sight.ALIVE, rotation.fingerprint)))
    said = [token for token, of in looks if (seen := case.seen.get(of)) and seen.result is Result.EXPOSED]
    found = tuple(dict.fromkeys(token for token in said if token and token not in view.revoked))
    if not found:
        return None
    why = "the provider says that its value was found in public"
    policy = case.credential.policy
    return tell(
        Revoked(tokens=found, request_id=RequestId(f"exposed-{found[0]}"), exposed=True, reason=why, policy=policy)
    )


def exposed_again(case: Case) -> Verdict | None:
    """Found in public twice within a day: a target itself may be the leak, so a person decides about a third value."""
    view, rotation = case.view, case.view.rotation
    asked = view.request.at if view.request else view.cleared_at
    if view.exposed_at - view.exposed_before >= DAY or max(asked, view.cleared_at) >= view.exposed_at:
        return None
    if not view.uncured or (rotation and (rotation.published or rotation.token_id in view.revoked)):
        return None
    return Operator(OperatorCode.EXPOSED_AGAIN, case.now + case.watch)
