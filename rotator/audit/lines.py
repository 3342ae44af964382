"""One line of an export: a JSON object that ends with the hash of everything before that in it.

The hash is SHA-256 over the bytes of the line as they would be without it, so that no two programs have to agree on how
JSON is written: whoever cuts `,"hash":"…"` out of a line hashes the rest. `previous` is the hash of the line before it
in the same export. An event of a foreign form keeps all of this in `unmapped`, its last key.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

UNMAPPED: Final = "unmapped"
"""The last key of an event that holds what its form has no place for."""

_HASH: Final = re.compile(r',"hash":"([0-9a-f]{64})"(\}{1,2})$')
_SIGNATURE: Final = re.compile(r',"signature":"([A-Za-z0-9+/]{86}==)"(\}{1,2})$')

Object = dict[str, Any]
Sign = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Read:
    """A line that was read back.

    Attributes:
        told: its object.
        chain: the part of it with `stream`, `position`, `previous`: the object itself, or its `unmapped`.
        hash: the hash that it says to have.
        good: whether that is the hash of what it holds.
        signed: the bytes that were signed, empty where nothing was.
        signature: of those bytes.
    """

    told: Mapping[str, Any]
    chain: Mapping[str, Any]
    hash: str
    good: bool
    signed: bytes = b""
    signature: bytes = b""


def linked(told: Object, previous: str, sign: Sign | None = None) -> tuple[str, str]:
    """Return (line, its hash) of an object.

    Args:
        told: the object; `unmapped`, if it has that, is its last key.
        previous: hash of the line before it.
        sign: returns the 64 bytes of the signature of a text; None for a line that is not signed.
    """
    if UNMAPPED in told:
        told, ends = {**told, UNMAPPED: {**told[UNMAPPED], "previous": previous}}, "}}"
    else:
        told, ends = {**told, "previous": previous}, "}"
    text = json.dumps(told, separators=(",", ":"), ensure_ascii=True)
    if sign is not None:
        signature = base64.b64encode(sign(text.encode())).decode()
        text = f'{text.removesuffix(ends)},"signature":"{signature}"{ends}'
    found = hashlib.sha256(text.encode()).hexdigest()
    return f'{text.removesuffix(ends)},"hash":"{found}"{ends}', found


def read(line: str) -> Read | None:
    """Read a line back; None where it is no line of an export, but a part of one, or something else."""
    cut = _HASH.search(line)
    if cut is None:
        return None
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        return None
    chain = told.get(UNMAPPED, told) if isinstance(told, dict) else None
    if not isinstance(chain, dict) or not isinstance(chain.get("previous"), str):
        return None
    text = line[: cut.start()] + cut[2]
    good = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest() == cut[1]
    inner = _SIGNATURE.search(text)
    if inner is None:
        return Read(told, chain, cut[1], good)
    signed = (text[: inner.start()] + inner[2]).encode("utf-8", "surrogateescape")
    return Read(told, chain, cut[1], good, signed, base64.b64decode(inner[1]))
