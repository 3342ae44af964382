"""What the source contract needs to know of the world behind a source, seen without the source."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from rotator.core.ports.source import Source
from rotator.core.secret import Secret


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A token as the provider has it; `status` is `deleted` after a deletion."""

    id: str
    name: str
    status: str
    expires_at: float


class World(Protocol):
    """One provider with an empty owner scope but for its management tokens, and one source on it.

    `operation` of a fault or a request is `create`, `roll`, `update`, `delete`, `get`, `list` or `verify`. A kind of
    fault is `lose_request` (nothing done, no answer), `lose_answer` (done, no answer), `refuse` (a certain no),
    `limit` (asks to wait for 42 s, nothing done) and `break` (the provider fails and does not say whether it did it).
    """

    source: Source
    management_id: str

    def now(self) -> float:
        """Provider time in unix seconds."""

    def advance(self, seconds: float) -> None:
        """Move provider time."""

    def seen(self) -> Sequence[Seen]:
        """Every token ever, the management tokens and deleted ones included."""

    def alive(self, value: Secret) -> str | None:
        """Return the id of the token that this value is accepted for, asked without the source."""

    def fault(self, operation: str, kind: str) -> None:
        """Let the next such request go wrong."""

    def requests(self, operation: str) -> int:
        """How many such requests reached the provider."""

    def add(self, count: int) -> None:
        """Create that many tokens behind the source's back."""
