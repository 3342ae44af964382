"""Pace and incidents of a connection, as several processes on one journal see them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from rotator.app.pacing import FRESH, WATCHES, Pacing
from rotator.core.credential import DAY, Credential, Policy
from rotator.core.protocol.view import Token, View, blank
from rotator.journal.store import SqlJournal
from tests.contract.journal.benches import SqliteBench, Template

NOW = 1_800_000_000.0
WATCH = 300.0
FLEET = 20


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    return Template.shared(tmp_path_factory)


class Process:
    """One process on the journal, with a clock that the test moves."""

    def __init__(self, journal: SqlJournal | None, ids: dict[str, str]) -> None:
        self.ids, self.said = ids, []
        self.now, self.boot = NOW, 0.0
        self.pacing = Pacing(
            journal.pace if journal else None,
            lambda connection: self.now,
            lambda event, **fields: self.said.append((event, fields)),
            lambda: self.boot,
        )

    def credential(self, name: str) -> Credential:
        return Credential(
            id=self.ids[name], name=name, connection="prod", owner="account", policy=Policy(), targets=(), managed=True
        )

    def note(self, name: str, expires: float = 90 * DAY, **more: object) -> None:
        """It looks at a credential whose token ends so many seconds from now."""
        token = Token(id=f"t-{name}", born=NOW + expires - 90 * DAY, expires_at=NOW + expires)
        view: View = replace(blank(), current=token.id, tokens={token.id: token}, **more)
        self.pacing.note(self.credential(name), view)

    def dies(self, *names: str, dead: bool = True) -> None:
        for name in names:
            self.pacing.died(self.credential(name), dead, size=FLEET, watch=WATCH)

    def incident(self) -> bool:
        return self.pacing.incident("prod", size=FLEET, watch=WATCH)

    def later(self, seconds: float) -> None:
        self.now, self.boot = self.now + seconds, self.boot + seconds


@pytest.fixture
def bench(template: Template, tmp_path) -> Iterator[SqliteBench]:
    made = SqliteBench(template, tmp_path / "state")
    yield made
    made.close()


@pytest.fixture
def ids(bench: SqliteBench) -> dict[str, str]:
    with bench.opening() as journal:
        return journal.streams.register([(f"c{number}", "prod", None) for number in range(FLEET)])


@pytest.fixture
def one(bench: SqliteBench, ids: dict[str, str]) -> Process:
    return Process(bench.open(), ids)


@pytest.fixture
def other(bench: SqliteBench, ids: dict[str, str]) -> Process:
    return Process(bench.open(), ids)


def test_a_credential_alone_is_not_paced(one: Process):
    one.note("c0", expires=0.5 * DAY)
    assert one.pacing.may_start(one.credential("c0"))


def test_a_fleet_that_is_due_all_at_once_starts_a_tenth_of_it_soonest_expiry_first(one: Process):
    for number in range(FLEET):
        one.note(f"c{number}", expires=DAY + number)
    started = [name for name in one.ids if one.pacing.may_start(one.credential(name))]
    assert sorted(started) == ["c0", "c1"]


def test_another_process_paces_by_what_this_one_saw(one: Process, other: Process):
    for number in range(FLEET - 1):
        one.note(f"c{number}", expires=DAY + number)
    other.note("c19", expires=DAY + 100)
    assert not other.pacing.may_start(other.credential("c19"))


def test_what_others_note_later_is_known_within_moments(one: Process, other: Process):
    other.note("c19", expires=DAY + 100)
    for number in range(FLEET - 1):
        one.note(f"c{number}", expires=DAY + number)
    other.later(FRESH)
    assert not other.pacing.may_start(other.credential("c19"))


def test_a_process_that_only_looks_notes_nothing(bench: SqliteBench, ids: dict[str, str]):
    looker = Process(None, ids)
    looker.note("c0")
    looker.dies("c0")
    with bench.opening() as journal:
        assert (dict(journal.pace.renewals("prod")), dict(journal.pace.deaths("prod"))) == ({}, {})


def test_a_note_is_written_where_it_is_new_only(one: Process, monkeypatch):
    written = []
    store = one.pacing._store
    monkeypatch.setattr(store, "note", lambda *args: written.append(args))
    for _ in range(3):
        one.note("c0")
    assert len(written) == 1


def test_deaths_that_several_processes_saw_are_one_incident_which_is_said_where_it_begins(one: Process, other: Process):
    one.dies("c0", "c1", "c2")
    assert not one.incident()
    other.dies("c3", "c4")
    one.later(FRESH)
    assert (one.incident(), other.incident()) == (True, True)
    assert (one.said, [event for event, _ in other.said]) == ([], ["incident"])


def test_a_value_that_lives_again_ends_an_incident_for_everybody(one: Process, other: Process):
    one.dies("c0", "c1", "c2", "c3", "c4")
    other.dies("c0", dead=False)
    one.later(FRESH)
    assert not one.incident()


def test_an_operator_who_looked_at_a_death_ends_it(one: Process):
    one.dies("c0")
    one.note("c0", cleared_at=NOW + 60)
    assert not one.pacing._of("prod").deaths


def test_a_death_that_nobody_has_seen_again_for_three_watches_counts_no_more(one: Process):
    one.dies("c0", "c1", "c2", "c3", "c4")
    one.later(WATCHES * WATCH - 1)
    assert one.incident()
    one.later(1)
    assert not one.incident()


def test_a_death_that_is_seen_again_goes_on_counting(one: Process):
    dead = ("c0", "c1", "c2", "c3", "c4")
    for _ in range(2 * WATCHES):
        one.dies(*dead)
        one.later(WATCH)
    assert one.incident()
    assert [event for event, _ in one.said] == ["incident"]


def test_a_clock_that_went_back_makes_no_death_forgotten(one: Process):
    one.dies("c0", "c1", "c2", "c3", "c4")
    one.now -= 3600
    assert one.incident()


def test_what_left_the_configuration_counts_no_more(one: Process, bench: SqliteBench):
    one.dies("c0", "c1", "c2", "c3", "c4")
    one.pacing.keep({one.ids["c0"]})
    assert not one.incident()
    with bench.opening() as journal:
        journal.streams.register([("c0", "prod", None)])
        assert list(journal.pace.deaths("prod")) == [one.ids["c0"]]
