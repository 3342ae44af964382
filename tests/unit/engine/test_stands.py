"""What stands at a target, and whose it is."""

from dataclasses import replace

import pytest

from rotator.core import encoding
from rotator.core.credential import NEVER, Policy, Terms
from rotator.core.errors import Unavailable
from rotator.core.facts import Kind
from rotator.core.protocol.rules import Result
from rotator.core.secret import Secret
from rotator.core.status import holds
from rotator.engine.stands import stand
from tests.unit.engine.bench import NAME, Bench, Derived, published, stands

K, R = Kind, Result


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
