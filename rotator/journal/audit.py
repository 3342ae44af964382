"""Whether a journal is what it was: every hash chain, and the file itself. It changes nothing."""

from __future__ import annotations

from collections.abc import Callable

from rotator.journal import chain, records
from rotator.journal.database import Database
from rotator.journal.inspection import Inspected, inspect
from rotator.journal.sealing import KeyRing, Seal


class Audit:
    """The proofs over one journal."""

    def __init__(self, db: Database, seal: Callable[[], Seal]) -> None:
        """`seal` returns the seal, or raises `JournalUnsafe` where the journal was opened without its key."""
        self._db, self._seal = db, seal

    def verify(self) -> chain.Verification:
        """Check every hash chain; needs the key.

        Raises:
            JournalUnsafe: the file cannot be read at all.
        """
        key = self._seal().chain_key
        with self._db.read(snapshot=True) as connection:
            digests = {sealed.sealed_id: sealed.digest for sealed in records.all_sealed(connection)}
            verdict = chain.verify(key, records.ordered(connection, by_stream=True), digests)
        return verdict

    def export_seed(self) -> bytes:
        """Return what the key is made from that signs exports; needs the key of the journal."""
        return self._seal().export_seed

    def inspect(self, keys: KeyRing | None) -> Inspected:
        """Say what is wrong with what is in the journal and what is sure; errors as `inspection.inspect`."""
        return inspect(self._db, keys)

    def integrity(self) -> list[str]:
        """Return what the database's own full check complains of; takes a second per some hundred megabytes."""
        return self._db.complaints()

    def doubts(self) -> list[tuple[str, str]]:
        """Return (message, remedy) of what about the database may lose a commit or is open to others."""
        return self._db.doubts()
