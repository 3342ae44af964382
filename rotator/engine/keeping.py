"""The care of one pair: a pass looks at both members, asks the core, and does one thing after the other.

Like the driver it never waits inside; a crash anywhere is ordinary, because the next pass starts from the facts again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from rotator.core.durations import NEVER
from rotator.core.errors import Conflict, Fenced, IllegalFact, JournalUnsafe, OutcomeUnknown, RotatorError
from rotator.core.events import Event
from rotator.core.facts import Captured, Draft, Extending, Member, Rolling, Unkept, What
from rotator.core.ids import NO_TOKEN, TokenId
from rotator.core.ports.journal import Lease
from rotator.core.protocol.keep import KeepStep, next_keep
from rotator.core.protocol.keeping import Ask, Holds, KeepCase, Standing
from rotator.core.protocol.pair_view import MemberView
from rotator.core.protocol.rules import Act, Action, Result, Wait, given
from rotator.core.protocol.view import View
from rotator.core.reasons import KeepCode
from rotator.core.secret import Secret
from rotator.engine.capturing import Say, capture
from rotator.engine.failing import CERTAIN
from rotator.engine.pair_look import Looked, Tools, look, stream_of

STEPS: Final = 30
"""Steps of one pass at most; the rest is for the next one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """The end of one pass.

    Attributes:
        standings: role -> what was seen of it last.
        why: what every member waits for, questions to a person included.
        until: provider time at which the pair wants the next pass.
        view: the fold of the pair's facts; None where no pair is known.
    """

    standings: Mapping[str, Standing]
    why: tuple[Wait | Ask, ...]
    until: float
    view: View | None = None

    @property
    def asks(self) -> tuple[Ask, ...]:
        """What only a person can do."""
        return tuple(found for found in self.why if isinstance(found, Ask))


def keep(tools: Tools) -> Kept:
    """Look at both members, and do whatever is to be done now.

    Raises:
        JournalUnsafe: the journal takes nothing; nothing more is sent.
    """
    looked = look(tools)
    stream = stream_of(tools, looked.standings)
    if stream is None:
        return _unpaired(tools, looked)
    busy = Kept(standings=looked.standings, why=(), until=tools.now + tools.policy.retry)
    lease = tools.journal.claim(stream)
    if lease is None:  # another process does the same
        return busy
    try:
        kept = _Pass(tools, lease, looked).run()
    except Fenced:
        return busy
    tools.journal.release(lease, kept.until)
    return kept


def _unpaired(tools: Tools, looked: Looked) -> Kept:
    """Without two tokens that are known there is nothing to be done, and a person is told why."""
    until, why = tools.now + tools.policy.again, []
    ids = [seen.token_id for seen in looked.standings.values() if seen.token_id]
    for role, seen in looked.standings.items():
        ends = NEVER if seen.expires_at is None else seen.expires_at
        if seen.holds is Holds.NOTHING or (seen.holds is Holds.VALUE and seen.accepted is Result.DEAD):
            why.append(Ask(KeepCode.MEMBER_DEAD, until, role))
        elif seen.able is False:
            why.append(Ask(KeepCode.MEMBER_UNABLE, until, role, ends))
        elif len(looked.standings) == 1 or len(ids) != len(set(ids)):
            why.append(Ask(KeepCode.MEMBER_ALONE, until, role, ends))
    return Kept(standings=looked.standings, why=tuple(why), until=until)


