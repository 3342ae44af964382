"""What holds on PostgreSQL alone: locked rows, lost answers, servers that restart, and whom it refuses to trust."""

from __future__ import annotations

import re
import socket
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
from rotator.journal import postgres, postgres_link
from rotator.journal.open import JournalAbsent, open_journal
from rotator.journal.postgres_link import Address, Limited, Link, checked, translated
from rotator.journal.spool import records
from tests.contract.journal.benches import PostgresBench, PostgresPlace, Template, no_crash
from tests.contract.journal.drafts import VALUE, captured, claimed, intent, planned, publication, request
from tests.pages import block
from tests.servers.postgres import Postgres, shared

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    return Template.shared(tmp_path_factory)


@pytest.fixture
def bench(template: Template, tmp_path: Path) -> Iterator[PostgresBench]:
    made = PostgresBench(template, tmp_path / "state")
    yield made
    made.close()


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """A cluster that a test may stop, kill and set up wrongly."""
    shared.cluster()  # says what is missing
    made = Postgres()
    made.start()
    made.sql(f"CREATE ROLE rotator LOGIN PASSWORD '{made.password}'")
    yield made
    made.close()


@pytest.fixture
def place(server: Postgres, tmp_path: Path) -> Iterator[PostgresPlace]:
    """An empty database on it."""
    server.sql("CREATE DATABASE own OWNER rotator")
    yield PostgresPlace(server.url("own"), tmp_path / "state")
    server.sql("DROP DATABASE own WITH (FORCE)")


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


# ------------------------------------------------------------------------------------------------------------- fencing


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


# -------------------------------------------------------------------------------------------------------- lost answers


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


# ---------------------------------------------------------------------------------------- a capture outlives its commit


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


# ------------------------------------------------------------------------------------------------- servers that restart


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


# --------------------------------------------------------------------------------------------------- whom not to trust


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


# ----------------------------------------------------------------------------------------------------- the first start


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


# --------------------------------------------------------------------------------------------- addresses, statements


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
