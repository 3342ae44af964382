"""A journal moves from one database into another: all of it arrives, proven, and only one of the two may be used."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rotator.core.errors import ConfigError, JournalUnsafe, RotatorError
from rotator.core.ports.runtime import Priority
from rotator.core.secret import Secret
from rotator.journal.key_file import generate_key, read_key
from rotator.journal.open import JournalAbsent, Where, open_journal
from rotator.journal.sealing import KeyRing
from rotator.journal.store import SqlJournal
from rotator.journal.tables import metadata
from rotator.journal.transfer import transfer
from rotator.journal.transfer_rows import COLUMNS, STAYS, Copied
from tests.contract.journal.benches import Died, FilePlace, PostgresPlace, dies, no_crash
from tests.contract.journal.drafts import VALUE, captured, claimed, intent, planned, request
from tests.servers.postgres import shared

GONE = Secret("v1.0-a-value-whose-token-is-deleted")
WAITING = Secret("v1.0-a-value-that-waits-in-a-spool")
STEPS = (("before_copy_step", 1), ("before_copy_step", 2), ("after_copy_step", 1))

_numbers = itertools.count(1)


def file(folder: Path) -> FilePlace:
    return FilePlace(folder / f"state-{next(_numbers)}" / "state.db")


def server(folder: Path) -> PostgresPlace:
    return PostgresPlace(shared.cluster().url(shared.database()), folder / "machine")


WAYS: dict[str, tuple[Callable[[Path], Where], Callable[[Path], Where]]] = {
    "file-to-file": (file, file),
    "file-to-server": (file, server),
    "server-to-file": (server, file),
    "server-to-server": (server, server),
}


@pytest.fixture(
    params=[pytest.param(way, marks=[pytest.mark.postgres] if "server" in way else []) for way in sorted(WAYS)]
)
def places(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Where, Where]:
    """The old place and the new one, both empty."""
    old, new = WAYS[request.param]
    return old(tmp_path), new(tmp_path)


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "journal.key"
    generate_key(path)
    return path


class Opened:
    """Opens journals of a place and closes what is left open."""

    def __init__(self, key: Path) -> None:
        self.key, self._open = key, list[SqlJournal]()

    def __call__(self, place: Where, **options: Any) -> SqlJournal:
        journal = open_journal(place, self.key, crash=no_crash, **options)
        self._open.append(journal)
        return journal

    def leave(self) -> None:
        while self._open:
            self._open.pop().close()


@pytest.fixture
def opened(key: Path) -> Iterator[Opened]:
    made = Opened(key)
    yield made
    made.leave()


def filled(opened: Opened, place: Where) -> None:
    """A journal with everything that one can hold."""
    journal = opened(place)
    streams = journal.streams.register([("a", "prod", None), ("b", "prod", None), ("gone", "prod", None)])
    journal.streams.register([("a", "prod", None), ("b", "prod", None)])
    journal.streams.pair("prod", "0badcafe")
    a, b = streams["a"], streams["b"]
    lease = journal.raise_epoch(claimed(journal, a), 41)
    journal.append(lease, planned())
    journal.append(lease, intent())
    journal.capture(a, captured(), VALUE)
    journal.capture(a, captured(2, token_id="token-2"), GONE)
    journal.destroy(a, captured(2, token_id="token-2").what.token_id)
    for number in range(40):  # enough for a view that is kept
        journal.note(b, request(f"q{number}"))
    journal.heartbeat()
    journal.release(lease, 123.5, '{"why": "a note"}')
    budget = journal.budget("prod", 10, 300)
    for _ in range(3):
        budget.take(Priority.FINISH)
    journal.budget("held", 10, 300).stop(3000)
    mover = journal.cursors.claim("audit:siem")
    assert mover is not None
    journal.cursors.move(mover, "audit:siem", {b: 12}, "a note")
    journal.cursors.give_back(mover)
    journal.spool(b, captured(7, "r7", "token-7"), WAITING)
    opened.leave()  # its spool stays: it holds what the journal does not


def told(opened: Opened, place: Where) -> dict[str, Any]:
    """All that a journal says of itself, whatever database it is in."""
    journal = opened(place, mode="reader")
    verdict = journal.audit.verify()
    said = {
        "instance": journal.instance,
        "facts": list(journal.facts()),
        "views": {stream.id: journal.view(stream.id) for stream in journal.streams.all()},
        "streams": [stream for stream in journal.streams.all()],
        "verdict": verdict,
        "behind": {one.name: one.come for one in journal.cursors.behind("audit:siem")},
        "kept": journal.cursors.kept("audit:siem"),
        "spent": journal.budget("prod", 10, 300).remaining(),
        "held": journal.budget("held", 10, 300).remaining(),
    }
    opened.leave()
    return said


def copy(opened: Opened, source: Where, target: Where, crash: Callable[[str], None] = no_crash) -> Copied:
    return transfer(source, target, KeyRing(read_key(opened.key)), crash=crash)


# --------------------------------------------------------------------------------------------------------- what arrives


def test_all_that_a_journal_holds_arrives_in_the_new_place(places: tuple[Where, Where], opened: Opened):
    source, target = places
    filled(opened, source)
    opened(source).import_spools()
    opened.leave()
    before = told(opened, source)
    done = copy(opened, source, target)
    assert (done.facts, done.values) == (before["verdict"].facts, 2)
    assert told(opened, target) == before
    assert before["verdict"].breaks == ()
    assert (before["spent"], before["held"]) == (7, 0)


def test_values_open_in_the_new_place_and_destroyed_ones_do_not(places: tuple[Where, Where], opened: Opened):
    source, target = places
    filled(opened, source)
    copy(opened, source, target)
    journal = opened(target)
    a, b = (next(s.id for s in journal.streams.all() if s.name == name) for name in "ab")
    assert journal.reveal(a, journal.fingerprint(VALUE)) == VALUE
    with pytest.raises(KeyError, match="destroyed"):
        journal.reveal(a, journal.fingerprint(GONE))
    assert journal.reveal(b, journal.fingerprint(WAITING)) == WAITING, "what waited in a spool went along"


def test_work_goes_on_in_the_new_place_and_fencing_numbers_never_fall(places: tuple[Where, Where], opened: Opened):
    source, target = places
    filled(opened, source)
    copy(opened, source, target)
    journal = opened(target, kind="run")
    a = next(s.id for s in journal.streams.all() if s.name == "a")
    lease = claimed(journal, a)
    assert lease.epoch > 42
    position = journal.view(a).position
    assert journal.note(a, request("after the move")).position == position + 1
    assert [fact.position for fact in journal.facts(a)] == list(range(1, position + 2))
    assert list(journal.facts())[-1].what == request("after the move").what, "the order of all facts goes on, too"
    assert journal.audit.verify().breaks == ()


def test_there_and_back_again_nothing_has_changed(places: tuple[Where, Where], opened: Opened, tmp_path: Path):
    source, target = places
    filled(opened, source)
    copy(opened, source, target)
    before = told(opened, target)
    home = file(tmp_path)
    copy(opened, target, home)
    assert told(opened, home) == before


def test_a_journal_without_facts_moves_as_well(places: tuple[Where, Where], opened: Opened):
    source, target = places
    instance = opened(source).instance
    opened.leave()
    assert copy(opened, source, target) == Copied(0, 0)
    assert opened(target).instance == instance


def test_a_new_place_with_a_journal_that_holds_no_facts_is_taken(places: tuple[Where, Where], opened: Opened):
    source, target = places
    filled(opened, source)
    opened(target).streams.register([("a", "other", None), ("z", "prod", None)])
    opened.leave()
    copy(opened, source, target)
    assert [s.name for s in opened(target).streams.all() if s.kind == "credential"] == ["a", "b", "gone"]


def test_every_table_and_every_column_goes_along():
    tables = {table.name: {column.name for column in table.columns} for table in metadata.sorted_tables}
    assert set(tables) == {*COLUMNS, *STAYS}
    assert {name: set(columns) for name, columns in COLUMNS.items()} == {
        name: columns for name, columns in tables.items() if name not in STAYS
    }


def test_it_tells_how_far_it_is(places: tuple[Where, Where], opened: Opened):
    source, target = places
    filled(opened, source)
    said: list[tuple[str, int, int]] = []
    transfer(source, target, KeyRing(read_key(opened.key)), lambda *now: said.append(now), crash=no_crash)
    assert {what for what, _, _ in said} == {
        "copying facts",
        "copying sealed values",
        "checking chains",
        "opening sealed values",
    }
    assert all(done <= total for _, done, total in said)


# -------------------------------------------------------------------------------------------------- only one of the two


def test_the_old_journal_is_kept_and_refused(places: tuple[Where, Where], opened: Opened):
    source, target = places
    filled(opened, source)
    copy(opened, source, target)
    for mode in ("reader", "writer"):
        with pytest.raises(JournalUnsafe, match=r"it was moved to .*") as refused:
            opened(source, mode=mode)
        assert "state.url" in refused.value.remedy
    with pytest.raises(JournalUnsafe, match="moved"):
        copy(opened, source, target)


@pytest.mark.parametrize(("point", "passage"), STEPS)
def test_a_copy_that_dies_leaves_one_journal_to_work_on_and_is_finished_by_the_same_command(
    places: tuple[Where, Where], opened: Opened, point: str, passage: int
):
    source, target = places
    filled(opened, source)
    with pytest.raises(Died):
        copy(opened, source, target, dies(point, passage))
    with pytest.raises(JournalUnsafe):
        opened(target, mode="reader")
    if point == "before_copy_step":
        journal = opened(source)
        journal.note(next(s.id for s in journal.streams.all() if s.name == "a"), request("meanwhile"))
        journal.streams.register([("b", "prod", None), ("c", "prod", "a")])
        opened.leave()
    done = copy(opened, source, target)
    journal = opened(target)
    assert done.facts == journal.counts()["facts"]
    assert journal.audit.verify().breaks == ()
    assert ("c" in {s.name for s in journal.streams.all()}) is (point == "before_copy_step")
    with pytest.raises(JournalUnsafe, match="moved"):
        opened(source)


def test_a_copy_whose_last_step_was_not_told_is_done_already(places: tuple[Where, Where], opened: Opened):
    source, target = places
    filled(opened, source)
    with pytest.raises(Died):
        copy(opened, source, target, dies("after_copy_step", 2))
    assert opened(target).audit.verify().breaks == ()


# --------------------------------------------------------------------------------------------------------- what refuses


@pytest.mark.parametrize("which", ["old", "new"])
@pytest.mark.parametrize("kind", ["run", "once"])
def test_while_a_process_works_on_either_nothing_is_moved(
    places: tuple[Where, Where], opened: Opened, which: str, kind: str
):
    source, target = places
    filled(opened, source)
    opened(source if which == "old" else target, kind=kind)
    with pytest.raises(RotatorError, match="1 process works on") as refused:
        copy(opened, source, target)
    assert "SIGTERM" in refused.value.remedy
    opened.leave()
    copy(opened, source, target)


def test_facts_that_are_in_the_new_place_are_never_mixed_with_others(places: tuple[Where, Where], opened: Opened):
    source, target = places
    filled(opened, source)
    filled(opened, target)
    opened(target).import_spools()
    opened.leave()
    before = told(opened, target)
    with pytest.raises(RotatorError, match="holds facts"):
        copy(opened, source, target)
    assert told(opened, target) == before
    opened(source)


def test_the_unfinished_copy_of_another_journal_is_left_alone(
    places: tuple[Where, Where], opened: Opened, tmp_path: Path
):
    source, target = places
    filled(opened, source)
    other = file(tmp_path)
    filled(opened, other)
    with pytest.raises(Died):
        copy(opened, other, target, dies("before_copy_step", 2))
    with pytest.raises(RotatorError, match="unfinished copy of another journal"):
        copy(opened, source, target)
    copy(opened, other, target)


def test_a_chain_that_is_broken_is_not_moved(places: tuple[Where, Where], opened: Opened):
    source, target = places
    filled(opened, source)
    off, on = (
        ("DROP TRIGGER fact_no_update", "SELECT 1")
        if source.url.startswith("sqlite")
        else ("ALTER TABLE fact DISABLE TRIGGER USER", "ALTER TABLE fact ENABLE TRIGGER USER")
    )
    journal = opened(source)
    for statement in (off, "UPDATE fact SET actor = 'mallory' WHERE position = 5", on):
        with journal._db.write() as connection:
            connection.execute(statement).fetchall()
    opened.leave()
    with pytest.raises(JournalUnsafe, match="cannot be trusted"):
        copy(opened, source, target)
    opened(source)


def test_a_value_that_the_key_file_does_not_open_stops_the_move(
    places: tuple[Where, Where], opened: Opened, tmp_path: Path
):
    source, target = places
    filled(opened, source)
    journal = opened(source)
    with journal._db.write() as connection:
        connection.execute("UPDATE sealed SET key_id = '00000000' WHERE destroyed_at IS NULL").fetchall()
    opened.leave()
    with pytest.raises(JournalUnsafe, match="sealed under key 00000000"):
        copy(opened, source, target)
    opened(source)


def test_where_there_is_no_journal_there_is_nothing_to_move(places: tuple[Where, Where], opened: Opened):
    source, target = places
    with pytest.raises(JournalAbsent, match="there is none"):
        copy(opened, source, target)


def test_a_journal_is_not_moved_onto_itself(places: tuple[Where, Where], opened: Opened):
    source, _ = places
    filled(opened, source)
    with pytest.raises(ConfigError, match="that is where it is"):
        copy(opened, source, source)


def test_what_was_sent_in_the_last_minutes_counts_by_the_new_clock(places: tuple[Where, Where], opened: Opened):
    source, target = places
    filled(opened, source)
    copy(opened, source, target)
    assert opened(target).budget("prod", 4, 300).remaining() == 1


@pytest.mark.postgres
def test_a_process_that_died_on_another_machine_may_have_left_a_value_there(tmp_path: Path, opened: Opened):
    source, target = server(tmp_path), file(tmp_path)
    filled(opened, source)
    elsewhere = PostgresPlace(source.url, tmp_path / "another machine")
    journal = opened(elsewhere, node="web2")
    journal._work.owners._lock.release()
    with journal._db.write() as connection:
        connection.execute("UPDATE process SET beat = beat - 60").fetchall()
    with pytest.raises(RotatorError, match=r"process \d+ on web2 ended without a word") as refused:
        copy(opened, source, target)
    assert "rotator once" in refused.value.remedy
    opened.leave()
    copy(opened, source, target)
