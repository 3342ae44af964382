"""All configured credentials with their adapters, and the clocks of their connections.

It decides which adapters serve a credential, also one that only the journal knows any more. Connections outlive a
reload while their options stay the same.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rotator.app.connections import Connections
from rotator.app.hooks import hooks_of
from rotator.app.pacing import Pacing, Store
from rotator.app.runtime import Say
from rotator.app.stanzas import with_spec
from rotator.config.fields import is_loopback
from rotator.config.load import read_stanza
from rotator.config.models import Config, ConnectionStanza, CredentialStanza, TargetStanza
from rotator.config.nodes import elsewhere
from rotator.config.policy import to_credential
from rotator.core.credential import Credential
from rotator.core.drifted import adopted
from rotator.core.errors import ConfigError, RotatorError
from rotator.core.events import Event
from rotator.core.ids import NO_CREDENTIAL, CredentialId
from rotator.core.ports.runtime import Budget
from rotator.core.ports.source import Source, TokenState
from rotator.core.ports.target import Target
from rotator.core.protocol.view import View
from rotator.core.reasons import Reason
from rotator.core.secret import Secret
from rotator.engine.inventory import Inventory
from rotator.engine.provider_time import ProviderTime
from rotator.engine.work import Bound
from rotator.host.clock import SystemClock
from rotator.registry import CONNECTIONS, SOURCES, TARGETS, Wire, kinds

Budgets = Callable[[str, int, float], Budget]
"""(connection, requests, seconds) -> the rate budget of a connection."""


@dataclass(slots=True)
class Wired:
    """The adapters of one credential and what they were made from."""

    bound: Bound
    made_from: tuple[object, ...]


class ConfiguredFleet:
    """Fulfils `rotator.engine.work.Fleet`. Safe to share between threads."""

    def __init__(
        self,
        budgets: Budgets,
        clock: SystemClock,
        say: Say,
        count: Any,
        locks: Path,
        pace: Store | None = None,
        journaled: Callable[[str, str], Secret | None] = lambda connection, role: None,
    ) -> None:
        """Nothing is configured yet.

        Args:
            budgets: gives the rate budget of a connection.
            clock: the machine's.
            say: the log's `event`.
            count: takes (connection, operation, status) of each request.
            locks: folder for the locks of places.
            pace: where the pace of connections is shared; None for a process that only looks.
            journaled: (connection, role) -> the value of that token in the journal, or None.
        """
        self._budgets, self._clock, self._say, self._count, self._locks = budgets, clock, say, count, locks
        self._journaled = journaled
        self._lock = threading.RLock()
        self.times: dict[str, ProviderTime] = {}
        self.reachable: dict[str, bool] = {}
        self._config: Config | None = None
        self._credentials: dict[CredentialId, Credential] = {}
        self._stanzas: dict[CredentialId, CredentialStanza] = {}
        self.connections = Connections(self._open)
        self._wired: dict[str, Wired] = {}
        self._sizes: Counter[str] = Counter()
        self._groups: Mapping[str, Mapping[CredentialId, str]] = {}
        self._pacing = Pacing(pace, self._now, say, clock.boot)
        self._inventory = Inventory(clock.boot, threading.Lock)

    # --- configuration

    def configure(self, config: Config, ids: Mapping[str, CredentialId]) -> None:
        """Take a configuration; `ids` by name of credential. Adapters are made anew where their options changed."""
        with self._lock:
            self._config = config
            self._stanzas = {ids[stanza.name]: stanza for stanza in config.credentials}
            self._credentials = {
                stream: with_spec(made, stanza, config.connections.get(made.connection))
                for stream, stanza in self._stanzas.items()
                for made in (to_credential(stanza, config.advanced, stream, calendar=config.calendar),)
            }
            self._groups = _groups(self._credentials.values())
            self._sizes = Counter(credential.connection for credential in self._credentials.values())
            self._pacing.keep(set(self._credentials))
            if self.connections.configure(config.connections):
                self._wired.clear()
            for name, stanza in config.connections.items():
                if name in self.times:
                    self.times[name].settle = config.advanced.settle
                elif stanza.type in SOURCES:
                    trusted = is_loopback(SOURCES[stanza.type].api(stanza.options))
                    self.times[name] = ProviderTime(
                        self._clock.boot, self._clock.utc, config.advanced.settle, trusted=trusted
                    )

    @property
    def config(self) -> Config:
        """The effective configuration."""
        if self._config is None:
            raise ConfigError("no configuration is loaded")
        return self._config

    @property
    def credentials(self) -> tuple[Credential, ...]:
        """The configured credentials, in the order of the file."""
        return tuple(self._credentials.values())

    def sources(self) -> dict[str, ConnectionStanza]:
        """Connections that mint, by name."""
        return {name: c for name, c in self.config.connections.items() if c.type in SOURCES}

    def connection(self, name: str) -> Any:
        """Return an opened connection.

        Raises:
            ConfigError: no such connection is configured.
        """
        return self.connections.get(name)

    def prepare(self) -> None:
        """Open every connection now, which loads what they need while an error still ends the start.

        One that cannot be opened is left to whoever needs it, who says so.
        """
        for name in self.config.connections:
            with suppress(RotatorError):
                self.connections.get(name)

    def _open(self, stanza: ConnectionStanza) -> Any:
        if stanza.type not in SOURCES:
            return CONNECTIONS[stanza.type].open(stanza.name, stanza.options)
        name, limit = stanza.name, stanza.options
        budget = self._budgets(name, limit.rate_budget.requests, limit.rate_budget.window)  # type: ignore[attr-defined]

        def counted(operation: str, status: str) -> None:
            self.reachable[name] = status not in ("lost", "unsent") and not status.startswith("5")
            self._count(name, operation, status)

        def dated(date: float) -> None:
            time, before = self.times[name], self.times[name].steady
            time.observe(date)
            if before and not time.steady:
                self._say(Event.CLOCK_SUSPECT.value, connection=name)

        return SOURCES[stanza.type].open(
            name,
            stanza.options,
            Wire(budget=budget, on_date=dated, on_request=counted, journaled=partial(self._journaled, name)),
        )

    # --- the port

    def bound(self, stream: CredentialId, view: View) -> Bound | None:
        """Adapters of a credential, from the configuration or else from its journaled stanza."""
        with self._lock:
            configured = self._credentials.get(stream)
            made_from: tuple[object, ...] = (
                configured,
                (*sorted(view.past), *sorted(view.former)),
                None if configured else view.position,
                view.like,
            )
            found = self._wired.get(stream)
            if found is None or found.made_from[0] is not configured or found.made_from[1:] != made_from[1:]:
                made = self._wire(stream, configured, view)
                if made is None:
                    return None
                found = Wired(made, made_from)
                self._wired[stream] = found
        self._pacing.note(found.bound.credential, view)
        return found.bound

    def elsewhere(self, stream: CredentialId, view: Callable[[], View]) -> str:
        """Return the node that has to do the work of a credential where it is another one, else an empty string."""
        with self._lock:
            stanza = self._stanzas.get(stream)
        if stanza is None:
            with suppress(ConfigError):
                stanza = self._remembered(view().spec)
        return elsewhere(stanza, self.config.node) if stanza is not None else ""

    def _wire(self, stream: CredentialId, credential: Credential | None, view: View) -> Bound | None:
        try:
            stanza = self._stanzas.get(stream) or self._remembered(view.spec)
            if stanza is None:
                return None
            if credential is None:
                made = to_credential(stanza, self.config.advanced, stream, managed=False)
                credential = with_spec(made, stanza, self.config.connections.get(made.connection))
            connection = self.connection(credential.connection)
            like = view.like.like if view.like is not None and adopted(credential, view) else None
            source = SOURCES[stanza.source_type].source(connection, stanza.source, like)
            targets = {target.name: self._target(target, credential.name) for target in stanza.targets}
            for name, past in view.past.items():
                if name not in targets and isinstance(past, dict) and (old := self._past(view.spec, past)):
                    targets[name] = self._target(old, credential.name)
            former = {scope: left for scope, spec in view.former.items() if (left := self._left(spec))}
        except ConfigError as error:
            said = view.spec.get("stanza")
            named = said.get("name") if isinstance(said, dict) else None
            self._say(Event.CONFIG_WARNING.value, credential=named or stream, reason=error.message)
            return None
        hooks = {target.name: hooks_of(target) for target in stanza.targets if target.common.after_publish}
        return Bound(credential=credential, source=source, targets=targets, former=former, hooks=hooks)

    def _left(self, spec: Mapping[str, Any]) -> Source | None:
        """The source of a stanza of earlier days; None where its connection is gone."""
        try:
            kept, account = spec.get("stanza"), spec.get("account_id")
            told = {**kept, "account_id": account} if isinstance(kept, dict) and account else kept
            stanza = self._remembered({"stanza": told})
            if stanza is None:
                return None
            return SOURCES[stanza.source_type].source(self.connection(stanza.common.connection), stanza.source, None)
        except ConfigError:
            return None

    def _remembered(self, spec: Mapping[str, Any]) -> CredentialStanza | None:
        stanza = spec.get("stanza")
        return read_stanza(stanza, kinds(), self.config.connections) if isinstance(stanza, dict) else None

    def _past(self, spec: Mapping[str, Any], target: dict[str, Any]) -> TargetStanza | None:
        stanza = spec.get("stanza")
        if not isinstance(stanza, dict):
            return None
        try:
            return read_stanza({**stanza, "targets": [target]}, kinds(), self.config.connections).targets[0]
        except ConfigError:
            return None  # its connection is gone as well; then nobody can read it

    def _target(self, target: TargetStanza, credential: str) -> Target:
        entry = TARGETS[target.common.type]
        named = getattr(target.common, "connection", None)
        connection = self.connection(named) if entry.kind.connection_type and named else None

        def warn(code: str, message: str) -> None:
            self._say(Event.CONFIG_WARNING.value, credential=credential, target=target.name, code=code, reason=message)

        return entry.open(connection, target.options, target.keys, self._locks, warn)

    def tokens(self, credential: Credential, source: Source, fresh: float) -> tuple[TokenState, ...]:
        """One listing per owner scope for everybody."""
        account = credential.spec.get("account_id")
        scope = (credential.connection, credential.owner, str(account))
        return self._inventory.tokens(scope, fresh, source.tokens)

    def listed(self, credential: Credential) -> float:
        """Seconds since the newest listing of the owner scope began."""
        scope = (credential.connection, credential.owner, str(credential.spec.get("account_id")))
        return self._inventory.age(scope)

    def hold(self, credential: Credential) -> Reason | None:
        """Why no new rotation may start now."""
        time = self.times.get(credential.connection)
        if time is not None and not time.steady:
            return Reason.CLOCK_SUSPECT
        return None if self._pacing.may_start(credential) else Reason.PACING

    def died(self, credential: Credential, dead: bool) -> None:
        """Note a published value that is dead, or alive again."""
        connection = credential.connection
        self._pacing.died(credential, dead, size=self._size(connection), watch=self.config.advanced.watch)

    def peers(self, credential: Credential) -> Mapping[CredentialId, str]:
        """The other members of the credential's group."""
        group = credential.hours.group
        with self._lock:
            members = self._groups.get(group.name, {}) if group else {}
        return {stream: name for stream, name in members.items() if stream != credential.id}

    def reached(self, credential: Credential, target: str, answered: bool) -> None:
        """Note whether the service behind a target answered just now, where it has a connection."""
        stanza = self._stanzas.get(credential.id)
        for one in stanza.targets if stanza else ():
            if one.name == target and (name := one.common.connection):
                self.reachable[name] = answered

    def incident(self, connection: str) -> bool:
        """Whether too many values died at once to be believed."""
        return self._pacing.incident(connection, size=self._size(connection), watch=self.config.advanced.watch)

    def _size(self, connection: str) -> int:
        return self._sizes.get(connection, 0)

    def _now(self, connection: str) -> float:
        time = self.times.get(connection)
        return time.now() if time else self._clock.utc()

    def serves(self, place: str, by: CredentialId = NO_CREDENTIAL) -> bool:
        """Whether a configured target publishes to `place`, as its kind names it, of any credential or of that one."""
        stanzas = (stanza for stream, stanza in self._stanzas.items() if by in (NO_CREDENTIAL, stream))
        targets = (target for stanza in stanzas for target in stanza.targets)
        return any(TARGETS[t.common.type].kind.place(t.options) == place for t in targets)

    # --- what is known of the source connections

    def used(self, connection: str, views: Mapping[str, View]) -> int | None:
        """Tokens that exist in the fullest of the connection's scopes; None before the first listing.

        Those as last listed, and those that the journal knows to exist: what was minted since is not in the listing.
        """
        ours: dict[tuple[str, str, str], set[str]] = {}
        for credential in self.credentials:
            scope = (credential.connection, credential.owner, str(credential.spec.get("account_id")))
            ours.setdefault(scope, set()).update(_owned(views.get(credential.id)))
        found = {scope: self._inventory.last(scope) for scope in ours if scope[0] == connection}
        known = [len({t.id for t in listing} | ours[scope]) for scope, listing in found.items() if listing is not None]
        return max(known) if known else None

    def close(self) -> None:
        """Give back all connections."""
        self.connections.close()


def _groups(credentials: Iterable[Credential]) -> dict[str, dict[CredentialId, str]]:
    """Group -> stream -> name of its members."""
    found: dict[str, dict[CredentialId, str]] = {}
    for credential in credentials:
        if credential.hours.group is not None:
            found.setdefault(credential.hours.group.name, {})[credential.id] = credential.name
    return found


def _owned(view: View | None) -> set[str]:
    """Ids of the tokens of a credential that exist as far as the journal knows."""
    if view is None:
        return set()
    return {view.current, view.rotation.token_id if view.rotation else "", *view.retirements} - {""}
