"""One sink's export: what is before the cursor becomes lines, the lines go out, and the cursor moves.

Always in this order, so that a kill leaves facts that are told again, and never one that is left out. The exporter has
no thread of its own and never sleeps: `step` does one batch and says when it wants to be called again. Whatever the
sink does, nothing of it reaches a rotation.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from rotator.audit.keys import Signer
from rotator.audit.lines import linked
from rotator.audit.plain import Checkpoint, Entry, Form, Reason
from rotator.audit.ports import Book, Found, Sink, SinkDown
from rotator.audit.verify import GENESIS
from rotator.core.errors import Fenced, RotatorError
from rotator.core.ids import CredentialId
from rotator.core.ports.journal import Lease

BATCH: Final = 500
"""Facts in one batch."""

EVERY: Final = 60.0
"""Seconds between two checkpoints at most."""

SOON: Final = 10.0
"""Seconds after which lines that nobody signed yet get their checkpoint."""

LOOK: Final = 2.0
"""Seconds between two looks for new facts."""

STANDBY: Final = 5.0
"""Seconds between two looks whether another process still exports to this sink."""

RENEW: Final = 10.0
"""Seconds after which the right to move the cursor is renewed; it lasts thirty."""

REST: Final = 60.0
"""Seconds between two tries at a sink that is down, at most."""

REMEMBERED: Final = 60.0
"""Seconds for which it is known where the export was, to go back there if the sink loses what it had taken."""


@dataclass(slots=True)
class _Standing:
    """Where this process has come to since it took the right to export.

    Attributes:
        claim: that right.
        renewed: when it was renewed last, monotonic.
        head: hash of the last line whose sending is noted.
        again: stream -> position up to which somebody may have told facts already; empty once all are told again.
        signed: when the last checkpoint was written, monotonic.
        open_since: since when there are lines behind it, None where there are none.
        past: (when, head before, positions before) of what was written lately.
    """

    claim: Lease
    renewed: float
    head: str
    again: dict[CredentialId, int]
    signed: float
    open_since: float | None = None
    past: deque[tuple[float, str, dict[CredentialId, int]]] = field(default_factory=deque)


@dataclass(slots=True)
class _Batch:
    """Lines that go out together, the hash of the last one, and the positions before and after."""

    head: str
    lines: list[str] = field(default_factory=list)
    before: dict[CredentialId, int] = field(default_factory=dict)
    after: dict[CredentialId, int] = field(default_factory=dict)
    ends_signed: bool = False


class Exporter:
    """Exports to one sink; one thread calls it."""

    def __init__(
        self,
        name: str,
        book: Book,
        sink: Sink,
        form: Form,
        signer: Signer,
        *,
        monotonic: Callable[[], float],
        wall: Callable[[], float],
        crash: Callable[[str], None],
        trouble: Callable[[RotatorError | None], None] = lambda error: None,
    ) -> None:
        """Nothing is read or written yet.

        Args:
            name: of the sink.
            book: its cursor, and the facts.
            sink: where lines go.
            form: how facts are told.
            signer: signs checkpoints.
            monotonic: seconds that never go back.
            wall: unix seconds, for the time of a checkpoint.
            crash: passes a named crash point.
            trouble: told of every error, and once, with None, when lines go out again.
        """
        self._name, self._book, self._sink, self._form, self._signer = name, book, sink, form, signer
        self._monotonic, self._wall, self._crash, self._trouble = monotonic, wall, crash, trouble
        self._standing: _Standing | None = None
        self._failures = 0

    def step(self) -> float:
        """Export one batch; return the seconds after which to call again. Raises nothing that a sink or journal says.

        Crash: leaves lines at the sink that are told again, byte for byte or not.
        """
        try:
            standing = self._claimed()
            more = self._export(standing) if standing is not None else False
        except Fenced:
            self._standing = None
            return STANDBY
        except RotatorError as error:
            self._failed(error)
            return min(REST, 2.0 ** min(self._failures - 1, 10))
        if standing is None:
            return STANDBY
        if self._failures:
            self._failures = 0
            self._trouble(None)
        return 0.0 if more else LOOK

    def finish(self) -> None:
        """Sign what is not signed yet, and let another process go on. Never raises what a sink or journal says."""
        try:
            if self._standing is not None and self._standing.open_since is not None and not self._failures:
                self._put(self._standing, self._checkpoint(_Batch(self._standing.head), self._standing, Reason.STOPPED))
            if self._standing is not None:
                self._book.give_back(self._standing.claim)
        except RotatorError as error:
            self._trouble(error)
        finally:
            self._standing = None
            self._sink.close()

    # ------------------------------------------------------------------------------------------------------- the cursor
    def _claimed(self) -> _Standing | None:
        now, standing = self._monotonic(), self._standing
        if standing is not None and now - standing.renewed < RENEW:
            return standing
        claim = self._book.claim()
        if claim is None or standing is None or standing.claim != claim:
            standing = self._standing = None
        if claim is None:
            return None
        if standing is None:
            kept = self._book.kept()
            head = kept or f"{GENESIS}{self._book.instance}/{self._name}"
            # who exported before may have been killed before it signed what it had noted
            standing = _Standing(claim, now, head, self._ends(), now, open_since=now if kept else None)
            self._standing = standing
        standing.renewed = now
        return standing

    def _ends(self) -> dict[CredentialId, int]:
        return {one.stream: one.ends for one in self._book.behind()}

    def _failed(self, error: RotatorError) -> None:
        self._failures += 1
        if not isinstance(error, SinkDown):
            self._standing = None  # what the journal noted of this is not known: ask it again
        elif self._standing is not None:
            try:
                self._standing.again = self._ends()
            except RotatorError:
                self._standing = None
        self._trouble(error)

    # -------------------------------------------------------------------------------------------------------- one batch
    def _export(self, standing: _Standing) -> bool:
        """Write the next batch; return whether there is more."""
        found = self._sink.look()
        if found is Found.LESS:
            self._go_back(standing)
        batch = _Batch(standing.head)
        if found in (Found.NOTHING, Found.LESS) or standing.head.startswith(GENESIS):
            self._checkpoint(batch, standing, Reason.OPENED)
        elif found is Found.HALF_A_LINE:
            self._checkpoint(batch, standing, Reason.RESUMED)
        more = self._facts(batch)
        if self._due(standing, batch):
            self._checkpoint(batch, standing, Reason.REGULAR)
        if batch.lines:
            self._put(standing, batch)
        return more

    def _facts(self, batch: _Batch) -> bool:
        """Add the next facts: of each stream in order, of all together by their time as far as that goes."""
        waiting = self._book.behind()[:BATCH]
        if not waiting:
            return False
        each = max(1, BATCH // len(waiting))
        names = {one.stream: one.name for one in waiting}
        found = [self._book.facts(one.stream, one.come, each) for one in waiting]
        for fact in heapq.merge(*found, key=lambda one: one.at):
            entry = Entry(
                stream=fact.stream,
                position=fact.position,
                fact_id=fact.fact_id,
                at=fact.at,
                document=self._book.document(names[fact.stream], fact),
                instance=self._book.instance,
            )
            line, batch.head = linked(self._form.fact(entry), batch.head)
            batch.lines.append(line)
            batch.ends_signed = False
            batch.before.setdefault(fact.stream, fact.position - 1)
            batch.after[fact.stream] = fact.position
        return len(waiting) == BATCH or any(batch.after.get(one.stream, 0) < one.ends for one in waiting)

    def _due(self, standing: _Standing, batch: _Batch) -> bool:
        """Whether a checkpoint belongs behind these lines."""
        now = self._monotonic()
        open_since = standing.open_since if standing.open_since is not None or not batch.lines else now
        soon = open_since is not None and now - open_since >= SOON and not _left(standing, batch)
        return soon or now - standing.signed >= EVERY

    def _checkpoint(self, batch: _Batch, standing: _Standing, reason: Reason) -> _Batch:
        told = Checkpoint(
            at=self._wall(),
            sink=self._name,
            reason=reason,
            settled=reason in (Reason.REGULAR, Reason.STOPPED) and not _left(standing, batch),
            instance=self._book.instance,
            key=self._signer.public,
        )
        line, batch.head = linked(self._form.checkpoint(told), batch.head, self._signer.sign)
        batch.lines.append(line)
        batch.ends_signed = True
        return batch

    def _put(self, standing: _Standing, batch: _Batch) -> None:
        """Hand the lines over, then note it."""
        self._crash("before_export_write")
        self._sink.write(batch.lines)
        self._crash("after_export_write")
        self._crash("before_export_move")
        self._book.move(standing.claim, batch.after, batch.head)
        self._crash("after_export_move")
        now = self._monotonic()
        while standing.past and now - standing.past[0][0] > REMEMBERED:
            standing.past.popleft()
        standing.past.append((now, standing.head, batch.before))
        standing.head, standing.again = batch.head, _left(standing, batch)
        if batch.ends_signed:
            standing.signed, standing.open_since = now, None
        elif standing.open_since is None:
            standing.open_since = now

    def _go_back(self, standing: _Standing) -> None:
        """The sink lost lines (its file was copied and cut): tell everything of the last minute again."""
        if not standing.past:
            return
        to = dict[CredentialId, int]()
        for _, _, before in standing.past:
            for stream, position in before.items():
                to[stream] = min(position, to.get(stream, position))
        head = standing.past[0][1]
        self._book.move(standing.claim, to, head, back=True)
        standing.head, standing.again = head, self._ends()
        standing.past.clear()


def _left(standing: _Standing, batch: _Batch) -> dict[CredentialId, int]:
    """What somebody may have told already, and this process has not told again with this batch."""
    return {stream: end for stream, end in standing.again.items() if batch.after.get(stream, 0) < end}
