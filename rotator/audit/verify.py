"""What the lines of an export prove, from themselves and a public key alone.

Pure. Every line names the hash of the line before it, and a checkpoint signs its own: so it speaks for every line that
leads to it, and whoever changes, removes, moves or inserts one of them is found. A process that was killed wrote lines
whose sending was not noted yet; the next one goes on from the line that was noted, and tells the same facts again. The
lines between lead to no checkpoint: each must be told again by one that does, and counts as a duplicate then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from rotator.audit.lines import UNMAPPED, Read, read
from rotator.audit.plain import Reason

SHOWN: Final = 20
"""Problems that are told one by one; all are counted."""

GENESIS: Final = "genesis:"
"""How the `previous` of an export's very first line begins."""

Signed = Callable[[str, bytes, bytes], bool]
"""(public key, content, signature) -> whether it is good."""


class Code(StrEnum):
    """What is wrong with an export. The words never change their meaning."""

    CHANGED = "changed"
    REMOVED = "removed"
    REORDERED = "reordered"
    INSERTED = "inserted"
    UNREADABLE = "unreadable"
    NO_BEGINNING = "no_beginning"
    SIGNATURE = "signature"
    KEY = "key"
    UNSIGNED = "unsigned"
    EMPTY = "empty"


MEANINGS: Final[Mapping[Code, str]] = {
    Code.CHANGED: "its content is not what it was written with",
    Code.REMOVED: "the line before it is missing",
    Code.REORDERED: "the line before it comes later",
    Code.INSERTED: "no checkpoint speaks for it, and none of the lines that one speaks for tells the same",
    Code.UNREADABLE: "it is no line of an export",
    Code.NO_BEGINNING: "what came before it is missing: each file of an export begins with an opening checkpoint",
    Code.SIGNATURE: "its signature is wrong",
    Code.KEY: "it is signed by another key",
    Code.UNSIGNED: "there is no checkpoint, so nobody speaks for any line",
    Code.EMPTY: "there is no line in it",
}


@dataclass(frozen=True, slots=True)
class Line:
    """A line as it stands in a file: its number there from 1, and whether its end was written."""

    file: str
    number: int
    text: str
    ended: bool = True


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one line."""

    file: str
    line: int
    code: Code


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What an export proves.

    Attributes:
        lines: of it.
        facts: different ones.
        streams: that they are from.
        duplicates: lines that tell a fact once more.
        checkpoints: signed lines.
        unsigned: lines behind the last checkpoint, for which none speaks yet.
        half_lines: parts of lines that a kill left, and that were told again.
        rewritten: facts that stand in the place of others: the journal was restored from a backup.
        whole: whether it begins with the very first line; else that was in an earlier file.
        first: time of the first line, as it says; empty without one.
        signed_until: time of the last checkpoint, as it says; empty without one.
        key: the public key that signed it, base64; empty without one.
        instance: the journal that it says to be from.
        problems: what is wrong, in order.
    """

    lines: int
    facts: int
    streams: int
    duplicates: int
    checkpoints: int
    unsigned: int
    half_lines: int
    rewritten: int
    whole: bool
    first: str
    signed_until: str
    key: str
    instance: str
    problems: tuple[Problem, ...]

    @property
    def intact(self) -> bool:
        """Whether nothing is wrong with it."""
        return not self.problems


def verify(lines: Iterable[Line], signed: Signed, key: str = "", *, part: bool = False) -> Verdict:
    """Check the lines of an export, its files one behind the other, the oldest first.

    Args:
        lines: in order.
        signed: checks a signature.
        key: the public key, base64; empty to take the one that the first checkpoint names.
        part: whether lines may be missing before the first one.
    """
    seen = _Seen(signed, key, part)
    for line in lines:
        seen.take(line)
    return seen.verdict()


@dataclass(slots=True)
class _Told:
    """A line that tells a fact."""

    at: int
    fact_id: str
    program: str
    core: tuple[Any, ...]
    detail: str

    def tells_what(self, other: _Told) -> bool:
        """Whether it says the same; another version of the program may tell a detail in another way."""
        return self.core == other.core and (self.detail == other.detail or self.program != other.program)


