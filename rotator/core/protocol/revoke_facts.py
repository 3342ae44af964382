"""What a revoke changes in a view: every token that it names is marked for ever, and its end begins."""

from __future__ import annotations

from dataclasses import replace

from rotator.core.credential import NEVER
from rotator.core.facts import Draft, Kind, Revoked
from rotator.core.ids import NO_ROTATION, NO_TOKEN, NO_VALUE
from rotator.core.protocol.view import Pause, Retirement, Revocation, View

K = Kind


def revoked(view: View, fact: Revoked, of: Draft) -> View:
    """Tokens leaked: what is over stays over, what is being retired goes on without its waits.

    A token that was named before keeps the first word about it: a second revoke joins the first.
    """
    word = Revocation(
        at=of.at,
        request_id=fact.request_id,
        bare=fact.without_successor,
        exposed=fact.exposed,
        reason=fact.reason,
        actor=of.actor,
    )
    named = [token for token in fact.tokens if token in view.retirements or token not in view.marked]
    news = [token for token in named if token not in view.revoked]
    retirements = dict(view.retirements)
    for token in news:
        before = retirements.get(token)
        if before is None or before.step not in (K.DISABLED, K.DELETED):
            opened = before.opened if before else of.at
            retirements[token] = Retirement(
                token_id=token, step=K.REVOKED, since=of.at, opened=opened, policy=fact.policy
            )
    view = replace(
        view,
        marked={**dict.fromkeys(news, K.REVOKED), **view.marked},
        revoked={**dict.fromkeys(news, word), **view.revoked},
        retirements=retirements,
    )
    if fact.exposed and news:
        view = replace(view, exposed_before=view.exposed_at, exposed_at=of.at)
    return _without_successor(view, fact, of) if fact.without_successor else view


def _without_successor(view: View, fact: Revoked, of: Draft) -> View:
    """Nothing starts until `resume`; what was open closes, and the credential has no current token."""
    rotation = view.rotation
    gone = view.uncured
    bare = {token: replace(view.revoked[token], bare=True) for token in fact.tokens if token in view.revoked}
    return replace(
        view,
        pause=Pause(since=of.at, until=NEVER, reason=fact.reason, actor=of.actor),
        closing=rotation.rid if rotation else NO_ROTATION,
        current=NO_TOKEN if gone else view.current,
        fingerprint=NO_VALUE if gone else view.fingerprint,
        revoked={**view.revoked, **bare},
    )
