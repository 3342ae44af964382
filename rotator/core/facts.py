"""The vocabulary of the journal: every kind of durable fact, and what a fact carries.

A fact is append-only and says something that is durably true; state is the fold of the facts (`protocol.fold`).
This file must not know which fact may follow which: that is `protocol.steps`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeAlias

MACHINE: Final = 1
"""Version of the state machine that wrote a fact; a newer one reads older facts."""

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"


class Kind(StrEnum):
    """What a fact says. The value is the word in the journal, in logs and in `history`."""

    # steps of a rotation
    PLANNED = "planned"
    INTENT = "intent"
    CAPTURED = "captured"
    ABANDONED = "abandoned"
    VERIFIED = "verified"
    PUBLISHING = "publishing"
    CONFIRMED = "confirmed"
    DONE = "done"
    DISPLACED = "displaced"
    # beside the steps of a rotation
    EXTENDED = "extended"
    FAILED = "failed"
    PUBLISH_INTENT = "publish_intent"
    WRITTEN = "written"
    READ_BACK = "read_back"
    UNWRITTEN = "unwritten"
    # steps of a retirement
    RETIREMENT = "retirement"
    SUPERSEDED = "superseded"
    CONDEMNED = "condemned"
    DISABLED = "disabled"
    DELETED = "deleted"
    RETIRED = "retired"
    # what was seen outside
    BASELINE = "baseline"
    SEEN = "seen"
    KNOWN = "known"
    ADOPTED = "adopted"
    OVERRIDDEN = "overridden"
    OVERRIDE_ENDED = "override_ended"
    TARGET_RELEASED = "target_released"
    TARGET_ADDED = "target_added"
    HELD = "held"
    AHEAD = "ahead"
    # acts of an operator, or the configuration
    CONFIGURED = "configured"
    REQUEST = "request"
    PAUSED = "paused"
    RESUMED = "resumed"
    RESOLVED = "resolved"


UNFENCED: Final = frozenset({Kind.CAPTURED, Kind.REQUEST, Kind.PAUSED, Kind.RESUMED, Kind.RESOLVED, Kind.HELD})
"""Accepted at any epoch: a stale process may hold the only copy of a value, operators act without a lease, and another
credential's driver says that a value stands at one of its places."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A fact before the journal has accepted it.

    Attributes:
        kind: what it says.
        at: provider time in unix seconds; deadlines count from it.
        rid: rotation id, empty outside a rotation.
        attempt: number of the mint within the rotation, from 1; 0 where none is meant.
        token_id: the token that it is about, or empty.
        token_name: the token's name at the provider, or empty.
        target: the target's name, or empty.
        generation: number of the publication, 0 where none is meant.
        fingerprint: fingerprint of the value that it is about, or empty.
        actor: `daemon`, or the operator who asked.
        principal: id of the management token used for the call, or empty.
        owner: owner scope of the token at the provider (`user`, `account`), or empty.
        detail: further plain data by kind; never a value.
    """

    kind: Kind
    at: float
    rid: str = ""
    attempt: int = 0
    token_id: str = ""
    token_name: str = ""
    target: str = ""
    generation: int = 0
    fingerprint: str = ""
    actor: str = "daemon"
    principal: str = ""
    owner: str = ""
    detail: Mapping[str, Json] = field(default_factory=dict)

    def number(self, key: str, default: float = 0.0) -> float:
        """Return a number out of `detail`, or `default` where it is absent."""
        found = self.detail.get(key)
        return float(found) if isinstance(found, int | float) else default

    def text(self, key: str) -> str:
        """Return a text out of `detail`, or an empty one."""
        found = self.detail.get(key)
        return found if isinstance(found, str) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact(Draft):
    """A durable fact: a draft with its place in the journal.

    Attributes:
        fact_id: random id given by the writer, by which an unknown COMMIT is re-read.
        stream: id of the credential or connection that it belongs to.
        position: place in the stream, from 1.
        epoch: fencing number of the lease under which it was written.
        writer: the process that wrote it.
        sealed_id: the sealed value that it brought, or empty.
    """

    fact_id: str
    stream: str
    position: int
    epoch: int
    writer: str
    sealed_id: str = ""
