"""What a choice of `resolve` would do to each credential, before it does it: nothing is journaled here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rotator.cli.names import Chosen
from rotator.core.choices import How
from rotator.core.errors import RotatorError

if TYPE_CHECKING:
    from rotator.app import App
    from rotator.core.status import CredentialStatus


@dataclass(frozen=True, slots=True)
class Decision:
    """What a choice would do to one credential; `code` is that of its need of an operator, None where it has none."""

    chosen: Chosen
    code: str | None
    does: str


def decide(app: App, chosen: list[Chosen], how: How, *, named: set[str]) -> list[Decision]:
    """Return what there is to decide among the chosen ones.

    Raises:
        RotatorError: there is nothing to decide at one that was named, or at none of all; or the choice does not apply.
    """
    statuses = {found.name: found for found in app.queries.statuses()}
    found = []
    for one in chosen:
        try:
            found.append(_decision(one, statuses[one.name], how))
        except RotatorError:
            if one.name in named:
                raise
    if not found:
        raise RotatorError("resolving: nothing needs an operator", "see `rotator status`")
    return found


def _decision(one: Chosen, status: CredentialStatus, how: How) -> Decision:
    from rotator.app.acts import decision

    return Decision(one, *decision(status, how))
