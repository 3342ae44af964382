"""What holds on PostgreSQL alone: locked rows, lost answers, servers that restart, and whom it refuses to trust."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from rotator.core.errors import ConfigError, Fenced, JournalUnsafe, RateLimited
from rotator.core.facts import Kind
from rotator.core.ports.runtime import Priority
from rotator.core.secret import Secret
from rotator.journal.open import open_journal
from rotator.journal.postgres_link import Address, Link
from rotator.journal.spool import records
from tests.contract.journal.benches import PostgresBench, PostgresPlace, Template, no_crash
from tests.contract.journal.drafts import VALUE, captured, claimed, intent, planned, publication, request
from tests.servers.postgres import Postgres, shared

pytestmark = pytest.mark.postgres


@pytest.fixture
def bench(template: Template, tmp_path: Path) -> Iterator[PostgresBench]:
    made = PostgresBench(template, tmp_path / "state")
    yield made
    made.close()


def lose_answers(monkeypatch: pytest.MonkeyPatch, *, arrives: bool, times: int = 1) -> None:
    """Let the connection break around the next COMMITs, after or before the server got it."""
    real, left = Link.end, [times]

    def end(link: Link, word: str) -> None:
        if word != "COMMIT" or not left[0]:
            real(link, word)
            return
        left[0] -= 1
        if arrives:
            real(link, word)
        link.raw.close()
        raise psycopg.OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(Link, "end", end)


def test_facts_that_many_processes_write_at_once_stand_in_one_chain(bench: PostgresBench):
    stream, journals = bench.stream("a"), [bench.open() for _ in range(4)]
    drafts = [(journal, request(f"q{n}-{i}")) for n, journal in enumerate(journals) for i in range(8)]
    with ThreadPoolExecutor(8) as threads:
        for done in [threads.submit(journal.note, stream, draft) for journal, draft in drafts]:
            done.result()
    assert [fact.position for fact in journals[0].facts(stream)] == list(range(1, 33))
    assert not journals[0].audit.verify().breaks


def test_a_fact_waits_for_whoever_takes_its_lease_away_and_is_fenced(bench: PostgresBench):
    one, stream = bench.open(), bench.stream("a")
    lease = claimed(one, stream)
    with psycopg.connect(bench.where.url, password=Postgres.password) as other, ThreadPoolExecutor(1) as thread:
        other.execute("UPDATE lease SET holder = 'other', epoch = epoch + 1 WHERE name = %s", (stream,))
        late = thread.submit(one.append, lease, planned())
        _until_somebody_waits(bench)
        other.commit()
        with pytest.raises(Fenced):
            late.result()
    assert one.view(stream).position == 0


def test_the_lease_of_a_dead_process_ends_although_the_clock_of_the_database_went_back(bench: PostgresBench):
    one, two, stream = bench.open(), bench.open(), bench.stream("a")
    claimed(one, stream)
    shared.move(bench.database, -3600)
    assert two.claim(stream) is None
    bench.clock.seconds += 44
    assert two.claim(stream) is None
    bench.clock.seconds += 1
    assert claimed(two, stream).epoch == 2


def test_a_sign_of_life_keeps_the_lease_although_the_clock_of_the_database_went_back(bench: PostgresBench):
    one, two, stream = bench.open(), bench.open(), bench.stream("a")
    claimed(one, stream)
    shared.move(bench.database, -3600)
    for _ in range(3):
        assert two.claim(stream) is None
        bench.clock.seconds += 40
        shared.move(bench.database, 1)
        one.heartbeat()
    assert two.claim(stream) is None


def test_the_budget_holds_for_processes_that_ask_at_the_same_moment(bench: PostgresBench):
    budgets = [bench.open().budget("prod", 20, 300) for _ in range(4)]

    def take(of: int) -> int:
        try:
            budgets[of].take(Priority.FINISH)
        except RateLimited:
            return 0
        return 1

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(take, [n % 4 for n in range(60)])) == 20


@pytest.mark.parametrize("arrives", [True, False])
def test_a_commit_without_an_answer_is_neither_lost_nor_doubled(
    bench: PostgresBench, monkeypatch: pytest.MonkeyPatch, arrives: bool
):
    journal, stream = bench.open(), bench.stream("a")
    lease = claimed(journal, stream)
    lose_answers(monkeypatch, arrives=arrives)
    assert journal.append(lease, planned()).position == 1
    journal.append(lease, intent())
    lose_answers(monkeypatch, arrives=arrives)
    assert journal.capture(stream, captured(), VALUE).position == 3
    assert [fact.position for fact in bench.open().facts(stream)] == [1, 2, 3]
    assert not journal.audit.verify().breaks


def test_whether_a_fact_is_there_is_asked_while_nobody_can_be_committing_it_still(bench: PostgresBench):
    journal, stream = bench.open(), bench.stream("a")
    fact = next(iter(_note(journal, stream)))
    with psycopg.connect(bench.where.url, password=Postgres.password) as slow, ThreadPoolExecutor(1) as thread:
        slow.execute("SELECT 1 FROM stream WHERE id = %s FOR NO KEY UPDATE", (stream,))
        asked = thread.submit(journal._db._landed, fact.fact_id, stream)
        _until_somebody_waits(bench)
        assert not asked.done()
        slow.rollback()
        assert asked.result() is True


def test_facts_that_the_database_lost_are_forgotten_here_too(bench: PostgresBench):
    journal, stream = bench.open(), bench.stream("a")
    for number in range(3):
        journal.note(stream, request(f"q{number}"))
    bench.sql("ALTER TABLE fact DISABLE TRIGGER ALL; DELETE FROM fact WHERE position = 3")
    assert journal.view(stream).position == 2
    bench.sql("DELETE FROM fact WHERE position = 2; ALTER TABLE fact ENABLE TRIGGER ALL")
    assert journal.note(stream, request("late")).position == 2
    assert not journal.audit.verify().breaks


def spooled(journal) -> int:
    """How many captures lie in the file of a process."""
    return len(records(journal._work.owners.spool.path))


def test_a_spooled_capture_outlives_its_commit_until_its_value_is_confirmed(bench: PostgresBench):
    journal, stream = bench.open(), bench.stream("a")
    lease = claimed(journal, stream)
    for draft in (planned(), intent()):
        journal.append(lease, draft)
    journal.spool(stream, captured(), VALUE)
    journal.capture(stream, captured(), VALUE)
    *before, confirmed = publication(fingerprint=journal.fingerprint(VALUE))
    for draft in before:
        journal.append(lease, draft)
        assert (spooled(journal), journal.counts()["spooled"]) == (1, 0)
        claimed(journal, stream)
    journal.append(lease, confirmed)
    assert spooled(journal) == 0


def test_a_capture_whose_rotation_is_over_leaves_the_spool(bench: PostgresBench):
    journal, stream = bench.open(), bench.stream("a")
    lease = claimed(journal, stream)
    journal.spool(stream, captured(rid="an-older-one"), VALUE)
    journal.capture(stream, captured(rid="an-older-one"), VALUE)
    assert spooled(journal) == 1
    journal.append(lease, planned())
    assert spooled(journal) == 0


def test_what_a_process_had_to_keep_is_kept_by_the_next_one_of_its_machine(bench: PostgresBench):
    one, stream = bench.open(), bench.stream("a")
    lease = claimed(one, stream)
    for draft in (planned(), intent()):
        one.append(lease, draft)
    one.spool(stream, captured(), VALUE)
    one.capture(stream, captured(), VALUE)
    one.close()
    two = bench.open()
    lease = claimed(two, stream)
    assert not one._work.owners.spool.path.exists()
    assert (spooled(two), two.counts()["spooled"]) == (1, 0)
    assert [fact.kind for fact in two.facts(stream)] == [Kind.PLANNED, Kind.INTENT, Kind.CAPTURED]
    for draft in publication(fingerprint=two.fingerprint(VALUE)):
        two.append(lease, draft)
    assert spooled(two) == 0


def test_a_password_that_cannot_be_read_for_a_while_is_as_a_server_that_does_not_answer(
    place: PostgresPlace, template: Template
):
    journal = open_journal(place, template.key, crash=no_crash)
    stream = journal.streams.register([("a", "prod", None)])["a"]

    def gone() -> Secret:
        raise ConfigError("reading the password: there is none", "put it back")

    journal._db._address = Address(place.url, gone)
    while journal._db._links:
        journal._db._links.pop().close()
    journal.spool(stream, captured(), VALUE)
    with pytest.raises(JournalUnsafe, match="reading the password"):
        journal.capture(stream, captured(), VALUE)
    journal._db._address = Address(place.url, lambda: Secret(Postgres.password))
    journal.capture(stream, captured(), VALUE)
    assert journal.reveal(stream, journal.fingerprint(VALUE)) == VALUE
    journal.close()


def _note(journal, stream: str):
    journal.note(stream, request())
    return journal.facts(stream)


def _until_somebody_waits(bench: PostgresBench) -> None:
    give_up = time.monotonic() + 20
    while time.monotonic() < give_up:
        if bench.sql("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"):
            return
        time.sleep(0.02)
    raise AssertionError("nobody waits for a lock")
