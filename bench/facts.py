"""A journal of a million facts: opened for writing, asked what is due, and one credential looked at."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.row import Row, cpu_seconds
from rotator.journal import chain, records
from rotator.journal.key_file import generate_key
from rotator.journal.open import open_journal
from rotator.journal.store import SqlJournal

STREAMS, EACH = 5_000, 200
NOW = 1_800_000_000.0


def fill(journal: SqlJournal) -> None:
    """Write the facts of many credentials: what one real observation says, chained as they are in life."""
    from rotator.core.encoding import draft
    from rotator.core.facts import Kind

    ids = list(journal.streams.register([(f"credential-{n}", "account", None) for n in range(STREAMS)]).values())
    seal = journal._seal()
    one = records.record(
        records.placed(
            draft(Kind.SEEN, at=NOW - 86400, target="env"),
            fact_id="", stream="", position=0, epoch=1, writer=journal.owner, sealed_id="",
        ),
        instance=journal.instance, boot_id="bench", boot_time=0.0, previous="",
    )  # fmt: skip

    def rows() -> Iterator[tuple[Any, ...]]:
        for stream in ids:
            previous = chain.genesis(stream)
            for position in range(1, EACH + 1):
                row = (stream, position, secrets.token_hex(16), *one.row[3:])
                linked = chain.link(seal.chain_key, replace(one, row=row, previous=previous), "")
                previous = linked.hash
                yield *linked.row, linked.previous, linked.hash

    with journal._db.write() as connection:
        for row in rows():
            connection.execute(records.INSERT, row)


def measure(folder: Path) -> list[Row]:
    """Measure."""
    url, key = f"sqlite:///{folder}/state.db", folder / "key"
    generate_key(key)
    journal = open_journal(url, key)
    fill(journal)
    stream = journal.due("account", NOW, 1)[0].stream
    journal.close()
    wall, cpu = time.perf_counter(), cpu_seconds()
    journal = open_journal(url, key)
    assert journal.due("account", NOW, 1000)
    assert journal.view(stream).position == EACH
    facts = journal.counts()["facts"]
    took, spent = time.perf_counter() - wall, cpu_seconds() - cpu
    wall = time.perf_counter()
    journal.views()
    first = time.perf_counter() - wall
    wall = time.perf_counter()
    journal.views()
    again = time.perf_counter() - wall
    journal.close()
    size = (folder / "state.db").stat().st_size / 2**20
    return [
        Row(
            name=f"a journal of {facts:,} facts opened",
            value=took,
            unit="s",
            goal=5.0,
            note=f"{size:.0f} MiB, processor time {spent:.2f} s; asked what is due, and one credential folded",
        ),
        Row(
            name=f"all {STREAMS:,} credentials of it folded again",
            value=again,
            unit="s",
            baseline=first,
            against="the first time in a process",
            goal=0.1,
            note="for `status` and the metrics page",
        ),
    ]
