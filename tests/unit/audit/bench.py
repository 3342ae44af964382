"""A journal and a sink in memory, and an exporter between them, in virtual time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from rotator.app.documents import fact_document
from rotator.audit import plain
from rotator.audit.exporter import Exporter
from rotator.audit.keys import Signer, signed_by
from rotator.audit.plain import Form
from rotator.audit.ports import Found, SinkDown, Stretch
from rotator.audit.verify import Line, Verdict, verify
from rotator.core.errors import Fenced, RotatorError
from rotator.core.facts import Fact, Paused
from rotator.core.ids import CredentialId
from rotator.core.ports.journal import Lease

SIGNER = Signer(b"s" * 32)


def fact(stream: str, position: int, at: float = 0.0, what: Any = None, **more: Any) -> Fact:
    return Fact(
        what=what or Paused(reason="lunch", until=60.0),
        at=at or position,
        actor=more.pop("actor", "anna"),
        fact_id=more.pop("fact_id", f"{stream}-{position}"),
        stream=stream,
        position=position,
        epoch=1,
        writer="w",
        **more,
    )


@dataclass
class MemoryBook:
    """Facts by stream, and one cursor."""

    streams: dict[str, list[Fact]] = field(default_factory=dict)
    come: dict[str, int] = field(default_factory=dict)
    keep: str = ""
    epoch: int = 1
    taken: bool = False
    broken: RotatorError | None = None
    instance: str = "abcd1234"

    def add(self, stream: str, count: int = 1, at: float = 0.0) -> None:
        told = self.streams.setdefault(stream, [])
        told += [fact(stream, len(told) + 1 + number, at) for number in range(count)]

    def claim(self) -> Lease | None:
        return None if self.taken else Lease(CredentialId("audit"), self.epoch, "me")

    def give_back(self, claim: Lease) -> None:
        self.epoch += 1

    def kept(self) -> str:
        return self.keep

    def behind(self) -> Sequence[Stretch]:
        if self.broken:
            raise self.broken
        found = [(s, self.come.get(s, 0), len(told)) for s, told in sorted(self.streams.items())]
        return [Stretch(CredentialId(s), f"name-{s}", come, ends) for s, come, ends in found if ends > come]

    def facts(self, stream: CredentialId, after: int, limit: int) -> Sequence[Fact]:
        return self.streams[stream][after : after + limit]

    def document(self, name: str, fact: Fact) -> Mapping[str, Any]:
        return fact_document(name, fact)

    def move(self, claim: Lease, to: Mapping[CredentialId, int], keep: str, *, back: bool = False) -> None:
        if self.broken:
            raise self.broken
        if claim.epoch != self.epoch:
            raise Fenced("another process took over")
        self.come |= {s: at for s, at in to.items() if back or at > self.come.get(s, 0)}
        self.keep = keep


@dataclass
class MemorySink:
    """Lines; it may be down, and may take a part before that."""

    lines: list[str] = field(default_factory=list)
    finds: Found = Found.THE_LINE_BEFORE
    takes: int | None = None
    closed: bool = False

    def look(self) -> Found:
        found, self.finds = self.finds, Found.THE_LINE_BEFORE
        return found

    def write(self, lines: Sequence[str]) -> None:
        if self.takes is not None:
            self.lines += lines[: self.takes]
            raise SinkDown("writing: no", "wait")
        self.lines += lines

    def close(self) -> None:
        self.closed = True


@dataclass
class Bench:
    """One export. `now` is monotonic and wall time alike."""

    book: MemoryBook = field(default_factory=MemoryBook)
    sink: MemorySink = field(default_factory=MemorySink)
    form: Form = plain  # type: ignore[assignment]
    now: float = 1000.0
    troubles: list[RotatorError | None] = field(default_factory=list)
    dies_at: str = ""

    def __post_init__(self) -> None:
        self.exporter = self.process()

    def process(self) -> Exporter:
        """Another process that exports to the same sink, as after a kill."""
        self.exporter = Exporter(
            "siem",
            self.book,
            self.sink,
            self.form,
            SIGNER,
            monotonic=lambda: self.now,
            wall=lambda: self.now,
            crash=self._crash,
            trouble=self.troubles.append,
        )
        return self.exporter

    def _crash(self, point: str) -> None:
        if point == self.dies_at:
            self.dies_at = ""
            raise Killed

    def settle(self, seconds: float = 61.0) -> None:
        """Let time pass, and all that waits go out, with a checkpoint behind it."""
        for _ in range(100):
            if self.exporter.step() > 0:
                break
        self.now += seconds
        self.exporter.step()

    def verdict(self, lines: Sequence[str] | None = None, **options: Any) -> Verdict:
        told = self.sink.lines if lines is None else lines
        return verify((Line("f", n, text) for n, text in enumerate(told, 1)), signed_by, **options)


class Killed(BaseException):
    """The process ends here."""


def renamed(told: Fact, **fields: Any) -> Fact:
    return replace(told, **fields)
