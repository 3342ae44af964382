"""Small tools of folding: what several kinds of facts do to a view in the same way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from rotator.core.credential import NEVER, Policy
from rotator.core.facts import Adopted, Baseline, Kind, OfLife, PublishIntent, Sighted, Written
from rotator.core.protocol.view import Failure, Retirement, Token, View
from rotator.core.reasons import OperatorCode

K = Kind
_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


def plus(table: Mapping[_Key, _Value], key: _Key, value: _Value) -> dict[_Key, _Value]:
    """The table with one entry more, or another one."""
    return {**table, key: value}


def minus(table: Mapping[_Key, _Value], *keys: _Key) -> dict[_Key, _Value]:
    """The table without some entries."""
    return {k: v for k, v in table.items() if k not in keys}


def tokens_with(view: View, fact: OfLife, *, adopted: bool = False) -> dict[str, Token]:
    """The tokens with the one of this fact, kept as it was where it is known already."""
    if fact.token_id in view.tokens:
        return dict(view.tokens)
    token = Token(
        id=fact.token_id,
        name=fact.token_name,
        attempt_name=fact.attempt_name,
        born=fact.born,
        expires_at=fact.expires_at,
        scope=view.scope,
        adopted=adopted,
    )
    return plus(view.tokens, fact.token_id, token)


def opened(view: View, at: float, policy: Policy, *tokens: str) -> dict[str, Retirement]:
    """The retirements with one more for each token that has none and is not in use."""
    found = dict(view.retirements)
    for token in tokens:
        if token and token not in found and token not in view.marked:
            found[token] = Retirement(token_id=token, step=K.RETIREMENT, since=at, opened=at, policy=policy)
    return found


def restored(view: View, at: float) -> View:
    """Something outside is ahead of the journal: open rotations close, the sweep only reports until it is confirmed."""
    return replace(view, ahead=True, ahead_at=max(view.ahead_at, at), cleared_at=-NEVER)


def failures_with(
    failures: Mapping[tuple[str, str], Failure],
    key: tuple[str, str],
    at: float,
    message: str,
    code: OperatorCode | None = None,
    remedy: str = "",
) -> dict[tuple[str, str], Failure]:
    """The failures with one more of that act."""
    before = failures.get(key)
    return plus(failures, key, Failure((before.count if before else 0) + 1, at, message, code, remedy))


def checked(failures: Mapping[tuple[str, str], Failure]) -> dict[tuple[str, str], Failure]:
    """The failures without those of write preflights: the rotation went on, so the question was asked anew."""
    return {key: found for key, found in failures.items() if key[0] != "check"}


def generations(view: View, fact: Written | Adopted) -> dict[tuple[str, str], int]:
    """The generations with the one that was just written; tokens that are nobody's any more are left out."""
    ours = {view.current, fact.token_id, *view.retirements}
    kept = {key: number for key, number in view.generations.items() if key[1] in ours}
    return plus(kept, (fact.target, fact.token_id), fact.generation)


def failing_since(view: View, at: float) -> View:
    """The view of a credential that fails now, if it did not before."""
    return view if view.failing_since else replace(view, failing_since=at)


def moved(view: View, at: float, fact: Sighted | Written | Adopted, old: str = "") -> View:
    """A target lets go of what stood there last: grace of that token counts from now."""
    let_go = dict(view.let_go)
    for token in (view.last.get(fact.target, ""), old):
        if token and token != fact.token_id:
            let_go[token] = max(let_go.get(token, 0.0), at)
    return replace(
        view,
        let_go=let_go,
        last=plus(view.last, fact.target, fact.token_id),
        holds=plus(view.holds, fact.target, fact.fingerprint),
    )


def beside(view: View, at: float, fact: Sighted | Baseline) -> View:
    """Which managed keys do not hold what they should, and which of those hold a stranger's content."""
    target, strange = fact.target, fact.strange or {}
    kept = {k: p for k, p in view.kept.get(target, {}).items() if strange.get(k) == p}
    left = view.accepted if kept or target in view.heeded else minus(view.accepted, target)
    return replace(
        view,
        accepted=left,
        amiss=set_or_gone(view.amiss, target, fact.amiss),
        strange=set_or_gone(view.strange, target, strange),
        strange_at=set_or_gone(view.strange_at, target, view.strange_at.get(target, at) if strange else 0.0),
        kept=set_or_gone(view.kept, target, kept),
    )


def set_or_gone(table: Mapping[_Key, _Value], key: _Key, value: _Value) -> Mapping[_Key, _Value]:
    """The table with this entry, or without one where the value is empty."""
    if value:
        return plus(table, key, value)
    return minus(table, key) if key in table else table


def pieces(view: View, fact: PublishIntent | Written | Baseline | Sighted) -> Mapping[str, str]:
    """What was written with a value, the value itself aside: fingerprint of each key's content -> of the value."""
    found = {piece: fact.fingerprint for piece in fact.keys.values() if piece != fact.fingerprint}
    return {**view.pieces, **found} if found.items() - view.pieces.items() else view.pieces


def unintended(view: View, at: tuple[str, str], version: str) -> View:
    """One intent to write on top of that version is over, and certainly nothing was written."""
    left = list(view.open_writes.get(at, ()))
    if version in left:
        left.remove(version)
    return replace(view, open_writes=set_or_gone(view.open_writes, at, tuple(left)))
