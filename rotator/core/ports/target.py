"""The port to one place where a value is published. It moves managed keys; it knows nothing of rotations or tokens."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from rotator.core.ids import RotationId, TokenId
from rotator.core.secret import Secret


class Evidence(StrEnum):
    """What a target can show of what stands there."""

    VALUE = "value"
    """The values themselves can be read."""
    MARKER = "marker"
    """Write-only: it shows that something was written and when, never what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What stands at a target.

    Attributes:
        version: opaque, changes with every change of the place; empty where the place does not exist yet.
        values: the managed keys that are present and not empty; always empty of a write-only target.
        marker: of a write-only target: what changes with every write (a version, the time of the last write), empty
            where nothing stands there.
        age: seconds since that write by the target's own clock; infinite where it says nothing of time.
        ends: when the place itself will delete what stands there (unix seconds, by its own clock), infinite for never.
    """

    version: str
    values: Mapping[str, Secret] = field(default_factory=dict)
    marker: str = ""
    age: float = float("inf")
    ends: float = float("inf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """One write, complete and fenced.

    Attributes:
        credential: the credential's name.
        rid: rotation id.
        generation: number of the publication of this credential.
        token_id: the token whose value it is.
        expires_at: provider time, infinite without expiry.
        values: every managed key with its new value.
        expected: what was read before the fenced publish intent; the write happens only on top of it.
        still_mine: raises `Fenced` when the lease was lost; called as close to the write as the place allows.
    """

    credential: str
    rid: RotationId
    generation: int
    token_id: TokenId
    expires_at: float
    values: Mapping[str, Secret]
    expected: Reading
    still_mine: Callable[[], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """What an operator should know of a place although a write there would be allowed.

    Attributes:
        code: a short stable word.
        message: what was found, one sentence, no value.
        remedy: what to do.
        about: another place that it is about, as its target would name it (`TargetKind.place`). Where the configuration
            has a target for that place, the remark is void.
    """

    code: str
    message: str
    remedy: str = ""
    about: str = ""


class Target(Protocol):
    """One place with some managed keys.

    MUST keep every key that is not managed, byte for byte where the place has bytes.
    MUST write all managed keys at once: a reader sees the old or the new set.
    MUST refuse with `Conflict`, and leave the place as it was, where a managed key holds something else than `expected`
    says.
    MAY succeed where only unmanaged keys changed since `expected`.
    MUST raise `Unavailable` from a read without a usable answer; from a write `Refused` for a certain no, `Unavailable`
    where it was certainly not sent, `OutcomeUnknown` in every other case.
    MUST be safe to repeat: the same publication twice is one write.

    A write-only target (`Evidence.MARKER`) cannot compare before it writes: it MUST write all managed keys whatever
    stands there, and change its marker with every write; two writes within one second may share a marker.
    """

    @property
    def evidence(self) -> Evidence:
        """What it can show of what stands there."""

    @property
    def keys(self) -> Mapping[str, str]:
        """Managed key -> name of the source's output (`token.value`), or `literal:TEXT`."""

    def check(self) -> Sequence[Remark]:
        """Prove, without changing anything, that a write would be allowed now (the write preflight).

        Returns what an operator should know although it would; raises `Refused` or `Unavailable` where it would not.
        """

    def read(self) -> Reading:
        """Read the managed keys over a new connection; an absent place is an empty reading."""

    def write(self, publication: Publication) -> None:
        """Publish. A crash inside leaves the old or the new set, and nothing that the next write does not clean."""
