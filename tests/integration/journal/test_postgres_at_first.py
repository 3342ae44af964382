"""A PostgreSQL that is not to be trusted, its first start, its addresses and statements."""

from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rotator.core.errors import ConfigError, JournalUnsafe
from rotator.core.ports.runtime import Priority
from rotator.journal.open import JournalAbsent, open_journal
from rotator.journal.postgres_link import Address, checked, translated
from tests.contract.journal.benches import PostgresPlace, Template, no_crash
from tests.contract.journal.drafts import VALUE, captured, claimed, intent, planned
from tests.pages import block
from tests.servers.postgres import Postgres

pytestmark = pytest.mark.postgres


@pytest.mark.parametrize("setting", ["fsync", "full_page_writes"])
def test_a_server_that_loses_commits_in_a_crash_is_refused(
    server: Postgres, place: PostgresPlace, template: Template, setting: str
):
    server.sql(f"ALTER SYSTEM SET {setting} = off")
    server.restart()
    try:
        with pytest.raises(JournalUnsafe, match=f"{setting} is off"):
            open_journal(place, template.key, crash=no_crash)
    finally:
        server.sql(f"ALTER SYSTEM RESET {setting}")
        server.restart()


def test_a_standby_is_read_and_not_written(server: Postgres, place: PostgresPlace, template: Template):
    open_journal(place, template.key, crash=no_crash).close()
    signal = server.data / "standby.signal"
    server.stop()
    signal.touch()
    server.start()
    try:
        with pytest.raises(JournalUnsafe, match="standby"):
            open_journal(place, template.key, crash=no_crash)
        open_journal(place, None, mode="reader").close()
    finally:
        server.stop()
        signal.unlink()
        server.start()


@pytest.mark.parametrize(
    ("url", "private"),
    [
        ("postgresql://u@127.0.0.1/d", True),
        ("postgresql://u@[::1]:5432/d", True),
        ("postgresql:///d?host=/run/postgresql&user=u", True),
        ("postgresql://u@db.example.com/d?sslmode=verify-full", True),
        ("postgresql://u@db.example.com/d?sslmode=require", False),
        ("postgresql://u@127.0.0.1,db.example.com/d", False),
    ],
)
def test_a_server_that_does_not_prove_who_it_is_is_a_doubt(url: str, private: bool):
    assert Address(url).private is private


def test_a_standby_for_which_nobody_waits_is_a_doubt(server: Postgres, place: PostgresPlace, template: Template):
    journal = open_journal(place, template.key, crash=no_crash)
    assert journal.audit.doubts() == []
    with server.receiver():
        give_up = time.monotonic() + 20
        while not (found := journal.audit.doubts()) and time.monotonic() < give_up:
            time.sleep(0.1)
    assert "waits for none of them" in found[0][0]
    journal.close()


def test_another_journal_in_the_place_of_ours_is_refused(server: Postgres, place: PostgresPlace, template: Template):
    journal = open_journal(place, template.key, crash=no_crash)
    server.sql("DROP DATABASE own WITH (FORCE)")
    server.sql("CREATE DATABASE own OWNER rotator")
    open_journal(place, template.key, crash=no_crash).close()
    with pytest.raises(JournalUnsafe, match="another journal"):
        journal.canary()
    journal.close()


def test_tables_of_another_program_are_left_alone(server: Postgres, place: PostgresPlace, template: Template):
    server.sql("CREATE TABLE alembic_version (version_num text)", "own", "rotator")
    with pytest.raises(JournalUnsafe, match="another program"):
        open_journal(place, template.key, crash=no_crash)


def test_a_schema_of_a_newer_version_is_refused(server: Postgres, place: PostgresPlace, template: Template):
    open_journal(place, template.key, crash=no_crash).close()
    server.sql("UPDATE alembic_version SET version_num = '9999'", "own")
    for mode in ("reader", "writer"):
        with pytest.raises(JournalUnsafe, match="newer than ours"):
            open_journal(place, template.key, crash=no_crash, mode=mode)


def test_a_reader_makes_nothing(place: PostgresPlace):
    with pytest.raises(JournalAbsent):
        open_journal(place, None, mode="reader")
    assert not place.folder.exists()


