"""What stands at a target, and whose it is."""

from dataclasses import replace

import pytest

from rotator.core import encoding
from rotator.core.credential import NEVER, Policy, TargetRef, Terms
from rotator.core.errors import Refused, Unavailable
from rotator.core.facts import Kind
from rotator.core.ports.target import Reading
from rotator.core.protocol.rules import Result, Sight
from rotator.core.secret import Secret
from rotator.core.status import holds
from rotator.engine.holding import desired, holder, literal_or, value_key
from rotator.engine.stands import stand
from rotator.testing.simulation.world import TUNING
from tests.unit.engine.bench import NAME, Bench, Derived, Key, published

K, R = Kind, Result


def stands(bench, name="env"):
    return stand(bench.work(), name)


# --- first sight


def test_an_absent_key_is_journaled_as_a_baseline():
    bench = Bench()

    assert stands(bench).result is R.ABSENT
    assert bench.view.baselines == {"env"}
    assert bench.said("target_baseline")


def test_the_value_of_the_adopted_token_becomes_the_current_one():
    bench = Bench(adopted=True)
    token = bench.world.adopts[NAME]

    assert stands(bench).result is R.CURRENT
    assert bench.view.current == token
    assert bench.view.tokens[token].adopted
    assert bench.journal.reveal(NAME, bench.view.fingerprint).reveal() == bench.at("env")
    assert bench.said("value_adopted")
    assert not bench.view.ahead


def test_a_token_of_our_name_that_the_journal_does_not_know_is_adopted_and_counting_goes_on_above_it():
    bench = Bench()
    tok = bench.token(f"{NAME}~i9.r9.41.1", expires=9000.0)
    bench.put("env", tok.value)

    found = stands(bench)

    assert found.result is R.CURRENT
    assert bench.view.current == tok.id
    assert bench.view.ahead, "the journal was lost"
    assert bench.view.expires_at(tok.id) == 9000
    assert bench.world.store.leases[NAME].epoch > 41
    assert bench.said("journal_behind")


def test_a_foreign_value_occupies_the_target():
    bench = Bench()
    bench.put("env", bench.token("team copy").value)

    assert stands(bench).result is R.OVERRIDDEN
    assert bench.view.occupied == {"env"}
    assert bench.view.baselines == {"env"}
    assert bench.said("target_overridden")


def test_an_override_is_said_once():
    bench = Bench()
    bench.put("env", bench.token("team copy").value)
    stands(bench)
    stands(bench)

    assert len(bench.said("target_overridden")) == 1
    assert len(bench.facts(K.OVERRIDDEN)) == 1


def test_a_foreign_value_may_be_replaced_where_the_target_says_so():
    bench = Bench(replace=True)
    bench.put("env", bench.token("team copy").value)

    assert stands(bench).result is R.REPLACEABLE
    assert bench.view.allowed
    assert stands(bench).result is R.REPLACEABLE


def test_a_text_of_another_shape_occupies_the_target_at_once_and_is_sent_to_nobody():
    bench = Bench()
    bench.put("env", "hunter2")
    bench.fails("verify", AssertionError("it was sent to the provider"))

    assert stands(bench).result is R.OVERRIDDEN
    assert bench.view.occupied == {"env"}
    assert bench.view.what["env"] == f"{NAME} holds something else"


def test_a_placeholder_is_published_over_at_once():
    bench = Bench()
    bench.put("env", "changeme")

    assert stands(bench).result is R.REPLACEABLE
    bench.settle()
    assert bench.at("env") == bench.at("vault")


def test_a_placeholder_that_stands_there_later_is_somebodys_edit():
    bench = published()
    bench.put("env", "changeme")

    assert stands(bench).result is R.OVERRIDDEN


def test_the_placeholder_of_the_first_sight_may_be_written_over_again():
    bench = Bench()
    bench.put("env", "changeme")
    bench.settle()
    bench.put("env", "changeme")

    assert stands(bench).result is R.REPLACEABLE


def test_a_value_that_the_provider_refuses_is_never_called_dead():
    bench = Bench()
    bench.put("env", "v999")
    for _ in range(5):
        assert stands(bench).result is R.OVERRIDDEN
        bench.later(100)

    assert bench.view.occupied == {"env"}


def test_an_own_shaped_value_is_asked_about_at_every_watch_for_ten_minutes_and_then_hourly():
    bench, asked = Bench(), []
    bench.put("env", "v999")

    def count(effect):
        asked.append(bench.now)

    bench.fails("verify", *[count] * 99)
    for _ in range(60):
        stands(bench)
        bench.later(200)

    assert asked[:4] == [1000.0, 1200.0, 1400.0, 1600.0]
    assert asked[4:] == [5200.0, 8800.0, 12400.0]


def test_an_answer_that_makes_an_unknown_value_ours_ends_the_override_by_itself():
    bench = Bench()
    tok = bench.token(f"{NAME}~i9.r9.41.1")
    bench.put("env", tok.value)
    bench.fails("verify", lambda effect: None)
    assert stands(bench).result is R.OVERRIDDEN

    bench.later(200)
    assert stands(bench).result is R.CURRENT
    assert bench.view.current == tok.id
    assert not bench.view.overridden
    assert not bench.view.occupied


