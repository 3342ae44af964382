"""What facts about write-only targets change in a view. A marker tells that something was written, never what."""

from __future__ import annotations

from dataclasses import replace

from rotator.core.facts import Acknowledged, Draft, ReadBack, Written
from rotator.core.protocol import amend
from rotator.core.protocol.view import Mark, View


def intended(view: View, target: str, token_id: str, at: float) -> View:
    """A write is about to be sent; nobody can tell for a while whether it arrives."""
    open_ = {of: when for of, when in view.intents_at.items() if of in view.open_writes}
    return replace(view, intents_at=amend.plus(open_, (target, token_id), at))


def wrote(view: View, fact: Written, of: Draft) -> View:
    """A target showed this right after a write of ours."""
    if not fact.marker:
        return view
    mark = Mark(marker=fact.marker, token_id=fact.token_id, fingerprint=fact.fingerprint, at=of.at)
    return replace(view, marks=amend.plus(view.marks, fact.target, mark))


def stood(view: View, fact: ReadBack) -> View:
    """It showed the same when no request of ours could arrive any more: whatever was under way came before it."""
    mark = view.marks.get(fact.target)
    if mark is None or not fact.marker or mark.marker != fact.marker:
        return view
    left = {at: versions for at, versions in view.open_writes.items() if at[0] != fact.target}
    return replace(view, marks=amend.plus(view.marks, fact.target, replace(mark, stood=True)), open_writes=left)


def acknowledged(view: View, fact: Acknowledged, of: Draft) -> View:
    """A consumer said which generation it uses; an older word never takes a newer one back."""
    return replace(view, acks=amend.plus(view.acks, fact.target, max(fact.generation, view.acks.get(fact.target, 0))))
