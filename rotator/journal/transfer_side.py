"""What moving a journal asks of each of the two databases, and what may stand where it goes."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from rotator.core.errors import RotatorError
from rotator.journal.database import Connection, run
from rotator.journal.moved import ARRIVING, MOVED
from rotator.journal.transfer_rows import Now


@dataclass(frozen=True, slots=True)
class Seen:
    """What stands in a place before it is touched.

    Attributes:
        there: whether there is a journal.
        instance: its id, or empty.
        facts: whether it holds any.
        moved: where it was moved to, or empty.
        arriving: where an unfinished copy comes from, or empty.
    """

    there: bool = False
    instance: str = ""
    facts: bool = False
    moved: str = ""
    arriving: str = ""


class Side(Protocol):
    """One of the two databases. Errors of drivers leave it as `JournalUnsafe`."""

    name: str
    """What to call it in messages and marks."""

    def seen(self) -> Seen:
        """Look, and change nothing."""

    def living(self) -> list[str]:
        """Return which processes work on it, each in a few words."""

    def left(self) -> list[str]:
        """Return which processes died on other machines, where values that they captured may wait in their spools."""

    def now(self, connection: Connection) -> Now:
        """Return the time that its processes share; see `Database.now`."""

    def held(self) -> AbstractContextManager[Connection]:
        """Run the body in a transaction beside which nobody writes."""

    def filled(self, instance: str) -> AbstractContextManager[Connection]:
        """Run the body in a transaction on a journal without rows, or with those of an unfinished copy; or on none.

        Crash: leaves what was there, or all that the body wrote.
        """

    def close(self) -> None:
        """Close its connections."""


def look(connection: Connection) -> Seen:
    """Return what a journal whose tables are there says of itself."""
    said = dict(run(connection, "SELECT name, value FROM meta WHERE name IN ('instance', 'moved_to', 'arriving_from')"))
    return Seen(
        there="instance" in said,
        instance=str(said.get("instance", "")),
        facts=bool(run(connection, "SELECT 1 FROM fact LIMIT 1")),
        moved=str(said.get(MOVED, "")),
        arriving=str(said.get(ARRIVING, "")),
    )


def usable(name: str, seen: Seen, instance: str) -> None:
    """Return when the journal `instance` may be written over what was seen in the place `name`.

    Raises:
        RotatorError: facts stand there that must not be mixed with it.
    """
    remedy = "name an empty database, or a file that does not exist; what is there is kept"
    if seen.moved or (seen.facts and not seen.arriving):
        raise RotatorError(f"copying the journal to {name}: a journal that holds facts is there already", remedy)
    if seen.facts and seen.instance != instance:
        raise RotatorError(
            f"copying the journal to {name}: an unfinished copy of another journal, {seen.arriving}, is there", remedy
        )
