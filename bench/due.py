"""What a tick costs when the journal knows a million credentials: the daemon's own `evaluate`, over a real journal.

The driver is a double that does nothing, because what a pass costs does not depend on how many credentials there are.
"""

from __future__ import annotations

import gc
import secrets
import sqlite3
import statistics
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bench.row import Row, cpu_seconds, rss_mib
from rotator.core.ports.journal import Due
from rotator.core.secret import Secret
from rotator.daemon import Cadence, Daemon
from rotator.engine.driver import End, Pass
from rotator.host.latch import Latch
from rotator.journal.key_file import generate_key
from rotator.journal.open import open_journal
from rotator.journal.store import SqlJournal

MANY, FEW, DUE, TICKS = 1_000_000, 1_000, 100, 200
NOW = 1_800_000_000.0


class Idle:
    """A daemon's host with one connection, whose passes end at once."""

    def __init__(self, journal: SqlJournal, now: float) -> None:
        self.stop, self._journal, self._now = Latch(), journal, now

    def cadence(self) -> Cadence:
        """Ticks are the caller's."""
        return Cadence(evaluate=1.0, watch=300.0)

    def sources(self) -> list[str]:
        """One."""
        return ["account"]

    connections = sources

    def steady(self, connection: str) -> bool:
        """Its clock is believed."""
        return True

    def wanted(self, connection: str) -> bool:
        """No management pair wants anything."""
        return False

    def due(self, connection: str, limit: int) -> Sequence[Due]:
        """The journal's answer."""
        return self._journal.due(connection, self._now, limit)

    def drive(self, stream: str) -> Pass:
        """Do nothing."""
        return Pass(End.WAITING, self._now)

    def survey(self, connection: str) -> None:
        """Do nothing."""

    def named(self, stream: str) -> str:
        """It has no other name."""
        return stream

    def say(self, event: str, /, **fields: object) -> None:
        """Say nothing."""

    def nothing(self) -> None:
        """Do nothing."""

    heartbeat = reload = ticked = announce = nothing


def filled(folder: Path, streams: int) -> SqlJournal:
    """Return a journal with that many credentials, of which `DUE` are due from `NOW` on and the others later."""
    folder.mkdir()
    generate_key(folder / "key")
    url = f"sqlite:///{folder}/state.db"
    open_journal(url, folder / "key").close()
    quarter = 90 * 86400.0

    def rows() -> Iterator[tuple[Any, ...]]:
        for number in range(streams):
            at = NOW - 1 if number < DUE else NOW + 1 + quarter * number / streams
            yield secrets.token_hex(8), "credential", f"credential-{number}", "account", 1, at, ""

    with sqlite3.connect(folder / "state.db") as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.executemany(
            "INSERT INTO stream (id, kind, name, connection, managed, next_at, why) VALUES (?, ?, ?, ?, ?, ?, ?)",
            rows(),
        )
    connection.close()
    return open_journal(url, Secret((folder / "key").read_text()))


def tick(journal: SqlJournal, now: float, ticks: int = TICKS) -> tuple[float, float]:
    """Return the median wall time of one evaluation and its mean processor time, both in milliseconds."""
    daemon = Daemon(Idle(journal, now))
    daemon.evaluate()
    took, before = [], cpu_seconds()
    for _ in range(ticks):
        began = time.perf_counter()
        daemon.evaluate()
        took.append(time.perf_counter() - began)
    cpu = (cpu_seconds() - before) / ticks
    return 1e3 * statistics.median(took), 1e3 * cpu


def measure(folder: Path) -> list[Row]:
    """Measure."""
    few = filled(folder / "few", FEW)
    small = tick(few, NOW), tick(few, NOW - 10)
    few.close()
    many = filled(folder / "many", MANY)
    gc.collect()
    large = tick(many, NOW), tick(many, NOW - 10)
    memory = rss_mib()
    size = (folder / "many/state.db").stat().st_size / 2**20
    many.close()
    return [
        Row(
            name=f"tick, {MANY:,} credentials, {due} due",
            value=big[0],
            unit="ms",
            goal=10.0,
            note=f"{big[1]:.2f} ms processor time; with {FEW:,} credentials {little[0]:.2f} ms",
        )
        for due, big, little in zip((DUE, 0), large, small, strict=True)
    ] + [Row(name="memory of that process", value=memory, unit="MiB", goal=150.0, note=f"journal of {size:.0f} MiB")]