class _Pass:
    """One pass under the lease of the pair."""

    def __init__(self, tools: Tools, lease: Lease, looked: Looked) -> None:
        self._tools, self._lease, self._looked = tools, lease, looked
        self._journal, self._runtime, self._keeper = tools.journal, tools.runtime, tools.keeper
        self._view = self._journal.view(lease.stream)

    def run(self) -> Kept:
        """Do one thing after the other until there is nothing to do but wait."""
        step = KeepStep(actions=(), until=self._tools.now)
        for _ in range(STEPS):
            step = self._next()
            if not step.actions or self._runtime.stopping():
                break
            try:
                self._perform(step.actions[0])
            except IllegalFact:  # somebody else was faster
                self._view = self._journal.view(self._lease.stream)
                self._looked = look(self._tools)
        until = step.until if not step.actions else self._tools.now
        return Kept(standings=self._looked.standings, why=step.why, until=until, view=self._view)

    def _next(self) -> KeepStep:
        tools = self._tools
        case = KeepCase(view=self._view, standings=self._looked.standings, policy=tools.policy, now=tools.now)
        return next_keep(case, tools.tables)

    def _perform(self, action: Action) -> None:
        if action.act is Act.RECORD:
            self._record(given(action.fact, "the fact to record"))
            return
        if isinstance(action.fact, Extending):
            self._extend(action.fact)
        elif isinstance(action.fact, Rolling):
            self._roll(action.fact)
        elif action.act is Act.WRITE:
            self._write(action)
        self._looked = look(self._tools)

    # ---------------------------------------------------------------------------------------------------- the acts

    def _extend(self, fact: Extending) -> None:
        """Intent, one request. A crash leaves the end moved or not; the next look tells."""
        actor, principal = self._partner(fact.token_id)
        self._record(fact, principal=principal)
        self._runtime.crash("before_keep_extend_send")
        try:
            self._keeper.extend(fact.token_id, fact.expires_at, actor)
        except (*CERTAIN, OutcomeUnknown) as error:
            self._failed(fact.token_id, "extend", error)
            return
        self._runtime.crash("after_keep_extend_send")
        self._say(Event.LOGIN_RENEWED, fact.token_id, act="extend")

    def _roll(self, fact: Rolling) -> None:
        """Room, intent, one request, capture: the first statement after the answer makes the value durable.

        A crash leaves the old value alive, or an attempt whose answer is lost, or a value that is imported.
        """
        actor, principal = self._partner(fact.token_id)
        self._journal.canary()
        self._record(fact, principal=principal)
        self._runtime.crash("before_keep_roll_send")
        try:
            minted = self._keeper.roll(fact.token_id, actor)
        except (*CERTAIN, OutcomeUnknown) as error:
            self._failed(fact.token_id, "mint", error)
            return
        self._runtime.crash("after_keep_roll_send")
        what = Captured(
            attempt=fact.attempt,
            token_id=minted.token_id,
            token_name=minted.name,
            born=minted.issued_at,
            expires_at=minted.expires_at,
            fingerprint=self._journal.fingerprint(minted.value),
        )
        draft = self._draft(what, principal)
        say = self._sayer(fact.token_id)
        self._view = capture(self._journal, self._runtime, self._lease.stream, draft, minted.value, say)
        self._say(Event.LOGIN_RENEWED, fact.token_id, act="mint")

    def _write(self, action: Action) -> None:
        """Put the value of the journal into its place, over exactly what was seen there.

        A crash leaves the old file or the new one, whole.
        """
        member, place = self._member(action.token_id), self._keeper.places[action.target]
        try:
            value = self._journal.reveal(self._lease.stream, member.captured or member.fingerprint)
        except (KeyError, JournalUnsafe):
            self._record(Unkept(token_id=action.token_id, act="write", why="its value cannot be opened any more"))
            return
        try:
            with self._journal.place(self._lease, place.place):
                self._runtime.crash("before_keep_write")
                place.write(value, self._looked.values.get(action.target))
                self._runtime.crash("after_keep_write")
        except Conflict:
            return  # somebody was faster: it is looked at again
        except (*CERTAIN, OutcomeUnknown) as error:
            self._failed(action.token_id, "write", error)
            return
        self._say(Event.LOGIN_RENEWED, action.token_id, act="write")

    # ------------------------------------------------------------------------------------------------------- inside

    def _member(self, token_id: TokenId) -> MemberView:
        return self._view.pair[token_id]

    def _partner(self, token_id: TokenId) -> tuple[Secret, TokenId]:
        """The value that authenticates, and whose it is: as it was seen to work a moment ago."""
        role = next(member.role for token, member in self._view.pair.items() if token != token_id)
        return self._looked.values[role], self._looked.standings[role].token_id

    def _draft(self, what: What, principal: TokenId = NO_TOKEN) -> Draft:
        return Draft(what=what, at=self._runtime.believed(self._tools.connection), principal=principal)

    def _record(self, what: What, principal: TokenId = NO_TOKEN) -> None:
        value = None
        if isinstance(what, Member) and what.durable:
            value = self._looked.values[what.role]
        self._view = self._journal.append(self._lease, self._draft(what, principal), value)

    def _failed(self, token_id: TokenId, act: str, error: RotatorError) -> None:
        """A certain no is journaled; where the outcome is not known, the next look tells, and nothing is."""
        if not isinstance(error, OutcomeUnknown):
            self._record(Unkept(token_id=token_id, act=act, why=error.message, remedy=error.remedy))
        self._say(Event.LOGIN_UNRENEWED, token_id, act=act, reason=error.message, remedy=error.remedy or None)

    def _say(self, event: Event, token_id: TokenId, **fields: object) -> None:
        self._sayer(token_id)(event, **fields)

    def _sayer(self, token_id: TokenId) -> Say:
        bound = {"connection": self._tools.connection, "role": self._member(token_id).role, "token": token_id}

        def say(event: Event, /, **fields: object) -> None:
            self._runtime.event(event.value, **{**bound, **fields})

        return say
