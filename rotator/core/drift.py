"""How a token differs from what was configured or minted, and what the configuration says about that. Typed and pure.

A difference is told by its part, never by its text: the text is for people.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from rotator.core.plain import NEVER


class Part(StrEnum):
    """What of a token differs."""

    POLICIES = "policies"
    CONDITION = "condition"
    NAME = "name"
    EXPIRY = "expiry"
    STATUS = "status"


RIGHTS: Final = frozenset({Part.POLICIES, Part.CONDITION})
"""Parts that follow from what the configuration says to the source."""

MENDED: Final = RIGHTS | {Part.NAME}
"""Parts that can be put right in place; an end or a status makes the credential due instead."""


class OnDrift(StrEnum):
    """What is done about a token that somebody changed at the provider."""

    REPORT = "report"
    RESTORE = "restore"
    ADOPT = "adopt"


class OnChange(StrEnum):
    """How a change of what the configuration asks for reaches the living token.

    `auto` updates it in place where that takes rights away only, and rotates otherwise.
    """

    AUTO = "auto"
    UPDATE = "update"
    ROTATE = "rotate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing in which a token differs.

    Attributes:
        part: what it is about.
        message: for people, e.g. `the permission DNS Write is missing`.
        widens: whether putting it right lets the token do more than it may now.
    """

    part: Part
    message: str
    widens: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """How a token was last seen to differ.

    Attributes:
        differences: in which parts.
        since: provider time at which it was seen first.
        digest: of what the configuration said to the source when it was compared.
        ends: its end before somebody moved it, where that differs.
    """

    differences: tuple[Difference, ...]
    since: float
    digest: str = ""
    ends: float = NEVER

    @property
    def parts(self) -> frozenset[Part]:
        """The parts that differ."""
        return frozenset(one.part for one in self.differences)


def summary(found: Sequence[Difference], most: int = 3) -> str:
    """Return the first differences as one text, with the number of those that are left out."""
    more = f", and {len(found) - most} more" if len(found) > most else ""
    return ", ".join(one.message for one in found[:most]) + more
