"""Which fact of a pair may follow which; judged inside the transaction that inserts it, as those of a rotation are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from rotator.core.facts import Draft, Extending, Kind, Member, OfToken, Placed, Prolonged, Rolling
from rotator.core.protocol.pair_view import MemberView
from rotator.core.protocol.view import View

K = Kind

PairGuard = Callable[[View, Any, Draft], str]
"""(view, what the fact would tell, its envelope) -> why it must be refused, or an empty string."""


def partner_of(view: View, fact: OfToken) -> MemberView | None:
    """Return the other member of the pair."""
    return next((found for token, found in view.pair.items() if token != fact.token_id), None)


def of_two(view: View, fact: Member, of: Draft) -> str:
    """A pair has two members, each in a role of its own."""
    others = [m for token, m in view.pair.items() if token != fact.token_id and m.role != fact.role]
    return "a pair has two members" if len(others) > 1 else ""


def known(view: View, fact: OfToken, of: Draft) -> str:
    """It is about a member."""
    return "" if fact.token_id in view.pair else f"token {fact.token_id} is no member of this pair"


def by_partner(view: View, fact: OfToken, of: Draft) -> str:
    """Nothing is done to a member but by its partner: never by itself, never by a stranger."""
    partner = partner_of(view, fact)
    if partner is None or of.principal != partner.token_id:
        return f"token {fact.token_id} is kept by its partner, and {of.principal or 'nobody'} is not that"
    return ""


def partner_resolved(view: View, fact: OfToken, of: Draft) -> str:
    """While nobody knows the value of one, the other one's is not given up: both answers lost would lock us out."""
    partner = partner_of(view, fact)
    return "its partner's new value is not in its place" if partner is not None and partner.unresolved else ""


def partner_journaled(view: View, fact: Rolling, of: Draft) -> str:
    """The partner's value is durable, so that a lost place locks nobody out."""
    partner = partner_of(view, fact)
    safe = partner is not None and partner.fingerprint in view.values
    return "" if safe else "its partner's value is not durable"


def not_earlier(view: View, fact: Extending, of: Draft) -> str:
    """An end under way is asked for again, or a later one: two requests in the wrong order shorten nothing."""
    found = view.pair.get(fact.token_id)
    soonest = max(found.extending, 0.0) if found else 0.0
    return f"an end at {soonest:.0f} is under way" if fact.expires_at < soonest else ""


def longer(view: View, fact: Extending, of: Draft) -> str:
    """A renewal never shortens a life."""
    found = view.pair.get(fact.token_id)
    return "it would shorten its life" if found is not None and fact.expires_at <= found.expires_at else ""


def under_way(view: View, fact: Prolonged, of: Draft) -> str:
    """Only an end that was asked for is proven."""
    found = view.pair.get(fact.token_id)
    return "" if found and found.extending and fact.expires_at >= found.extending else "no such end was asked for"


def next_attempt(view: View, fact: Rolling, of: Draft) -> str:
    """Requests are numbered: of two processes that decided the same, one is refused."""
    found = view.pair.get(fact.token_id)
    return "" if found is None or fact.attempt == found.attempt + 1 else f"attempt {fact.attempt} was made before"


def was_captured(view: View, fact: Placed, of: Draft) -> str:
    """Only the value that was captured takes its place."""
    found = view.pair.get(fact.token_id)
    return "" if found and found.captured and found.captured == fact.fingerprint else "no such value is on its way"


PAIR_GUARDS: Final[Mapping[Kind, tuple[PairGuard, ...]]] = {
    K.MEMBER: (of_two,),
    K.EXTENDING: (known, by_partner, not_earlier, longer),
    K.PROLONGED: (under_way,),
    K.ROLLING: (known, by_partner, partner_resolved, partner_journaled, next_attempt),
    K.PLACED: (was_captured,),
    K.UNKEPT: (),
}
"""A capture is legal at any time, as everywhere."""
