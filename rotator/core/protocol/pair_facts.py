"""What the facts of a pair change in a view. They touch nothing of a credential, and a credential's nothing of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rotator.core.facts import Captured, Draft, Extending, Member, Placed, Prolonged, Rolling, Unkept
from rotator.core.ids import NO_VALUE, TokenId
from rotator.core.protocol import folding
from rotator.core.protocol.pair_view import MemberView, Tries
from rotator.core.protocol.view import View


def member(view: View, fact: Member, of: Draft) -> View:
    """A token stands in its place. What somebody else put there is right, and ends whatever was open about its value.

    Of two that changed places the other one takes the role that this one had; a new one drives out who had its role.
    """
    before = view.pair.get(fact.token_id)
    same = before is not None and before.fingerprint == fact.fingerprint
    found = replace(
        before or MemberView(token_id=fact.token_id, role=fact.role),
        role=fact.role,
        life=fact.life,
        expires_at=fact.expires_at,
        fingerprint=fact.fingerprint,
        fresh_at=before.fresh_at if before and same else of.at if before else fact.born,
        rolling=False,
        lost=False,
        captured=NO_VALUE,
    )
    others = {
        token: replace(known, role=before.role) if before and known.role == fact.role else known
        for token, known in view.pair.items()
        if before or known.role != fact.role
    }
    values = folding.plus(view.values, fact.fingerprint, fact.token_id) if fact.durable else view.values
    return replace(view, values=values, pair={**others, fact.token_id: found})


def extending(view: View, fact: Extending, of: Draft) -> View:
    """Its end is about to be moved."""
    return _with(view, fact.token_id, extending=fact.expires_at, sent_at=of.at)


def prolonged(view: View, fact: Prolonged, of: Draft) -> View:
    """Its end has moved."""
    return _with(
        view,
        fact.token_id,
        expires_at=fact.expires_at,
        extending=0.0,
        extended_at=of.at,
        tries=folding.minus(view.pair[fact.token_id].tries, "extend"),
    )


def rolling(view: View, fact: Rolling, of: Draft) -> View:
    """A new value is about to be asked for; one that was captured before it is given up."""
    lost = view.pair[fact.token_id].unresolved
    return _with(view, fact.token_id, rolling=True, lost=lost, attempt=fact.attempt, captured=NO_VALUE, sent_at=of.at)


def captured(view: View, fact: Captured, of: Draft) -> View:
    """A new value is durable; one of an earlier request is kept and moves nothing."""
    found = view.pair.get(fact.token_id)
    if found is None or not found.rolling or found.attempt != fact.attempt:
        return view
    tries = folding.minus(found.tries, "mint")
    return _with(
        view,
        fact.token_id,
        rolling=False,
        lost=False,
        captured=fact.fingerprint,
        captured_at=of.at,
        rolled_at=of.at,
        tries=tries,
    )


def placed(view: View, fact: Placed, of: Draft) -> View:
    """The new value stands in its place and lives."""
    found = view.pair[fact.token_id]
    return _with(
        view,
        fact.token_id,
        fingerprint=fact.fingerprint,
        fresh_at=found.captured_at,
        captured=NO_VALUE,
        tries=folding.minus(found.tries, "write"),
    )


def unkept(view: View, fact: Unkept, of: Draft) -> View:
    """A refusal, which is tried again later.

    A new value that was refused is asked for no longer, unless an earlier answer was lost: then the old value may be
    dead, and only another new one helps.
    """
    found = view.pair.get(fact.token_id)
    if found is None:
        return view
    before = found.tries.get(fact.act)
    tries = Tries((before.count if before else 0) + 1, of.at, fact.why, fact.remedy)
    rolling_on = found.rolling and (found.lost or fact.act != "mint")
    return _with(view, fact.token_id, rolling=rolling_on, tries=folding.plus(found.tries, fact.act, tries))


def _with(view: View, token_id: TokenId, **changes: Any) -> View:
    """The view with something else that is known of a member."""
    return replace(view, pair=folding.plus(view.pair, token_id, replace(view.pair[token_id], **changes)))