def test_an_older_value_of_ours_ends_the_override_by_itself():
    bench = published()
    older = bench.token(f"{NAME}~i1.r0.1.1", born=1.0)
    bench.put("env", older.value)
    bench.fails("verify", lambda effect: None)
    assert stands(bench).result is R.OVERRIDDEN

    bench.later(200)
    assert stands(bench).result is R.OLDER
    assert not bench.view.overridden


def test_the_token_to_be_taken_over_is_taken_over_late_where_it_was_refused_at_first():
    bench = Bench(adopted=True)
    bench.fails("verify", lambda effect: None)
    assert stands(bench).result is R.OVERRIDDEN

    bench.later(200)
    assert stands(bench).result is R.CURRENT
    assert bench.view.current == bench.world.adopts[NAME]


def test_while_the_control_token_is_refused_a_refusal_decides_nothing():
    bench = Bench()
    bench.put("env", "v999")
    work = bench.work()
    work.bound = replace(work.bound, source=_uncontrolled(bench))
    for _ in range(5):
        assert stand(work, "env").result is R.UNSURE
        bench.later(100)
    assert bench.facts() == []


def test_without_a_usable_answer_a_later_value_is_unknown_and_so_not_in_sync():
    bench = published()
    bench.put("env", "v999")
    bench.fails("verify", Unavailable("verifying"))
    with pytest.raises(Unavailable):
        stands(bench)

    assert not holds(bench.view, "env")
    assert not bench.view.overridden


def _uncontrolled(bench):
    source = Derived(bench.door, NAME)
    source.control = lambda: False
    return source


def test_a_value_that_verifies_but_whose_token_get_does_not_know_stays_in_doubt():
    bench = Bench()
    bench.put("env", bench.token("team copy").value)
    bench.fails("get", lambda effect: None)

    assert stands(bench).result is R.UNSURE
    assert bench.facts() == []


def test_without_an_answer_nothing_is_journaled():
    bench = Bench()
    bench.fails("read", Unavailable("reading env"))

    with pytest.raises(Unavailable):
        stands(bench)
    assert bench.facts() == []


# --- later


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


# --- keys


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


# --- a value of another credential of ours


def neighbours():
    """Two credentials; the value of `c1` stands at a target of `c0`."""
    bench = Bench(credentials=2)
    bench.settle()
    theirs = bench.world.provider.make("c1", "c1~i1.r7.1.1", NEVER)
    lease = bench.journal.claim("c1")
    value = {"token_id": theirs.id, "token_name": theirs.name, "fingerprint": "f" + theirs.value}
    bench.journal.append(lease, encoding.draft(K.ADOPTED, at=bench.now, **value), Secret(theirs.value))
    bench.put("env", theirs.value)
    return bench, theirs, lambda **more: bench.journal.append(lease, encoding.draft(at=bench.now, **more))


def test_a_living_value_of_another_credential_is_left_and_its_token_is_not_retired():
    bench, theirs, _ = neighbours()
    bench.fails("verify", AssertionError("the journal knows whose it is"))

    assert stands(bench).result is R.OVERRIDDEN
    assert "another credential" in bench.view.what["env"]
    assert bench.world.view("c1").held[theirs.id] == {NAME: {"env"}}
    stands(bench)
    assert len(bench.facts(K.HELD)) == 1


def test_another_credentials_token_is_free_again_where_its_value_is_gone():
    bench, _, _ = neighbours()
    stands(bench)
    bench.put("env", None)
    stands(bench)

    assert not bench.world.view("c1").held
    assert not bench.view.guests


def test_a_value_of_another_credential_whose_token_is_gone_is_written_over():
    bench, theirs, tell = neighbours()
    tell(kind=K.ADOPTED, token_id="t99", fingerprint="fv99", target="vault")
    for kind in (K.SUPERSEDED, K.DISABLED, K.DELETED, K.RETIRED):
        tell(kind=kind, token_id=theirs.id)

    assert stands(bench).result is R.REPLACEABLE
    assert not bench.view.overridden


def test_a_value_of_another_credential_that_left_this_place_is_written_over():
    bench, _, tell = neighbours()
    tell(kind=K.TARGET_RELEASED, target="file", detail={"place": "env"})

    assert stands(bench).result is R.REPLACEABLE


def terms():
    return Terms(policy=Policy(), targets=frozenset({"env"}), required=frozenset({"env"}))


def test_a_token_that_another_credential_minted_is_not_taken_over():
    bench, theirs, tell = neighbours()
    bench.world.adopts[NAME] = theirs.id
    bench.put("env", None)
    bench.put("vault", bench.rolled(theirs.id).reveal())
    rid = {"rid": "r7", "token_name": "c1~i1.r7.1.1"}
    tell(kind=K.PLANNED, rid="r7", detail=terms().to_json())
    tell(kind=K.INTENT, attempt=1, **rid)

    assert stands(bench, "vault").result is R.OVERRIDDEN
    assert bench.view.current != theirs.id
