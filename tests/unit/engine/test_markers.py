"""A write-only target: what its marker proves, and what more the end of an old token needs."""

from dataclasses import replace

from rotator.core.errors import OutcomeUnknown, Refused, Unavailable
from rotator.core.facts import Kind
from rotator.core.protocol.rules import Result, Sight
from rotator.core.status import holds
from rotator.testing.simulation.timings import SETTLE
from tests.unit.engine.bench import Sink
from tests.unit.engine.marking import blind, published, restored_and_away, stands

K, R, S = Kind, Result, Sight


def test_a_publication_is_confirmed_once_its_marker_stood_for_the_settle_time():
    bench, sink = blind()
    bench.run()
    written = bench.now
    assert bench.view.opened.written == {"aws", "env", "vault"}
    assert bench.view.opened.read_back == {"aws", "vault"}

    bench.settle()
    assert bench.view.current
    assert bench.now >= written + SETTLE
    assert sink.writes == 1
    assert bench.view.marks["env"].stood


def test_what_stood_there_first_occupies_the_target_for_nobody_can_read_it():
    bench, sink = blind()
    sink.save("theirs")
    bench.later(10)

    assert stands(bench) is R.OVERRIDDEN
    assert bench.view.occupied == {"env"}
    bench.settle()
    assert sink.content == "theirs"


def test_it_may_be_replaced_where_the_target_says_so():
    bench, sink = blind(replace=True)
    sink.save("theirs")
    bench.later(10)
    bench.settle()

    assert sink.content == bench.at("vault")


def test_a_write_whose_answer_was_lost_is_written_again_and_never_taken_for_somebody_elses():
    bench, sink = blind(OutcomeUnknown("writing env"))
    bench.settle()

    assert sink.writes == 2
    assert sink.content == bench.at("vault")
    assert not bench.facts(K.OVERRIDDEN)
    assert bench.view.open_writes == {}


def test_a_write_that_leaves_the_marker_where_it_was_proves_nothing():
    bench, sink = published()
    sink.read = lambda: replace(Sink.read(sink), marker="7", version="7")
    shown = replace(bench.view.marks["env"], marker="7")
    bench.view.targets["env"] = replace(bench.view.at("env"), mark=shown)
    bench.tell(K.REQUEST, detail={"request_id": "q"})
    bench.run()

    assert "env" not in bench.view.opened.written
    assert bench.view.opened.failures["write", "env"]
    assert bench.view.open_writes


def test_a_marker_that_moves_before_it_stood_is_unknown_and_the_value_is_written_again():
    bench, sink = blind()
    bench.run()
    bench.later(20)
    sink.save("somebody else's")
    bench.settle()

    assert sink.content == bench.at("vault")
    assert sink.writes == 2
    assert not bench.facts(K.OVERRIDDEN)


def test_a_marker_that_moved_later_than_anything_of_ours_could_is_an_override_even_if_nobody_looked_meanwhile():
    bench, sink = blind()
    bench.run()
    assert not bench.view.marks["env"].stood
    bench.later(SETTLE + 30)
    sink.save("published by a journal that was lost")
    bench.later(9)

    assert stands(bench) is R.OVERRIDDEN


def test_a_marker_that_moves_later_is_an_override():
    bench, sink = published()
    sink.save("theirs")

    assert stands(bench) is R.OVERRIDDEN
    assert not holds(bench.view, "env")
    assert "cannot be read" in bench.view.what["env"]
    bench.tell(K.RESOLVED, detail={"how": "retry"})
    bench.later(700)
    bench.settle()
    bench.run()
    bench.later(70)
    bench.settle()
    assert sink.content == bench.at("vault")


def test_what_was_taken_away_is_written_again():
    bench, sink = published()
    sink.content = ""
    bench.later(700)
    bench.settle()
    bench.run()

    assert sink.content == bench.at("vault")


def test_no_other_value_follows_a_write_that_may_still_arrive():
    bench, sink = published()
    sink.errors = [OutcomeUnknown("writing env")]
    bench.tell(K.REQUEST, detail={"request_id": "q"})
    bench.run()
    lost = bench.now
    bench.record(K.DISPLACED, detail={"why": "a test"})
    for _ in range(40):
        bench.run()
        if sink.writes == 3:
            break
        bench.later(5)

    assert bench.now > lost + SETTLE


