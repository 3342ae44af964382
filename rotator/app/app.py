"""One opened instance: configuration, journal, fleet and driver of one process.

A reader changes nothing and needs no key; a writer makes the journal, imports spools and may drive.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from rotator.app.effective import one_journal
from rotator.app.fleet import ConfiguredFleet, whole
from rotator.app.runtime import HostRuntime, Say
from rotator.config.load import load
from rotator.config.models import Config
from rotator.config.policy import to_credential
from rotator.core.credential import Credential
from rotator.core.errors import ConfigError, JournalUnsafe
from rotator.core.events import Event
from rotator.core.facts import Draft, Fact
from rotator.core.notes import decode
from rotator.core.protocol.view import View, blank
from rotator.core.secret import Secret
from rotator.core.status import CredentialStatus, credential_status
from rotator.engine.driver import Driver
from rotator.engine.work import Tuning
from rotator.host.clock import SystemClock
from rotator.host.latch import Latch
from rotator.journal.open import JournalAbsent, open_journal
from rotator.journal.sealing import generate_key
from rotator.journal.store import SqliteJournal
from rotator.journal.streams import Stream
from rotator.registry import SOURCES, kinds


def _silent(name: str, **fields: object) -> None:
    return None


def _uncounted(connection: str, operation: str, status: str) -> None:
    return None


class App:
    """One opened instance. Use it as a context manager."""

    def __init__(
        self,
        config: Config,
        journal: SqliteJournal | None,
        *,
        say: Say = _silent,
        count: Callable[[str, str, str], None] = _uncounted,
    ) -> None:
        """Wire everything; `journal` None means that there is none yet (a reader before the first start)."""
        self.config, self.journal, self.say = config, journal, say
        self.clock = SystemClock()
        self.stop = Latch()
        self._fleet: ConfiguredFleet | None = None
        self._driver: Driver | None = None
        if journal is not None:
            self._fleet = ConfiguredFleet(journal.budget, self.clock, say, count, config.state.folder / "locks")
        self.ids: Mapping[str, str] = {}

    @classmethod
    def open(
        cls,
        path: Path | str,
        mode: Literal["reader", "writer"] = "reader",
        *,
        kind: Literal["run", "once"] = "once",
        say: Say = _silent,
        count: Callable[[str, str, str], None] = _uncounted,
        config: Config | None = None,
    ) -> App:
        """Load the configuration and open its journal.

        Args:
            path: the configuration file.
            mode: a reader never writes; it works before the first start.
            kind: `run` for the daemon, of which there may be one per journal.
            say: takes events; the log's `event`.
            count: takes (connection, operation, status) of each provider request.
            config: what `path` holds, where it was loaded just now.

        Raises:
            ConfigError: the configuration or a file that it names is wrong.
            JournalUnsafe: the journal cannot be trusted.
        """
        config = config or load(path, kinds())
        if mode == "reader":
            try:
                journal: SqliteJournal | None = open_journal(config.state.url, None, mode="reader")
            except JournalAbsent:
                one_journal(config)
                journal = None
        else:
            if not config.state.database.exists():
                one_journal(config)
            journal = open_journal(config.state.url, _key(config), mode="writer", kind=kind)
        app = cls(config, journal, say=say, count=count)
        if mode == "writer":
            app.configure(config)
        else:
            app._known()
        for warned in config.warnings:
            of, _, name = warned.subject.partition(" ")
            about = {of: name} if name else {"subject": of}
            say(Event.CONFIG_WARNING.value, **about, code=warned.code, reason=warned.message)
        return app

    @classmethod
    def without_journal(cls, config: Config) -> App:
        """Return a reader that looks at everything but the journal, for where that cannot be opened."""
        app = cls(config, None)
        app._known()
        return app

    def __enter__(self) -> App:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give everything back."""
        if self._fleet is not None:
            self._fleet.close()
        if self.journal is not None:
            self.journal.close()

    # --- configuration

    def configure(self, config: Config) -> None:
        """Make a configuration effective: register its credentials, wire its adapters, look at everything once.

        Raises:
            JournalUnsafe: the configuration before stays the one that `reload` compares the file with.
        """
        journal = self.writable
        ids = journal.register([(c.name, c.common.connection, c.common.renamed_from) for c in config.credentials])
        self.fleet.configure(config, ids)
        # Those that left the configuration too: the connection that their open work needs may have come back.
        journal.wake(stream.id for stream in self.streams())
        self.config, self.ids = config, ids
        if self._driver is not None:
            self._driver.tune(_tuning(config))

    def _known(self) -> None:
        """A reader's ids: those of the journal, and the name itself for what is not registered yet."""
        rows = {s.name: s.id for s in self.journal.streams() if s.kind == "credential"} if self.journal else {}
        self.ids = {
            c.name: rows.get(c.name) or rows.get(c.common.renamed_from or "") or c.name for c in self.config.credentials
        }

    @property
    def writable(self) -> SqliteJournal:
        """The journal; raises where there is none."""
        if self.journal is None:
            raise ConfigError("there is no journal yet", "start `rotator run` or `rotator once` first")
        return self.journal

    @property
    def fleet(self) -> ConfiguredFleet:
        """The fleet of a process that has a journal."""
        if self._fleet is None:
            raise ConfigError("there is no journal yet", "start `rotator run` or `rotator once` first")
        return self._fleet

    @property
    def credentials(self) -> tuple[Credential, ...]:
        """The configured credentials in the order of the file."""
        advanced = self.config.advanced
        made = [(to_credential(c, advanced, self.ids[c.name]), c) for c in self.config.credentials]
        return tuple(whole(one, c, self.config.connections.get(one.connection)) for one, c in made)

    # --- driving

    @property
    def driver(self) -> Driver:
        """The driver of this process."""
        if self._driver is None:
            runtime = HostRuntime(self.clock, self.fleet.times, self.say, self.stop)
            self._driver = Driver(self.writable, runtime, self.fleet, _tuning(self.config))
        return self._driver

    def now(self, connection: str) -> float:
        """Provider time of a connection as well as this process knows it, unix seconds."""
        times = self._fleet.times if self._fleet is not None else {}
        if connection in times and times[connection].steady:
            return times[connection].now()
        noted = self.connection_note(connection).get("offset")
        return self.clock.utc() + (float(noted) if isinstance(noted, int | float) else 0.0)

    def steady(self, connection: str) -> bool:
        """Whether the provider's clock can be believed now."""
        times = self.fleet.times
        return connection not in times or times[connection].steady

    def note(self, name: str, draft: Draft) -> View:
        """Append an operator's fact to a credential's stream and wake whoever drives it.

        Raises:
            ConfigError: no such credential.
        """
        return self.writable.note(self.stream(name), draft)

    def stream(self, name: str) -> str:
        """Return the stream id of a credential of the configuration or of the journal.

        Raises:
            ConfigError: no such credential; the message names the nearest.
        """
        found = self.ids.get(name) or {s.name: s.id for s in self.streams()}.get(name)
        if found is None:
            from rotator.config.explain import nearest

            known = [*self.ids, *(s.name for s in self.streams())]
            near = nearest(name, known)
            raise ConfigError(
                f"there is no credential {name}", f"did you mean {near}?" if near else "see `rotator status`"
            )
        return found

    def named(self, stream: str) -> str:
        """Return the name of a stream's credential, or the id where the configuration has none: for log lines."""
        return next((name for name, known in self.ids.items() if known == stream), stream)

    # --- looking

    def streams(self) -> list[Stream]:
        """Streams of credentials in the journal, configured or not."""
        return [s for s in self.journal.streams() if s.kind == "credential"] if self.journal else []

    def view(self, stream: str) -> View:
        """The fold of a credential's facts; blank where nothing is journaled."""
        known = self.journal is not None and any(s.id == stream for s in self.streams())
        return self.writable.view(stream) if known else blank()

    def history(self, name: str | None = None) -> Iterator[tuple[str, Fact]]:
        """Return (credential's name, fact) of one credential or of all, oldest first."""
        if self.journal is None:
            return iter(())
        names = {s.id: s.name for s in self.journal.streams()}
        only = self.stream(name) if name else None
        return ((names.get(fact.stream, fact.stream), fact) for fact in self.journal.facts(only))

    def statuses(self) -> list[CredentialStatus]:
        """The status of every credential: configured ones in the order of the file, then unmanaged ones."""
        rows = {s.id: s for s in self.streams()}
        views = self.journal.views() if self.journal else {}
        found = []
        for credential in self.credentials:
            view, row = views.get(credential.id, blank()), rows.get(credential.id)
            found.append(self._status(credential, view, row))
        for row in rows.values():
            if row.id not in self.ids.values():
                view = views.get(row.id, blank())
                found.append(self._status(self._gone(row, view), view, row))
        return found

    def status_document(self) -> dict[str, Any]:
        """The document of `status -o json`."""
        from rotator.app.documents import status_document

        return status_document(self)

    def once(self, wait: float) -> int:
        """Drive everything that is due as far as it goes; see `rotator.app.once`."""
        from rotator.app.once import Once

        return Once(self).run(wait)

    def plan(self, days: float) -> list[Any]:
        """The rotations to come; see `rotator.app.plan`."""
        from rotator.app.plan import plan

        return list(plan(self.credentials, self.statuses(), self.clock.utc(), days))

    def _status(self, credential: Credential, view: View, row: Stream | None) -> CredentialStatus:
        used = {}
        if self._driver is not None:
            used = {t: at for t, at in self._driver.memory(credential.id).used.items() if at}
        note = decode(row.why if row else "")
        return credential_status(credential, view, self.now(credential.connection), note, used)

    def _gone(self, row: Stream, view: View) -> Credential:
        from rotator.core.credential import Policy

        owner = str(view.spec.get("owner", "account"))
        return Credential(
            id=row.id, name=row.name, connection=row.connection, owner=owner, policy=Policy(), targets=(), managed=False
        )

    def connection_note(self, name: str) -> dict[str, Any]:
        """What the last process that asked knew of a connection."""
        if self.journal is None:
            return {}
        return _object(self.journal.remarked(name))

    def sources(self) -> list[str]:
        """Names of the connections that mint."""
        return [name for name, c in self.config.connections.items() if c.type in SOURCES]


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _tuning(config: Config) -> Tuning:
    advanced = config.advanced
    return Tuning(watch=advanced.watch, sweep=advanced.sweep, doubt=2 * advanced.settle)


def _key(config: Config) -> Secret:
    """Read the key; make it where nobody configured one and it is not there yet."""
    if config.state.generated:
        path = config.state.folder / "rotator.key"
        try:
            if not path.exists() and not config.state.database.exists():
                config.state.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                generate_key(path)
        except OSError as error:
            raise JournalUnsafe(
                f"making the folder of the state, {config.state.folder}: {error.strerror}",
                "give `state.url` a folder that this user may write to, or set STATE_DIRECTORY",
            ) from error
    return config.state.encryption_key.read()
