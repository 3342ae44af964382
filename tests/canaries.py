"""Looking for secrets where none may be: every value in every spelling in which a leak would show itself."""

import base64
import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

PIECE = 14
"""Characters of a value that are enough to call it a leak: nobody writes them by chance."""


def spellings(value: str) -> Iterator[bytes]:
    """The forms of a value, or of a piece of it, that must stand nowhere."""
    data = value.encode()
    body = data.partition(b"_")[2] or data
    middle = len(body) // 2
    yield body[:PIECE]
    yield body[middle : middle + PIECE]
    yield body[-PIECE:]
    yield data[::-1][:PIECE]
    yield body[:PIECE].hex().encode()
    yield body[:PIECE].hex().upper().encode()
    for shift in range(3):  # base64 at each of the three offsets; the ends depend on what stands beside
        yield base64.b64encode(b"x" * shift + body)[4:28]
        yield base64.urlsafe_b64encode(b"x" * shift + body)[4:28]
    digest = hashlib.sha256(data).digest()  # the digest of a value is a secret itself (an R2 secret key)
    yield digest.hex().encode()
    yield digest
    yield base64.b64encode(digest)[:40]


def leaks(values: Iterable[str], places: Iterable[Path], texts: Iterable[bytes] = ()) -> list[str]:
    """Return where something of a value was found: files of the given folders or files, and texts by number."""
    needles = {needle for value in values for needle in spellings(value)}
    files = [file for place in places for file in ([place] if place.is_file() else place.rglob("*")) if file.is_file()]
    contents = [(str(file), file.read_bytes()) for file in files] + [(f"text {n}", t) for n, t in enumerate(texts)]
    return [where for where, content in contents if any(needle in content for needle in needles)]
