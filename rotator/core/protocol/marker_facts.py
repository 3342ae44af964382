"""What facts about write-only targets change in a view. A marker tells that something was written, never what."""

from __future__ import annotations

from dataclasses import replace

from rotator.core.facts import Acknowledged, Draft, ReadBack, Sighted, Written
from rotator.core.ids import TokenId
from rotator.core.protocol import folding
from rotator.core.protocol.view import Mark, View


def intended(view: View, target: str, token_id: TokenId, at: float) -> View:
    """A write is about to be sent; nobody can tell for a while whether it arrives."""
    found = view.at(target)
    still = {token: when for token, when in found.intents_at.items() if token in found.open_writes}
    return folding.with_target(view, target, intents_at=folding.plus(still, token_id, at))


def wrote(view: View, fact: Written, of: Draft) -> View:
    """A target showed this right after a write of ours.

    What was written over there, and nobody knows, may have been the value of any old token: grace counts from now.
    """
    if not fact.marker:
        return view
    if view.at(fact.target).holds and not fact.old:
        olds = dict.fromkeys(view.retirements.keys() - {fact.token_id}, of.at)
        view = replace(view, let_go={**view.let_go, **olds})
    mark = Mark(marker=fact.marker, token_id=fact.token_id, fingerprint=fact.fingerprint, at=of.at)
    return folding.with_target(view, fact.target, mark=mark)


def stood(view: View, fact: ReadBack) -> View:
    """It was read back: it showed the same when no request of ours could arrive any more."""
    mark = view.at(fact.target).mark
    if mark is None or not fact.marker or mark.marker != fact.marker:
        return view
    return settled(view, fact.target, shown=True)


def settled(view: View, target: str, *, shown: bool) -> View:
    """Nothing of ours can arrive any more, and it shows what our last write left (`shown`), or what was there before.

    In the first case each other value under way may have stood there until that write, so grace counts from it.
    """
    found = view.at(target)
    mark, let_go = found.mark, dict(view.let_go)
    if shown and mark is not None:
        let_go |= {t: max(let_go.get(t, 0.0), mark.at) for t in found.open_writes if t != mark.token_id}
        mark = replace(mark, stood=True)
    return folding.with_target(replace(view, let_go=let_go), target, mark=mark, open_writes={})


def sighted(view: View, fact: Sighted) -> View:
    """A look saw that everything under way is over, or that somebody wrote: what consumers said before is void then."""
    mark = view.at(fact.target).mark
    if fact.settled:
        shown = mark is not None and (mark.token_id, mark.fingerprint) == (fact.token_id, fact.fingerprint)
        return settled(view, fact.target, shown=shown)
    unknown = mark is not None and bool(fact.fingerprint) and not fact.token_id
    return folding.with_target(view, fact.target, ack=None) if unknown else view


def acknowledged(view: View, fact: Acknowledged, of: Draft) -> View:
    """A consumer said which generation it uses; an older word never takes a newer one back."""
    return folding.with_target(view, fact.target, ack=max(fact.generation, view.at(fact.target).ack or 0))
