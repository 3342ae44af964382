"""The end of an old token at targets that only show a marker."""

from dataclasses import replace

import pytest

from rotator.core.credential import Can
from rotator.core.errors import IllegalFact
from rotator.core.facts import Acknowledged, Draft, Kind
from rotator.core.protocol.rules import Result, Sight
from rotator.engine.markers import let_go
from rotator.testing.simulation.timings import GRACE
from tests.unit.engine.bench import NAME
from tests.unit.engine.marking import asked, blind, published, restored_and_away, stands

K, R, S = Kind, Result, Sight


def ack(bench, generation):
    return Draft(what=Acknowledged(target="env", generation=generation), at=bench.now, actor="app")


def test_after_a_restore_an_older_token_lives_while_an_optional_one_may_hold_it():
    bench, sink, old = restored_and_away()
    assert bench.look(S.UNPUBLISHED, old) is R.BAD

    sink.errors.clear()
    bench.settle()
    assert bench.look(S.UNPUBLISHED, old) is R.GOOD


def test_while_it_may_hold_the_old_value_the_old_token_lives():
    bench, sink = published()
    old = asked(bench)
    bench.later(GRACE + 1)
    sink.save("who knows what")

    assert bench.look(S.UNPUBLISHED, old) is R.BAD


def test_an_optional_one_that_somebody_wrote_to_may_hold_what_we_wrote_there_before():
    bench, sink = blind(optional=("env",))
    bench.settle()
    old = asked(bench)
    bench.later(GRACE + 1)
    sink.save("who knows what")

    assert stands(bench) is R.OVERRIDDEN
    assert bench.look(S.UNPUBLISHED, old) is R.BAD


def accepted():
    """Somebody wrote over the old token's successor, and an operator said that it is right."""
    bench, sink = published()
    old = asked(bench)
    bench.journal.note(NAME, ack(bench, 2))
    sink.save("who knows what")
    assert stands(bench) is R.OVERRIDDEN
    bench.tell(K.RESOLVED, detail={"how": "accept"})
    bench.later(GRACE + 1)
    return bench, sink, old


def test_what_an_operator_left_alone_may_be_the_old_value_until_a_consumer_says_what_it_uses():
    bench, _, old = accepted()
    assert stands(bench) is R.HEEDED
    assert bench.look(S.UNPUBLISHED, old) is R.BAD, "the word was said of what stood there before"

    bench.journal.note(NAME, ack(bench, 1))
    assert bench.look(S.UNPUBLISHED, old) is R.BAD, "the consumer uses the old one"

    bench.journal.note(NAME, ack(bench, 2))
    assert bench.look(S.UNPUBLISHED, old) is R.GOOD


@pytest.mark.parametrize("restored", [False, True])
def test_a_word_about_a_publication_after_a_restore_speaks_of_tokens_whose_generation_is_lost(restored):
    bench, sink = published()
    if restored:
        bench.later(10)
        bench.tell(K.AHEAD)
        bench.later(10)
    asked(bench)
    sink.save("who knows what")
    assert stands(bench) is R.OVERRIDDEN
    bench.tell(K.RESOLVED, detail={"how": "accept"})

    told = []
    for generation in (1, 2):
        bench.journal.note(NAME, ack(bench, generation))
        told.append(let_go(bench.work(), "env", sink.read(), "lost"))
    assert told == [None, True if restored else None]


def test_grace_of_every_old_token_counts_from_the_write_over_what_nobody_knows():
    bench, sink = published()
    old = asked(bench)
    bench.later(GRACE / 2)
    sink.save(bench.at("vault"))
    stands(bench)
    bench.tell(K.RESOLVED, detail={"how": "retry"})
    bench.later(700)
    bench.run()

    assert bench.view.let_go[old] == sink.at


def test_from_the_last_write_on_nothing_of_ours_uses_the_old_value():
    bench, _ = published()
    bench.tell(K.REQUEST, detail={"request_id": "q"})
    bench.run()
    assert bench.view.opened.written == {"aws", "env", "vault"}
    bench.driver.memory(NAME).verified.clear()
    bench.fails("verify", AssertionError("the old value was used"))

    assert bench.look(S.ALIVE, bench.view.fingerprint) is R.GOOD


def drained(quiet=0.0, **can):
    bench, _ = blind()
    bench.world.scenario = replace(bench.world.scenario, quiet=quiet, can=Can(**can))
    bench.settle()
    old = asked(bench)
    bench.later(GRACE + 60)
    bench.run()
    bench.later(GRACE + 60)
    bench.run()
    return bench, old


@pytest.mark.parametrize("can", [{}, {"last_use": False}])
def test_without_a_sight_of_silence_the_old_token_waits_for_a_consumers_word(can):
    bench, old = drained(**can)
    assert bench.view.retirements[old].step is K.RETIREMENT
    assert bench.run().step.why[old].why == "unacknowledged"

    for generation, step in ((1, K.RETIREMENT), (2, K.SUPERSEDED)):
        bench.journal.note(NAME, ack(bench, generation))
        bench.later(GRACE)
        bench.run()
        assert (old not in bench.view.retirements or bench.view.retirements[old].step is not K.RETIREMENT) == (
            step is K.SUPERSEDED
        )


def test_silence_that_was_seen_is_enough():
    bench, old = drained(quiet=300.0)

    assert old in bench.view.marked


def test_a_word_about_a_generation_that_was_never_published_is_refused():
    bench, _ = published()

    with pytest.raises(IllegalFact, match="never published"):
        bench.journal.note(NAME, ack(bench, 2))


def test_a_word_never_takes_a_newer_one_back():
    bench, _ = published()
    asked(bench)
    for generation in (2, 1):
        bench.journal.note(NAME, ack(bench, generation))

    assert bench.view.acks == {"env": 2}
