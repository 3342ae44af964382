"""What the journal holds of the management pairs: their streams, and the newest values of their members."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from rotator.core.errors import JournalUnsafe
from rotator.core.ids import CredentialId, TokenId
from rotator.core.secret import Secret
from rotator.journal.store import SqlJournal


class PairStreams:
    """The streams of one connection's pairs. Fulfils `engine.pair_look.Streams`."""

    def __init__(self, journal: SqlJournal, connection: str) -> None:
        """Nothing is read."""
        self._journal, self._connection = journal, connection

    def of(self, one: TokenId, other: TokenId) -> CredentialId:
        """Return the stream that belongs to the two ids."""
        return self._journal.streams.pair(self._connection, "+".join(sorted((one, other))))

    def known(self) -> Sequence[CredentialId]:
        """Return those of the connection, the one that was worked on last first."""
        return self._journal.streams.pairs(self._connection)


def journaled(journal: SqlJournal, connection: str, role: str) -> Secret | None:
    """Return the newest value of one of a connection's management tokens in the journal; None where it has none.

    Asked only when the value in its place is not accepted, so trouble here is no trouble of anybody else.
    """
    with suppress(JournalUnsafe, KeyError, StopIteration):
        stream = next(iter(journal.streams.pairs(connection)))
        view = journal.view(stream)
        member = next(found for found in view.pair.values() if found.role == role)
        fingerprint = member.captured or member.fingerprint
        return journal.reveal(stream, fingerprint) if fingerprint in view.values else None
    return None
