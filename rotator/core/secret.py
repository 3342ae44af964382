"""The one type that holds a secret value. It decides how a value may leave memory: only through `reveal()`."""

from __future__ import annotations

import hmac
from typing import Final, NoReturn

PLACEHOLDER: Final = "<secret>"


class Secret:
    """A secret string that refuses `str`, `format`, JSON, pickle and copying into text.

    `repr` answers a fixed placeholder instead of raising, so that a traceback or a failing assertion that shows an
    object around it stays readable. `reveal()` is the only door and is easy to grep for.
    """

    __slots__ = ("__value",)

    def __init__(self, value: str) -> None:
        """Wrap `value`, a non-empty string.

        Raises:
            ValueError: the value is empty.
        """
        if not value:
            raise ValueError("a secret must not be empty")
        self.__value = value

    def reveal(self) -> str:
        """Return the plain value, for the wire, a target or the sealing of the journal, and nothing else."""
        return self.__value

    def __repr__(self) -> str:
        return PLACEHOLDER

    def __str__(self) -> NoReturn:
        raise TypeError("a secret has no text form; use reveal() where the plain value is meant")

    def __format__(self, spec: str) -> NoReturn:
        raise TypeError("a secret has no text form; use reveal() where the plain value is meant")

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a secret is never pickled or copied")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self.__value.encode(), other.__value.encode())

    def __hash__(self) -> NoReturn:
        raise TypeError("a secret is never hashed; identify it by its fingerprint")
