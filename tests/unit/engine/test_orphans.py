"""The sweep: tokens of ours that nothing owns. A fact condemns them; after a restore they are only reported."""

import pytest

from rotator.core.credential import Strategy
from rotator.core.errors import Unavailable
from rotator.core.facts import Kind
from rotator.core.protocol.rules import Result, Sight
from tests.unit.engine.bench import NAME, Bench, published

K, S, R = Kind, Sight, Result


def ours(bench, attempt="9", rid="r9", **more):
    return bench.token(f"{NAME}~{bench.world.instance}.{rid}.1.{attempt}", **more)


def test_tokens_of_others_are_no_orphans():
    bench = published()
    bench.token("team copy")
    bench.token(f"other~{bench.world.instance}.r9.1.1")
    bench.token(f"{NAME}~i77.r9.1.1")

    assert bench.look(S.ORPHANS) is R.GOOD
    assert not bench.facts(K.RETIREMENT)
    assert not bench.facts(K.AHEAD)


def test_a_twin_of_a_known_attempt_gets_a_retirement():
    bench = published()
    bench.later(5)
    twin = bench.token(next(iter(bench.view.attempts)), expires=1e6)

    bench.look(S.ORPHANS)
    assert twin.id in bench.view.retirements
    assert bench.said("orphan_found")
    assert bench.driver.memory(NAME).orphans == frozenset()


def test_a_twin_that_bears_the_former_name_of_a_renamed_credential_gets_one_too():
    bench = published()
    bench.later(5)
    twin = bench.token(next(iter(bench.view.attempts)), expires=1e6)
    bench.fleet.changes = {"name": "renamed"}

    bench.look(S.ORPHANS)
    assert twin.id in bench.view.retirements


def test_a_dead_twin_needs_none():
    bench = published()
    twin = bench.token(next(iter(bench.view.attempts)), status="expired")

    bench.look(S.ORPHANS)
    assert twin.id not in bench.view.retirements


def test_a_name_of_ours_that_the_journal_does_not_know_says_that_it_was_restored():
    bench = published()
    bench.later(5)
    unknown = ours(bench)

    bench.look(S.ORPHANS)
    assert bench.view.ahead
    assert bench.said("journal_behind")
    assert unknown.id not in bench.view.retirements
    assert bench.driver.memory(NAME).orphans == {unknown.id}


@pytest.mark.parametrize("strategy", [Strategy.RECREATE, Strategy.ROLL])
def test_an_orphan_ends_by_way_of_the_fact_that_condemns_it(strategy):
    bench = published(strategy=strategy)
    bench.later(5)
    twin = bench.token(next(iter(bench.view.attempts)), expires=1e6)
    bench.look(S.ORPHANS)
    bench.settle()

    told = [f.kind for f in bench.facts() if getattr(f.what, "token_id", "") == twin.id]
    assert told == [K.RETIREMENT, K.CONDEMNED, K.DISABLED, K.DELETED, K.RETIRED]
    assert twin.status == "deleted"
    assert bench.world.provider.tokens[bench.view.current].status == "active"


@pytest.mark.parametrize("strategy", [Strategy.RECREATE, Strategy.ROLL])
def test_after_a_restore_an_orphan_lives_however_often_it_is_swept_while_nobody_confirmed_it(strategy):
    bench = published(strategy=strategy)
    bench.later(5)
    unknown = ours(bench, expires=1e6)
    for _ in range(5):
        bench.look(S.ORPHANS)
        bench.run()
        bench.later(400)

    assert unknown.status == "active"
    assert bench.driver.memory(NAME).orphans == {unknown.id}
    assert not bench.facts(K.CONDEMNED, K.SUPERSEDED, K.DISABLED, K.DELETED)


@pytest.mark.parametrize("strategy", [Strategy.RECREATE, Strategy.ROLL])
def test_after_a_restore_orphans_are_only_reported_until_an_operator_confirmed_it(strategy):
    bench = published(strategy=strategy)
    bench.later(5)
    unknown = ours(bench)
    bench.look(S.ORPHANS)
    bench.later(5)
    bench.look(S.ORPHANS)
    assert not bench.view.retirements

    bench.tell(K.RESOLVED, detail={"how": "retry"})
    bench.look(S.ORPHANS)
    assert unknown.id in bench.view.retirements


def test_of_a_lost_journals_tokens_those_that_are_younger_than_the_confirmation_stay():
    bench = Bench()
    tok = bench.token(f"{NAME}~i9.r9.7.1", expires=1e6)
    for place in ("aws", "env", "vault"):
        bench.put(place, tok.value)
        bench.look(S.STANDS, place)
    bench.tell(K.RESOLVED, detail={"how": "retry"})
    bench.later(5)
    younger = bench.token(f"{NAME}~i9.r9.7.2")

    bench.look(S.ORPHANS)
    assert bench.view.current == tok.id
    assert not bench.view.retirements
    assert bench.driver.memory(NAME).orphans == {younger.id}


def test_no_list_is_no_finding():
    bench = published()
    bench.fails("list", Unavailable("listing"))

    assert bench.look(S.ORPHANS) is R.UNSURE
