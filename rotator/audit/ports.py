"""What an exporter needs from outside: the cursor of its sink in the journal, the facts, and the sink itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

from rotator.core.errors import RotatorError
from rotator.core.ids import CredentialId
from rotator.core.ports.journal import Lease


class SinkDown(RotatorError):
    """A sink does not take lines now; what was sent of a batch may have arrived. It is tried again."""


class Found(Enum):
    """What a sink holds before the next lines are written."""

    THE_LINE_BEFORE = "the line before"
    NOTHING = "nothing"
    HALF_A_LINE = "half a line"
    LESS = "less than was written"


class Sink(Protocol):
    """Where the lines of an export go. One thread at a time."""

    def look(self) -> Found:
        """Say what is there; asked before every write.

        Raises:
            SinkDown: it cannot be reached or opened.
        """

    def write(self, lines: Sequence[str]) -> None:
        """Hand lines over, in order; on return they are as safe as the sink can make them.

        Raises:
            SinkDown: not all of them are.

        Crash: leaves any number of the lines, and a part of one.
        """

    def close(self) -> None:
        """Give everything back."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stream in which facts wait: its id, what it is called, and between which positions they stand."""

    stream: CredentialId
    name: str
    come: int
    ends: int


class Book(Protocol):
    """The journal, as an exporter sees it: one cursor, and the facts before it."""

    instance: str

    def claim(self) -> Lease | None:
        """Take or renew the right to move the cursor; None while another living process has it."""

    def give_back(self, claim: Lease) -> None:
        """Let another process have it."""

    def kept(self) -> str:
        """Return what was kept at the last move, empty before the first."""

    def behind(self) -> Sequence[Stretch]:
        """Return the streams in which facts wait, by id."""

    def facts(self, stream: CredentialId, after: int, limit: int) -> Sequence[Any]:
        """Return the next facts of a stream after a position, in order."""

    def document(self, name: str, fact: Any) -> Mapping[str, Any]:
        """Return what `history -o json` says of a fact."""

    def move(self, claim: Lease, to: Mapping[CredentialId, int], keep: str, *, back: bool = False) -> None:
        """Note how far the cursor has come; raises `Fenced` where another process took over."""