def test_a_token_whose_write_may_still_arrive_is_not_ended_until_a_later_write_stood():
    bench, sink = published()
    sink.errors = [OutcomeUnknown("writing env")]
    bench.tell(K.REQUEST, detail={"request_id": "q"})
    bench.run()
    lost = bench.view.opened.token_id
    bench.record(K.DISPLACED, detail={"why": "a test"})

    assert bench.look(S.UNPUBLISHED, lost) is R.BAD
    bench.settle(400)
    assert bench.view.marks["env"].stood
    assert not any(at[0] == "env" for at in bench.view.open_writes)


def refused():
    """Its write was refused, and its rotation closed by an operator."""
    bench, sink = published()
    sink.errors = [Refused("writing env: no")]
    bench.tell(K.REQUEST, detail={"request_id": "q"})
    bench.run()
    token, value = bench.view.opened.token_id, bench.at("vault")
    bench.record(K.DISPLACED, detail={"why": "a test", "closed": True})
    return bench, sink, token, value


def test_a_refusal_ends_nothing_for_a_copy_of_the_request_may_be_under_way():
    bench, sink, token, value = refused()
    assert ("env", token) in bench.view.open_writes

    bench.later(30)
    sink.save(value)  # the copy arrives
    assert stands(bench) is R.UNSURE
    bench.settle(400)
    assert not bench.facts(K.OVERRIDDEN)
    assert sink.content == bench.at("vault") != value


def test_grace_of_a_token_whose_write_may_have_arrived_counts_from_the_write_over_it():
    bench, sink, token, value = refused()
    bench.later(30)
    sink.save(value)
    bench.settle(400)

    assert not any(at[0] == "env" for at in bench.view.open_writes)
    assert bench.view.let_go[token] == bench.view.marks["env"].at >= sink.at


def test_a_marker_that_did_not_move_within_the_settle_time_says_that_nothing_arrived():
    bench, _, token, _ = refused()
    bench.later(SETTLE - 5)
    stands(bench)
    assert ("env", token) in bench.view.open_writes

    bench.later(10)
    assert stands(bench) is R.CURRENT
    assert bench.view.open_writes == {}
    assert bench.view.let_go[token] < bench.view.retirements[token].opened, "its grace is not counted anew"
    stands(bench)
    assert len([f for f in bench.facts(K.SEEN) if f.what.settled]) == 1, "it is said once"


def test_a_request_that_was_certainly_not_sent_leaves_nothing_open():
    bench, sink = published()
    sink.errors = [Unavailable("writing env: no connection")]
    bench.tell(K.REQUEST, detail={"request_id": "q"})
    sink.save = lambda content: None
    bench.run()

    assert not any(at[0] == "env" for at in bench.view.open_writes)


def test_a_value_that_was_written_may_arrive_once_more_until_its_marker_stood():
    bench, _ = published()
    bench.tell(K.REQUEST, detail={"request_id": "q"})
    bench.run()
    token = bench.view.opened.token_id
    assert "env" in bench.view.opened.written
    assert ("env", token) in bench.view.open_writes

    bench.later(SETTLE + 5)
    bench.run()
    assert bench.view.current == token
    assert bench.view.open_writes == {}


def test_after_a_restore_it_is_unknown_and_gets_a_value_that_is_certainly_new():
    bench, sink = published()
    sink.save("published after the backup")
    bench.later(10)
    bench.tell(K.AHEAD)
    before = bench.view.current

    assert stands(bench) is R.UNKNOWN
    while bench.view.current == before:
        bench.run()
        bench.later(5)
    assert sink.content == bench.at("vault")
    assert [f.what.terms.why for f in bench.facts(K.PLANNED)] == ["first", "unknown"]


def test_after_a_restore_an_optional_one_gets_the_first_value_that_is_newer():
    bench, sink, _ = restored_and_away()
    assert sink.content == "published after the backup"

    sink.errors.clear()
    bench.settle()
    assert sink.content == bench.at("vault")
