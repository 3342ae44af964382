"""What stands at a target at later looks."""

from dataclasses import replace

import pytest

from rotator.core.facts import Kind
from rotator.core.protocol.rules import Result
from rotator.core.status import holds
from tests.unit.engine.bench import NAME, Bench, Key, published, stands

K, R = Kind, Result


def test_the_current_value_stands_there_complete():
    found = stands(published())

    assert found.result is R.CURRENT
    assert found.complete


def test_an_older_value_of_ours_is_known():
    bench = published()
    old = bench.at("env")
    bench.tell(K.REQUEST, detail={"request_id": "q"})
    bench.run()
    bench.put("env", old)

    assert stands(bench).result is R.OLDER
    assert bench.view.last["env"] == bench.view.values["f" + old]


def test_a_value_of_ours_that_was_captured_and_never_published_is_made_known():
    bench = published()
    bench.captured()
    bench.record(K.DISPLACED)
    unpublished = bench.view.tokens[next(iter(bench.view.retirements))]
    bench.put("env", bench.world.provider.tokens[unpublished.id].value)

    assert stands(bench).result in (R.CURRENT, R.OLDER)
    assert bench.view.ever_published(unpublished.id)


def test_a_dead_value_of_ours_that_was_never_published_is_older():
    bench = published()
    bench.captured()
    bench.record(K.DISPLACED)
    token = bench.world.provider.tokens[next(iter(bench.view.retirements))]
    token.status = "expired"
    bench.put("env", token.value)
    results = []
    for _ in range(3):
        results.append(stands(bench).result)
        bench.later(60)

    assert results == [R.UNSURE, R.UNSURE, R.OLDER]


def test_an_operators_value_later_overrides_the_target():
    bench = published()
    bench.put("env", bench.token("team copy").value)

    assert stands(bench).result is R.OVERRIDDEN
    assert bench.view.overridden
    assert not bench.view.occupied


def test_an_override_that_was_taken_back_ends():
    bench = published()
    ours = bench.at("env")
    bench.put("env", bench.token("team copy").value)
    stands(bench)
    bench.put("env", ours)

    assert stands(bench).result is R.CURRENT
    assert not bench.view.overridden


def accepted():
    """An operator saved a value of his own at one target and said that it is right; returns ours and his."""
    bench = published()
    ours, theirs = bench.at("env"), bench.token("team copy").value
    bench.put("env", theirs)
    stands(bench)
    bench.tell(K.RESOLVED, detail={"how": "accept"})
    return bench, ours, theirs


def test_a_value_that_an_operator_accepted_is_left_alone():
    bench, _, theirs = accepted()
    bench.tell(K.REQUEST, detail={"request_id": "q"})
    bench.later(10)
    bench.settle()

    assert stands(bench).result is R.HEEDED
    assert bench.at("env") == theirs
    assert bench.view.rotations == 1


def test_where_our_value_stands_again_an_acceptance_is_over():
    bench, ours, _ = accepted()
    bench.put("env", ours)

    assert stands(bench).result is R.CURRENT
    assert not bench.view.heeded


def test_where_an_accepted_value_was_taken_away_ours_is_published_again():
    bench, ours, _ = accepted()
    bench.put("env", None)
    bench.later(700)
    bench.settle()

    assert not bench.view.heeded
    bench.run()
    assert bench.at("env") == ours


def test_another_value_in_place_of_an_accepted_one_is_asked_about_again():
    bench, _, theirs = accepted()
    bench.put("env", bench.token("another").value)
    assert stands(bench).result is R.OVERRIDDEN

    bench.put("env", theirs)
    assert stands(bench).result is R.OVERRIDDEN, "the first answer was about another moment"
    assert bench.view.overridden == {"env": "f" + theirs}


def test_another_value_in_place_of_an_accepted_one_can_be_overwritten():
    bench, ours, _ = accepted()
    bench.put("env", bench.token("another").value)
    stands(bench)
    bench.tell(K.RESOLVED, detail={"how": "retry"})
    bench.later(700)
    bench.settle()
    bench.run()

    assert bench.at("env") == ours


def test_the_token_named_for_adoption_is_taken_over_where_an_operator_says_that_it_is_right():
    bench = published()
    named = bench.token("a person's")
    bench.world.adopts[NAME] = named.id
    bench.put("env", named.value)
    assert stands(bench).result is R.OVERRIDDEN
    bench.tell(K.RESOLVED, detail={"how": "accept"})

    assert stands(bench).result is R.CURRENT
    assert bench.view.current == named.id


def test_the_token_named_for_adoption_is_taken_over_once():
    bench = Bench(adopted=True)
    bench.settle()
    bench.tell(K.REQUEST, detail={"request_id": "q"})
    bench.settle()
    old = bench.world.provider.tokens[bench.world.adopts[NAME]]
    assert bench.view.current != old.id
    bench.put("env", old.value)

    assert stands(bench).result is not R.CURRENT
    assert bench.view.current != old.id


def test_a_value_of_ours_that_is_older_than_the_current_one_is_only_known():
    bench = published()
    older = bench.token(f"{NAME}~i1.r0.1.1", born=1.0)
    bench.put("env", older.value)

    assert stands(bench).result is R.OLDER
    assert bench.view.values["f" + older.value] == older.id
    assert bench.view.current != older.id


