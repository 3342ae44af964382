"""The audit export of an opened writer: one thread for each sink, apart from everything that rotates.

A thread that hangs in a sink delays neither another sink nor the end of the process. What a sink has not taken waits in
the journal, and its number is a metric.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from rotator.app.documents import fact_document
from rotator.config.audit import AuditStanza, FileStanza, HttpsStanza, SyslogStanza
from rotator.core.errors import RotatorError
from rotator.core.events import Event
from rotator.core.ids import CredentialId
from rotator.core.ports.journal import Lease
from rotator.host.crashpoints import crash_at
from rotator.host.latch import Latch, wait_for_any
from rotator.host.threads import start_thread
from rotator.journal.store import SqlJournal

if TYPE_CHECKING:
    from rotator.app.app import App
    from rotator.audit.exporter import Exporter
    from rotator.audit.ports import Sink, Stretch

AT_THE_END: Final = 5.0
"""Seconds that sinks get at the end of a process for what is left."""

BUG: Final = 60.0
"""Seconds for which a sink rests after an error that should not exist."""


def consumer(stanza: AuditStanza, node: str) -> str:
    """Return the name of a sink's cursor: each machine has its own where the sink is on the machine."""
    return f"audit/{stanza.name}@{node}" if stanza.of_node else f"audit/{stanza.name}"


class JournalBook:
    """Fulfils `rotator.audit.ports.Book` over one cursor of a journal."""

    def __init__(self, journal: SqlJournal, consumer: str) -> None:
        """Nothing is read yet."""
        self._journal, self._consumer = journal, consumer
        self.instance = journal.instance

    def claim(self) -> Lease | None:
        """Take or renew the right to move the cursor."""
        return self._journal.cursors.claim(self._consumer)

    def give_back(self, claim: Lease) -> None:
        """Let another process have it."""
        self._journal.cursors.give_back(claim)

    def kept(self) -> str:
        """Return what was kept at the last move."""
        return self._journal.cursors.kept(self._consumer)

    def behind(self) -> Sequence[Stretch]:
        """Return the streams in which facts wait; a forgotten credential under the name that it had."""
        from rotator.audit.ports import Stretch

        return [
            Stretch(one.stream, one.name.removesuffix(f"~{one.stream}"), one.come, one.ends)
            for one in self._journal.cursors.behind(self._consumer)
        ]

    def facts(self, stream: CredentialId, after: int, limit: int) -> Sequence[Any]:
        """Return the next facts of a stream."""
        return self._journal.cursors.facts(stream, after, limit)

    def document(self, name: str, fact: Any) -> Mapping[str, Any]:
        """Return what `history -o json` says of a fact."""
        return fact_document(name, fact)

    def move(self, claim: Lease, to: Mapping[CredentialId, int], keep: str, *, back: bool = False) -> None:
        """Note how far the cursor has come."""
        self._journal.cursors.move(claim, self._consumer, to, keep, back=back)


class Exports:
    """Every sink that the effective configuration names."""

    def __init__(self, app: App) -> None:
        """Nothing runs yet."""
        self._app = app
        self._running: dict[str, tuple[AuditStanza, Latch, threading.Thread]] = {}
        self._ending: list[threading.Thread] = []

    def follow(self) -> None:
        """Start what the configuration names and end what it names no more.

        Raises:
            Exhausted: the system allows no more threads.
        """
        wanted = {stanza.name: stanza for stanza in self._app.config.audit}
        self._ending = [thread for thread in self._ending if thread.is_alive()]
        ended: dict[str, threading.Thread] = {}
        for name, (stanza, ends, thread) in list(self._running.items()):
            if wanted.get(name) != stanza:
                ends.set()
                ended[name] = thread
                self._ending.append(thread)
                del self._running[name]
        for name, stanza in wanted.items():
            if name not in self._running:
                ends = Latch()
                run = partial(self._run, stanza, ends, ended.get(name))
                self._running[name] = (stanza, ends, start_thread(run, f"audit-{name}"))

    def lags(self) -> dict[str, int]:
        """Return sink -> facts that it has not taken.

        Raises:
            JournalUnsafe: the journal does not answer.
        """
        journal, config = self._app.writable, self._app.config
        return {one.name: journal.cursors.lag(consumer(one, config.node)) for one in config.audit}

    def stop(self, patience: float = AT_THE_END) -> None:
        """Let every sink take what is left, for a while, and end.

        Crash: leaves facts that the next process exports.
        """
        for _, ends, _ in self._running.values():
            ends.set()
        until = time.monotonic() + patience
        for thread in (*self._ending, *(thread for _, _, thread in self._running.values())):
            thread.join(max(0.0, until - time.monotonic()))
        self._running.clear()
        self._ending.clear()

    def _run(self, stanza: AuditStanza, ends: Latch, before: threading.Thread | None) -> None:
        """Export until told to end; `before` worked for the same sink, whose cursor one thread moves at a time."""
        if before is not None:
            before.join()
        exporter = self._exporter(stanza)
        while not ends.is_set():
            seconds = self._step(exporter)
            if seconds > 0:
                wait_for_any(seconds, ends)
        until = time.monotonic() + AT_THE_END
        while self._step(exporter) == 0 and time.monotonic() < until:
            continue
        exporter.finish()

    def _step(self, exporter: Exporter) -> float:
        try:
            return exporter.step()
        except Exception as error:  # noqa: BLE001 - the thread is the boundary: nothing above it could handle this
            self._app.say(Event.INTERNAL_ERROR.value, exc_info=error)
            return BUG

    def _exporter(self, stanza: AuditStanza) -> Exporter:
        from rotator.audit import ocsf, plain
        from rotator.audit.exporter import Exporter
        from rotator.audit.keys import Signer

        app = self._app

        def trouble(error: RotatorError | None) -> None:
            if error is None:
                app.say(Event.AUDIT_EXPORT_RESUMED.value, sink=stanza.name)
            elif (said := error.message) != last.get("said"):
                app.say(Event.AUDIT_EXPORT_FAILED.value, sink=stanza.name, reason=said, remedy=error.remedy or None)
            last["said"] = error.message if error else ""

        last: dict[str, str] = {}
        return Exporter(
            stanza.name,
            JournalBook(app.writable, consumer(stanza, app.config.node)),
            _sink(stanza, app.config.node),
            ocsf if stanza.format == "ocsf" else plain,
            Signer(app.writable.audit.export_seed()),
            monotonic=time.monotonic,
            wall=time.time,
            crash=crash_at,
            trouble=trouble,
        )


def _sink(stanza: AuditStanza, node: str) -> Sink:
    """Return where the lines of a sink go; nothing is opened yet."""
    match stanza:
        case FileStanza():
            from rotator.audit.file import FileSink

            return FileSink(stanza.path)
        case SyslogStanza():
            from rotator.audit.syslog import Address, SyslogSink
            from rotator.host.network.dial import Network

            way, host, port = stanza.where
            return SyslogSink(Address(way, host, port), Network(service="syslog", ca_file=stanza.ca_file), node)
        case HttpsStanza():
            from rotator.audit.https import HttpsSink

            return HttpsSink(stanza.url, stanza.network(stanza.name), stanza.token, stanza.scheme)
