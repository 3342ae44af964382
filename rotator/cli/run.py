"""The verbs that drive: run, once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Annotated

import typer

from rotator.cli import exits
from rotator.cli.layout import Span, text
from rotator.cli.log import configuration, open_log
from rotator.cli.output import write_json, write_lines
from rotator.cli.verbs import Settings, verb
from rotator.host.latch import Latch


def run(settings: Settings) -> int:
    """Run the daemon.

    Keeps every credential fresh until SIGTERM or Ctrl-C. Logs to standard
    error, JSON lines unless that is a terminal; the event `daemon_ready` says
    where metrics and health are. SIGHUP, or a change of the file, loads the
    configuration again. A second daemon on one state is refused. Asked to
    end, it mints nothing new, makes what is under way durable and exits 0
    within 30 s.

      rotator run -c /etc/rotator/rotator.yaml
    """
    from rotator.app.run import run_daemon

    config = configuration(settings)
    return run_daemon(config, open_log(settings, config, hooks=True))


def once(
    settings: Settings,
    wait: Annotated[
        str, typer.Option(metavar="DURATION", help="Wait up to that long for deadlines of work that is open or due.")
    ] = "0s",
) -> int:
    """Do what is due, then exit.

    For cron, CI and Kubernetes CronJobs: one pass to quiescence. Looks at
    everything, drives whatever is due as far as it goes, sweeps orphans. With
    --wait it also sits out the deadlines of rotations and retirements that are
    open or due (grace, settles, retries), never a next due date, and ends as
    soon as nothing is left that ends within it. A retirement takes its grace,
    settle and soak times and a little more: to see one through, wait longer
    than their sum. Safe beside a running daemon.

      rotator once
      rotator once --wait 10m

    Exit 0 when nothing is left undone but future deadlines, 1 if a credential
    fails or somebody else holds the work, 3 if an operator is needed.
    """
    from rotator.app import App
    from rotator.app.documents import status_document
    from rotator.app.once import Once

    seconds = duration("--wait", wait)
    config = configuration(settings)
    log = open_log(settings, config)
    with App.open(config.path, "writer", say=log.event, config=config) as app, stopping(app.stop):
        code = Once(app).run(seconds)
        if app.stop.is_set():
            code = exits.DONE
        document = status_document(app.queries)
    credentials = [
        {key: found[key] for key in ("name", "state", "ready", "generation", "message")}
        | {"open_retirements": len(found["retirements"])}
        for found in document["credentials"]
    ]
    if settings.json:
        write_json({"exit_code": code, "time": document["time"], "credentials": credentials})
    else:
        write_lines(
            text(f"{found['name']}: {found['state']}: {found['message']}", "" if found["ready"] else "warn")
            for found in credentials
        )
        if not credentials:
            write_lines([(Span("no credentials are configured"),)])
    return code


def duration(option: str, value: str) -> float:
    """Return the seconds of an option's duration.

    Raises:
        ConfigError: it is none.
    """
    from pydantic_core import PydanticCustomError

    from rotator.config.fields import parse_duration
    from rotator.core.errors import ConfigError

    try:
        return parse_duration(value)
    except PydanticCustomError:
        raise ConfigError(
            f"{option} {value}: this is not a duration", "write for example 90d, 36h, 45s or 1h30m"
        ) from None


@contextmanager
def stopping(stop: Latch) -> Iterator[None]:
    """Within the block, SIGTERM and Ctrl-C set `stop` instead of interrupting what is under way."""

    def ask(number: int, frame: FrameType | None) -> None:
        stop.set()

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, ask) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def register(app: typer.Typer) -> None:
    """Add these verbs."""
    verb(app)(run)
    verb(app)(once)
