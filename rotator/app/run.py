"""`rotator run`: the daemon with everything around it: log, listener, metrics, reload, heartbeat."""

from __future__ import annotations

from typing import Any

from rotator import __version__
from rotator.app.app import App
from rotator.app.care import care
from rotator.app.documents import moment
from rotator.config.models import Config
from rotator.core.credential import NEVER
from rotator.core.errors import RotatorError
from rotator.core.events import Event
from rotator.daemon import Daemon, Ticks
from rotator.observability.logs import Log
from rotator.observability.metrics import ConnectionRow, Metrics
from rotator.web.listener import serve

STALLED: float = 60.0
"""Seconds without a tick after which the loop counts as dead, at the default cadence."""


def run_daemon(config: Config, log: Log) -> int:
    """Run until SIGTERM or SIGINT; 0 after a graceful end.

    Raises:
        ConfigError: the configuration is wrong.
        JournalUnsafe: the journal cannot be trusted, or another daemon runs on it.
        RotatorError: the listener's port is taken.
    """
    box: dict[str, Metrics] = {}

    def count(connection: str, operation: str, status: str) -> None:
        box["metrics"].provider_request(connection, operation, status)

    with App.open(config.path, "writer", kind="run", say=log.event, count=count, config=config) as app:
        metrics = box["metrics"] = Metrics(
            app.statuses, lambda: rows(app), version=__version__, dropped=lambda: log.dropped
        )
        log.subscribe(metrics.observe_event)
        app.writable.watch_values = log.redactor.add
        metrics.render()
        metrics.tick()
        stalled = max(STALLED, 10 * app.config.advanced.evaluate)

        def health() -> tuple[bool, dict[str, Any]]:
            age = app.clock.utc() - metrics.last_tick
            return age < stalled, {"last_tick": moment(metrics.last_tick), "age_seconds": round(age, 1)}

        def ready() -> tuple[bool, dict[str, Any]]:
            try:
                app.writable.in_place()
                app.writable.counts()
            except RotatorError as error:
                return False, {"journal": error.message}
            return True, {"journal": "ok", "credentials": len(app.ids)}

        listener = serve(app.config.http.listen, metrics.render, health, ready)
        app.writable.heartbeat(listener.address)

        refused: list[str] = []

        def reload() -> None:
            try:
                if app.reload():
                    log.event(Event.CONFIG_LOADED.value, credentials=len(app.ids))
            except RotatorError as error:
                if refused[-1:] != [error.message]:  # say it once, not at every tick
                    refused.append(error.message)
                    log.event(Event.CONFIG_REJECTED.value, reason=error.message)

        daemon = Daemon(
            journal=app.writable,
            driver=app.driver,
            now=app.now,
            steady=app.steady,
            connections=app.sources,
            tended=lambda: list(app.config.connections),
            care=lambda name: _care(app, name),
            heartbeat=lambda: app.writable.heartbeat(listener.address),
            reload=reload,
            named=app.named,
            say=log.event,
            ticked=metrics.tick,
            announced=lambda: log.event(Event.DAEMON_READY.value, listener=listener.address, credentials=len(app.ids)),
            stop=app.stop,
            ticks=Ticks(evaluate=app.config.advanced.evaluate, watch=app.config.advanced.watch),
        )
        log.event(Event.CONFIG_LOADED.value, credentials=len(app.ids))
        try:
            daemon.run()
        finally:
            listener.stop()
            log.event(Event.DAEMON_STOPPED.value)
    return 0


def _care(app: App, name: str) -> None:
    """Look at a source; let a target's connection renew its login, which it does by itself only when it is used."""
    if name in app.sources():
        care(app, name)
        return
    tend = getattr(app.fleet.connection(name), "care", None)
    if tend is not None:
        try:
            tend()
        except RotatorError as error:
            app.say(Event.PROVIDER_UNAVAILABLE.value, connection=name, reason=error.message)


def rows(app: App) -> list[ConnectionRow]:
    """The connections as the metrics page shows them."""
    found = []
    for name in app.config.connections:
        source = name in app.sources()
        note = app.connection_note(name) if source else {}
        quota = note.get("quota") or {}
        ends = {role: NEVER if at is None else float(at) for role, at in (note.get("token_expires_on") or {}).items()}
        if not source:
            login = getattr(app.fleet.connection(name), "token_expires_at", None)
            ends = {"login": float(login)} if login is not None else {}
        found.append(
            ConnectionRow(
                name=name,
                source=source,
                reachable=note.get("reachable"),
                rate_remaining=note.get("rate_remaining"),
                token_expires_on=ends,
                quota_used=quota.get("used"),
                quota_limit=quota.get("limit"),
                orphans=int(note.get("orphans") or 0),
            )
        )
    return found
