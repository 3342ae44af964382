"""The port to what is done on this machine after a publication."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Publicized:
    """What a hook may know: the credential, the target and the generation, and never a value."""

    credential: str
    target: str
    generation: int


class Hook(Protocol):
    """One thing to do."""

    @property
    def name(self) -> str:
        """What people call it, unique among the hooks of its target."""

    def run(self, told: Publicized, still_mine: Callable[[], None]) -> None:
        """Do it once; a crash inside leaves it done or not, and it is done again.

        `still_mine` renews the lease and is called every few seconds while it takes time; what it raises ends it.

        Raises:
            Refused: it failed.
            Fenced: the lease is somebody else's.
        """
