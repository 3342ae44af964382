"""What facts about a living token change in a view: how it was seen to differ, and that it was put right in place."""

from __future__ import annotations

from dataclasses import replace

from rotator.core.drift import MENDED, RIGHTS, Drift, Part
from rotator.core.facts import Compared, Draft, Failed, Kept, Updated, Updating
from rotator.core.protocol import folding
from rotator.core.protocol.view import Failure, View


def compared(view: View, fact: Compared, of: Draft) -> View:
    """A token was seen to differ, or to differ no more. Its end is what the provider says that it is."""
    known = view.tokens.get(fact.token_id)
    token = known or folding.tokens_with(view, fact, adopted=True)[fact.token_id]
    before = view.drift.get(fact.token_id)
    parts = {one.part for one in fact.differences}
    ends = before.ends if before and Part.EXPIRY in before.parts else token.expires_at
    token = replace(token, expires_at=fact.expires_at, digest=token.digest if parts & RIGHTS else fact.digest)
    drift = Drift(differences=fact.differences, since=before.since if before else of.at, digest=fact.digest, ends=ends)
    return replace(
        view,
        tokens=folding.plus(view.tokens, fact.token_id, token),
        drift=folding.plus(view.drift, fact.token_id, drift) if parts else folding.minus(view.drift, fact.token_id),
    )


def updating(view: View, fact: Updating, of: Draft) -> View:
    """A change in place is about to be sent."""
    return replace(view, updating=folding.plus(view.updating, fact.token_id, of.at))


def updated(view: View, fact: Updated, of: Draft) -> View:
    """It was answered, or so much time passed that it cannot arrive any more and is known to be right."""
    return replace(
        view,
        updating=folding.minus(view.updating, fact.token_id),
        updated=folding.plus(view.updated, fact.token_id, of.at),
        unmended=folding.minus(view.unmended, fact.token_id),
    )


def failed(view: View, fact: Failed, of: Draft) -> View:
    """It was refused, or never sent: nothing of it is under way."""
    before = view.unmended.get(fact.token_id)
    failure = Failure((before.count if before else 0) + 1, of.at, fact.why, fact.code, fact.remedy)
    return replace(
        view,
        updating=folding.minus(view.updating, fact.token_id),
        unmended=folding.plus(view.unmended, fact.token_id, failure),
    )


def kept(view: View, fact: Kept, of: Draft) -> View:
    """What the token is, is right: its successors are made like it."""
    token, drift = view.tokens.get(fact.token_id), view.drift.get(fact.token_id)
    left = tuple(one for one in drift.differences if one.part not in MENDED) if drift else ()
    return replace(
        view,
        like=fact,
        tokens=folding.plus(view.tokens, token.id, replace(token, name=fact.token_name, digest=fact.digest))
        if token
        else view.tokens,
        drift=folding.plus(view.drift, fact.token_id, replace(drift, differences=left))
        if drift and left
        else folding.minus(view.drift, fact.token_id),
    )
