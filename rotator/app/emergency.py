"""The end of tokens by their id alone: a connection opened without a journal and without credentials."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rotator.app.read_only import ReadOnlyBudget
from rotator.config.models import Config
from rotator.core.errors import Absent
from rotator.core.ports.source import Emergency
from rotator.registry import SOURCES, Wire


@contextmanager
def emergency(config: Config, connection: str) -> Iterator[Emergency]:
    """Open a connection for the end of tokens, without journal and without credentials.

    Raises:
        Absent: no connection of that name, or it mints nothing.
    """
    stanza = config.connections.get(connection)
    if stanza is None or stanza.type not in SOURCES:
        known = ", ".join(name for name, one in config.connections.items() if one.type in SOURCES)
        raise Absent(f"{connection} is no connection that has tokens", f"--connection with one of {known}")
    limit = stanza.options.rate_budget  # type: ignore[attr-defined]  # every source's connection has one
    budget = ReadOnlyBudget(None, limit.requests, limit.window)
    wire = Wire(budget=budget, on_date=lambda date: None, on_request=lambda operation, status: None)
    found = SOURCES[stanza.type].emergency(connection, stanza.options, wire)
    try:
        yield found
    finally:
        found.close()
