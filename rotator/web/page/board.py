"""What the page asks of the program behind it: every call may be slow, and is made in a thread of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """Facts as `history -o json` shows them, newest first; `older` continues behind the last, None at the beginning."""

    facts: Sequence[Document]
    older: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An act that somebody asks for.

    Attributes:
        act: a verb: rotate, pause, resume, resolve.
        name: the credential.
        user: who asks; goes into the journal.
        request_id: given by the asker, so that the same order twice is one.
        flags: the verb's flags by their long names without dashes; what is not known is refused.
    """

    act: str
    name: str
    user: str
    request_id: str
    flags: Mapping[str, object] = field(default_factory=dict)


class Unknown(Exception):
    """There is no such credential."""


class Wrong(Exception):
    """An order that nobody could carry out: a flag that is unknown or makes no sense. Its text is for people."""


class Conflict(Exception):
    """An order that does not fit what is: nothing to resolve, no targets. Its text is for people."""


class Board(Protocol):
    """The program behind the page."""

    def status(self) -> Document:
        """Return the document of `status -o json`."""

    def now(self) -> float:
        """Return the time, unix seconds; never slow."""

    def facts(self, name: str | None, before: int | None, limit: int, people: bool = False) -> Told:
        """Return at most `limit` facts of a credential or of all, those before a place that `Told.older` gave.

        Args:
            name: a credential, None for all.
            before: a place, None for the newest.
            limit: how many.
            people: whether only what people did is wanted.

        Raises:
            Unknown: no such credential.
        """

    def discover(self) -> Document:
        """Return the document of `discover -o json`; asks the providers.

        Raises:
            RotatorError: one of them gave no answer, or the configuration file is wrong just now.
        """

    def act(self, order: Order) -> str:
        """Journal an act under the user's name and return the id of the request.

        Raises:
            Unknown, Wrong, Conflict: it was not journaled.
        """