class _Seen:
    """What was seen so far; lines by number from 0 over all files."""

    def __init__(self, signed: Signed, key: str, part: bool) -> None:
        self._is_signed, self._key, self._part = signed, key, part
        self._where: list[tuple[str, int]] = []
        self._numbers: dict[str, int] = {}
        self._before: list[int] = []
        self._attested = bytearray()
        self._facts: dict[tuple[str, int], list[_Told]] = {}
        self._unknown: list[tuple[int, str]] = []
        self._garbage: list[tuple[int, bool]] = []
        self._problems: list[tuple[int, Code]] = []
        self._checkpoints = self._half_lines = self._duplicates = self._unsigned = 0
        self._settled = -1
        self._instance = self._first = self._until = self._root = ""
        self._whole = False

    # ----------------------------------------------------------------------------------------------------- line by line
    def take(self, line: Line) -> None:
        """Look at the next line."""
        at = len(self._where)
        self._where.append((line.file, line.number))
        self._before.append(-1)
        self._attested.append(0)
        found = read(line.text)
        if found is None:
            self._garbage.append((at, not line.ended))
            return
        if found.good:
            self._first = self._first or _time(found)
            self._instance = self._instance or str(found.chain.get("instance", ""))
        else:
            self._wrong(at, Code.CHANGED)
        again = found.good and found.hash in self._numbers
        if not again:
            self._follow(at, found)
        self._numbers.setdefault(found.hash, at)
        if not found.good:
            return
        if "reason" not in found.chain or "position" in found.chain:
            self._fact(at, found)
        elif again:
            self._duplicates += 1
        else:
            self._checkpoint(at, found)

    def _follow(self, at: int, found: Read) -> None:
        """Note which line is before this one."""
        previous = str(found.chain["previous"])
        known = self._numbers.get(previous)
        if known is not None:
            self._before[at] = known
        elif self._root and previous == self._root:
            pass  # the very first lines were sent and not noted
        elif self._numbers or self._garbage:
            self._unknown.append((at, previous))
        else:
            self._begin(at, previous, found)

    def _begin(self, at: int, previous: str, found: Read) -> None:
        self._root = previous
        if found.chain.get("reason") == Reason.OPENED.value:
            self._whole = previous.startswith(GENESIS)
        elif not self._part:
            self._wrong(at, Code.NO_BEGINNING)

    def _checkpoint(self, at: int, found: Read) -> None:
        named = str(found.chain.get("key", ""))
        self._key = self._key or named
        if named != self._key:
            self._wrong(at, Code.KEY)
        elif not found.signature or not self._is_signed(named, found.signed, found.signature):
            self._wrong(at, Code.SIGNATURE)
        else:
            self._checkpoints += 1
            self._until = _time(found)
            if found.chain.get("settled") is True:
                self._settled = at
            if found.chain.get("reason") == Reason.RESUMED.value:
                before = at - 1
                while self._garbage and self._garbage[-1][0] == before:
                    self._garbage.pop()
                    self._half_lines, before = self._half_lines + 1, before - 1
            while at >= 0 and not self._attested[at]:
                self._attested[at] = 1
                at = self._before[at]

    def _fact(self, at: int, found: Read) -> None:
        chain = found.chain
        place = (str(chain.get("stream")), chain.get("position"))
        if not isinstance(place[1], int):
            self._wrong(at, Code.INSERTED)
            return
        told = _Told(at, str(chain.get("fact_id")), str(chain.get("rotator")), _core(found), repr(chain.get("detail")))
        self._facts.setdefault((place[0], place[1]), []).append(told)

    def _wrong(self, at: int, code: Code) -> None:
        self._problems.append((at, code))

    # --------------------------------------------------------------------------------------------------- all in all
    def verdict(self) -> Verdict:
        """Return what all of it proves."""
        rewritten = self._weigh_facts()
        for at, previous in self._unknown:
            self._wrong(at, Code.REORDERED if previous in self._numbers else Code.REMOVED)
        last = len(self._where) - 1
        for at, torn in self._garbage:
            if torn and (at == last or self._where[at + 1][0] != self._where[at][0]):
                self._half_lines += 1
            else:
                self._wrong(at, Code.UNREADABLE)
        if not self._where:
            self._where.append(("", 0))
            self._wrong(0, Code.EMPTY)
        elif not self._checkpoints:
            self._wrong(last, Code.UNSIGNED)
        problems = tuple(Problem(*self._where[at], code) for at, code in sorted(set(self._problems)))
        return Verdict(
            lines=last + 1,
            facts=len(self._facts),
            streams=len({stream for stream, _ in self._facts}),
            duplicates=self._duplicates,
            checkpoints=self._checkpoints,
            unsigned=self._unsigned,
            half_lines=self._half_lines,
            rewritten=rewritten,
            whole=self._whole,
            first=self._first,
            signed_until=self._until,
            key=self._key if self._checkpoints else "",
            instance=self._instance,
            problems=problems,
        )

    def _weigh_facts(self) -> int:
        """Note what nothing speaks for, and gaps; return how many facts took the place of others."""
        rewritten, ends = 0, dict[str, int]()
        chained = not (self._problems or self._unknown or self._garbage)
        for (stream, position), told in sorted(self._facts.items()):
            expected = ends.get(stream, 0 if self._whole else position - 1) + 1
            if chained and position != expected:
                self._wrong(told[0].at, Code.REMOVED)
            ends[stream] = position
            good = [one for one in told if self._attested[one.at]]
            rewritten += max(len({one.fact_id for one in good}) - 1, 0)
            first = set[str]()
            for one in told:
                if one.fact_id in first:
                    self._duplicates += 1
                first.add(one.fact_id)
                if self._attested[one.at] or any(one.tells_what(other) for other in good):
                    continue
                if one.at < self._settled:
                    self._wrong(one.at, Code.INSERTED)
                else:
                    self._unsigned += 1
        return rewritten


def _time(found: Read) -> str:
    told = found.told.get("time")
    if isinstance(told, int):
        from rotator.core.instants import rfc3339

        return rfc3339(told / 1000) or ""
    return str(told or "")


def _core(found: Read) -> tuple[Any, ...]:
    """What a fact says, its detail aside, whatever the credential was called when it was told."""
    told, chain = found.told, found.chain
    actor = told.get("actor")
    if isinstance(actor, dict):
        user = actor.get("user")
        actor = user.get("name") if isinstance(user, dict) else actor.get("app_name")
    kind = chain.get("kind") if UNMAPPED in told else told.get("kind")
    return (str(chain.get("fact_id")), str(kind), str(told.get("time")), str(actor))
