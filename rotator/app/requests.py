"""What a rotation asks of the provider: one table, from which `plan`, `check` and the documentation count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One kind of request, and how often an undisturbed rotation makes it.

    Attributes:
        operation: the word of the metric `rotator_provider_requests_total`.
        purpose: what it is for.
        first: how often in a first creation.
        recreate: how often in a later one, with the retirement that it opens.
        roll: how often in a roll.
        each_target: whether these numbers are for each target.
    """

    operation: str
    purpose: str
    first: int = 0
    recreate: int = 0
    roll: int = 0
    each_target: bool = False


ASKED: Final = (
    Asked(operation="get", purpose="read the token whose expiry is to move, before and after", roll=3),
    Asked(operation="update", purpose="move its expiry, since a roll does not", roll=1),
    Asked(operation="get", purpose="read the token that is to be rolled", roll=1),
    Asked(operation="create", purpose="make the successor", first=1, recreate=1),
    Asked(operation="roll", purpose="give the token a new value", roll=1),
    Asked(operation="get", purpose="see that the token is what was asked for", first=1, recreate=1),
    Asked(operation="verify", purpose="see that its value is accepted, before it is published", first=1, recreate=1),
    Asked(operation="get", purpose="see the token after the roll", roll=1),
    Asked(operation="verify", purpose="see that the rolled value is accepted", roll=1),
    Asked(
        operation="verify", purpose="prove the value that was read back", first=1, recreate=1, roll=1, each_target=True
    ),
    Asked(operation="get", purpose="see when the old token was last used, and what it is", recreate=1),
    Asked(operation="update", purpose="disable the old token", recreate=1),
    Asked(operation="delete", purpose="delete the old token", recreate=1),
)
"""In the order in which they are made."""


def requests_of(targets: int, *, rolls: bool, first: bool) -> int:
    """Return how many requests a rotation takes at the provider, with the retirement that it opens.

    Args:
        targets: how many targets it writes; the value that is read back from each is verified.
        rolls: whether it is a roll.
        first: whether it is the first creation, which leaves no old token to be drained.
    """
    return sum(count_of(asked, rolls=rolls, first=first) * (targets if asked.each_target else 1) for asked in ASKED)


def count_of(asked: Asked, *, rolls: bool, first: bool) -> int:
    """Return how often a rotation of that kind makes that request (for each target, where it says so)."""
    return asked.first if first else asked.roll if rolls else asked.recreate
