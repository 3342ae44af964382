"""The hash chain of each stream: every fact is bound to the one before it, so that no past can be edited unseen.

HMAC-SHA-256 under a key that only the key file opens: who can write to the database file and no more cannot forge it.
The chain covers the digest of a sealed value's ciphertext, not its wrapped key: destroying a key breaks nothing.
What it cannot see is a tail that was cut off cleanly; backups and the targets' generations show that.
"""

from __future__ import annotations

import hmac
import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from rotator.core.ids import CredentialId
from rotator.journal.records import Record


@dataclass(frozen=True, slots=True)
class Break:
    """Where a chain is broken first.

    Attributes:
        stream: id of the stream.
        position: the first position that cannot be trusted.
        why: what is wrong with it, in a few words.
    """

    stream: CredentialId
    position: int
    why: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What `verify` found: how many facts and streams were read, and the first break of each broken stream."""

    facts: int
    streams: int
    breaks: tuple[Break, ...]


def genesis(stream: CredentialId) -> str:
    """Return what the first fact of a stream names as the hash before it."""
    return f"genesis:{stream}"


def link(key: bytes, record: Record, sealed_digest: str) -> Record:
    """Return the record with its hash; `sealed_digest` is that of the value it brought, or empty."""
    return replace(record, hash=_hash(key, record, sealed_digest))


def verify(key: bytes, records: Iterable[Record], digests: Mapping[str, str]) -> Verification:
    """Check records that come stream by stream, in order of position.

    Args:
        key: the chain key.
        records: of all streams.
        digests: sealed id -> digest of what is in the table of sealed values now.
    """
    facts, breaks, streams = 0, list[Break](), 0
    for stream, group in _by_stream(records):
        streams += 1
        before, position, broken = genesis(stream), 0, False
        for record in group:
            facts += 1
            if broken:
                continue
            position += 1
            why = _wrong(key, record, position, before, digests)
            if why:
                breaks.append(Break(stream, position, why))
                broken = True
            before = record.hash
    return Verification(facts, streams, tuple(breaks))


def _wrong(key: bytes, record: Record, position: int, before: str, digests: Mapping[str, str]) -> str:
    if record.position != position:
        return f"fact {position} is missing"
    if record.previous != before:
        return "it does not follow the fact before it"
    if record.sealed_id and record.sealed_id not in digests:
        return "its sealed value is missing"
    if not hmac.compare_digest(record.hash, _hash(key, record, digests.get(record.sealed_id, ""))):
        return "its content, or its sealed value, was changed"
    return ""


def _hash(key: bytes, record: Record, sealed_digest: str) -> str:
    return hmac.digest(key, f"{record.content()}\n{sealed_digest}".encode(), "sha256").hex()


def _by_stream(records: Iterable[Record]) -> Iterator[tuple[CredentialId, Iterator[Record]]]:
    yield from itertools.groupby(records, key=lambda record: record.stream)
