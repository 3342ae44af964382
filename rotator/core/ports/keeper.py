"""The port to a pair of tokens with which a connection logs in, and that keep each other alive."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from rotator.core.ids import TokenId
from rotator.core.ports.source import Minted
from rotator.core.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberState:
    """What the provider shows of one of the two; never its value.

    Attributes:
        id: id at the provider.
        active: whether the provider says that it is alive.
        able: whether it may do what the pair is there for.
        born: provider time of issue.
        expires_at: provider time, `NEVER` for none.
    """

    id: TokenId
    active: bool
    able: bool
    born: float
    expires_at: float


class Place(Protocol):
    """Where the value of one of the two is read from."""

    @property
    def place(self) -> str:
        """Where it is: one writer at a time."""

    @property
    def writable(self) -> bool:
        """Whether this process could put a value there."""

    def value(self) -> Secret | None:
        """Return the value that stands there now, None for nothing.

        Raises:
            RotatorError: it cannot be read, or what stands there is certainly no value.
        """

    def write(self, value: Secret, instead_of: Secret | None) -> None:
        """Put a value there in place of the one that was read.

        Raises:
            Conflict: something else stands there; nothing was changed.
            Refused, Unavailable: nothing was changed.
            OutcomeUnknown: it is there, and not known to be durable.

        Crash: leaves the old value or the new one, whole.
        """


class Keeper(Protocol):
    """What asks and changes the two. Errors are those of `Source`: one request for each effect, no retry.

    MUST authenticate each call by the value that it is given, and by no other.
    """

    @property
    def places(self) -> Mapping[str, Place]:
        """Role -> its place, in the order in which they are tried; two of them, or one where there is no second."""

    def who(self, value: Secret) -> TokenId | None:
        """Return whose value it is, asked anew; None where the provider does not accept it."""

    def read(self, token_id: TokenId, actor: Secret) -> MemberState | None:
        """Return what the provider shows of a token, None where it says that there is none.

        Raises:
            Refused: the actor may not read it.
            Unavailable, RateLimited: no usable answer.
        """

    def extend(self, token_id: TokenId, expires_at: float, actor: Secret) -> None:
        """Move a token's end; everything else stays, and no status is sent."""

    def roll(self, token_id: TokenId, actor: Secret) -> Minted:
        """Give a token a new value; the old one dies at once."""
