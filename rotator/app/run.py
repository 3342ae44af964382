"""`rotator run`: the daemon with everything around it: log, listener, metrics, reload, heartbeat."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

from rotator import __version__
from rotator.app.app import App
from rotator.app.exporting import Exports
from rotator.app.leaked import bring_in
from rotator.app.notifying import Notifications
from rotator.app.reload import Reload
from rotator.app.survey import survey
from rotator.config.load import digest_of
from rotator.config.models import Config
from rotator.core.errors import RotatorError
from rotator.core.events import Event
from rotator.core.findings import LOG
from rotator.core.ids import CredentialId
from rotator.core.instants import rfc3339
from rotator.core.ports.journal import Due
from rotator.daemon import Cadence, Daemon, heed_nothing_yet
from rotator.engine.driver import Pass
from rotator.host.marks import Mark
from rotator.journal.presence import Configuration
from rotator.observability.connection_samples import ConnectionRow
from rotator.observability.logs import Log
from rotator.observability.metrics import Metrics
from rotator.registry import CONNECTIONS
from rotator.web.listener import Listener, listening, serve

STALLED: Final = 60.0
"""Seconds without a tick after which the loop counts as dead, at the default cadence."""


PAGE_WITHIN: Final = 30.0
"""Seconds that one request of the page may take: a browser that is told of changes holds one for as long."""


def run_daemon(config: Config, log: Log) -> int:
    """Run until SIGTERM, SIGINT or SIGQUIT; 0 after a graceful end.

    Raises:
        ConfigError: the configuration is wrong.
        JournalUnsafe: the journal cannot be trusted, or another daemon runs on it.
        RotatorError: the listener's port is taken.
        Exhausted: the system gives this process too few threads or too little memory.
    """
    heed_nothing_yet()
    box: dict[str, Metrics] = {}

    def count(connection: str, operation: str, status: str) -> None:
        box["metrics"].provider_request(connection, operation, status)

    with App.open(config.path, "writer", kind="run", say=log.event, count=count, config=config) as app:
        metrics = box["metrics"] = Metrics(
            app.queries.statuses,
            lambda: rows(app),
            version=__version__,
            dropped=lambda: log.dropped,
            exports=Exports(app).lags,
            backlogs=Notifications(app).backlogs,
        )
        log.subscribe(metrics.observe_event)
        app.writable.watch_values = log.redactor.add
        metrics.render()
        metrics.tick()
        host = RunningHost(app, log, metrics)
        app.fleet.prepare()
        listener = serve(app.config.http.listen, metrics.render, host.health, host.ready)
        host.listener = listener
        try:
            host.page = _page(app, host)
            host.heartbeat()
            host.keep()
            log.event(Event.CONFIG_LOADED.value, credentials=len(app.ids))
            host.exports.follow()
            host.notifications.follow()
            Daemon(host).run()
        finally:
            host.notifications.stop()
            host.exports.stop()
            if host.page is not None:
                host.page.stop()
            listener.stop()
            host.release()
            log.event(Event.DAEMON_STOPPED.value)
    return 0


def _page(app: App, host: RunningHost) -> Listener | None:
    """Serve the page where it is configured; nothing of it is imported else.

    Raises:
        RotatorError: its port is taken.
    """
    stanza = app.config.page
    if stanza is None:
        return None
    from rotator.app.page import DaemonBoard
    from rotator.web.page.application import page_application

    board = DaemonBoard(app, host.refusal)
    made = page_application(board, lambda: app.config.page or stanza, board.key())
    return listening(stanza.listen, made, setting="page.listen", close=made.close, request_within=PAGE_WITHIN)


class RunningHost:
    """Fulfils `rotator.daemon.Host` over an opened writer, and answers for its health."""

    listener: Listener
    page: Listener | None = None

    def __init__(self, app: App, log: Log, metrics: Metrics) -> None:
        """`listener` is set before the daemon runs."""
        self._app, self._log, self._metrics = app, log, metrics
        self.stop = app.stop
        self._reload = Reload(app, self._taken)
        self.exports = Exports(app)
        self.notifications = Notifications(app, metrics.notified)
        self._mark = Mark(app.config.path)
        self._format = app.config.log.format
        self._writable = True

    # --- what the daemon asks

    def cadence(self) -> Cadence:
        """How often each thing is done."""
        advanced = self._app.config.advanced
        return Cadence(evaluate=advanced.evaluate, watch=advanced.watch)

    def sources(self) -> list[str]:
        """Names of the connections that mint."""
        return self._app.queries.sources()

    def connections(self) -> list[str]:
        """Names of all connections."""
        return list(self._app.config.connections)

    def steady(self, connection: str) -> bool:
        """Whether the provider's clock can be believed now."""
        return self._app.queries.steady(connection)

    def wanted(self, connection: str) -> bool:
        """Whether the management pair wants to be looked at now."""
        at = self._app.wanted.get(connection)
        return at is not None and self._app.queries.now(connection) >= at

    def due(self, connection: str, limit: int) -> Sequence[Due]:
        """What wants to be worked on now."""
        return self._app.writable.due(connection, self._app.queries.now(connection), limit)

    def drive(self, stream: CredentialId) -> Pass:
        """Run a pass over one credential."""
        with self._app.fleet.connections.in_use():
            return self._app.driver.run(stream)

    def survey(self, connection: str) -> None:
        """Look at a source; let a target's connection renew its login, which it does by itself only when it is used."""
        with self._app.fleet.connections.in_use():
            if connection in self._app.queries.sources():
                survey(self._app, connection)
                return
            try:
                CONNECTIONS[self._app.config.connections[connection].type].renew(self._app.fleet.connection(connection))
            except RotatorError as error:
                self._app.say(Event.PROVIDER_UNAVAILABLE.value, connection=connection, reason=error.message)

    def heartbeat(self) -> None:
        """Say in the journal that the process lives, which also shows whether the journal can be written."""
        self._writable = False
        self._app.writable.heartbeat(self.listener.address)
        self._writable = True
        bring_in(self._app)

    def reload(self) -> None:
        """Take a changed configuration, and mark the file that stands there now as ours."""
        self._mark.follow()
        self._reload()

    def keep(self) -> None:
        """Keep the effective configuration in the journal, for those who find the file broken."""
        path = self._app.config.path
        self._mark.follow()
        with suppress(OSError):
            content, inventory = path.read_bytes(), self._app.config.inventory
            rows = inventory.read_bytes() if inventory else None
            if digest_of(content, rows) == self._app.config.sha256:  # else a reload follows
                self._app.writable.presence.keep(Configuration(str(path), content, rows))

    def refusal(self) -> str:
        """What is wrong with the configuration file; empty while it is what the daemon works with."""
        return self._reload.refusal

    def release(self) -> None:
        """Take the mark off the configuration file."""
        self._mark.release()

    def named(self, stream: CredentialId) -> str:
        """The name of the credential with that stream."""
        return self._app.queries.named(stream)

    def say(self, event: str, /, **fields: object) -> None:
        """Say what happened."""
        self._log.event(event, **fields)

    def ticked(self) -> None:
        """Note that it was asked what is due."""
        self._metrics.tick()

    def announce(self) -> None:
        """Say that it is ready."""
        page = {"page": self.page.address} if self.page else {}
        listener, number = self.listener.address, len(self._app.ids)
        self._log.event(Event.DAEMON_READY.value, listener=listener, credentials=number, **page)

    def _taken(self) -> None:
        self.keep()
        self.exports.follow()
        self.notifications.follow()
        wanted = self._app.config.log
        self._log.set_level(wanted.level)
        if wanted.format != self._format:
            self._format = wanted.format
            reason = "log.format changed, which takes effect at the next start"
            self.say(Event.CONFIG_WARNING.value, **LOG.fields(), code="restart_needed", reason=reason)

    # --- what the listener asks

    def health(self) -> tuple[bool, dict[str, Any]]:
        """Whether the loop lives, by a clock that nobody can set; an age below zero is a broken clock, so a no."""
        age = self._metrics.tick_age
        stalled = max(STALLED, 10 * self._app.config.advanced.evaluate)
        return 0 <= age < stalled, {"last_tick": rfc3339(self._metrics.last_tick), "age_seconds": round(age, 1)}

    def ready(self) -> tuple[bool, dict[str, Any]]:
        """Whether the journal can be read and written; why not is in the log, never in an answer."""
        credentials = len(self._app.ids)
        try:
            self._app.writable.in_place()
            self._app.writable.counts()
        except RotatorError:
            return False, {"journal": "unreadable", "credentials": credentials}
        journal = "ok" if self._writable else "unwritable"
        return self._writable, {"journal": journal, "credentials": credentials}


def rows(app: App) -> list[ConnectionRow]:
    """The connections as the metrics page shows them."""
    sources = app.queries.sources()
    return [_source_row(app, name) if name in sources else _target_row(app, name) for name in app.config.connections]


def _source_row(app: App, name: str) -> ConnectionRow:
    note = app.queries.connection_note(name)
    return ConnectionRow(
        name=name,
        source=True,
        reachable=note.reachable,
        rate_remaining=app.writable.budget(name, *app.queries.rate_budget(name)).remaining(),
        token_expires_on=note.token_expires_on,
        accepted=note.accepted,
        token_renewal=note.renewal,
        needs={role: {need.code for need in note.needs if need.role == role} for role in note.accepted},
        quota_used=note.quota.used if note.quota else None,
        quota_limit=note.quota.limit if note.quota else None,
        orphans=note.orphans,
        incident=app.fleet.incident(name),
    )


def _target_row(app: App, name: str) -> ConnectionRow:
    login = CONNECTIONS[app.config.connections[name].type].login_ends(app.fleet.connection(name))
    return ConnectionRow(
        name=name,
        source=False,
        reachable=app.fleet.reachable.get(name),
        token_expires_on={} if login is None else {"login": login},
    )
