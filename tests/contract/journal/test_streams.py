"""Streams: what is configured gets an id that survives renames and absences."""

from __future__ import annotations

from tests.contract.journal.benches import RealBench
from tests.contract.journal.drafts import claimed, planned


def test_registering_again_gives_the_same_ids(real: RealBench):
    journal = real.open()
    first = journal.streams.register([("a", "prod", None), ("b", "prod", None)])
    assert journal.streams.register([("b", "prod", None), ("a", "prod", None)]) == first
    assert len(set(first.values())) == 2


def test_a_renamed_credential_keeps_its_stream(real: RealBench):
    journal = real.open()
    old = journal.streams.register([("old", "prod", None)])["old"]
    assert journal.streams.register([("new", "prod", "old")]) == {"new": old}
    assert journal.streams.register([("new", "prod", "old")]) == {"new": old}, "the hint may stay in the configuration"


def test_a_rename_never_takes_the_stream_of_another_credential(real: RealBench):
    journal = real.open()
    before = journal.streams.register([("a", "prod", None), ("b", "prod", None)])
    after = journal.streams.register([("a", "prod", "b"), ("b", "prod", None)])
    assert after == before


def test_what_left_the_configuration_is_unmanaged_and_looked_at_once_more(real: RealBench):
    journal = real.open()
    ids = journal.streams.register([("a", "prod", None), ("b", "prod", None)])
    for stream in ids.values():
        journal.release(claimed(journal, stream), 1e9)
    assert journal.streams.register([("b", "prod", None)]) == {"b": ids["b"]}
    assert {s.name: s.managed for s in journal.streams.all() if s.kind == "credential"} == {"a": False, "b": True}
    assert [due.stream for due in journal.due("prod", 1, 9)] == [ids["a"]]
    assert journal.counts()["credentials"] == 1


def test_what_comes_back_to_the_configuration_finds_its_history(real: RealBench):
    journal = real.open()
    stream = journal.streams.register([("a", "prod", None)])["a"]
    journal.streams.register([])
    assert journal.streams.register([("a", "prod", None)]) == {"a": stream}
    assert journal.streams.all()[0].managed


def test_a_credential_that_moves_to_another_connection_is_due_there(real: RealBench):
    journal = real.open()
    stream = journal.streams.register([("a", "prod", None)])["a"]
    journal.release(claimed(journal, stream), 1e9)
    journal.streams.register([("a", "staging", None)])
    assert [due.stream for due in journal.due("staging", 1, 9)] == [stream]
    assert journal.due("prod", 1e12, 9) == []


def test_every_connection_has_one_stream_of_its_own(real: RealBench):
    journal = real.open()
    journal.streams.register([("prod", "prod", None), ("b", "prod", None)])
    first = journal.streams.connection("prod")
    assert journal.streams.connection("prod") == first
    assert journal.streams.connection("vault") != first
    assert sorted((s.kind, s.name) for s in journal.streams.all()) == [
        ("connection", "prod"),
        ("connection", "vault"),
        ("credential", "b"),
        ("credential", "prod"),
    ]


def test_the_holder_of_a_stream_is_shown(real: RealBench):
    stream = real.stream("a")
    journal = real.open()
    claimed(journal, stream)
    assert {s.name: (s.epoch, s.holder) for s in journal.streams.all()}["a"] == (1, journal.owner)


def test_a_rotation_belongs_to_the_stream_that_planned_it(real: RealBench):
    journal = real.open()
    ids = journal.streams.register([("a", "prod", None), ("b", "prod", None)])
    journal.append(claimed(journal, ids["b"]), planned(rid="r7"))
    assert journal.stream_of("r7") == ids["b"]
    assert journal.stream_of("r8") == ""
    journal.streams.register([("a", "prod", None)])
    assert journal.stream_of("r7") == ids["b"]
    assert journal.stream_of("r7", managed=True) == "", "it left the configuration"
