"""Leases: one process works on a stream, the dead and the stopped lose it, and the epoch tells them apart."""

from __future__ import annotations

import pytest

from rotator.core.errors import Fenced, Unavailable
from tests.contract.journal.benches import Bench, RealBench, SqliteBench
from tests.contract.journal.drafts import claimed, planned, seen


def test_a_lease_names_its_stream_and_counts_from_one(bench: Bench):
    lease = claimed(bench.open(), bench.stream("a"))
    assert (lease.stream, lease.epoch) == (bench.stream("a"), 1)


def test_claiming_again_renews_the_same_lease(bench: Bench):
    journal, stream = bench.open(), bench.stream("a")
    assert claimed(journal, stream) == claimed(journal, stream)


def test_nobody_gets_the_lease_of_a_living_process(bench: Bench):
    one, two, stream = bench.open(), bench.open(), bench.stream("a")
    claimed(one, stream)
    bench.advance(29)
    assert two.claim(stream) is None


def test_the_lease_of_a_dead_process_is_taken_over_at_once_under_a_higher_epoch(bench: Bench):
    one, two, stream = bench.open(), bench.open(), bench.stream("a")
    dead = claimed(one, stream)
    bench.kill(one)
    assert claimed(two, stream).epoch > dead.epoch


def test_the_lease_of_a_stopped_process_is_taken_over_after_its_time(bench: Bench):
    one, two, stream = bench.open(), bench.open(), bench.stream("a")
    stopped = claimed(one, stream)
    bench.advance(31)
    taken = claimed(two, stream)
    assert taken.epoch > stopped.epoch
    with pytest.raises(Fenced):
        one.append(stopped, planned())
    with pytest.raises(Fenced):
        one.check(stopped)
    assert one.claim(stream) is None
    assert two.view(stream).position == 0


def test_checking_a_lease_renews_it(bench: Bench):
    one, two, stream = bench.open(), bench.open(), bench.stream("a")
    lease = claimed(one, stream)
    for _ in range(4):
        bench.advance(20)
        one.check(lease)
    assert two.claim(stream) is None


def test_a_lease_that_ran_out_is_still_good_while_nobody_took_it(bench: Bench):
    journal, stream = bench.open(), bench.stream("a")
    lease = claimed(journal, stream)
    bench.advance(300)
    journal.check(lease)
    assert journal.append(lease, planned()).position == 1


def test_leases_of_different_streams_do_not_touch(bench: Bench):
    one, two = bench.open(), bench.open()
    claimed(one, bench.stream("a"))
    assert two.claim(bench.stream("b")) is not None


def test_the_epoch_goes_on_above_one_that_was_seen_outside(bench: Bench):
    journal, stream = bench.open(), bench.stream("a")
    old = claimed(journal, stream)
    raised = journal.raise_epoch(old, 41)
    assert raised.epoch > 41
    journal.append(raised, seen())
    with pytest.raises(Fenced):
        journal.append(old, seen())


def test_a_place_has_one_writer_at_a_time(bench: Bench):
    one, two = bench.open(), bench.open()
    ours, theirs = claimed(one, bench.stream("a")), claimed(two, bench.stream("b"))
    with one.place(ours, "/srv/.env"):
        with pytest.raises(Unavailable), two.place(theirs, "/srv/.env"):
            pass
        with two.place(theirs, "/srv/other.env"):
            pass
    with two.place(theirs, "/srv/.env"):
        pass


def test_a_place_has_one_writer_at_a_time_also_within_one_process(bench: Bench):
    journal = bench.open()
    ours, theirs = claimed(journal, bench.stream("a")), claimed(journal, bench.stream("b"))
    with journal.place(ours, "/srv/.env"), pytest.raises(Unavailable), journal.place(theirs, "/srv/.env"):
        pass


def test_a_killed_writer_leaves_its_place_free(bench: Bench):
    one, two = bench.open(), bench.open()
    one.place(claimed(one, bench.stream("a")), "/srv/.env").__enter__()
    theirs = claimed(two, bench.stream("b"))
    bench.kill(one)
    with two.place(theirs, "/srv/.env"):
        pass


def test_a_released_lease_is_free_and_its_holder_fenced(real: RealBench):
    one, two, stream = real.open(), real.open(), real.stream("a")
    lease = claimed(one, stream)
    one.release(lease, None)
    taken = claimed(two, stream)
    assert taken.epoch > lease.epoch
    with pytest.raises(Fenced):
        one.append(lease, planned())


def test_releasing_a_lease_that_is_somebody_elses_changes_nothing(real: RealBench):
    one, two, stream = real.open(), real.open(), real.stream("a")
    lost = claimed(one, stream)
    real.advance(31)
    lease = claimed(two, stream)
    one.release(lost, 5000.0, "late")
    two.check(lease)
    assert [(s.next_at, s.why) for s in two.streams.all() if s.id == stream] == [(0.0, "")]


def test_leases_of_an_earlier_boot_are_free(sqlite: SqliteBench):
    one, two, stream = sqlite.open(), sqlite.open(), sqlite.stream("a")
    before = claimed(one, stream)
    sqlite.clock.boot_name, sqlite.clock.seconds = "boot-two", 5.0
    assert claimed(two, stream).epoch == before.epoch + 1


def test_a_fenced_process_writes_to_no_place(real: RealBench):
    one, two, stream = real.open(), real.open(), real.stream("a")
    lost = claimed(one, stream)
    real.advance(31)
    claimed(two, stream)
    with pytest.raises(Fenced), one.place(lost, "/srv/.env"):
        pass


def test_a_writer_waits_a_little_for_its_place(sqlite: SqliteBench):
    one, two = sqlite.open(), sqlite.open(patience=5.0)
    ours, theirs = claimed(one, sqlite.stream("a")), claimed(two, sqlite.stream("b"))
    held = one.place(ours, "/srv/.env")
    held.__enter__()
    waited = sqlite.clock.wait

    def leave(seconds: float) -> bool:
        held.__exit__(None, None, None)
        return waited(seconds)

    sqlite.clock.wait = leave  # type: ignore[method-assign]
    with two.place(theirs, "/srv/.env"):
        pass


def test_a_process_that_leaves_gives_everything_back(sqlite: SqliteBench):
    stream = sqlite.stream("a")
    with sqlite.opening() as journal:
        first = claimed(journal, stream)
        journal.place(first, "/srv/.env").__enter__()
    other = sqlite.open()
    lease = claimed(other, stream)
    assert lease.epoch == first.epoch + 1
    with other.place(lease, "/srv/.env"):
        pass
    assert sorted(p.name for p in sqlite.path.parent.glob("*-process-*")) == [f"state.db-process-{other.owner}"]
