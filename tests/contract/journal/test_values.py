"""Values at the end of their life, and room before the beginning of one."""

from __future__ import annotations

import os
import resource
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from rotator.core.errors import JournalUnsafe
from rotator.core.secret import Secret
from tests.contract.journal.benches import Bench, RealBench, SqliteBench
from tests.contract.journal.drafts import VALUE, captured, claimed, intent, planned


def test_a_canary_proves_room_any_number_of_times(bench: Bench):
    journal = bench.open()
    for _ in range(3):
        journal.canary()


def test_threads_that_prove_room_at_the_same_time_do_not_disturb_each_other(real: RealBench):
    journal = real.open()
    together = threading.Barrier(8)

    def prove() -> None:
        together.wait(timeout=10)
        for _ in range(5):
            journal.canary()

    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(prove) for _ in range(8)]:
            done.result()


def _captured(real: RealBench, journal, stream: str) -> None:
    lease = claimed(journal, stream)
    journal.append(lease, planned())
    journal.append(lease, intent())
    journal.capture(stream, captured(), VALUE)


def test_a_destroyed_value_is_gone_and_its_fingerprint_stays(real: RealBench):
    journal, stream = real.open(), real.stream("a")
    _captured(real, journal, stream)
    other = Secret("another-token's-value")
    journal.capture(stream, captured(2, token_id="token-2"), other)
    journal.destroy(stream, "token-1")
    with pytest.raises(KeyError, match="destroyed"):
        journal.reveal(stream, journal.fingerprint(VALUE))
    assert journal.fingerprint(VALUE) in journal.view(stream).values
    assert journal.reveal(stream, journal.fingerprint(other)) == other
    assert (journal.counts()["values"], journal.counts()["values_destroyed"]) == (1, 1)


def test_a_value_of_another_stream_is_known_also_when_its_key_is_destroyed(real: RealBench):
    journal, stream, other = real.open(), real.stream("a"), real.stream("b")
    _captured(real, journal, stream)
    fingerprint = journal.fingerprint(VALUE)

    assert journal.owner_of(fingerprint, other) == (stream, "token-1", True)
    assert journal.owner_of(fingerprint, stream) is None
    assert journal.owner_of("nothing", other) is None
    journal.destroy(stream, "token-1")
    assert journal.owner_of(fingerprint, other) == (stream, "token-1", True)


def test_destroying_twice_or_what_was_never_sealed_is_harmless(real: RealBench):
    journal, stream = real.open(), real.stream("a")
    _captured(real, journal, stream)
    for token in ("token-1", "token-1", "nobody"):
        journal.destroy(stream, token)


def test_destroying_a_key_leaves_the_hash_chain_whole(real: RealBench):
    journal, stream = real.open(), real.stream("a")
    _captured(real, journal, stream)
    journal.destroy(stream, "token-1")
    assert journal.audit.verify().breaks == ()


def test_a_destroyed_key_is_in_no_file_any_more_after_a_heartbeat(sqlite: SqliteBench):
    journal, stream = sqlite.open(), sqlite.stream("a")
    for number in range(1, 8):
        journal.capture(stream, captured(number, token_id=f"token-{number}"), Secret(f"value-{number}"))
    with sqlite3.connect(sqlite.path) as raw:
        keys = dict(raw.execute("SELECT token_id, wrapped_key FROM sealed").fetchall())
    raw.close()
    assert all(_anywhere(sqlite, key) for key in keys.values()), "the search works"
    for token in ("token-3", "token-4"):  # in the middle of a page, whose freed bytes nobody reuses
        journal.destroy(stream, token)
    journal.heartbeat()
    assert {token for token, key in keys.items() if not _anywhere(sqlite, key)} == {"token-3", "token-4"}


def test_a_key_that_a_reader_kept_in_the_log_is_gone_after_a_heartbeat(sqlite: SqliteBench):
    journal, stream = sqlite.open(), sqlite.stream("a")
    _captured(sqlite, journal, stream)
    with sqlite3.connect(sqlite.path) as raw:
        wrapped = raw.execute("SELECT wrapped_key FROM sealed").fetchall()[0][0]
    raw.close()
    reading = sqlite3.connect(sqlite.path, isolation_level=None)
    reading.execute("BEGIN").fetchall()
    reading.execute("SELECT count(*) FROM fact").fetchall()
    journal._db.close()  # ten seconds of patience with that reader are not worth waiting for here
    hasty = sqlite.open(connect=_impatient)
    hasty.destroy(stream, "token-1")
    hasty.heartbeat()
    assert _anywhere(sqlite, wrapped), "the reader still holds the log"
    reading.close()
    hasty.heartbeat()
    assert not _anywhere(sqlite, wrapped)


def test_a_canary_finds_a_file_that_was_replaced_under_us(sqlite: SqliteBench):
    journal = sqlite.open()
    copy = sqlite.path.with_name("copy")
    copy.write_bytes(sqlite.path.read_bytes())
    copy.replace(sqlite.path)
    for look in (journal.canary, journal.heartbeat):
        with pytest.raises(JournalUnsafe, match="removed or replaced") as refused:
            look()
        assert "restor" in refused.value.remedy


def test_a_canary_finds_a_file_that_was_removed_under_us(sqlite: SqliteBench):
    journal = sqlite.open()
    sqlite.path.unlink()
    with pytest.raises(JournalUnsafe, match="removed or replaced"):
        journal.canary()


def test_a_canary_finds_out_that_no_descriptor_is_left(sqlite: SqliteBench):
    journal = sqlite.open()
    journal.canary()
    spare = []
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, hard))
    try:
        while True:
            try:
                spare.append(os.dup(0))
            except OSError:
                break
        with pytest.raises(JournalUnsafe):
            journal.canary()
    finally:
        for fd in spare:
            os.close(fd)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def _impatient(*arguments, **options) -> sqlite3.Connection:
    connection = sqlite3.connect(*arguments, **options, factory=_Impatient)
    return connection


class _Impatient(sqlite3.Connection):
    """Waits for nobody when it checkpoints."""

    def execute(self, statement, parameters=()):  # type: ignore[override]
        if "wal_checkpoint" in statement:
            super().execute("PRAGMA busy_timeout = 0").fetchall()
        return super().execute(statement, parameters)


def _anywhere(sqlite: SqliteBench, needle: bytes) -> bool:
    return any(needle in file.read_bytes() for file in sqlite.path.parent.iterdir())
