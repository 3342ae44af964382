"""What only reads: credentials, streams, views, history, statuses, and what is known of connections.

It needs no key, changes nothing, and works before the first start. Whatever it answers may be old in the next moment.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from rotator.app.connection_note import ConnectionNote
from rotator.app.connection_note import decode as decode_connection
from rotator.app.stanzas import with_spec
from rotator.config.explain import nearest
from rotator.config.models import Config
from rotator.config.policy import to_credential
from rotator.core.credential import Credential, Policy
from rotator.core.errors import Absent
from rotator.core.facts import Fact
from rotator.core.ids import CredentialId, TokenId
from rotator.core.notes import decode
from rotator.core.protocol.view import View, blank
from rotator.core.status import CredentialStatus, credential_status
from rotator.engine.provider_time import ProviderTime
from rotator.host.clock import SystemClock
from rotator.journal.owners import Process
from rotator.journal.store import SqlJournal
from rotator.journal.streams import Stream
from rotator.registry import SOURCES


class Instance(Protocol):
    """What is asked about: one opened instance."""

    config: Config
    journal: SqlJournal | None
    clock: SystemClock
    ids: Mapping[str, CredentialId]
    """Name of each configured credential -> id of its stream."""

    @property
    def made(self) -> tuple[Credential, ...]:
        """The configured credentials where this process has made them to work on them; else none."""

    @property
    def times(self) -> Mapping[str, ProviderTime]:
        """Clocks of the connections that this process has heard."""

    def used(self, stream: CredentialId) -> Mapping[TokenId, float]:
        """Token id -> last use, as this process was told."""


class Queries:
    """Questions to one opened instance."""

    def __init__(self, of: Instance) -> None:
        """`of` is asked anew each time: its configuration may change."""
        self._of = of

    @property
    def config(self) -> Config:
        """The effective configuration."""
        return self._of.config

    # --- credentials

    @property
    def credentials(self) -> tuple[Credential, ...]:
        """The configured credentials in the order of the file."""
        if self._of.made:
            return self._of.made
        config = self._of.config
        made = [
            (to_credential(c, config.advanced, self._of.ids[c.name], calendar=config.calendar), c)
            for c in config.credentials
        ]
        return tuple(with_spec(one, c, config.connections.get(one.connection)) for one, c in made)

    def stream(self, name: str) -> CredentialId:
        """Return the stream id of a credential of the configuration or of the journal.

        Raises:
            Absent: no such credential; the message names the nearest.
        """
        found = self._of.ids.get(name) or {s.name: s.id for s in self.streams()}.get(name)
        if found is None:
            near = nearest(name, [*self._of.ids, *(s.name for s in self.streams())])
            raise Absent(f"there is no credential {name}", f"did you mean {near}?" if near else "see `rotator status`")
        return found

    def named(self, stream: CredentialId) -> str:
        """Return the name of a stream's credential, or the id where the configuration has none: for log lines."""
        return next((name for name, known in self._of.ids.items() if known == stream), stream)

    def streams(self) -> list[Stream]:
        """Streams of credentials in the journal, configured or not."""
        journal = self._of.journal
        return [s for s in journal.streams.all() if s.kind == "credential"] if journal else []

    def view(self, stream: CredentialId) -> View:
        """The fold of a credential's facts; blank where nothing is journaled."""
        journal = self._of.journal
        return journal.view(stream) if journal and any(s.id == stream for s in self.streams()) else blank()

    def keepers(self) -> dict[str, str]:
        """Return token id -> name of the credential whose token it is, under way and retiring ones included."""
        configured = {stream: name for name, stream in self._of.ids.items()}
        views = self._of.journal.views() if self._of.journal else {}
        found: dict[str, str] = {}
        for row in self.streams():
            view = views.get(row.id)
            if view is not None:
                under_way = view.rotation.token_id if view.rotation else ""
                ids = {view.current, under_way, *view.retirements} - {""}
                found |= dict.fromkeys(ids, configured.get(row.id, row.name))
        return found

    def history(self, name: str | None = None) -> Iterator[tuple[str, Fact]]:
        """Return (credential's name, fact) of one credential or of all, oldest first."""
        journal = self._of.journal
        if journal is None:
            return iter(())
        names = {s.id: s.name for s in journal.streams.all()}
        only = self.stream(name) if name else None
        return ((names.get(fact.stream, fact.stream), fact) for fact in journal.facts(only))

    def statuses(self) -> list[CredentialStatus]:
        """The status of every credential: configured ones in the order of the file, then unmanaged ones."""
        journal, rows = self._of.journal, {s.id: s for s in self.streams()}
        views = journal.views() if journal else {}
        found = [self._status(c, views.get(c.id, blank()), rows.get(c.id)) for c in self.credentials]
        configured = set(self._of.ids.values())
        for row in rows.values():
            if row.id not in configured:
                view = views.get(row.id, blank())
                found.append(self._status(_gone(row, view), view, row))
        return found

    def _status(self, credential: Credential, view: View, row: Stream | None) -> CredentialStatus:
        used = {token: at for token, at in self._of.used(credential.id).items() if at}
        note = decode(row.why if row else "")
        return credential_status(credential, view, self.now(credential.connection), note, used)

    # --- connections, processes, time

    def sources(self) -> list[str]:
        """Names of the connections that mint."""
        return [name for name, c in self._of.config.connections.items() if c.type in SOURCES]

    def connection_note(self, name: str) -> ConnectionNote:
        """What the last process that asked knew of a connection."""
        return decode_connection(self._of.journal.streams.remarked(name) if self._of.journal else "")

    def rate_budget(self, name: str) -> tuple[int, float]:
        """Requests that a source's connection may send, and in how many seconds."""
        limits = self._of.config.connections[name].options.rate_budget  # type: ignore[attr-defined]  # all sources
        return limits.requests, limits.window

    def daemons(self) -> list[Process]:
        """The daemons that live on this journal, those that give no sign of life included."""
        processes = self._of.journal.presence.processes() if self._of.journal else []
        return [found for found in processes if found.kind == "run" and (found.alive or found.hangs)]

    def utc(self) -> float:
        """This machine's wall time, unix seconds."""
        return self._of.clock.utc()

    def now(self, connection: str) -> float:
        """Provider time of a connection as well as this process knows it, unix seconds."""
        time = self._of.times.get(connection)
        if time is not None and time.steady:
            return time.now()
        return self.utc() + (self.connection_note(connection).offset or 0.0)

    def steady(self, connection: str) -> bool:
        """Whether the provider's clock can be believed now."""
        time = self._of.times.get(connection)
        return time is None or time.steady


def _gone(row: Stream, view: View) -> Credential:
    """What is left of a credential that the configuration does not have any more."""
    owner = str(view.spec.get("owner", "account"))
    return Credential(
        id=row.id, name=row.name, connection=row.connection, owner=owner, policy=Policy(), targets=(), managed=False
    )
