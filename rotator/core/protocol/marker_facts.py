"""What facts about write-only targets change in a view. A marker tells that something was written, never what."""

from __future__ import annotations

from dataclasses import replace

from rotator.core.facts import Acknowledged, Draft, ReadBack, Written
from rotator.core.ids import TokenId
from rotator.core.protocol import amend
from rotator.core.protocol.view import Mark, View


def intended(view: View, target: str, token_id: TokenId, at: float) -> View:
    """A write is about to be sent; nobody can tell for a while whether it arrives."""
    found = view.at(target)
    still = {token: when for token, when in found.intents_at.items() if token in found.open_writes}
    return amend.with_target(view, target, intents_at=amend.plus(still, token_id, at))


def wrote(view: View, fact: Written, of: Draft) -> View:
    """A target showed this right after a write of ours."""
    if not fact.marker:
        return view
    mark = Mark(marker=fact.marker, token_id=fact.token_id, fingerprint=fact.fingerprint, at=of.at)
    return amend.with_target(view, fact.target, mark=mark)


def stood(view: View, fact: ReadBack) -> View:
    """It showed the same when no request of ours could arrive any more: whatever was under way came before it."""
    mark = view.at(fact.target).mark
    if mark is None or not fact.marker or mark.marker != fact.marker:
        return view
    return amend.with_target(view, fact.target, mark=replace(mark, stood=True), open_writes={})


def acknowledged(view: View, fact: Acknowledged, of: Draft) -> View:
    """A consumer said which generation it uses; an older word never takes a newer one back."""
    return amend.with_target(view, fact.target, ack=max(fact.generation, view.at(fact.target).ack or 0))
