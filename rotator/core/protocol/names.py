"""Token names: `base~instance.rid.epoch.n`, how they are made and read. A name alone never justifies a destruction."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from rotator.core.ids import RotationId

LIMIT: Final = 120
"""Characters of a name, where the source says nothing else."""

_PATTERN: Final = re.compile(
    r"(?P<base>.+)~(?P<instance>[0-9a-z]+)\.(?P<rid>[0-9a-z]+)\.(?P<epoch>\d+)\.(?P<attempt>\d+)(?P<nonce>[a-z][0-9a-f]+)?"
)


@dataclass(frozen=True, slots=True)
class AttemptName:
    """The parts of a token name of ours.

    Attributes:
        base: the credential's name, cut where the whole would be too long.
        instance: id of the journal that minted it.
        rid: rotation id.
        epoch: fencing number under which it was minted.
        attempt: number of the mint within its rotation.
        nonce: random, so that a restored journal never gives a name twice.
        limit: characters that a name may have at the provider.
    """

    base: str
    instance: str
    rid: RotationId
    epoch: int
    attempt: int
    nonce: str = ""
    limit: int = LIMIT

    def __str__(self) -> str:
        suffix = f"~{self.instance}.{self.rid}.{self.epoch}.{self.attempt}{self.nonce}"
        return self.base[: self.limit - len(suffix)] + suffix


def parse(name: str) -> AttemptName | None:
    """Read a token name; None where it is not of our pattern."""
    found = _PATTERN.fullmatch(name)
    if not found:
        return None
    return AttemptName(
        base=found["base"],
        instance=found["instance"],
        rid=RotationId(found["rid"]),
        epoch=int(found["epoch"]),
        attempt=int(found["attempt"]),
        nonce=found["nonce"] or "",
    )


def is_of(parsed: AttemptName, credential: str, limit: int = LIMIT) -> bool:
    """Whether a parsed name has the credential's base, cut like `str()` cuts it at that limit."""
    of = AttemptName(credential, parsed.instance, parsed.rid, parsed.epoch, parsed.attempt, parsed.nonce, limit)
    return str(of).rpartition("~")[0] == parsed.base
