"""The driver: one pass over one credential, under its lease, until there is nothing to do but wait.

It must not wait inside: a wait is a deadline computed from facts, noted on release; a crash anywhere is ordinary,
because the next pass starts from the facts again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from rotator.core.credential import NEVER
from rotator.core.errors import Fenced, IllegalFact, JournalUnsafe, OperatorNeeded, RotatorError
from rotator.core.events import Event
from rotator.core.facts import Configured, TargetAdded, TargetReleased
from rotator.core.ids import NO_ROTATION, CredentialId
from rotator.core.notes import Note, Troubles, Waits, decode, encode
from rotator.core.ports.journal import Journal
from rotator.core.ports.runtime import Runtime
from rotator.core.protocol.decide import TABLES, Tables
from rotator.core.protocol.rules import Act, Action, Look, Operator, Sight
from rotator.core.schedule.agenda import Step, next_step
from rotator.engine.perform import perform
from rotator.engine.work import Fleet, Memory, Tuning, Work

RENEW: Final = 10.0
"""Seconds after which the lease is renewed between two steps; its time to live is 30 s."""

STEPS: Final = 500
"""Steps in one pass before the credential goes back to the end of the queue."""

LOST: Final = 20
"""Times in one pass that a fact may be refused before the pass ends."""


class End(StrEnum):
    """How a pass ended."""

    WAITING = "waiting"
    BUSY = "busy"
    GONE = "gone"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Pass:
    """The end of one pass.

    Attributes:
        end: how it ended.
        until: provider time at which the credential wants the next pass.
        step: the last answer of the core, where there is one.
    """

    end: End
    until: float
    step: Step | None = None


class Driver:
    """Runs passes over credentials with the ports of one process."""

    def __init__(
        self, journal: Journal, runtime: Runtime, fleet: Fleet, tuning: Tuning, tables: Tables = TABLES
    ) -> None:
        self._journal = journal
        self._runtime = runtime
        self._fleet = fleet
        self._tuning = tuning
        self._tables = tables
        self._memory: dict[str, Memory] = {}

    def tune(self, tuning: Tuning) -> None:
        """Take other cadences from the next pass on."""
        self._tuning = tuning

    def memory(self, stream: CredentialId) -> Memory:
        """What this process remembers of a credential; may be forgotten at any time."""
        return self._memory.setdefault(stream, Memory())

    def run(self, stream: CredentialId) -> Pass:
        """Drive one credential as far as it goes now.

        Returns:
            How the pass ended, and when the next one is wanted. Errors of one credential end here, none reaches others.
        """
        try:
            return self._run(stream)
        except JournalUnsafe as error:
            self._runtime.event(Event.JOURNAL_UNSAFE.value, reason=error.message)
        except Fenced:
            return Pass(End.BUSY, 0.0)
        return Pass(End.FAILED, 0.0)

    def _run(self, stream: CredentialId) -> Pass:
        lease = self._journal.claim(stream)
        if lease is None:
            return Pass(End.BUSY, 0.0)
        view = self._journal.view(stream)
        bound = self._fleet.bound(stream, view)
        if bound is None:
            self._journal.release(lease, NEVER)
            return Pass(End.GONE, NEVER)
        work = Work(
            stream=stream,
            lease=lease,
            view=view,
            bound=bound,
            memory=self.memory(stream),
            journal=self._journal,
            runtime=self._runtime,
            fleet=self._fleet,
            tuning=self._tuning,
        )
        work.memory.follow(view)
        ended = self._loop(work)
        self._journal.release(work.lease, ended.until, self._note(work, ended.step))
        return ended

    def _note(self, work: Work, step: Step | None) -> str:
        """The last words, in writing; none where the pass ended without an answer."""
        if step is None:
            return ""
        note = note_of(step, work.memory.troubles, work.now, lambda: decode(self._journal.noted(work.stream)))
        return encode(replace(note, ends=dict(work.memory.ends)))

    def _loop(self, work: Work) -> Pass:
        renewed, refused = work.now, 0
        self._configured(work)
        for _ in range(STEPS):
            if work.now - renewed > RENEW:
                self._journal.check(work.lease)
                renewed = work.now
            view = work.view
            step = next_step(work.case(), self._tables)
            self._outage(work)
            if not step.actions:
                return Pass(End.WAITING, step.until, step)
            if self._runtime.stopping():
                return Pass(End.STOPPED, work.now, step)
            try:
                self._perform(work, step.actions)
                stale = work.view is view  # else the last fact of ours brought the view with it
            except IllegalFact:  # somebody else was faster
                stale = True
                work.memory.seen.clear()
                refused += 1
                if refused > LOST:
                    return Pass(End.FAILED, work.now + work.tuning.watch, step)
            except OperatorNeeded as error:
                work.say(Event.OPERATOR_NEEDED, code=error.code, reason=error.message, remedy=error.remedy or None)
                waits = {"rotation": Operator(error.code, work.now + work.tuning.watch)}
                return Pass(End.FAILED, work.now + work.tuning.watch, Step(actions=(), until=0.0, why=dict(waits)))
            if stale:
                work.view = self._journal.view(work.stream)
        return Pass(End.WAITING, work.now)

    def _perform(self, work: Work, actions: tuple[Action, ...]) -> None:
        if len(actions) == 1 or actions[0].act is not Act.WRITE:
            for action in actions:
                perform(work, action)
            return
        # several targets at once: each has its own copy of the pass, so none waits for another's slow answer
        errors: list[RotatorError] = []

        def one(action: Action) -> Callable[[], None]:
            def call() -> None:
                try:
                    perform(_copy(work), action)
                except RotatorError as error:
                    errors.append(error)

            return call

        self._runtime.parallel([one(action) for action in actions])
        if errors:
            raise errors[0]

    def _outage(self, work: Work) -> None:
        """Say once that a roll takes longer than its owner accepts; it goes on all the same."""
        rotation, memory = work.view.rotation, work.memory
        if rotation is None or memory.alarmed == rotation.rid or not rotation.over_budget(work.now):
            return
        memory.alarmed = rotation.rid
        seconds = round(work.now - rotation.rolled_at, 1)
        work.say(Event.OUTAGE_OVER_BUDGET, seconds=seconds, budget=rotation.policy.outage_budget)

    def _place(self, work: Work, name: str, place: str) -> None:
        """A target that points to another place now: the old one is released under a name of its own."""
        places = work.view.spec.get("places")
        before = places.get(name) if isinstance(places, dict) else None
        if before in (None, place) or name not in work.view.baselines:
            return
        left = TargetReleased(target=f"{name} at {before}", of=name)
        perform(work, Action(Act.RECORD, fact=left))
        perform(work, Action(Act.RECORD, fact=TargetAdded(target=name)))

    def _configured(self, work: Work) -> None:
        """Journal the stanza when it changed, so that a credential that leaves the configuration can still finish."""
        credential = work.credential
        known = work.view.newer or dict(work.view.spec) == dict(credential.spec)
        if credential.managed and not known:
            for gone in sorted(_names(work.view.spec) - credential.all - work.view.released.keys()):
                perform(work, Action(Act.RECORD, fact=TargetReleased(target=gone)))
            for target in credential.targets:
                self._place(work, target.name, target.place)
            work.record(Configured(spec=credential.spec), rid=NO_ROTATION)
            # what was just left, a scope or a place, is reached in this pass, too
            work.bound = self._fleet.bound(work.stream, work.view) or work.bound
            for name in credential.all:  # other keys, or another place: what was seen there says nothing now
                work.forget(Look(Sight.STANDS, name))


def _names(spec: object) -> set[str]:
    targets = spec.get("targets") if isinstance(spec, dict) else None
    return set(targets) if isinstance(targets, dict) else set()


def _copy(work: Work) -> Work:
    return Work(
        stream=work.stream,
        lease=work.lease,
        view=work.view,
        bound=work.bound,
        memory=work.memory,
        journal=work.journal,
        runtime=work.runtime,
        fleet=work.fleet,
        tuning=work.tuning,
    )


def note_of(step: Step, troubles: Troubles, now: float, before: Callable[[], Note]) -> Note:
    """Return the core's last words for `status`.

    A question to a person is as old as in the note `before`, which is read only where there is one.
    """
    waits: dict[str, Waits] = {}
    for name, verdict in step.why.items():
        if isinstance(verdict, Operator):
            asked = before().waits.get(name)
            since = asked.since if asked and asked.code is verdict.code and asked.since else now
            waits[name] = Waits(until=verdict.until, code=verdict.code, subject=verdict.subject, since=since)
        else:
            waits[name] = Waits(until=verdict.until, why=verdict.why, subject=verdict.subject)
    return Note(waits=waits, troubles=dict(troubles))
