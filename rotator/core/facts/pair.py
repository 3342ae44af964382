"""Facts of a pair: two tokens that log in at a provider, each kept alive by the other.

They stand in a stream of their own, which belongs to the two token ids. A new value of a member is a `Captured`, as
every value that a provider shows once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rotator.core.facts.base import Kind, OfToken, OfValue
from rotator.core.ids import NO_VALUE, Fingerprint
from rotator.core.plain import NEVER


@dataclass(frozen=True, slots=True, kw_only=True)
class Member(OfValue):
    """A token stands in its place and may do its work: seen first, or with a value that somebody else put there.

    Attributes:
        role: which of the two it is.
        life: seconds that it gets at each renewal.
        durable: whether the value itself is sealed in the journal.
    """

    kind: ClassVar[Kind] = Kind.MEMBER
    machine: ClassVar[int] = 4
    role: str = ""
    life: float = NEVER
    durable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Extending(OfToken):
    """The end of a member is about to be moved to this moment, which is the same at every try."""

    kind: ClassVar[Kind] = Kind.EXTENDING
    machine: ClassVar[int] = 4
    expires_at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Prolonged(OfToken):
    """The provider shows the member with that end."""

    kind: ClassVar[Kind] = Kind.PROLONGED
    machine: ClassVar[int] = 4
    expires_at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rolling(OfToken):
    """A new value of a member is about to be asked for; its old value dies at once."""

    kind: ClassVar[Kind] = Kind.ROLLING
    machine: ClassVar[int] = 4
    attempt: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed(OfToken):
    """The new value of a member stands in its place, read back, and the provider accepts it."""

    kind: ClassVar[Kind] = Kind.PLACED
    machine: ClassVar[int] = 4
    fingerprint: Fingerprint = NO_VALUE


@dataclass(frozen=True, slots=True, kw_only=True)
class Unkept(OfToken):
    """Something was refused for certain, so it changed nothing.

    Attributes:
        act: `extend`, `mint` (of a new value) or `write` (into its place).
        why: for people.
        remedy: what to do, for people.
    """

    kind: ClassVar[Kind] = Kind.UNKEPT
    machine: ClassVar[int] = 4
    act: str = ""
    why: str = ""
    remedy: str = ""
