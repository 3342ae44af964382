"""The order of noting and sending: a kill repeats a message under its id, and leaves none out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from rotator.config.notify import Topic
from rotator.core.errors import Fenced, JournalUnsafe
from rotator.core.ids import CredentialId
from rotator.core.ports.journal import Lease
from rotator.notify.courier import STANDBY, TRIES, Courier
from rotator.notify.decide import GATHER, Message, Notice, Rules
from rotator.notify.errors import ChannelDown
from rotator.notify.standing import decode

STREAM = CredentialId("c-1")
RULES = Rules(channel="team", topics=frozenset(Topic), per_hour=10**6)


class Killed(BaseException):
    """SIGKILL at this point."""


@dataclass
class World:
    """A journal, a channel and a clock in memory."""

    facts: int = 0
    come: int = 0
    keep: str = ""
    taken: bool = False
    epoch: int = 1
    now: float = 1_800_000_000.0
    lasts: list[Notice] = field(default_factory=list)
    got: list[Message] = field(default_factory=list)
    tries: list[str] = field(default_factory=list)
    down: ChannelDown | None = None
    die: str = ""
    unsafe: bool = False

    def claim(self) -> Lease | None:
        if self.unsafe:
            raise JournalUnsafe("no answer")
        return None if self.taken else Lease(STREAM, self.epoch, "me")

    def give_back(self, claim: Lease) -> None:
        self.epoch += 1

    def kept(self) -> str:
        return self.keep

    def ends(self) -> Mapping[CredentialId, int]:
        return {STREAM: self.facts}

    def happened(self) -> tuple[Sequence[Notice], Mapping[CredentialId, int]]:
        if self.come == self.facts:
            return [], {}
        new = range(self.come + 1, self.facts + 1)
        made = [Notice(key=f"r/{n}", topic=Topic.ROTATED, credential=f"fact-{n}", since=self.now) for n in new]
        return made, {STREAM: self.facts}

    def lasting(self) -> Sequence[Notice]:
        return self.lasts

    def move(self, claim: Lease, to: Mapping[CredentialId, int], keep: str) -> None:
        if claim.epoch != self.epoch:
            raise Fenced("another process took over")
        self._dies("before_move")
        self.come, self.keep = to.get(STREAM, self.come), keep
        self._dies("after_move")

    def deliver(self, message: Message) -> None:
        self._dies("before_send")
        if self.down is not None:
            raise self.down
        self.got.append(message)
        self._dies("after_send")

    def _dies(self, here: str) -> None:
        if self.die == here:
            self.die = ""
            raise Killed

    def process(self) -> Courier:
        return Courier(
            self,
            lambda: RULES,
            self.deliver,
            monotonic=lambda: self.now,
            wall=lambda: self.now,
            look=lambda: 5.0,
            count=self.tries.append,
        )

    def run(self, courier: Courier, seconds: float) -> None:
        until = self.now + seconds
        while self.now < until:
            self.now += courier.step() or 0.1


def names(messages: Sequence[Message]) -> set[str]:
    return {notice.credential for message in messages for notice in message.notices}


def test_a_new_channel_is_told_what_is_and_not_what_was() -> None:
    lasting = Notice(key="f/dns", topic=Topic.FAILING, credential="dns", since=0.0)
    world = World(facts=1000, lasts=[lasting])
    world.run(world.process(), 60)
    assert names(world.got) == {"dns"}
    assert world.come == 1000


@pytest.mark.parametrize("point", ["before_move", "after_move", "before_send", "after_send"])
def test_a_kill_at_any_point_leaves_no_gap_and_repeats_only_under_the_same_id(point: str) -> None:
    world, kills = World(), 0
    world.run(world.process(), 10)
    for _ in range(250):
        world.facts += 1
        world.die, courier = point, world.process()
        try:
            world.run(courier, 2 * GATHER)
        except Killed:
            kills += 1
    world.die = ""
    world.run(world.process(), 100)
    assert kills >= 200
    assert names(world.got) == {f"fact-{number}" for number in range(1, 251)}
    by_id = {message.id: message for message in world.got}
    once = [notice.credential for message in by_id.values() for notice in message.notices]
    assert len(once) == len(set(once))
    assert (len(world.got) > len(by_id)) == (point == "after_send")


def test_a_channel_that_is_down_loses_nothing_and_is_tried_more_and_more_slowly() -> None:
    world, courier = World(down=ChannelDown("posting to hook: HTTP 503", "")), World().process()
    courier = world.process()
    world.run(courier, 10)
    world.facts = 1
    world.run(courier, 3600)
    assert 8 <= len(world.tries) <= 30
    assert set(world.tries) == {"failed"}
    world.facts, world.down = 3, None
    world.run(courier, 400)
    assert names(world.got) == {"fact-1", "fact-2", "fact-3"}


def test_a_channel_that_says_when_is_not_tried_before() -> None:
    world = World(down=ChannelDown("posting to hook: HTTP 429", "", rest=1000.0))
    courier = world.process()
    world.run(courier, 10)
    world.facts = 1
    world.run(courier, 900)
    assert world.tries == ["failed"]


def test_a_message_that_is_turned_down_for_good_is_put_aside_and_the_next_one_goes_out() -> None:
    world = World(down=ChannelDown("posting to hook: HTTP 413", "", for_good=True))
    courier = world.process()
    world.run(courier, 10)
    world.facts = 1
    while "put_aside" not in world.tries:
        world.run(courier, 5)
    assert len(world.tries) == TRIES
    world.facts, world.down = 2, None
    world.run(courier, 100)
    assert names(world.got) == {"fact-2"}


def test_only_the_process_that_holds_the_right_sends() -> None:
    world = World(taken=True, facts=5)
    assert world.process().step() == STANDBY
    assert (world.keep, world.got) == ("", [])


def test_a_process_that_was_overtaken_takes_nothing_and_steps_back() -> None:
    world = World()
    courier = world.process()
    world.run(courier, 10)
    world.facts = 1
    claim = world.claim
    world.claim = lambda: Lease(STREAM, 0, "me")  # type: ignore[method-assign]
    assert courier.step() == STANDBY
    world.claim = claim  # type: ignore[method-assign]
    world.run(courier, 60)
    assert names(world.got) == {"fact-1"}


def test_a_journal_that_does_not_answer_is_asked_again_later() -> None:
    world = World(unsafe=True)
    courier = world.process()
    assert courier.step() == STANDBY
    world.unsafe = False
    world.run(courier, 10)
    courier.finish()
    assert world.epoch == 2
    assert decode(world.keep).outbox == ()
