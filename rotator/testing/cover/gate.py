"""How one process is run from one effect to the next, without threads: its present act is gone through again.

Everything that a port answers within an act is kept. To go on, the act is played again with these answers, the effect
before which the process stood is done (or meets its fault), and the process runs on until it stands before the next
one. Between two acts an engine keeps nothing but its memory, so nothing else has to be kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass, field, fields, replace
from typing import Final, TypeVar, cast

from rotator.core.errors import JournalUnsafe, OutcomeUnknown, Refused, RotatorError, Unavailable
from rotator.core.ports.journal import Lease
from rotator.core.protocol.view import View
from rotator.engine.work import Memory
from rotator.testing.cover.model import Entry, Model, Proc

T = TypeVar("T")

SENDS: Final = ("lose_request", "lose_answer", "late", "duplicate", "reject")
OUTCOMES: Final = {
    "append": ("fail", "ambiguous"),
    "spool": ("fail",),
    "capture": ("fail", "ambiguous"),
    "mint": (*SENDS, "twin", "wrong_grants", "lag", "never"),
    "roll": SENDS,
    "extend": ("lose_request", "lose_answer", "reject"),
    "disable": ("lose_request", "lose_answer", "late", "reject"),
    "delete": ("lose_request", "lose_answer", "late", "reject"),
    "put": (*SENDS, "lie"),
    "exchange": ("fail",),
    "exchange_back": ("fail",),
    "sleep": (),
    "decide": (),
}
"""Effect -> faults that it may meet. Before each of them its process may be killed or stopped, too.

