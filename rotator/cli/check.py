"""The verbs that ask whether all is well: check, healthcheck."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Any, Final

import typer

from rotator.cli import exits
from rotator.cli.layout import text
from rotator.cli.log import running_configuration
from rotator.cli.output import say, terminal_width, write_json, write_lines
from rotator.cli.verbs import Settings, verb
from rotator.core.errors import ConfigError, RotatorError
from rotator.core.findings import Finding, Level

PATIENCE: Final = 5.0
"""Seconds that `healthcheck` waits for an answer."""


class FailOn(StrEnum):
    """From which level on `check` answers no."""

    WARN = "warn"
    FAIL = "fail"


def check(
    settings: Settings,
    offline: Annotated[
        bool, typer.Option("--offline", help="Read the configuration only: no secret, no state; ask nobody.")
    ] = False,
    fail_on: Annotated[
        FailOn, typer.Option("--fail-on", help="The lowest level that makes the answer no.")
    ] = FailOn.FAIL,
) -> int:
    """Check whether everything is in place.

    Finds out before a rotation does. Looks at the configuration, the secrets
    that it names, the state, what the management tokens may do, quota and rate
    budget, the clock, and whether every target could be written now. One line
    for each finding: ok, warn or fail, and what to do. Changes nothing: it
    makes no journal and no key, locks nothing, and leaves a response-wrapped
    secret id of Vault closed (what lies behind it is then not asked).

      rotator check
      rotator check --offline --fail-on warn      in CI, before a merge
      rotator check -o json

    Exit 1 when something fails (with --fail-on warn: or warns), 2 when the
    configuration itself is wrong.
    """
    from rotator.app.checks import check as look

    try:
        found = look(settings.path, offline=offline)
    except ConfigError as error:
        return _misconfigured(settings, error)
    document = findings_document(found)
    if settings.json:
        write_json({"findings": document})
    else:
        from rotator.cli import render

        write_lines(render.findings(document, terminal_width()))
    counts = {level: sum(f.level is level for f in found) for level in Level}
    say(", ".join(f"{counts[level]} {level}" for level in Level))
    bad = counts[Level.FAIL] + (counts[Level.WARN] if fail_on is FailOn.WARN else 0)
    return exits.NO if bad else exits.DONE


def findings_document(found: Iterable[Finding]) -> list[dict[str, Any]]:
    """Return findings as they stand in JSON."""
    return [
        {
            "level": f.level.value,
            "subject": str(f.subject),
            "code": f.code,
            "message": f.message,
            "remedy": f.remedy or None,
        }
        for f in found
    ]


def _misconfigured(settings: Settings, error: ConfigError) -> int:
    """A configuration that cannot be read is all that there is to say; each error is a finding."""
    if not settings.json:
        return exits.report(error)
    rows = [_wrong(message, error.remedy) for message in getattr(error, "messages", ()) or (error.message,)]
    write_json({"findings": rows})
    return exits.USAGE


def _wrong(message: str, remedy: str) -> dict[str, Any]:
    return {
        "level": Level.FAIL.value,
        "subject": "configuration",
        "code": "configuration",
        "message": message,
        "remedy": remedy or None,
    }


def healthcheck(
    settings: Settings,
    ready: Annotated[
        bool, typer.Option("--ready", help="Ask whether it is ready (/readyz), not only whether it is alive.")
    ] = False,
) -> int:
    """Ask the running daemon whether it lives.

    For containers and service managers. Asks /healthz on the configured
    listener (ROTATOR_HTTP_LISTEN counts): answers no when nobody listens, or
    when the scheduler stands still.

      HEALTHCHECK CMD ["rotator", "healthcheck"]
      rotator healthcheck --ready
    """
    path = "/readyz" if ready else "/healthz"
    listener, wrong = _listener(settings)
    status = _ask(listener, path)
    if status is None and wrong is not None:
        raise wrong  # nothing runs, and this is why
    good = status == 200
    if settings.json:
        write_json({"ok": good, "listener": listener, "path": path, "status": status})
    else:
        said = "nobody answers" if status is None else f"the daemon answers {status}"
        write_lines([text(f"http://{listener}{path}: {'ok' if good else said}", "good" if good else "bad")])
    return exits.DONE if good else exits.NO


def _listener(settings: Settings) -> tuple[str, ConfigError | None]:
    """Where to ask, and what is wrong with the configuration: the running daemon's own word wins over the file.

    All addresses mean loopback.
    """
    from rotator.config.load import LISTEN_VARIABLE
    from rotator.config.models import Http
    from rotator.journal.open import open_journal

    wrong: ConfigError | None = None
    try:
        config = running_configuration(settings, quiet=True)
    except ConfigError as error:
        wrong, found = error, os.environ.get(LISTEN_VARIABLE) or Http().listen
    else:
        found = config.http.listen
        try:
            journal = open_journal(config.state, None, mode="reader")
        except RotatorError:
            pass  # nothing was started yet, or another user asks: the configured address tells
        else:
            daemon = journal.presence.daemon() or journal.presence.hanging()
            found = daemon.listener if daemon is not None and daemon.listener else found
            journal.close()
    host, _, port = found.rpartition(":")
    return {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}.get(host, host) + f":{port}", wrong  # noqa: S104 - read, not bound


def _ask(listener: str, path: str) -> int | None:
    """Return the status of the answer, None when there is none; a last tick in the future is a broken loop."""
    import http.client

    connection = http.client.HTTPConnection(listener, timeout=PATIENCE)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        age = re.search(rb'"age_seconds": *(-)', answer.read(4096))
    except (OSError, http.client.HTTPException):
        return None
    else:
        return answer.status if age is None else http.client.SERVICE_UNAVAILABLE
    finally:
        connection.close()


def register(app: typer.Typer) -> None:
    """Add these verbs."""
    verb(app)(check)
    verb(app)(healthcheck)
