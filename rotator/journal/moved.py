"""Whether a journal still is where it is: one that moved away, or did not wholly arrive, is nobody's to work on.

Two journals of one instance would each mint and retire, and neither would know what the other did.
"""

from __future__ import annotations

from typing import Final

from rotator.core.errors import JournalUnsafe
from rotator.journal.database import Connection, run

MOVED: Final = "moved_to"
"""Name of the row of `meta` in a journal that was copied elsewhere; its value says where."""

ARRIVING: Final = "arriving_from"
"""Name of the row of `meta` in a copy that does not count yet; its value says where it comes from."""

READ: Final = "SELECT name, value FROM meta WHERE name IN ('moved_to', 'arriving_from')"


def settled(connection: Connection, where: str) -> None:
    """Return when the journal may be used.

    Args:
        connection: to the journal, whose tables are there.
        where: what to call it in a message.

    Raises:
        JournalUnsafe: it was moved, or its copy is not whole.
    """
    found = dict(run(connection, READ))
    if MOVED in found:
        raise moved(where, str(found[MOVED]))
    if ARRIVING in found:
        raise JournalUnsafe(
            f"opening the journal {where}: the copy of the journal {found[ARRIVING]} to it did not finish",
            "repeat `rotator state copy` with the configuration of that journal, or go on working there",
        )


def moved(where: str, to: str) -> JournalUnsafe:
    """Return what is said to whoever wants to work on a journal that was moved."""
    return JournalUnsafe(
        f"opening the journal {where}: it was moved to {to}, and what stands here is what it was then",
        "let state.url lead to the new place, with the same state.encryption_key",
    )
