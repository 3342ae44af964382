"""Looks: every one answers, whatever the other side does."""

import pytest

from rotator.core.credential import Strategy
from rotator.core.errors import Barred, JournalUnsafe, RateLimited, Refused, Unavailable
from rotator.core.facts import Captured, Kind
from rotator.core.ports.target import Remark
from rotator.core.protocol.rules import Result, Sight
from rotator.testing.simulation.ports import SimSource
from tests.unit.engine.bench import NAME, Bench, Key, current, listed, published

K, S, R = Kind, Sight, Result


NO_ANSWER = [Unavailable("asking"), Refused("asking"), RateLimited("asking", 300.0)]


def test_there_is_room_while_the_journal_holds_a_canary():
    assert Bench().look(S.ROOM) is R.GOOD


def test_a_full_disk_is_no_room():
    bench = Bench()
    bench.fails("canary", JournalUnsafe("the disk is full"))

    assert bench.look(S.ROOM) is R.BAD
    assert bench.said("journal_unsafe")


@pytest.mark.parametrize(("broken", "result"), [(0, R.GOOD), (1, R.SOME), (3, R.BAD)])
def test_targets_are_asked_whether_they_take_a_write(broken, result):
    bench = Bench()
    bench.planned()
    bench.fails("check", *[Unavailable("checking")] * broken)

    assert bench.look(S.WRITABLE) is result
    assert len(bench.said("target_failed")) == broken


def test_why_a_target_takes_no_write_is_remembered_until_it_does():
    bench = Bench()
    bench.planned()
    bench.fails("check", Refused("checking env: read-only", "mount it writable"))
    bench.look(S.WRITABLE)

    (trouble,) = bench.driver.memory(NAME).troubles.values()
    assert (trouble.act, trouble.message, trouble.remedy) == ("check", "checking env: read-only", "mount it writable")
    bench.look(S.WRITABLE)
    assert bench.driver.memory(NAME).troubles == {}


def test_what_a_preflight_remarks_is_said_once_for_as_long_as_it_is_so():
    bench = Bench()
    wide = Key({"TOKEN": "token.value"}, remarks=(Remark(code="readable_by_others", message="env: anybody may read"),))
    bench.fleet.targets["env"] = wide
    bench.planned()

    def told():
        bench.look(S.WRITABLE)
        return [(one["target"], one["code"], one["reason"]) for one in bench.said("config_warning")]

    first = ("env", "readable_by_others", "env: anybody may read")
    assert (told(), told()) == ([first], [first])
    wide.remarks = ()
    assert told() == [first]
    wide.remarks = (Remark(code="readable_by_others", message="env: anybody may read"),)
    assert told() == [first, first]


def test_a_remark_about_a_place_that_has_a_target_of_its_own_is_void():
    bench = Bench()
    remark = Remark(code="shadowed", message="env: .dev.vars is read instead", about="/app/.dev.vars")
    bench.fleet.targets["env"] = Key({"TOKEN": "token.value"}, remarks=(remark,))
    bench.fleet.served = {"/app/.dev.vars"}
    bench.planned()
    bench.look(S.WRITABLE)

    assert bench.said("config_warning") == []


def test_a_target_that_takes_no_write_is_a_fact_once_for_each_reason():
    bench = Bench()
    bench.planned()
    bench.fails("check", *[Refused("checking env: read-only", "mount it writable")] * 2, Refused("checking: full"))

    bench.look(S.WRITABLE)
    failed = [fact for fact in bench.facts(K.FAILED) if fact.what.act == "check"]
    assert len(failed) == 3, "three targets, each once"
    assert failed[0].what.remedy == "mount it writable"
    assert bench.view.failing_since

    bench.fails("check", Refused("checking: full"), Refused("checking: full"), Refused("checking: full"))
    bench.look(S.WRITABLE)
    again = [fact for fact in bench.facts(K.FAILED) if fact.what.act == "check"]
    assert len(again) == 5, "the third had that reason before"


def test_without_a_required_target_some_is_enough():
    bench = Bench(optional=("aws", "env", "vault"))
    bench.planned()
    bench.fails("check", *[Refused("checking")] * 3)

    assert bench.look(S.WRITABLE) is R.GOOD, "none is required, so none is missing"


def test_a_captured_token_that_is_active_equal_and_verifies_is_accepted():
    bench = Bench()
    bench.captured()

    assert bench.look(S.ACCEPTED, bench.view.opened.token_id) is R.GOOD


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"status": "revoked (exposed)"}, "the provider says that it is revoked (exposed)"),
        ({"equal": False}, "it is not what was asked for: its grants or conditions are not those of the terms"),
    ],
)
def test_a_captured_token_that_is_not_what_was_asked_for_is_dead(change, why):
    bench = Bench()
    bench.captured()
    token = bench.view.opened.token_id
    for key, value in change.items():
        setattr(bench.world.provider.tokens[token], key, value)

    seen = bench.seen(S.ACCEPTED, token)
    assert (seen.result, seen.why) == (R.DEAD, why)


