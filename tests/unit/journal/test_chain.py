"""The hash chain: every way to edit the past is seen, at the first position that cannot be trusted."""

from __future__ import annotations

import sqlite3

import pytest

from rotator.journal.chain import Break
from tests.contract.journal.benches import SqliteBench
from tests.contract.journal.drafts import VALUE, captured, claimed, intent, planned, seen


@pytest.fixture
def stream(bench: SqliteBench) -> str:
    """A stream with five facts, the third with a value."""
    stream = bench.stream("a")
    with bench.opening() as journal:
        lease = claimed(journal, stream)
        journal.append(lease, planned())
        journal.append(lease, intent())
        journal.capture(stream, captured(), VALUE)
        journal.append(lease, seen(5, detail={"x": 1.5, "ü": [True, None]}))
        journal.append(lease, seen(6))
    return stream


def tamper(bench: SqliteBench, *statements: str) -> None:
    raw = sqlite3.connect(bench.path)
    for act in ("update", "delete"):
        raw.execute(f"DROP TRIGGER fact_no_{act}")
    for statement in statements:
        raw.execute(statement)
    raw.commit()
    raw.close()


def breaks(bench: SqliteBench) -> tuple[Break, ...]:
    with bench.opening(mode="reader") as journal:
        return journal.audit.verify().breaks


def test_an_untouched_journal_is_whole(bench: SqliteBench, stream: str):
    with bench.opening(mode="reader") as journal:
        verdict = journal.audit.verify()
    assert (verdict.facts, verdict.streams, verdict.breaks) == (5, 1, ())


@pytest.mark.parametrize(
    "change",
    [
        "kind = 'seen'",
        "at = at + 1",
        "actor = 'mallory'",
        "detail = '{\"x\":1}'",
        "epoch = 9",
        "token_id = 'x'",
        "target = 'x'",
        "fact_id = 'x'",
        "writer = 'x'",
        "instance = 'x'",
        "boot_id = 'x'",
        "boot_time = 0.5",
        "machine = 0",
        "principal = 'x'",
        "hash = 'x'",
    ],
)
def test_an_edited_fact_is_found_at_its_position(bench: SqliteBench, stream: str, change: str):
    tamper(bench, f"UPDATE fact SET {change} WHERE position = 4")
    assert [(found.stream, found.position) for found in breaks(bench)] == [(stream, 4)]


def test_a_removed_fact_is_found(bench: SqliteBench, stream: str):
    tamper(bench, "DELETE FROM fact WHERE position = 2")
    assert breaks(bench) == (Break(stream, 2, "fact 2 is missing"),)


def test_removing_a_fact_and_renumbering_the_rest_is_found(bench: SqliteBench, stream: str):
    tamper(
        bench,
        "DELETE FROM fact WHERE position = 2",
        "UPDATE fact SET position = position - 1 WHERE position = 3",
        "UPDATE fact SET position = position - 1 WHERE position = 4",
        "UPDATE fact SET position = position - 1 WHERE position = 5",
    )
    assert breaks(bench) == (Break(stream, 2, "it does not follow the fact before it"),)


def test_a_swapped_value_is_found(bench: SqliteBench, stream: str):
    tamper(bench, "UPDATE sealed SET ciphertext = x'00'")
    assert [(found.position, found.why) for found in breaks(bench)] == [
        (3, "its content, or its sealed value, was changed")
    ]


def test_a_removed_value_is_found(bench: SqliteBench, stream: str):
    tamper(bench, "DELETE FROM sealed")
    assert breaks(bench) == (Break(stream, 3, "its sealed value is missing"),)


def test_facts_moved_to_another_stream_are_found(bench: SqliteBench, stream: str):
    other = bench.stream("b")
    tamper(bench, f"UPDATE fact SET stream = '{other}'")
    assert [(found.stream, found.position) for found in breaks(bench)] == [(other, 1)]


def test_every_broken_stream_is_named_once(bench: SqliteBench, stream: str):
    other = bench.stream("b")
    with bench.opening() as journal:
        lease = claimed(journal, other)
        for at in range(3):
            journal.append(lease, seen(at))
    tamper(bench, "UPDATE fact SET at = 77")
    assert {found.stream: found.position for found in breaks(bench)} == {stream: 1, other: 1}


@pytest.mark.parametrize("statement", ["UPDATE fact SET actor = 'x'", "DELETE FROM fact"])
def test_the_database_itself_refuses_to_change_facts(bench: SqliteBench, stream: str, statement: str):
    raw = sqlite3.connect(bench.path)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        raw.execute(statement)
    raw.close()