BESIDE = {"A": "token.value", "ID": "token.id", "ACCOUNT": "account.id", "STAGE": "literal:prod"}


def beside(**first):
    """A target with ids and a literal beside the value, published over what stood there first."""
    bench = Bench(keys=BESIDE)
    bench.fleet.targets["env"].values = first
    return bench, bench.fleet.targets["env"]


def test_ids_and_literals_are_published_with_the_value():
    bench, target = beside()
    bench.settle()

    assert target.values["ID"] == bench.view.current
    assert (target.values["ACCOUNT"], target.values["STAGE"]) == ("our-account", "prod")
    assert stands(bench).complete


@pytest.mark.parametrize("key", ["ACCOUNT", "STAGE", "ID"])
def test_a_foreign_content_beside_an_absent_value_occupies_the_target_at_first_sight(key):
    bench, target = beside(**{key: "somebody's"})

    assert stands(bench).result is R.OVERRIDDEN
    assert stands(bench).result is R.OVERRIDDEN
    assert bench.view.occupied == {"env"}
    assert key in bench.view.what["env"]
    assert target.values == {key: "somebody's"}

    bench.tell(K.RESOLVED, detail={"how": "retry"})
    bench.later(700)
    bench.settle()
    assert target.values[key] != "somebody's"
    assert stands(bench).complete


def test_a_foreign_content_that_is_taken_away_ends_the_occupation():
    bench, target = beside(ACCOUNT="somebody's")
    stands(bench)
    target.values = {}

    assert stands(bench).result is R.ABSENT
    assert not bench.view.overridden


@pytest.mark.parametrize("content", ["our-account", "changeme"])
def test_our_own_id_and_a_placeholder_beside_an_absent_value_are_no_hindrance(content):
    bench, target = beside(ACCOUNT=content, A="changeme")
    bench.settle()

    assert target.values["ACCOUNT"] == "our-account"
    assert stands(bench).complete


def test_one_decision_is_about_all_that_is_not_ours_at_a_target():
    bench, target = beside()
    bench.settle()
    target.values |= {"A": "hunter2", "ACCOUNT": "somebody's"}
    assert stands(bench).result is R.OVERRIDDEN
    bench.tell(K.RESOLVED, detail={"how": "retry"})
    bench.later(700)
    bench.settle()
    bench.run()

    assert target.values["ACCOUNT"] == "our-account"
    assert stands(bench).complete


def test_a_target_that_may_be_replaced_is_replaced_with_all_its_managed_keys():
    bench, target = beside(ACCOUNT="somebody's", A="hunter2")
    bench.world.scenario = replace(bench.world.scenario, replace=True)
    bench.settle()

    assert target.values["ACCOUNT"] == "our-account"
    assert stands(bench).complete


def test_a_managed_key_beside_the_value_that_was_taken_away_is_ours_to_heal():
    bench, target = beside()
    bench.settle()
    del target.values["ACCOUNT"]

    found = stands(bench)
    assert found.result is R.OLDER
    assert not found.complete
    assert not holds(bench.view, "env")


def test_a_literal_that_the_operator_changes_in_the_configuration_is_written_over():
    bench, target = beside()
    bench.settle()
    target.keys = {**BESIDE, "STAGE": "literal:test"}
    assert stands(bench).result is R.OLDER
    bench.later(700)
    bench.settle()
    bench.run()

    assert target.values["STAGE"] == "test"
    assert stands(bench).complete


def test_a_literal_that_was_found_as_it_should_be_is_ours_from_then_on():
    bench = published()
    value = bench.at("env")
    target = Key({"A": "token.value", "B": "literal:prod"}, {"A": value, "B": "prod"})
    bench.fleet.targets["env"] = target
    assert stands(bench).result is R.CURRENT
    target.keys = {"A": "token.value", "B": "literal:test"}

    assert stands(bench).result is R.OLDER


def test_a_foreign_content_beside_our_value_is_left_and_reported():
    bench, target = beside()
    bench.settle()
    target.values["ACCOUNT"] = "somebody's"

    found = stands(bench)
    assert found.result is R.CURRENT
    assert found.complete
    assert bench.view.strange["env"].keys() == {"ACCOUNT"}
    assert not holds(bench.view, "env")


def test_a_foreign_content_beside_our_value_never_stops_the_value():
    bench, target = beside()
    bench.settle()
    before = target.values["A"]
    target.values["ACCOUNT"] = "somebody's"
    bench.tell(K.REQUEST, detail={"request_id": "q"})
    bench.settle()

    assert target.values["A"] == bench.at("vault") != before
    assert target.values["ID"] == bench.view.current
    assert target.values["ACCOUNT"] == "somebody's"
    bench.tell(K.RESOLVED, detail={"how": "retry"})
    bench.later(700)
    bench.settle()
    bench.run()
    assert target.values["ACCOUNT"] == "our-account"
    assert holds(bench.view, "env")


def test_the_token_named_for_adoption_later_is_somebodys_override():
    bench = published()
    tok = bench.token("by hand")
    bench.world.adopts[NAME] = tok.id
    bench.put("env", tok.value)

    assert stands(bench).result is R.OVERRIDDEN
