"""What is left of a value whose token is gone: not a byte that could open it, in no file of the journal.

What opens a value is its own key, which rests wrapped beside it. These tests search the raw bytes of every file for the
wrapped key, as it stands in the database and as it stands in a spool.
"""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from rotator.core.secret import Secret
from rotator.journal.store import SqlJournal
from tests.contract.journal.benches import SqliteBench
from tests.contract.journal.drafts import captured

VALUE = Secret("canary-of-the-destruction")


def wrapped(journal: SqlJournal, token: str) -> bytes:
    with journal._db.read() as connection:
        ((found,),) = connection.execute("SELECT wrapped_key FROM sealed WHERE token_id = ?", (token,)).fetchall()
    return bytes(found)


def holding(folder: Path, key: bytes) -> list[str]:
    """The files in which the wrapped key stands, raw or as a spool writes it."""
    shapes = (key, base64.b64encode(key))
    files = sorted(path for path in folder.iterdir() if path.is_file())
    return [path.name for path in files if any(shape in path.read_bytes() for shape in shapes)]


def test_after_the_next_heartbeat_no_file_holds_what_opened_it(bench: SqliteBench):
    stream = bench.stream("a")
    journal = bench.open()
    journal.capture(stream, captured(1, token_id="old"), VALUE)
    journal.capture(stream, captured(2, token_id="new"), Secret("the-successor"))
    old, new = wrapped(journal, "old"), wrapped(journal, "new")
    assert holding(bench.path.parent, old), "else the search below proves nothing"

    journal.destroy(stream, "old")
    journal.heartbeat()

    assert holding(bench.path.parent, old) == []
    assert holding(bench.path.parent, new) == ["state.db"]


def test_it_holds_when_the_process_ends_instead(bench: SqliteBench):
    stream = bench.stream("a")
    journal = bench.open()
    journal.capture(stream, captured(1, token_id="old"), VALUE)
    old = wrapped(journal, "old")
    journal.destroy(stream, "old")
    journal.close()
    assert holding(bench.path.parent, old) == []


def test_a_process_that_died_in_between_leaves_it_to_the_first_heartbeat_of_the_next(bench: SqliteBench):
    stream = bench.stream("a")
    dying = bench.open()
    dying.capture(stream, captured(1, token_id="old"), VALUE)
    old = wrapped(dying, "old")
    reader = bench.open()  # its open connection keeps the log from being folded in when the other one ends
    reader.view(stream)
    dying.destroy(stream, "old")
    bench.kill(dying)
    assert holding(bench.path.parent, old), "the log still has it"

    after = bench.open()
    after.heartbeat()
    assert holding(bench.path.parent, old) == []


def test_a_reader_in_the_way_puts_it_off_to_the_next_heartbeat_and_no_further(
    bench: SqliteBench, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("rotator.journal.sqlite_file.BUSY_SECONDS", 0)
    stream = bench.stream("a")
    journal = bench.open()
    journal.capture(stream, captured(1, token_id="old"), VALUE)
    old = wrapped(journal, "old")
    with journal._db.read(snapshot=True) as connection:
        connection.execute("SELECT count(*) FROM fact").fetchall()
        journal.destroy(stream, "old")
        journal.heartbeat()
    journal.heartbeat()
    assert holding(bench.path.parent, old) == []


def test_many_at_once_leave_nothing_either(bench: SqliteBench):
    """Enough of them that pages are freed and rows move."""
    stream = bench.stream("a")
    journal = bench.open()
    keys = []
    for number in range(120):
        journal.capture(stream, captured(number, token_id=f"t{number}"), Secret(f"value-{number}" * 40))
        keys.append(wrapped(journal, f"t{number}"))
    for number in range(120):
        journal.destroy(stream, f"t{number}")
    journal.heartbeat()
    content = b"".join(path.read_bytes() for path in bench.path.parent.iterdir() if path.is_file())
    assert [number for number, key in enumerate(keys) if key in content] == []


def test_the_chain_and_the_fingerprint_outlive_the_key(bench: SqliteBench):
    stream = bench.stream("a")
    journal = bench.open()
    journal.capture(stream, captured(1, token_id="old"), VALUE)
    journal.destroy(stream, "old")
    assert journal.audit.verify().breaks == ()
    assert journal.owner_of(journal.fingerprint(VALUE), but="another") is not None
