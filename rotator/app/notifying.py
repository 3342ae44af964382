"""Notifications of an opened writer: one thread for each channel, apart from everything that rotates.

A thread that hangs in a channel delays neither another one nor the end of the process. What a channel has not taken
waits in the journal, and its number is a metric. With several processes on one journal one of them sends.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from rotator.config.notify import ChannelStanza, Topic
from rotator.core.events import Event
from rotator.core.ids import CredentialId
from rotator.core.ports.journal import Lease
from rotator.core.status import CredentialStatus
from rotator.host.latch import Latch, wait_for_any
from rotator.host.threads import start_thread

if TYPE_CHECKING:
    from rotator.app.app import App
    from rotator.notify.courier import Courier
    from rotator.notify.decide import Notice, Rules

AT_THE_END: Final = 5.0
"""Seconds that channels get at the end of a process for what is ready to be sent."""

BUG: Final = 60.0
"""Seconds for which a channel rests after an error that should not exist."""

SLOWEST: Final = 15.0
"""Seconds between two looks at what is new, at most."""

TAKEN: Final = 200
"""Facts that are read of one credential at a time."""

Count = Callable[[str, str], None]
"""Takes (channel, result) of each try."""


def consumer(name: str) -> str:
    """Return the name of a channel's cursor."""
    return f"notify/{name}"


def rules_of(stanza: ChannelStanza, *, hurry: bool = False) -> Rules:
    """Return what a channel wants, as the decisions see it; `hurry`: nothing waits for more of the same."""
    from rotator.notify.decide import GATHER, Rules

    return Rules(
        channel=stanza.name,
        topics=frozenset(topic for topic in Topic if topic.value in stanza.on),
        lasts=stanza.lasts,
        quiet=tuple(one.window for one in stanza.quiet),
        per_hour=stanza.per_hour,
        gather=0.0 if hurry else GATHER,
    )


class JournalBook:
    """Fulfils `rotator.notify.courier.Book` over one cursor of a journal."""

    def __init__(self, app: App, stanza: ChannelStanza, statuses: Callable[[], Sequence[CredentialStatus]]) -> None:
        """Nothing is read yet; `statuses` may be a few seconds old."""
        self._app, self._stanza, self._statuses = app, stanza, statuses
        self._cursors, self._consumer = app.writable.cursors, consumer(stanza.name)

    def claim(self) -> Lease | None:
        """Take or renew the right to send."""
        return self._cursors.claim(self._consumer)

    def give_back(self, claim: Lease) -> None:
        """Let another process have it."""
        self._cursors.give_back(claim)

    def kept(self) -> str:
        """Return what was kept at the last move."""
        return self._cursors.kept(self._consumer)

    def ends(self) -> Mapping[CredentialId, int]:
        """Return where every stream ends now."""
        return {one.stream: one.ends for one in self._cursors.behind(self._consumer)}

    def happened(self) -> tuple[Sequence[Notice], Mapping[CredentialId, int]]:
        """Return what happened since the cursor."""
        from rotator.notify.noticed import happened

        labels = {one.name: one.common.labels for one in self._app.config.credentials}
        found: list[Notice] = []
        to: dict[CredentialId, int] = {}
        for behind in self._cursors.behind(self._consumer):
            told = behind.kind == "credential" and self._stanza.covers(behind.name, labels.get(behind.name, {}))
            if not told:
                to[behind.stream] = behind.ends
                continue
            for fact in self._cursors.facts(behind.stream, behind.come, TAKEN):
                to[behind.stream] = fact.position
                notice = happened(behind.name, fact, labels.get(behind.name, {}))
                found += [notice] if notice is not None else []
        return found, to

    def lasting(self) -> Sequence[Notice]:
        """Return every trouble that there is now."""
        from rotator.notify.noticed import lasting

        shown = [one for one in self._statuses() if self._stanza.covers(one.name, one.labels)]
        return lasting(shown, time.time())

    def move(self, claim: Lease, to: Mapping[CredentialId, int], keep: str) -> None:
        """Note how far the cursor has come."""
        self._cursors.move(claim, self._consumer, to, keep)


class Notifications:
    """Every channel that the effective configuration names."""

    def __init__(self, app: App, count: Count = lambda channel, result: None, *, hurry: bool = False) -> None:
        """Nothing runs yet; `hurry`: the process is about to end, so nothing waits for more of the same."""
        self._app, self._count, self._hurry = app, count, hurry
        self._running: dict[str, tuple[ChannelStanza, Latch, threading.Thread]] = {}
        self._lock = threading.Lock()
        self._looked: tuple[float, Sequence[CredentialStatus]] = (float("-inf"), ())

    def follow(self) -> None:
        """Start what the configuration names and end what it names no more.

        Raises:
            Exhausted: the system allows no more threads.
        """
        wanted = {stanza.name: stanza for stanza in self._app.config.notify}
        ended: dict[str, threading.Thread] = {}
        for name, (stanza, ends, thread) in list(self._running.items()):
            if wanted.get(name) != stanza:
                ends.set()
                ended[name] = thread
                del self._running[name]
        for name, stanza in wanted.items():
            if name not in self._running:
                ends = Latch()
                run = partial(self._run, stanza, ends, ended.get(name))
                self._running[name] = (stanza, ends, start_thread(run, f"notify-{name}"))

    def backlogs(self) -> dict[str, int]:
        """Return channel -> messages that it has not taken.

        Raises:
            JournalUnsafe: the journal does not answer.
        """
        from rotator.notify.standing import decode

        cursors = self._app.writable.cursors
        return {one.name: decode(cursors.kept(consumer(one.name))).backlog for one in self._app.config.notify}

    def stop(self, patience: float = AT_THE_END) -> None:
        """End every channel.

        Crash: leaves messages that the next process sends.
        """
        for _, ends, _ in self._running.values():
            ends.set()
        until = time.monotonic() + patience
        for _, _, thread in self._running.values():
            thread.join(max(0.0, until - time.monotonic()))
        self._running.clear()

    def _run(self, stanza: ChannelStanza, ends: Latch, before: threading.Thread | None) -> None:
        """Send until told to end; `before` worked for the same channel."""
        if before is not None:
            before.join()
        courier = self._courier(stanza)
        while self._step(courier) == 0 and not ends.is_set():
            continue
        while not ends.is_set():
            wait_for_any(self._step(courier), ends)
        until = time.monotonic() + AT_THE_END
        while self._hurry and self._step(courier) == 0 and time.monotonic() < until:
            continue
        courier.finish()

    def _step(self, courier: Courier) -> float:
        try:
            return courier.step()
        except Exception as error:  # noqa: BLE001 - the thread is the boundary: nothing above it could handle this
            self._app.say(Event.INTERNAL_ERROR.value, exc_info=error)
            return BUG

    def _courier(self, stanza: ChannelStanza) -> Courier:
        from rotator.notify.courier import Courier
        from rotator.notify.deliver import deliver

        app = self._app
        return Courier(
            JournalBook(app, stanza, self._statuses),
            partial(rules_of, stanza, hurry=self._hurry),
            partial(deliver, stanza, app.writable.instance),
            monotonic=time.monotonic,
            wall=time.time,
            look=self._look,
            count=partial(self._count, stanza.name),
        )

    def _look(self) -> float:
        return min(SLOWEST, self._app.config.advanced.evaluate)

    def _statuses(self) -> Sequence[CredentialStatus]:
        """The status of every credential, looked at once for all channels."""
        with self._lock:
            at, found = self._looked
            if time.monotonic() - at >= self._look() / 2:
                found = self._app.queries.statuses()
                self._looked = (time.monotonic(), found)
            return found
