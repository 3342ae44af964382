"""What the suite writes to and what it writes: a place seen from the outside, values, publications.

It must not use any target's own code, and knows nothing of the engine.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import Protocol

from rotator.core.ids import RotationId, TokenId
from rotator.core.ports.target import Publication, Reading, Target
from rotator.core.secret import Secret

AWKWARD = "two words 'single' \"double\" $HOME #hash =sign \\back ünï"
"""A value that quoting, escaping and encoding get wrong first."""


class Place(Protocol):
    """One fresh place of its own for one test: it exists as far as an operator must prepare it, and holds no value.

    Attributes:
        keys: managed key -> output name, as the targets of this place get it; `token.value` is among the outputs.
    """

    keys: Mapping[str, str]

    def open(self, crash: Callable[[str], None], keys: Mapping[str, str] | None = None) -> Target:
        """A target on this place, as another process would open it; with other managed keys where given."""

    def look(self) -> Mapping[str, str]:
        """Everything that a consumer finds there now; empty where there is nothing."""

    def overwrite(self, values: Mapping[str, str]) -> None:
        """Another writer replaces everything that stands there by `values`."""

    def deny(self) -> None:
        """From now on targets of this place, opened before or after, may read and may not write."""

    def cut(self) -> None:
        """From now on nobody reaches the place."""


class SimulatedCrash(BaseException):
    """The end of the process at a crash point; not an Exception, so that no handler survives it by mistake."""


def fresh_values(place: Place) -> dict[str, str]:
    """Random values for all managed keys of `place`, easy to find where they must not be."""
    return {key: f"CANARY-{secrets.token_hex(16)}" for key in place.keys}


def plain(reading: Reading) -> dict[str, str]:
    """The values of a reading, revealed."""
    return {key: value.reveal() for key, value in reading.values.items()}


def publication(
    values: Mapping[str, str],
    expected: Reading,
    *,
    generation: int = 1,
    still_mine: Callable[[], None] = lambda: None,
) -> Publication:
    """A publication of `values` on top of `expected`, as the engine would make it."""
    return Publication(
        credential="workers-deploy",
        rid=RotationId(f"rid-{generation}"),
        generation=generation,
        token_id=TokenId("0" * 32),
        expires_at=1_800_000_000.0,
        values={key: Secret(value) for key, value in values.items()},
        expected=expected,
        still_mine=still_mine,
    )
