"""A PostgreSQL that restarts, stands still, or fails over."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from rotator.core.errors import JournalUnsafe
from rotator.core.facts import Kind
from rotator.journal import postgres, postgres_link
from rotator.journal.open import open_journal
from rotator.journal.postgres_link import Limited, Link
from tests.contract.journal.benches import PostgresPlace, Template, no_crash
from tests.contract.journal.drafts import VALUE, captured, claimed, intent, planned
from tests.servers.postgres import Postgres

pytestmark = pytest.mark.postgres


@pytest.mark.parametrize("how", ["restart", "kill"])
def test_work_goes_on_when_the_server_was_started_again(
    server: Postgres, place: PostgresPlace, template: Template, how: str
):
    journal = open_journal(place, template.key, crash=no_crash)
    stream = journal.streams.register([("a", "prod", None)])["a"]
    journal.append(claimed(journal, stream), planned())
    getattr(server, "stop" if how == "restart" else "kill")()
    server.start()
    journal.append(claimed(journal, stream), intent())
    assert journal.view(stream).position == 2
    assert not journal.audit.verify().breaks
    journal.close()


def test_while_the_server_is_away_everything_is_refused_with_one_message(
    server: Postgres, place: PostgresPlace, template: Template
):
    journal = open_journal(place, template.key, crash=no_crash)
    stream = journal.streams.register([("a", "prod", None)])["a"]
    server.stop()
    try:
        for act in (journal.canary, lambda: journal.claim(stream), lambda: journal.view(stream), journal.heartbeat):
            with pytest.raises(JournalUnsafe) as refused:
                act()
            assert "goes on by itself" in refused.value.remedy
        journal.spool(stream, captured(), VALUE)
    finally:
        server.start()
    assert claimed(journal, stream)
    assert journal.reveal(stream, journal.fingerprint(VALUE)) == VALUE
    journal.close()


@pytest.fixture
def impatient() -> Iterator[pytest.MonkeyPatch]:
    """Sets time limits that a test can wait for, from `hurry` until `undo`: only while nothing is to succeed."""
    with pytest.MonkeyPatch.context() as patch:
        yield patch


def hurry(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Limited, "patience", 1.0)
    patch.setattr(postgres, "_ASK_SECONDS", 0.5)
    patch.setattr(postgres_link, "CONNECT_SECONDS", 2)


def test_a_server_that_stands_still_is_given_up_and_work_goes_on_when_it_does(
    server: Postgres, place: PostgresPlace, template: Template, impatient: pytest.MonkeyPatch
):
    journal = open_journal(place, template.key, crash=no_crash)
    stream = journal.streams.register([("a", "prod", None)])["a"]
    lease = claimed(journal, stream)
    for draft in (planned(), intent()):
        journal.append(lease, draft)
    hurry(impatient)
    server.freeze()
    try:
        acts = (
            *(journal.canary, journal.heartbeat, lambda: journal.claim(stream), lambda: journal.view(stream)),
            *(lambda: journal.append(lease, captured()), lambda: journal.capture(stream, captured(), VALUE)),
        )
        journal.spool(stream, captured(), VALUE)
        for act in acts:
            with pytest.raises(JournalUnsafe) as refused:
                act()
            assert "goes on by itself" in refused.value.remedy
        with pytest.raises(JournalUnsafe):
            open_journal(place, template.key, crash=no_crash)
    finally:
        impatient.undo()
        server.thaw()
    claimed(journal, stream)
    assert journal.reveal(stream, journal.fingerprint(VALUE)) == VALUE
    assert [fact.kind for fact in journal.facts(stream)] == [Kind.PLANNED, Kind.INTENT, Kind.CAPTURED]
    journal.close()


def test_while_one_thread_waits_for_a_silent_server_the_others_do_not(
    server: Postgres, place: PostgresPlace, template: Template, impatient: pytest.MonkeyPatch
):
    journal = open_journal(place, template.key, crash=no_crash)
    hurry(impatient)
    server.freeze()
    try:
        with pytest.raises(JournalUnsafe):
            journal.heartbeat()
        # somebody waits
        with journal._db._asking, pytest.raises(JournalUnsafe, match="the server says nothing") as refused:
            journal.counts()
        assert "goes on by itself" in refused.value.remedy
    finally:
        impatient.undo()
        server.thaw()
    journal.heartbeat()
    with journal._db._asking:
        journal.canary()
    journal.close()


def test_of_a_commit_that_a_server_took_before_it_stood_still_the_fact_tells(
    server: Postgres, place: PostgresPlace, template: Template, impatient: pytest.MonkeyPatch
):
    journal = open_journal(place, template.key, crash=no_crash)
    stream = journal.streams.register([("a", "prod", None)])["a"]
    real = Link.end

    def end(link: Link, word: str) -> None:
        if word == "COMMIT":
            hurry(impatient)
            server.freeze()
        real(link, word)

    journal.spool(stream, captured(), VALUE)
    impatient.setattr(Link, "end", end)
    try:
        with pytest.raises(JournalUnsafe, match="whether a fact was committed"):
            journal.capture(stream, captured(), VALUE)
    finally:
        impatient.undo()
        server.thaw()
    journal.capture(stream, captured(), VALUE)
    claimed(journal, stream)
    assert [fact.position for fact in journal.facts(stream)] == [1]
    journal.close()


def test_a_way_that_swallows_everything_is_no_journal(
    tmp_path: Path, template: Template, impatient: pytest.MonkeyPatch
):
    hurry(impatient)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        place = PostgresPlace(f"postgresql://rotator@127.0.0.1:{silent.getsockname()[1]}/d", tmp_path)
        with pytest.raises(JournalUnsafe) as refused:
            open_journal(place, template.key, crash=no_crash)
    assert "goes on by itself" in refused.value.remedy


def test_the_server_gives_up_before_we_do():
    """Else a statement that we believe to be over might still be done."""
    limits = [int(found) for found in re.findall(r"(?:lock|statement)_timeout = '(\d+)s'", postgres_link._BEGIN)]
    assert len(limits) == 2
    assert max(limits) < postgres_link.SILENT_SECONDS < 30


def test_a_server_without_a_free_connection_refuses_and_says_so(
    server: Postgres, place: PostgresPlace, template: Template
):
    journal = open_journal(place, template.key, crash=no_crash)
    server.sql("ALTER ROLE rotator CONNECTION LIMIT 0")
    try:
        with pytest.raises(JournalUnsafe, match="too many connections"):
            journal.canary()
    finally:
        server.sql("ALTER ROLE rotator CONNECTION LIMIT -1")
    journal.canary()
    journal.close()
