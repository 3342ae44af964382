"""What goes wrong with a channel."""

from __future__ import annotations

from rotator.core.errors import RotatorError


class ChannelDown(RotatorError):
    """A channel did not take a message.

    Attributes:
        rest: seconds for which the channel asked not to be tried, 0 where it did not.
        for_good: whether it turned down this message, and might take another one.
    """

    def __init__(self, message: str, remedy: str, rest: float = 0.0, *, for_good: bool = False) -> None:
        super().__init__(message, remedy)
        self.rest, self.for_good = rest, for_good