def test_an_accepted_value_is_not_verified_again_by_the_watch_for_a_while():
    bench = Bench()
    bench.captured()
    rotation = bench.view.opened
    bench.look(S.ACCEPTED, rotation.token_id)
    bench.fails("verify", Unavailable("verifying"))

    assert bench.look(S.ALIVE, rotation.fingerprint) is R.GOOD


def test_a_value_that_is_not_accepted_yet_lags():
    bench = Bench()
    bench.captured()
    token = bench.view.opened.token_id
    bench.world.provider.tokens[token].accepted_at = bench.now + 50

    assert bench.look(S.ACCEPTED, token) is R.LAG


def test_a_young_token_that_get_does_not_show_yet_lags_and_an_older_one_is_dead():
    bench = Bench()
    bench.captured()
    token = bench.view.opened.token_id
    bench.fails("get", lambda effect: None, lambda effect: None)

    assert bench.look(S.ACCEPTED, token) is R.LAG
    bench.later(151)
    assert bench.look(S.ACCEPTED, token) is R.DEAD


def test_another_token_than_the_rotations_is_not_judged():
    bench = Bench()
    bench.captured()

    assert bench.look(S.ACCEPTED, "t999") is R.UNSURE


@pytest.mark.parametrize("error", NO_ANSWER)
def test_no_answer_about_a_captured_token_is_no_verdict(error):
    bench = Bench()
    bench.captured()
    bench.fails("get", error)

    assert bench.look(S.ACCEPTED, bench.view.opened.token_id) is R.UNSURE
    assert bench.said("rate_limited" if isinstance(error, RateLimited) else "provider_unavailable")


def test_where_this_host_may_not_verify_the_credential_fails_at_once_with_what_to_do():
    bench = Bench()
    bench.captured()
    token = bench.view.opened.token_id
    bench.fails(
        "verify", Barred("verifying: not from here", "allow it"), Barred("verifying: not from here", "allow it")
    )

    assert bench.look(S.ACCEPTED, token) is R.BAD
    assert bench.look(S.ACCEPTED, token) is R.BAD
    failure = bench.view.opened.failures["accept", ""]
    assert (failure.count, failure.message, failure.remedy) == (1, "verifying: not from here", "allow it")
    assert bench.view.failing_since
    assert bench.said("verification_barred")


def test_where_only_other_hosts_may_use_a_token_get_alone_proves_it(monkeypatch):
    bench = Bench()
    bench.captured()
    monkeypatch.setattr(SimSource, "verifies", False)
    bench.fails("verify", AssertionError("the value was used"))
    token = bench.view.opened.token_id

    assert bench.look(S.ACCEPTED, token) is R.GOOD
    bench.world.provider.tokens[token].equal = False
    assert bench.look(S.ACCEPTED, token) is R.DEAD


def test_a_published_value_that_this_host_may_not_use_lives_as_long_as_get_says_so():
    bench = published()
    bench.later(5000)
    bench.fails("verify", Barred("verifying: not from here"))

    assert bench.look(S.ALIVE, bench.view.fingerprint) is R.GOOD


def test_the_published_value_lives():
    bench = published()

    assert bench.look(S.ALIVE, bench.view.fingerprint) is R.GOOD
    assert bench.fleet.deaths[-1] is False


def test_an_accepted_value_whose_token_did_not_change_is_not_verified_again_for_a_while():
    bench = published()
    bench.look(S.ALIVE, bench.view.fingerprint)
    bench.fails("verify", Unavailable("verifying"))

    assert bench.look(S.ALIVE, bench.view.fingerprint) is R.GOOD
    bench.later(13 * 200)
    assert bench.look(S.ALIVE, bench.view.fingerprint) is R.UNSURE


def test_get_alone_condemns():
    bench = published()
    current(bench).status = "disabled"

    assert bench.look(S.ALIVE, bench.view.fingerprint) is R.DEAD
    assert bench.said("value_dead")
    assert bench.fleet.deaths[-1] is True


def test_a_token_that_is_gone_is_dead():
    bench = published()
    current(bench).status = "deleted"

    assert bench.seen(S.ALIVE, bench.view.fingerprint).why == "gone"


def test_an_exposed_token_is_believed_at_once_however_many_die():
    bench = published()
    current(bench).status = "revoked (exposed)"
    before = len(bench.fleet.deaths)

    assert bench.look(S.ALIVE, bench.view.fingerprint) is R.EXPOSED
    assert len(bench.fleet.deaths) == before, "it counts towards no incident"


def test_a_token_that_is_missing_from_the_list_is_asked_for_by_get():
    bench = published()
    bench.fails("list", listed())

    assert bench.look(S.ALIVE, bench.view.fingerprint) is R.GOOD


