"""Small tools of folding: what several kinds of facts do to a view in the same way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from rotator.core.credential import NEVER, Policy
from rotator.core.facts import Adopted, Baseline, Kind, OfLife, PublishIntent, Sighted, Written
from rotator.core.ids import NO_TOKEN, Fingerprint, TokenId
from rotator.core.protocol.view import Failure, Retirement, TargetView, Token, View
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


def tokens_with(view: View, fact: OfLife, *, adopted: bool = False, digest: str = "") -> dict[TokenId, Token]:
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
        digest=digest,
    )
    return plus(view.tokens, fact.token_id, token)


def opened(view: View, at: float, policy: Policy, *tokens: TokenId) -> dict[TokenId, Retirement]:
    """The retirements with one more for each token that has none and is not in use."""
    found = dict(view.retirements)
    for token in tokens:
        if token and token not in found and token not in view.marked:
            found[token] = Retirement(token_id=token, step=K.RETIREMENT, since=at, opened=at, policy=policy)
    return found


def restored(view: View, at: float) -> View:
    """Something outside is ahead of the journal: open rotations close, the sweep only reports until it is confirmed."""
    ahead_at = max(view.ahead_at, at)
    return replace(view, ahead=True, ahead_at=ahead_at, ahead_generation=view.generation, cleared_at=-NEVER)


def failures_with(
    failures: Mapping[tuple[str, str], Failure],
    key: tuple[str, str],
    at: float,
    message: str,
    code: OperatorCode | None = None,
    remedy: str = "",
    *,
    full: bool = False,
) -> dict[tuple[str, str], Failure]:
    """The failures with one more of that act."""
    before = failures.get(key)
    return plus(failures, key, Failure((before.count if before else 0) + 1, at, message, code, remedy, full))


def checked(failures: Mapping[tuple[str, str], Failure]) -> dict[tuple[str, str], Failure]:
    """The failures without those of write preflights: the rotation went on, so the question was asked anew."""
    return {key: found for key, found in failures.items() if key[0] != "check"}


def with_target(view: View, name: str, **changes: Any) -> View:
    """The view with something else that is known of a target."""
    return replace(view, targets=plus(view.targets, name, replace(view.at(name), **changes)))


def with_all(view: View, change: Callable[[TargetView], TargetView]) -> View:
    """The view with a change of every target."""
    return replace(view, targets={name: change(found) for name, found in view.targets.items()})


def died(view: View) -> View:
    """The view in which every value of the rolled token is dead: since the first roll of the rotation at the latest."""
    rotation = view.opened
    if not rotation.rolled_at:
        return view

    def ended(found: TargetView) -> TargetView:
        dead = found.token_id == rotation.token_id and found.dead_since is None
        return replace(found, dead_since=rotation.rolled_at) if dead else found

    return with_all(view, ended)


def lives(view: View, at: float, target: str, measured: float = 0.0) -> View:
    """A living value stands at a target again: the outage is over, after `measured` seconds."""
    since = view.at(target).dead_since
    if since is None:
        return view
    return with_target(view, target, dead_since=None, outage=measured or max(0.0, at - since))


def generated(view: View, fact: PublishIntent | Written | Adopted) -> View:
    """The view with the generation that is written there; tokens that are nobody's any more are left out."""
    ours = {view.current, fact.token_id, *view.retirements}
    view = with_target(
        view, fact.target, generations=plus(view.at(fact.target).generations, fact.token_id, fact.generation)
    )
    if all(found.generations.keys() <= ours for found in view.targets.values()):
        return view

    def ended(found: TargetView) -> TargetView:
        return replace(found, generations={t: n for t, n in found.generations.items() if t in ours})

    return with_all(view, ended)


def failing_since(view: View, at: float) -> View:
    """The view of a credential that fails now, if it did not before."""
    return view if view.failing_since else replace(view, failing_since=at)


def moved(view: View, at: float, fact: Sighted | Written | Adopted, old: TokenId = NO_TOKEN) -> View:
    """A target lets go of what stood there last: grace of that token counts from now."""
    let_go = dict(view.let_go)
    for token in (view.at(fact.target).token_id, old):
        if token and token != fact.token_id:
            let_go[token] = max(let_go.get(token, 0.0), at)
    view = with_target(view, fact.target, token_id=fact.token_id, holds=fact.fingerprint)
    return replace(view, let_go=let_go)


def beside(view: View, at: float, fact: Sighted | Baseline) -> View:
    """Which managed keys do not hold what they should, and which of those hold a stranger's content."""
    before, strange = view.at(fact.target), fact.strange or {}
    kept = {k: p for k, p in before.kept.items() if strange.get(k) == p}
    since = before.strange_at if before.strange else at
    return with_target(
        view,
        fact.target,
        accepted=before.accepted if kept or before.heeded is not None else None,
        amiss=fact.amiss,
        strange=strange,
        strange_at=since if strange else 0.0,
        kept=kept,
    )


def pieces(view: View, fact: PublishIntent | Written | Baseline | Sighted) -> Mapping[Fingerprint, Fingerprint]:
    """What was written with a value, the value itself aside: fingerprint of each key's content -> of the value."""
    found = {piece: fact.fingerprint for piece in fact.keys.values() if piece != fact.fingerprint}
    return {**view.pieces, **found} if found.items() - view.pieces.items() else view.pieces


def unintended(view: View, target: str, token: TokenId, version: str) -> View:
    """One intent to write on top of that version is over, and certainly nothing was written."""
    writes = view.at(target).open_writes
    left = list(writes.get(token, ()))
    if version in left:
        left.remove(version)
    return with_target(view, target, open_writes=set_or_gone(writes, token, tuple(left)))


def set_or_gone(table: Mapping[_Key, _Value], key: _Key, value: _Value) -> Mapping[_Key, _Value]:
    """The table with this entry, or without one where the value is empty."""
    if value:
        return plus(table, key, value)
    return minus(table, key) if key in table else table
