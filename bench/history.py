"""A start on a long past: one credential of 10,000 facts, and a fleet of a million, with kept views and without."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bench.row import Row, cpu_seconds
from rotator.core import encoding
from rotator.core.credential import Policy, Terms
from rotator.core.facts import Draft, Kind
from rotator.core.ids import CredentialId
from rotator.journal import chain, records, stored
from rotator.journal.key_file import generate_key
from rotator.journal.open import open_journal
from rotator.journal.store import SqlJournal

LONG, FLEET, EACH = 10_000, 5_000, 200
NOW = 1_800_000_000.0
TERMS = Terms(policy=Policy(), targets=frozenset({"env"}), required=frozenset({"env"})).to_json()


def rotations() -> Iterator[Draft]:
    """Yield what one rotation after the other writes, retirement included: 13 facts each."""
    old, number = "", 0
    while True:
        number += 1
        rid, token, name, print_ = (
            f"r{number:08x}",
            f"{number:032x}",
            f"deploy~0badcafe.r{number}.1.1",
            f"{number:064x}",
        )
        at, about = NOW - 1e7 + 1000 * number, {"token_id": token, "fingerprint": print_}
        told = {"born": at, "expires_at": at + 9e6, "attempt_name": name}
        written = {**about, "target": "env", "generation": number}
        for kind, columns, detail in (
            (Kind.PLANNED, {}, TERMS),
            (Kind.INTENT, {"attempt": 1, "token_name": name}, {}),
            (Kind.CAPTURED, {**about, "attempt": 1, "token_name": name}, told),
            (Kind.VERIFIED, about, {}),
            (Kind.PUBLISHING, {**about, "generation": number}, {}),
            (Kind.PUBLISH_INTENT, written, {}),
            (Kind.WRITTEN, written, {}),
            (Kind.READ_BACK, written, {}),
            (Kind.CONFIRMED, {**about, "generation": number}, {}),
            (Kind.SUPERSEDED, {"token_id": old}, {}),
            (Kind.DISABLED, {"token_id": old}, {}),
            (Kind.DELETED, {"token_id": old}, {}),
            (Kind.RETIRED, {"token_id": old}, {}),
        ):
            if columns.get("token_id", token):  # the first rotation has nothing to retire
                yield encoding.draft(kind, at=at, rid=rid, detail=detail, **columns)
        old = token


def fill(journal: SqlJournal, streams: int, each: int) -> list[str]:
    """Write that many credentials with that many facts, chained as they are in life; return their streams."""
    names = [(f"credential-{streams}-{n}", "account", None) for n in range(streams)]
    known = {stream.name for stream in journal.streams.all() if stream.kind == "credential"}
    ids = journal.streams.register([*((name, "account", None) for name in known), *names])
    key = journal._seal().chain_key
    drafts = [draft for draft, _ in zip(rotations(), range(each), strict=False)]
    with journal._db.write() as connection:
        for name, _, _ in names:
            stream, previous = ids[name], chain.genesis(ids[name])
            for position, draft in enumerate(drafts, start=1):
                fact = records.placed(
                    draft,
                    fact_id=f"{stream}{position:016x}",
                    stream=stream,
                    position=position,
                    epoch=1,
                    writer=journal.owner,
                    sealed_id="",
                )
                record = records.record(
                    fact, instance=journal.instance, boot_id="bench", boot_time=0.0, previous=previous
                )
                record = chain.link(key, record, "")
                previous = record.hash
                records.insert(connection, record)
    return [ids[name] for name, _, _ in names]


def timed(url: str, key: Path, one: str = "") -> float:
    """Open the journal anew and look at one credential, or at all; return the seconds of processor time."""
    journal = open_journal(url, key)
    began = cpu_seconds()
    if one:
        assert journal.view(CredentialId(one)).position == LONG
    else:
        assert len(journal.views()) >= FLEET
    took = cpu_seconds() - began
    journal._ledger._heads.clear()  # it must not keep views when it ends
    journal.close()
    return took


def measure(folder: Path) -> list[Row]:
    """Measure: without kept views, then with them, in one run."""
    url, key = f"sqlite:///{folder}/state.db", folder / "key"
    generate_key(key)
    journal = open_journal(url, key)
    (one,) = fill(journal, 1, LONG)
    fill(journal, FLEET, EACH)
    journal._ledger._heads.clear()
    journal.close()
    alone, fleet = timed(url, key, one), timed(url, key)
    journal = open_journal(url, key)
    journal.views()
    began = cpu_seconds()
    journal._ledger.keep(FLEET + 1)
    kept = cpu_seconds() - began
    journal.close()
    stored.folding.cache_clear()
    return [
        Row(
            name=f"a credential of {LONG:,} facts, the first look of a process",
            value=timed(url, key, one),
            unit="s cpu",
            baseline=alone,
            against="every fact folded",
            goal=0.1,
        ),
        Row(
            name=f"all of {FLEET:,} credentials with {FLEET * EACH + LONG:,} facts, the first look of a process",
            value=timed(url, key),
            unit="s cpu",
            baseline=fleet,
            against="every fact folded",
            goal=0.1,
            note=f"keeping all these views took {kept:.1f} s of processor time, once, spread over heartbeats",
        ),
    ]
