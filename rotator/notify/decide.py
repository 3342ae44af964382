"""What a channel is told, when, and what goes out together. Pure: what was noticed, the time and the rules in.

A trouble begins when it is first noticed and ends when it is noticed no more. It is told once it has lasted as long as
the channel says, and its end is told if its beginning was. Whatever is ripe for one topic goes out as one message, so
that ten credentials in one trouble are one message.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from rotator.config.notify import Topic
from rotator.core.calendar import Window

GATHER: Final = 10.0
"""Seconds for which what is to be told waits for more of the same."""

OVER: Final = 60.0
"""Seconds for which a trouble must be gone before its end is told."""

HOUR: Final = 3600.0

FULL: Final = 100
"""Messages that wait at most; beyond, facts stay in the journal until some were sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing to be told of one credential.

    Attributes:
        key: what makes it the same thing when it is noticed again.
        topic: what kind of thing.
        credential: its name.
        since: when it began or happened, unix seconds.
        code: the word of a closed list that says what exactly, or empty.
        text: what people read.
        remedy: what to do, or empty.
        labels: of the credential.
    """

    key: str
    topic: Topic
    credential: str
    since: float
    code: str = ""
    text: str = ""
    remedy: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """A notice that lasts: when it was first noticed (unix seconds), and whether it was told."""

    notice: Notice
    noticed: float
    told: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A notice that happened once, or the end of a trouble (`over`), from when it waits."""

    notice: Notice
    at: float
    over: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is sent at once.

    Attributes:
        id: the same at every try, by which receivers know duplicates.
        topic: of all its notices.
        over: whether it says that they are over.
        at: when it was made, unix seconds.
        notices: what it tells.
        left: troubles of this topic that were told and last, those of this message included.
    """

    id: str
    topic: Topic
    at: float
    notices: tuple[Notice, ...]
    over: bool = False
    left: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """All that a channel has before it; durable."""

    troubles: Mapping[str, Trouble] = field(default_factory=dict)
    waiting: tuple[Waiting, ...] = ()
    outbox: tuple[Message, ...] = ()
    made: tuple[float, ...] = ()

    @property
    def backlog(self) -> int:
        """How many messages were made and not delivered."""
        return len(self.outbox)

    @property
    def full(self) -> bool:
        """Whether nothing more is taken in until something was sent."""
        return len(self.outbox) >= FULL or len(self.waiting) >= 50 * FULL


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a channel wants; `lasts` and `gather` in seconds, `channel` goes into the ids of its messages."""

    channel: str
    topics: frozenset[Topic]
    lasts: float = 0.0
    quiet: tuple[Window, ...] = ()
    per_hour: int = 20
    gather: float = GATHER


def decide(
    standing: Standing, rules: Rules, lasting: Sequence[Notice], happened: Sequence[Notice], now: float
) -> Standing:
    """Return what the channel has before it now.

    Args:
        standing: what it had before it.
        rules: what it wants.
        lasting: every trouble that there is now.
        happened: what happened since the last call; each thing once.
        now: unix seconds.
    """
    troubles, waiting = _noticed(standing, rules, lasting, happened, now)
    made = tuple(at for at in standing.made if 0 <= now - at < HOUR)
    outbox = list(standing.outbox)
    for topic in Topic:
        if _hushed(topic, rules, now):
            continue
        for over in (False, True):
            if len(made) >= rules.per_hour or len(outbox) >= FULL:
                break
            began = {key: one for key, one in troubles.items() if not over and _due(one, topic, rules, now)}
            once = [one for one in waiting if one.notice.topic is topic and one.over is over]
            if not _ripe(began.values(), once, now, OVER if over else rules.gather):
                continue
            notices = [one.notice for one in began.values()] + [one.notice for one in once]
            troubles |= {key: replace(one, told=True) for key, one in began.items()}
            waiting = [one for one in waiting if one not in once]
            left = sum(one.told and one.notice.topic is topic for one in troubles.values())
            outbox.append(_message(rules, topic, notices, now, over=over, left=left))
            made = (*made, now)
    return Standing(troubles=troubles, waiting=tuple(waiting), outbox=tuple(outbox), made=made)


def _noticed(
    standing: Standing, rules: Rules, lasting: Sequence[Notice], happened: Sequence[Notice], now: float
) -> tuple[dict[str, Trouble], list[Waiting]]:
    """What lasts now, and what waits to be told once."""
    present = {one.key: one for one in lasting if one.topic in rules.topics}
    back = {one.notice.key for one in standing.waiting if one.over and one.notice.key in present}
    waiting = [one for one in standing.waiting if not (one.over and one.notice.key in back)]
    troubles = dict[str, Trouble]()
    for key, notice in present.items():
        known = standing.troubles.get(key)
        troubles[key] = (
            replace(known, notice=replace(notice, since=known.notice.since))
            if known
            else Trouble(notice=replace(notice, since=min(notice.since, now)), noticed=now, told=key in back)
        )
    waiting += [
        Waiting(notice=one.notice, at=now, over=True)
        for key, one in standing.troubles.items()
        if key not in present and one.told and one.notice.topic in rules.topics
    ]
    waiting += [Waiting(notice=one, at=now) for one in happened if one.topic in rules.topics]
    return troubles, waiting


def _hushed(topic: Topic, rules: Rules, now: float) -> bool:
    return not topic.urgent and any(window.holds(now) for window in rules.quiet)


def _due(trouble: Trouble, topic: Topic, rules: Rules, now: float) -> bool:
    """Whether a trouble has lasted long enough to be told."""
    return not trouble.told and trouble.notice.topic is topic and now - trouble.notice.since >= rules.lasts


def _ripe(began: Iterable[Trouble], once: Sequence[Waiting], now: float, patience: float) -> bool:
    """Whether something has waited long enough for more of the same."""
    return any(now - one.noticed >= patience for one in began) or any(now - one.at >= patience for one in once)


def _message(rules: Rules, topic: Topic, notices: Sequence[Notice], now: float, *, over: bool, left: int) -> Message:
    """Make a message; its id depends on what it tells and on the time alone."""
    told = "\n".join([rules.channel, topic, str(over), repr(now), *(f"{one.key} {one.since!r}" for one in notices)])
    name = f"msg_{hashlib.sha256(told.encode()).hexdigest()[:32]}"
    return Message(id=name, topic=topic, at=now, notices=tuple(notices), over=over, left=left)
