"""What stands beside the value, under the other managed keys."""

from dataclasses import replace

import pytest

from rotator.core.credential import TargetRef
from rotator.core.errors import Refused, Unavailable
from rotator.core.facts import Kind
from rotator.core.ports.target import Reading
from rotator.core.protocol.rules import Result, Sight
from rotator.core.secret import Secret
from rotator.engine.holding import desired, holder, literal_or, value_key
from rotator.engine.stands import stand
from rotator.testing.simulation.world import TUNING
from tests.unit.engine.bench import NAME, Bench, Derived, Key, published, stands

K, R = Kind, Result


def test_the_value_key_is_the_token_or_what_is_derived_from_it():
    assert value_key(Derived, Key({"X": "literal:a", "A": "token.value", "B": "r2.secret_access_key"})) == "A"
    assert value_key(Derived, Key({"X": "literal:a", "B": "r2.secret_access_key"})) == "B"


def test_a_literal_is_written_as_it_stands():
    assert literal_or({}, "literal:prod").reveal() == "prod"


def derived(bench):
    work = bench.work()
    work.bound = replace(work.bound, source=Derived(bench.door, NAME))
    return work


def test_a_derived_secret_tells_whose_it_is():
    bench = published()
    target = Key({"S": "r2.secret_access_key"})
    mine = Reading(version="1", values={"S": Secret("hash-of-" + bench.at("env"))})
    other = Reading(version="1", values={"S": Secret("else")})

    assert holder(derived(bench), target, mine) == (bench.view.fingerprint, bench.view.current)
    assert holder(derived(bench), target, other) == ("felse", "")


def test_an_unknown_derived_secret_cannot_be_proven_and_is_an_override():
    bench = published()
    bench.fleet.targets["env"] = Key({"S": "r2.secret_access_key"}, {"S": "else"})
    work = derived(bench)

    assert stand(work, "env").result is R.OVERRIDDEN


def rotated(bench):
    """A rotation went by and its old token is gone, with the key of its value; returns that value."""
    old = bench.at("vault")
    bench.tell(K.REQUEST, detail={"request_id": "q"})
    bench.run()
    bench.settle()
    del bench.world.store.values["f" + old]
    return old


def test_an_older_value_of_ours_is_written_over_although_it_cannot_be_opened_any_more():
    bench = published()
    old = rotated(bench)
    bench.put("env", old)

    assert stands(bench).result is R.OLDER
    bench.later(TUNING.watch)
    bench.settle()
    assert bench.at("env") == bench.at("vault") != old
    assert not bench.said("journal_unsafe")


def test_what_was_derived_from_an_older_value_is_known_although_it_cannot_be_opened_any_more():
    bench = published(derived=True)
    older = bench.fleet.targets["env"].values["S"]
    rotated(bench)
    target = bench.fleet.targets["env"]
    target.values = {"S": older}

    assert stands(bench).result is R.OLDER
    bench.later(TUNING.watch)
    bench.settle()
    assert target.values["S"] == "hash-of-" + bench.at("vault")


def test_a_value_that_was_never_written_and_cannot_be_opened_any_more_is_passed_over():
    bench = published()
    target = Key({"S": "r2.secret_access_key"})
    work = derived(bench)
    del bench.world.store.values[bench.view.fingerprint]

    with pytest.raises(Refused, match="its key was destroyed"):
        desired(work, target, bench.view.fingerprint)
    assert holder(work, target, Reading(version="1", values={"S": Secret("x")})) == ("fx", "")


def test_the_current_value_is_sealed_anew_where_the_journal_cannot_open_it_any_more():
    bench = published()
    value = bench.at("env")
    del bench.world.store.values["f" + value]

    assert stands(bench).result is R.CURRENT
    assert bench.journal.reveal(NAME, "f" + value).reveal() == value


def test_a_published_value_that_can_be_read_nowhere_is_rotated_away():
    bench = published(derived=True)
    before = bench.view.current
    bench.fleet.changes["targets"] = (TargetRef(name="env", type="f", place="env"),)
    bench.world.store.values.clear()
    bench.driver.memory(NAME).verified.clear()
    bench.later(TUNING.watch)
    bench.settle()

    assert bench.view.current != before
    assert bench.fleet.targets["env"].values["S"].startswith("hash-of-v")


def test_a_target_that_may_be_replaced_is_found_by_its_name():
    bench = Bench()
    refs = tuple(TargetRef(name=n, type="f", place=n, replace=n == "vault") for n in ("aws", "env", "vault"))
    bench.fleet.changes["targets"] = refs
    for name in ("env", "vault"):
        bench.put(name, bench.token("team copy").value)

    assert stands(bench, "env").result is R.OVERRIDDEN
    assert stands(bench, "vault").result is R.REPLACEABLE


def test_a_look_at_a_target_answers_whatever_happens():
    bench = Bench()
    bench.fails("read", Unavailable("reading env"))

    assert bench.look(Sight.STANDS, "env") is R.UNREADABLE
    assert bench.look(Sight.STANDS, "nowhere") is R.UNREADABLE
    assert bench.said("target_failed")
    assert bench.driver.memory(NAME).troubles["env", "read"].message == "reading env"
    assert bench.look(Sight.STANDS, "env") is not R.UNREADABLE
    assert bench.driver.memory(NAME).troubles == {}


def test_drift_is_said():
    bench = published()
    bench.put("env", None)

    assert bench.look(Sight.STANDS, "env") is R.ABSENT
    assert bench.said("target_drifted")[0]["holds"] == "absent"
