"""The composition root: one opened instance with configuration, journal, fleet and driver of one process.

It opens, wires and closes. What is asked of it stands in `queries`, what a reload does in `reload`.
A reader changes nothing and needs no key; a writer makes the journal, imports spools and may drive.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Literal

from rotator.app.effective import one_journal
from rotator.app.fleet import ConfiguredFleet
from rotator.app.leaked import bring_in
from rotator.app.pair_values import journaled
from rotator.app.queries import Queries
from rotator.app.runtime import Count, HostRuntime, Say, silent, uncounted
from rotator.config.load import load
from rotator.config.models import Config
from rotator.core.credential import Credential
from rotator.core.errors import ConfigError, JournalUnsafe
from rotator.core.events import Event
from rotator.core.facts import Draft
from rotator.core.ids import CredentialId, TokenId
from rotator.core.protocol.view import View
from rotator.engine.driver import Driver
from rotator.engine.provider_time import ProviderTime
from rotator.engine.work import Tuning
from rotator.host.clock import SystemClock
from rotator.host.files import make_folder
from rotator.host.latch import Latch
from rotator.journal.key_file import generate_key
from rotator.journal.open import JournalAbsent, open_journal
from rotator.journal.sealing import KeyRing
from rotator.journal.store import SqlJournal
from rotator.registry import kinds


class App:
    """One opened instance. Use it as a context manager."""

    def __init__(
        self,
        config: Config,
        journal: SqlJournal | None,
        *,
        say: Say = silent,
        count: Count = uncounted,
    ) -> None:
        """Wire everything; `journal` None means that there is none yet (a reader before the first start)."""
        self.config, self.journal, self.say = config, journal, say
        self.clock = SystemClock()
        self.stop = Latch()
        self._fleet: ConfiguredFleet | None = None
        self._driver: Driver | None = None
        if journal is not None:
            self._fleet = ConfiguredFleet(
                journal.budget,
                self.clock,
                say,
                count,
                config.state.folder / "locks",
                journal.pace,
                partial(journaled, journal),
            )
        self.ids: Mapping[str, CredentialId] = {}
        self.queries = Queries(self)
        self.wanted: dict[str, float] = {}
        """Connection -> when its management pair wants to be looked at next, provider time."""

    @classmethod
    def open(
        cls,
        path: Path | str,
        mode: Literal["reader", "writer"] = "reader",
        *,
        kind: Literal["run", "once"] = "once",
        say: Say = silent,
        count: Count = uncounted,
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
        one_journal(config)
        if mode == "reader":
            try:
                journal: SqlJournal | None = open_journal(config.state, None, mode="reader")
            except JournalAbsent:
                journal = None
        else:
            journal = open_journal(config.state, state_key(config), mode="writer", kind=kind, node=config.node)
        app = cls(config, journal, say=say, count=count)
        if mode == "writer":
            app.configure(config)
            bring_in(app)
        else:
            app._known()
        for warned in config.warnings:
            say(Event.CONFIG_WARNING.value, **warned.subject.fields(), code=warned.code, reason=warned.message)
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
        names = [(c.name, c.common.connection, c.common.renamed_from) for c in config.credentials]
        ids = journal.streams.register(names)
        self.fleet.configure(config, ids)
        journal.elsewhere = self._elsewhere
        # Those that left the configuration too: the connection that their open work needs may have come back.
        journal.wake(stream.id for stream in self.queries.streams())
        self.config, self.ids = config, ids
        if self._driver is not None:
            self._driver.tune(_tuning(config))

    def _elsewhere(self, stream: CredentialId) -> bool:
        """Whether the work of a credential, also of one that left the configuration, is another machine's."""
        return bool(self.fleet.elsewhere(stream, lambda: self.queries.view(stream)))

    def _known(self) -> None:
        """A reader's ids: those of the journal, and the name itself for what is not registered yet."""
        rows = {row.name: row.id for row in self.queries.streams()}
        self.ids = {
            c.name: rows.get(c.name) or rows.get(c.common.renamed_from or "") or CredentialId(c.name)
            for c in self.config.credentials
        }

    @property
    def writable(self) -> SqlJournal:
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

    # --- driving

    @property
    def driver(self) -> Driver:
        """The driver of this process."""
        if self._driver is None:
            self._driver = Driver(self.writable, self.runtime, self.fleet, _tuning(self.config))
        return self._driver

    @property
    def runtime(self) -> HostRuntime:
        """The machine, as the engine sees it."""
        return HostRuntime(self.clock, self.fleet.times, self.say, self.stop)

    @property
    def made(self) -> tuple[Credential, ...]:
        """The credentials that the fleet works on; none in a process that only reads."""
        return self._fleet.credentials if self._fleet is not None else ()

    @property
    def times(self) -> Mapping[str, ProviderTime]:
        """Clocks of the connections that this process has heard."""
        return self._fleet.times if self._fleet is not None else {}

    def used(self, stream: CredentialId) -> Mapping[TokenId, float]:
        """Token id -> last use, as this process was told."""
        return self._driver.memory(stream).used if self._driver is not None else dict[TokenId, float]()

    def note(self, name: str, draft: Draft) -> View:
        """Append an operator's fact to a credential's stream and wake whoever drives it.

        Raises:
            ConfigError: no such credential.
        """
        return self.writable.note(self.queries.stream(name), draft)


def _tuning(config: Config) -> Tuning:
    advanced = config.advanced
    return Tuning(watch=advanced.watch, sweep=advanced.sweep, doubt=2 * advanced.settle)


def state_key(config: Config) -> KeyRing:
    """Return the encryption keys; one is made where nobody configured one and it is not there yet.

    Raises:
        ConfigError: it cannot be read.
        JournalUnsafe: its folder cannot be made.
    """
    if config.state.generated:
        path = config.state.folder / "rotator.key"
        try:
            if not path.exists() and not config.state.there():
                make_folder(config.state.folder)
                _first_key(path)
        except OSError as error:
            raise JournalUnsafe(
                f"making the folder of the state, {config.state.folder}: {error.strerror}",
                "give `state.url` a folder that this user may write to, or set STATE_DIRECTORY",
            ) from error
    reference = config.state.encryption_key
    return KeyRing(reference.read_lines(), reference.read_lines if reference.changes else None)


def _first_key(path: Path) -> None:
    """Make the key file, unless another process of this first start did so in the same moment."""
    try:
        generate_key(path)
    except ConfigError:
        if not path.exists():
            raise