def test_processes_that_start_at_once_make_one_journal(place: PostgresPlace, template: Template):
    with ThreadPoolExecutor(3) as threads:
        journals = [
            done.result() for done in [threads.submit(open_journal, place, template.key, crash=no_crash) for _ in "abc"]
        ]
    assert len({journal.instance for journal in journals}) == 1
    assert len(journals[0].presence.processes()) == 3
    for journal in journals:
        journal.close()


def test_a_role_that_may_not_change_tables_works_on_what_another_made(
    server: Postgres, template: Template, tmp_path: Path
):
    page = re.sub(r"\brotator\b", "worker", block("docs/postgresql.md", "CREATE ROLE rotator_owner").text)
    page = re.sub(r"--.*", "", page.replace("-- after the first start", "\\c later --"))
    first, mine, later = re.split(r"^\\c \w+", page, flags=re.MULTILINE)
    for statement in filter(str.strip, first.split(";")):
        server.sql(statement)
    for role in ("rotator_owner", "worker"):
        server.sql(f"ALTER ROLE {role} PASSWORD '{server.password}'")
    server.sql(mine, "worker")
    try:
        open_journal(
            PostgresPlace(server.url("worker", "rotator_owner"), tmp_path), template.key, crash=no_crash
        ).close()
        server.sql(later, "worker")
        journal = open_journal(PostgresPlace(server.url("worker", "worker"), tmp_path), template.key, crash=no_crash)
        stream = journal.streams.register([("a", "prod", None)])["a"]
        lease = claimed(journal, stream)
        journal.append(lease, planned())
        journal.canary()
        journal.append(lease, intent())
        journal.capture(stream, captured(), VALUE)
        journal.destroy(stream, captured().what.token_id)
        budget = journal.budget("prod", 10, 300)
        budget.take(Priority.FINISH)
        budget.stop(1)
        journal.heartbeat("127.0.0.1:1")
        journal.release(lease, 5.0)
        journal.close()
    finally:
        server.sql("DROP DATABASE worker WITH (FORCE)")
        server.sql("DROP ROLE worker")
        server.sql("DROP ROLE rotator_owner")


def test_without_the_right_to_make_tables_the_first_start_says_so(
    server: Postgres, place: PostgresPlace, template: Template
):
    server.sql("REVOKE CREATE ON SCHEMA public FROM PUBLIC; ALTER DATABASE own OWNER TO postgres", "own")
    with pytest.raises(JournalUnsafe) as refused:
        open_journal(place, template.key, crash=no_crash)
    assert "rights" in refused.value.remedy


@pytest.mark.parametrize(
    "url",
    ["postgresql://u:hidden@h/d", "postgresql://u@h/d?password=hidden", "postgresql://u@h/d?sslmode=x&password=hidden"],
)
def test_a_password_in_the_address_is_refused_and_not_repeated(url: str):
    with pytest.raises(ConfigError, match=r"password in state\.url") as refused:
        checked(url)
    assert "hidden" not in f"{refused.value.message} {refused.value.remedy}"


@pytest.mark.parametrize(
    "url", ["postgresql://u@h", "postgresql://u@h/", "postgres:d", "postgresql://u@h/d?colour=red"]
)
def test_an_address_that_is_none_is_refused(url: str):
    with pytest.raises(ConfigError):
        checked(url)


def test_a_wrong_password_is_refused_without_the_password(place: PostgresPlace, template: Template):
    class Wrong(PostgresPlace):
        def read(self):
            return type(super().read())("not-the-password")

    with pytest.raises(JournalUnsafe, match="authentication failed") as refused:
        open_journal(Wrong(place.url, place.folder), template.key, crash=no_crash)
    assert "not-the-password" not in f"{refused.value.message} {refused.value.remedy}"


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("SELECT ? WHERE a = :name AND b = ?", "SELECT %s WHERE a = %(name)s AND b = %s"),
        ("SELECT '?', ':name', '%' WHERE a % 2 = ?", "SELECT '?', ':name', '%%' WHERE a %% 2 = %s"),
        ("SELECT 1::float8, :at", "SELECT 1::float8, %(at)s"),
    ],
)
def test_statements_name_their_parameters_as_the_driver_wants(ours: str, theirs: str):
    assert translated(ours) == theirs