`decide` is no effect: where no trouble is left and nobody else can come in between, a process is run from act to act.
"""

READS: Final = {
    "canary": ("fail",),
    "check": ("fail",),
    "read": ("fail",),
    "reread": ("fail",),
    "get": ("fail",),
    "verify": ("fail", "spurious"),
    "listed": ("fail",),
}
"""Reads -> unusable or wrong answers. A process is not stopped before a read."""

LOCAL: Final = frozenset({"append", "spool", "capture", "canary", "exchange", "exchange_back", "reread"})


class Parked(BaseException):
    """The process stands before an effect. Not an `Exception`, so that nothing of the engine swallows it."""


class Astray(Exception):
    """An act that is gone through again asks for something else: another protocol had begun it."""


@dataclass(slots=True)
class Chooser:
    """Which reads of one run meet a fault: the first ones as told, the others none; what else there was is noted."""

    told: Sequence[str] = ()
    taken: list[str] = field(default_factory=list)
    others: list[tuple[str, ...]] = field(default_factory=list)

    def pick(self, operation: str) -> str:
        """The fault of this read."""
        at = len(self.taken)
        found = self.told[at] if at < len(self.told) else ""
        self.taken.append(found)
        self.others.append(READS.get(operation, ()))
        return found


class Gate:
    """What all ports of one process share during one run of it."""

    def __init__(self, model: Model, index: int, outcome: str, chooser: Chooser) -> None:
        self.model, self.index, self.chooser = model, index, chooser
        proc = model.procs[index]
        self.proc = proc
        self.lease: Lease | None = proc.lease
        self.view, self.began = proc.view, proc.began
        self.log = list(proc.log)
        self.credential = proc.credential or model.credential()
        self.first = proc.first
        self.latest = proc.view
        self.asked = self.begun = False
        self.cursor = 0
        self.clock = proc.began if proc.view is not None else model.now
        self.outcome: str | None = outcome if proc.pending not in ("", "decide") else None
        self.whole, self.moved = model.undisturbed(index), False
        self.pending = ""
        self.memory = _copied(proc.memory)
        self.kept = proc.memory

    def call(self, operation: str, *arguments: object) -> object:
        """Pass a port: play back, do an effect (once), or stand before the next one."""
        if self.cursor < len(self.log):
            entry = self.log[self.cursor]
            if entry.operation != operation:
                raise Astray(f"the act that began with {entry.operation} asks for {operation}")
            self.cursor += 1
            self.clock = entry.now
            if entry.error is not None:
                raise entry.error.with_traceback(None)
            return entry.result
        kind = ""
        if operation in OUTCOMES:
            if self.outcome is not None:
                if operation != self.proc.pending:
                    raise Astray(f"the act that stood before {self.proc.pending} asks for {operation}")
                kind, self.outcome = self.outcome, None
            elif not self.whole or operation == "sleep":
                self.pending = operation
                raise Parked
            self.moved = True
        elif operation in READS:
            kind = self.chooser.pick(operation)
        self.clock = self.model.now
        self.cursor += 1
        try:
            result = self._meet(kind, operation, arguments)
        except RotatorError as error:
            self.log.append(Entry(operation=operation, now=self.clock, error=error))
            raise
        self.log.append(Entry(operation=operation, now=self.clock, result=result))
        return result

    def _meet(self, kind: str, operation: str, arguments: tuple[object, ...]) -> object:
        """Do it on the model, or what the fault makes of it."""
        unknown = JournalUnsafe if operation in LOCAL else OutcomeUnknown if operation in OUTCOMES else Unavailable
        if kind == "fail" and operation in ("exchange", "exchange_back", "reread"):
            raise Unavailable(f"{operation}: no")
        if kind in ("fail", "lose_request"):
            raise unknown(f"{operation}: no answer")
        if kind == "reject":
            raise Refused(f"{operation}: no")
        if kind == "spurious":
            return None
        again = ((operation, arguments),) if kind in ("late", "duplicate") else ()
        if kind == "late":
            self.model.late += again
            raise unknown(f"{operation}: no answer")
        self.model.acting = replace(self.proc, view=self.view, began=self.began, credential=self.credential)
        try:
            result = self.do(operation, arguments, kind)
        except RotatorError:
            if kind in ("lose_answer", "ambiguous"):
                raise unknown(f"{operation}: no answer") from None
            raise
        finally:
            self.model.acting = None
            self.model.late += again
        if kind in ("lose_answer", "ambiguous"):
            raise unknown(f"{operation}: no answer")
        return result

    def do(self, operation: str, arguments: tuple[object, ...], kind: str) -> object:
        """Act on the model."""
        from rotator.testing.cover.effects import EFFECTS

        more = (kind,) if operation in ("mint", "put") else ()
        return cast("Callable[..., object]", EFFECTS[operation])(self.model, *arguments, *more)

    def look(self) -> View:
        """The fold is asked for: at the beginning of a pass as it was when the present act began, later as it is."""
        if self.asked or self.view is None:
            self.latest = self.model.view
        if self.view is None:
            self.first, self.view = True, self.latest
            self._begin()
        self.asked = True
        assert self.latest is not None
        return self.latest

    def act(self) -> None:
        """An act begins: what came before needs not be played again."""
        again = not self.first and not self.begun
        self.begun = True
        if again:
            return
        self.first, self.view = False, self.latest
        self._begin()
        if self.whole and self.moved:
            self.pending = "decide"
            raise Parked

    def _begin(self) -> None:
        self.log, self.cursor = [], 0
        self.began = self.clock = self.model.now
        self.kept = _copied(self.memory)

    def parked(self) -> Proc:
        """The process as it stands before its next effect."""
        return replace(
            self.proc,
            memory=self.kept,
            view=self.view,
            lease=self.lease,
            credential=self.credential,
            first=self.first,
            began=self.began,
            log=tuple(self.log),
            pending=self.pending,
            since=self.model.now,
        )

    def ended(self) -> Proc:
        """The process after its pass."""
        return Proc(name=self.proc.name, incarnation=self.proc.incarnation, memory=_copied(self.memory), done=True)


def _copied(memory: Memory) -> Memory:
    kept = {f.name: getattr(memory, f.name) for f in fields(Memory)}
    kept = {k: dict(v) if isinstance(v, dict) else v for k, v in kept.items()}
    kept["doubts"] = {k: copy(v) for k, v in memory.doubts.items()}
    return Memory(**kept)