def test_a_refused_value_is_dead_after_three_refusals_over_two_minutes():
    bench = published()
    bench.driver.memory(NAME).verified.clear()
    current(bench).accepted_at = 1e9
    results = []
    for _ in range(3):
        results.append(bench.look(S.ALIVE, bench.view.fingerprint))
        bench.later(60)

    assert results == [R.UNSURE, R.UNSURE, R.DEAD]


def test_a_refused_value_that_is_asked_for_all_the_time_is_dead_after_two_minutes_too():
    bench = published()
    bench.driver.memory(NAME).verified.clear()
    current(bench).accepted_at = 1e9
    results = []
    for _ in range(25):
        results.append(bench.look(S.ALIVE, bench.view.fingerprint))
        bench.later(5)

    assert results == [R.UNSURE] * 24 + [R.DEAD]


def test_refusals_before_a_long_silence_prove_nothing():
    bench = published()
    bench.driver.memory(NAME).verified.clear()
    current(bench).accepted_at = 1e9
    results = []
    for seconds in (1, 5000, 60, 60, 1):
        results.append(bench.look(S.ALIVE, bench.view.fingerprint))
        bench.later(seconds)

    assert results == [R.UNSURE] * 4 + [R.DEAD]


def test_a_value_that_is_accepted_again_is_in_doubt_no_more():
    bench = published()
    bench.driver.memory(NAME).verified.clear()
    current(bench).accepted_at = bench.now + 30
    bench.look(S.ALIVE, bench.view.fingerprint)
    assert bench.driver.memory(NAME).doubts
    bench.later(30)

    assert bench.look(S.ALIVE, bench.view.fingerprint) is R.GOOD
    assert not bench.driver.memory(NAME).doubts


@pytest.mark.parametrize("error", NO_ANSWER)
def test_no_answer_is_no_death(error):
    bench = published()
    bench.fails("list", error)

    assert bench.look(S.ALIVE, bench.view.fingerprint) is R.UNSURE


def test_a_published_value_that_cannot_be_opened_any_more_is_lost():
    bench = published()
    bench.driver.memory(NAME).verified.clear()
    del bench.world.store.values[bench.view.fingerprint]

    assert bench.look(S.ALIVE, bench.view.fingerprint) is R.LOST


@pytest.mark.parametrize(("status", "result"), [("active", R.GOOD), ("disabled", R.DEAD), ("deleted", R.DEAD)])
def test_a_token_is_active_or_not(status, result):
    bench = published()
    current(bench).status = status

    assert bench.look(S.TOKEN, bench.view.current) is result


def test_no_answer_about_a_token_is_no_verdict():
    bench = published()
    bench.fails("get", Unavailable("asking"))

    assert bench.look(S.TOKEN, bench.view.current) is R.UNSURE


def rolling():
    """A roll whose answer was lost: the value from before is dead, the new one is nowhere."""
    bench = published(strategy=Strategy.ROLL)
    bench.planned(Strategy.ROLL)
    name = "lost"
    bench.tell(K.INTENT, token_name=name, attempt=1, token_id=bench.view.current)
    return bench, name


def test_where_no_captured_value_lives_the_oracle_has_none_to_name():
    bench, name = rolling()
    bench.rolled(bench.view.current)

    seen = bench.seen(S.ORACLE, name)
    assert (seen.result, seen.value) == (R.GOOD, "")


def test_the_value_from_before_the_roll_is_never_the_answer():
    bench, name = rolling()

    assert bench.seen(S.ORACLE, name).value == "", "the request may still arrive"


def test_a_captured_value_that_lives_is_named():
    bench, name = rolling()
    value = bench.rolled(bench.view.current)
    fingerprint = bench.journal.fingerprint(value)
    late = Captured(attempt=0, token_id=bench.view.current, token_name="late", fingerprint=fingerprint)
    draft = bench.work().stamped(late)
    bench.journal.capture(NAME, draft, value)

    assert bench.seen(S.ORACLE, name).value == fingerprint


def test_a_captured_value_whose_key_was_destroyed_cannot_be_asked():
    bench, name = rolling()
    bench.tell(K.CAPTURED, token_id=bench.view.current, token_name="late", fingerprint="flost")

    assert bench.seen(S.ORACLE, name).value == ""


def test_an_oracle_without_an_answer_names_nothing():
    bench, name = rolling()
    value = bench.rolled(bench.view.current)
    late = Captured(attempt=0, token_id=bench.view.current, token_name="late", fingerprint="fx")
    draft = bench.work().stamped(late)
    bench.journal.capture(NAME, draft, value)
    bench.fails("verify", Unavailable("verifying"))

    assert bench.look(S.ORACLE, name) is R.UNSURE


def test_an_oracle_without_a_rotation_knows_nothing():
    assert published().look(S.ORACLE, "n") is R.UNSURE
