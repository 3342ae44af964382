"""Views that are kept in the journal, so that a start does not fold every fact of all time.

A kept view is a cache and nothing more. It counts only while the fact that it was taken after stands there with its
hash, while this program folds as the one that wrote it, and, where the key is at hand, with its seal. Else every fact
is folded, as if it were not there. So it can be lost, be old or be forged without any effect but time.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import rotator.core
from rotator.core.ids import CredentialId
from rotator.core.protocol.view import View
from rotator.journal.database import Connection, Database, run
from rotator.journal.sealing import Seal
from rotator.journal.view_codec import from_plain, to_plain

_NAME: Final = "view:"
_LEAST: Final = 32
"""Facts of a stream below which keeping a view is not worth its row."""

_GROWTH: Final = 8
"""A view is kept anew when its stream has grown by an eighth: all writes together stay a small multiple of its size."""

AT_ONCE: Final = 200
"""Views kept at one heartbeat: some tenths of a second, every ten seconds."""

AT_THE_END: Final = 2000
"""Views kept when a process ends: it may take a second or two longer."""

_BATCH: Final = 50
_KEEP: Final = "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"

Kept = tuple[int, str, View]
"""Position and hash of the last fact of a view, and the view."""


class StoredViews:
    """The kept views of one journal."""

    def __init__(self, db: Database, seal: Seal | None) -> None:
        """Without a `seal` they are read as facts are: without a proof."""
        self._db = db
        self._seal = seal
        self._kept: dict[str, int] = {}

    def load(self, connection: Connection, stream: CredentialId) -> Kept | None:
        """Return the kept view of a stream, None where there is none that this program may use."""
        rows = run(connection, "SELECT value FROM meta WHERE name = ?", (_NAME + stream,))
        if not rows:
            return None
        of, position, digest, mark, text = (*str(rows[0][0]).split("\n", 4), "", "", "", "")[:5]
        if of != folding() or not position.isdecimal():
            return None
        if self._seal is not None and not hmac.compare_digest(
            mark, self._mark(self._seal, stream, position, digest, text)
        ):
            return None
        try:
            view = from_plain(json.loads(text))
        except ValueError:
            return None
        self._kept[stream] = int(position)
        return int(position), digest, view

    def wants(self, stream: CredentialId, position: int) -> bool:
        """Whether a stream that ends at `position` has grown enough since its view was kept."""
        kept = self._kept.get(stream, 0)
        return position - kept >= max(_LEAST, kept // _GROWTH)

    def keep(self, found: Iterable[tuple[CredentialId, Kept]]) -> None:
        """Keep views; a power cut may undo it.

        Raises:
            JournalUnsafe: the journal cannot be written.

        Crash: leaves some of them as they were.
        """
        if self._seal is None:
            return
        wanted = list(found)
        for start in range(0, len(wanted), _BATCH):
            rows = []
            for stream, (position, digest, view) in wanted[start : start + _BATCH]:
                text = json.dumps(to_plain(view), separators=(",", ":"))
                mark = self._mark(self._seal, stream, str(position), digest, text)
                rows.append((_NAME + stream, "\n".join((folding(), str(position), digest, mark, text))))
            with self._db.write(durable=False) as connection:
                for row in rows:
                    run(connection, _KEEP, row)
            self._kept |= {stream: kept[0] for stream, kept in wanted[start : start + _BATCH]}

    def _mark(self, seal: Seal, stream: CredentialId, position: str, digest: str, text: str) -> str:
        content = "\n".join(("rotator view", folding(), stream, position, digest, text))
        return hmac.digest(seal.chain_key, content.encode(), "sha256").hex()


@functools.cache
def folding() -> str:
    """Return what names the way in which this program folds: a digest over everything that has a say in it."""
    folder = Path(rotator.core.__file__).parent
    found = hashlib.sha256(rotator.__version__.encode())
    for path in sorted(folder.rglob("*.py")):
        found.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return found.hexdigest()[:32]
