"""What the managed keys of a target hold, as far as the journal alone can tell. It asks nobody and journals nothing.

It knows targets by their keys alone: the *value key* is the managed key by which a value can be told, the others are
its *side keys* (ids, literals).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from rotator.core.errors import JournalUnsafe, Refused
from rotator.core.ids import NO_TOKEN, NO_VALUE, Fingerprint, TokenId
from rotator.core.ports.source import Looks, Source
from rotator.core.ports.target import Reading, Target
from rotator.core.protocol.rules import Result
from rotator.core.secret import Secret
from rotator.engine.work import Work

LITERAL = "literal:"

_HEX: Final = re.compile(r"[0-9A-Fa-f]{16,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """What stands at a target.

    Attributes:
        result: what it means for the credential.
        reading: version and values.
        fingerprint: of the value that stands there, empty for none.
        token_id: whose it is, empty where that is not known.
        complete: whether every managed key is as it should be for that value, or is left to a stranger.
        free: fingerprints of what may be overwritten here because it is nobody's, or given up by the configuration.
    """

    result: Result
    reading: Reading
    fingerprint: Fingerprint = NO_VALUE
    token_id: TokenId = NO_TOKEN
    complete: bool = False
    free: frozenset[Fingerprint] = frozenset()


def untouched(work: Work, name: str) -> bool:
    """Whether a target was never ours: seen for the first time, or occupied or left to its owner ever since."""
    view = work.view
    left = name in view.heeded and not view.at(name).generations
    return name not in view.baselines or name in view.occupied or left


def opened(work: Work, fingerprint: Fingerprint) -> Secret | None:
    """Open a value of the journal; None where its key was destroyed or it does not decrypt.

    The trouble of one value is no trouble of the journal: where that is in trouble, the next fact says so.
    """
    try:
        return work.journal.reveal(work.stream, fingerprint)
    except (KeyError, JournalUnsafe):
        return None


def desired(work: Work, target: Target, fingerprint: Fingerprint, value: Secret | None = None) -> dict[str, Secret]:
    """Return what the managed keys must hold for a value of the journal, which is opened unless it is given.

    Raises:
        Refused: the value cannot be opened.
    """
    token_id = work.view.values[fingerprint]
    value = value or opened(work, fingerprint)
    if value is None:
        raise Refused("opening a value of the journal: its key was destroyed, or it was changed since", code="value")
    outputs = work.source_of(token_id).outputs(token_id, value, work.view.expires_at(token_id))
    return {key: literal_or(outputs, name) for key, name in target.keys.items()}


def literal_or(outputs: Mapping[str, Secret], name: str) -> Secret:
    """Return a literal, or the source's output of that name."""
    return Secret(name.removeprefix(LITERAL)) if name.startswith(LITERAL) else outputs[name]


def pieces(work: Work, values: Mapping[str, Secret]) -> dict[str, Fingerprint]:
    """Return the fingerprint of each managed key's content, by which what we wrote is known for ever."""
    return {key: work.journal.fingerprint(value) for key, value in sorted(values.items())}


def value_key(source: Source, target: Target) -> str:
    """Return the managed key by which a value can be told: the value itself, else a secret derived from it."""
    by_output = {name: key for key, name in target.keys.items()}
    return next(by_output[name] for name in source.values if name in by_output)


def provable(source: Source, target: Target) -> bool:
    """Whether what stands at the value key could be verified: it is the value itself."""
    return target.keys[value_key(source, target)] == source.values[0]


def holder(work: Work, target: Target, reading: Reading) -> tuple[Fingerprint, TokenId]:
    """Return fingerprint and token id of the value in a reading; an unknown one has no id, an absent one neither."""
    key = value_key(work.source, target)
    found = reading.values.get(key)
    if found is None:
        return NO_VALUE, NO_TOKEN
    piece = work.journal.fingerprint(found)
    if provable(work.source, target):
        return piece, work.view.values.get(piece, NO_TOKEN)
    if (known := work.view.pieces.get(piece, NO_VALUE)) in work.view.values:
        return known, work.view.values[known]
    for fingerprint in reversed(tuple(work.view.values)):  # written before fingerprints of derived secrets were kept
        value = opened(work, fingerprint)
        if value is not None and desired(work, target, fingerprint, value)[key] == found:
            return fingerprint, work.view.values[fingerprint]
    return piece, NO_TOKEN


def strangers(work: Work, name: str, reading: Reading, wanted: Mapping[str, Secret]) -> dict[str, Fingerprint]:
    """Return the side keys that hold what is neither ours nor allowed to be overwritten: key -> fingerprint.

    Ours is what should stand there, and whatever we wrote at any time.
    """
    view, found = work.view, {}
    for key, content in beside(work.source, work.bound.targets[name], reading, wanted).items():
        piece = work.journal.fingerprint(content)
        if piece not in view.pieces and (name, piece) not in view.allowed:
            found[key] = piece
    return found


def beside(source: Source, target: Target, reading: Reading, wanted: Mapping[str, Secret]) -> dict[str, Secret]:
    """Return the side keys that hold something else than what should stand there: key -> content.

    An id in capital letters is the same id.

    What should stand there is `wanted`, a literal, and what is the same for every token.
    """
    constants, found = source.constants(), {}
    for key, content in reading.values.items():
        output = target.keys[key]
        if key == value_key(source, target):
            continue
        if output.startswith(LITERAL):
            same = content == literal_or({}, output)
        else:
            same = _same(content, wanted.get(key) or constants.get(output))
        if not same:
            found[key] = content
    return found


def _same(content: Secret, ours: Secret | None) -> bool:
    """Whether two texts are equal, or one number in hexadecimal digits, whose letters have no case."""
    if ours is None:
        return False
    one, other = content.reveal(), ours.reveal()
    return one == other or (_HEX.fullmatch(other) is not None and one.lower() == other.lower())


def nobodys(source: Source, target: Target, key: str, content: Secret) -> bool:
    """Whether a side key holds a placeholder; a word like `test` is none where a literal belongs, but may be meant."""
    shape = source.looks_like(content, key, adopted=False)
    return shape.looks is Looks.PLACEHOLDER and not (shape.meant and target.keys[key].startswith(LITERAL))


def publication(
    work: Work, name: str, fingerprint: Fingerprint, reading: Reading
) -> tuple[dict[str, Secret], dict[str, Secret]]:
    """Return (all that is to stand at the managed keys, the part of it that is ours).

    What a stranger put beside our value stays: it is reported, and it never stops the value itself.

    Raises:
        Refused: the value cannot be opened.
    """
    ours = desired(work, work.bound.targets[name], fingerprint)
    left = strangers(work, name, reading, ours)
    kept = {key: reading.values[key] for key in left}
    return {**ours, **kept}, {key: value for key, value in ours.items() if key not in kept}
