"""What an export tells, and its own form of it: one flat JSON object for each fact and each checkpoint.

Pure. A fact is told as `rotator history -o json` tells it: no value, and no digest of one, is ever among it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Protocol

from rotator import __version__
from rotator.audit.lines import Object
from rotator.core.ids import CredentialId, FactId
from rotator.core.instants import rfc3339

LONGEST: Final = 48_000
"""Characters of a fact's detail above which it is left out: what is sent as one datagram has to fit into one."""


class Reason(StrEnum):
    """Why a checkpoint stands where it stands."""

    OPENED = "opened"
    """An export, or a new file of it, begins."""

    RESUMED = "resumed"
    """The line before it was cut off by a kill or a full disk."""

    REGULAR = "regular"
    """A minute has passed."""

    STOPPED = "stopped"
    """The process ends, or hands over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A fact that goes out.

    Attributes:
        stream: id of its stream.
        position: its place in the stream, from 1.
        fact_id: its random id: the same in every line that tells it again.
        at: provider time, unix seconds.
        document: what `history -o json` says of it: credential, kind, rotation, epoch, actor, detail.
        instance: the journal that it is from.
    """

    stream: CredentialId
    position: int
    fact_id: FactId
    at: float
    document: Mapping[str, Any]
    instance: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """What a signed line says beside the hash of the line before it.

    Attributes:
        at: wall time, unix seconds.
        sink: the export's name.
        reason: why it stands here.
        settled: whether everything that an earlier process may have written already was written again before it.
        instance: the journal whose key signs it.
        key: the public key, base64 of its 32 bytes.
    """

    at: float
    sink: str
    reason: Reason
    settled: bool
    instance: str
    key: str


class Form(Protocol):
    """How entries and checkpoints are told."""

    def fact(self, entry: Entry) -> Object:
        """Return the object of a fact."""

    def checkpoint(self, checkpoint: Checkpoint) -> Object:
        """Return the object of a checkpoint."""


Document = Callable[[str, Any], Mapping[str, Any]]


def fact(entry: Entry) -> Object:
    """Return a fact as a flat object."""
    told = entry.document
    return {
        "type": "fact",
        "time": rfc3339(entry.at),
        "credential": told["credential"],
        "kind": told["kind"],
        "actor": told["actor"],
        "rotation": told["rotation"],
        "epoch": told["epoch"],
        "detail": bounded(told["detail"]),
        "stream": entry.stream,
        "position": entry.position,
        "fact_id": entry.fact_id,
        "instance": entry.instance,
        "rotator": __version__,
    }


def checkpoint(told: Checkpoint) -> Object:
    """Return a checkpoint as a flat object."""
    return {"type": "checkpoint", "time": rfc3339(told.at), **attested(told)}


def attested(told: Checkpoint) -> Object:
    """Return what every form of a checkpoint says."""
    return {
        "sink": told.sink,
        "reason": told.reason.value,
        "settled": told.settled,
        "instance": told.instance,
        "rotator": __version__,
        "key": told.key,
    }


def bounded(detail: Mapping[str, Any]) -> dict[str, Any]:
    """Return a fact's detail, or that it was too long."""
    size = len(str(detail))
    return dict(detail) if size <= LONGEST else {"left_out": f"{size} characters; `rotator history` shows them"}
