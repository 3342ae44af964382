"""What the sandbox was given and cannot work with."""

from __future__ import annotations


class UnusableError(ValueError):
    """A world, a state or an address that the sandbox cannot work with.

    Attributes:
        wrong: what is wrong with it; a line for each mistake.
        instead: what to do, or empty.
    """

    def __init__(self, wrong: str, instead: str = "") -> None:
        super().__init__(f"{wrong}; {instead}" if instead else wrong)
        self.wrong, self.instead = wrong, instead
