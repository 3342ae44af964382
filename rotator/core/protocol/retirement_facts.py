"""What the facts of a retirement change in a view, from its opening to its end."""

from __future__ import annotations

from dataclasses import replace

from rotator.core.facts import Draft, Kind, OfToken, Retired, RetirementOpened
from rotator.core.protocol import folding
from rotator.core.protocol.view import View


def retirement(view: View, fact: RetirementOpened, of: Draft) -> View:
    """A token that nothing owned gets its retirement."""
    retirements = folding.opened(view, of.at, fact.policy, fact.token_id)
    return replace(view, tokens=folding.tokens_with(view, fact), retirements=retirements)


def retirement_step(view: View, fact: OfToken, of: Draft) -> View:
    """A retirement goes one step on; the irrevocable first one marks the token for ever."""
    found = view.retirements[fact.token_id]
    after = replace(found, step=fact.kind, since=of.at, failures={})
    marked = view.marked if fact.token_id in view.marked else folding.plus(view.marked, fact.token_id, fact.kind)
    view = replace(view, retirements=folding.plus(view.retirements, fact.token_id, after), marked=marked)
    rotation = view.rotation
    refused = rotation.failures.get(("mint", "")) if rotation else None
    if fact.kind is Kind.DELETED and rotation and refused and refused.full:  # there is room again: nothing backs off
        view = replace(view, rotation=replace(rotation, failures=folding.minus(rotation.failures, ("mint", ""))))
    return view


def retired(view: View, fact: Retired, of: Draft) -> View:
    """A retirement is over."""
    gone = fact.token_id
    return replace(
        view,
        retirements=folding.minus(view.retirements, gone),
        drift=folding.minus(view.drift, gone),
        updating=folding.minus(view.updating, gone),
        updated=folding.minus(view.updated, gone),
        unmended=folding.minus(view.unmended, gone),
    )
