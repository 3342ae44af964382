"""A real standby takes over: with all commits, or without the last ones, as an asynchronous one does."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rotator.core.errors import Fenced, JournalUnsafe
from rotator.core.facts import Kind
from rotator.journal.open import open_journal
from tests.contract.journal.benches import PostgresPlace, Template, no_crash
from tests.contract.journal.drafts import VALUE, captured, claimed, intent, planned, request
from tests.servers.postgres import Postgres, Standby, shared

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(300)]


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    return Template.shared(tmp_path_factory)


class Pair:
    """A primary and its standby, and the address that leads to whoever of them takes writes."""

    def __init__(self, folder: Path) -> None:
        self.primary = Postgres()
        self.primary.start()
        self.primary.sql(f"CREATE ROLE rotator LOGIN PASSWORD '{self.primary.password}'")
        self.primary.sql("CREATE DATABASE own OWNER rotator")
        self.standby = Standby(self.primary)
        self.standby.start()
        hosts = f"127.0.0.1:{self.primary.port},127.0.0.1:{self.standby.port}"
        self.place = PostgresPlace(f"postgresql://rotator@{hosts}/own?target_session_attrs=read-write", folder)

    def caught_up(self) -> None:
        """Wait until the standby has everything."""
        position = str(self.primary.sql("SELECT pg_current_wal_flush_lsn()")[0][0])
        give_up = time.monotonic() + 60
        while not self.standby.has(position):
            assert time.monotonic() < give_up, "the standby does not follow"
            time.sleep(0.02)

    def fail_over(self) -> None:
        """The primary dies, and the standby takes over with what it has."""
        self.primary.kill()
        if self.standby._process is None:
            self.standby.start()
        self.standby.promote()

    def close(self) -> None:
        self.standby.close()
        self.primary.close()


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    shared.cluster()  # says what is missing
    made = Pair(tmp_path / "state")
    yield made
    made.close()


def kinds(journal, stream: str) -> list[Kind]:
    return [fact.kind for fact in journal.facts(stream)]


def test_commits_that_the_standby_lacks_are_told_and_a_captured_value_comes_back(pair: Pair, template: Template):
    journal = open_journal(pair.place, template.key, crash=no_crash)
    stream = journal.streams.register([("a", "prod", None)])["a"]
    lease = claimed(journal, stream)
    journal.append(lease, planned())
    journal.append(lease, intent())
    pair.caught_up()
    pair.standby.stop()
    journal.spool(stream, captured(), VALUE)
    journal.capture(stream, captured(), VALUE)
    pair.fail_over()

    for _ in range(2):  # the connection that broke, then the one that finds another server
        with pytest.raises((JournalUnsafe, Fenced)):
            journal.append(lease, intent(2))
    after = claimed(journal, stream)
    assert after.epoch > lease.epoch + 999
    assert kinds(journal, stream) == [Kind.PLANNED, Kind.INTENT, Kind.CAPTURED, Kind.AHEAD]
    assert journal.reveal(stream, journal.fingerprint(VALUE)) == VALUE
    assert journal.view(stream).ahead
    claimed(journal, stream)
    assert kinds(journal, stream).count(Kind.AHEAD) == 1
    assert journal.audit.verify().breaks == ()
    with pytest.raises(Fenced):
        journal.append(lease, intent(2))
    journal.close()


def test_a_process_that_starts_after_the_failover_finds_it_out_as_well(pair: Pair, template: Template):
    journal = open_journal(pair.place, template.key, crash=no_crash)
    stream = journal.streams.register([("a", "prod", None)])["a"]
    lease = claimed(journal, stream)
    journal.append(lease, planned())
    journal.release(lease, 0.0)
    journal.close()
    pair.caught_up()
    pair.fail_over()
    journal = open_journal(pair.place, template.key, crash=no_crash)
    assert claimed(journal, stream).epoch > lease.epoch + 999
    assert kinds(journal, stream) == [Kind.PLANNED, Kind.AHEAD]
    journal.close()


def test_where_commits_waited_for_the_standby_nothing_is_marked(pair: Pair, template: Template):
    pair.primary.sql("ALTER SYSTEM SET synchronous_standby_names = '*'")
    pair.primary.sql("SELECT pg_reload_conf()")
    give_up = time.monotonic() + 60
    while not pair.primary.sql("SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'"):
        assert time.monotonic() < give_up, "the standby is not waited for"
        time.sleep(0.02)
    journal = open_journal(pair.place, template.key, crash=no_crash)
    stream = journal.streams.register([("a", "prod", None)])["a"]
    lease = claimed(journal, stream)
    journal.append(lease, planned())
    pair.fail_over()
    pair.standby.sql("ALTER SYSTEM RESET synchronous_standby_names")
    pair.standby.sql("SELECT pg_reload_conf()")
    with pytest.raises(JournalUnsafe):
        journal.heartbeat()  # its connection is gone; the next look takes the new server up
    journal.heartbeat()
    assert claimed(journal, stream).epoch > lease.epoch + 999
    assert kinds(journal, stream) == [Kind.PLANNED], "a synchronous standby has every commit"
    journal.note(stream, request())
    assert journal.audit.verify().breaks == ()
    journal.close()
