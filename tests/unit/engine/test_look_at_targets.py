"""Looks at targets: in sync, quiet, unpublished; and a source that cannot do everything."""

from dataclasses import replace

import pytest

from rotator.core.credential import NEVER, Can, Policy
from rotator.core.errors import Unavailable
from rotator.core.facts import Kind
from rotator.core.protocol.rules import Look, Result, Seen, Sight
from tests.unit.engine.bench import NAME, Bench, Derived, Key, current, published

K, S, R = Kind, Sight, Result


def rotated():
    """The first token was replaced at every target by a second one; its retirement is open."""
    bench = published()
    old = current(bench)
    bench.tell(K.REQUEST, detail={"request_id": "q"})
    bench.later(10)
    for _ in range(20):
        if bench.view.current != old.id:
            break
        bench.run()
        bench.later(1)
    assert bench.view.current != old.id
    return bench, old


def test_targets_with_the_current_value_are_in_sync():
    assert published().look(S.IN_SYNC) is R.GOOD


def test_a_required_target_that_lost_it_is_not():
    bench = published()
    bench.put("env", None)

    seen = bench.seen(S.IN_SYNC)
    assert (seen.result, seen.subject) == (R.BAD, "env")


def test_a_required_target_that_cannot_be_read_or_opened_is_not():
    bench = published()
    bench.fails("read", Unavailable("reading"))
    seen = bench.seen(S.IN_SYNC)
    assert seen.result is R.BAD
    assert bench.driver.memory(NAME).troubles[seen.subject, "read"].message == "reading"

    bench.later(40)
    assert bench.look(S.IN_SYNC) is R.GOOD
    assert bench.driver.memory(NAME).troubles == {}

    bench.fleet.targets["env"] = None
    assert bench.seen(S.IN_SYNC).subject == "env"


def test_a_target_that_an_operator_keeps_for_himself_is_not_asked():
    bench = published()
    bench.put("env", bench.token("team copy").value)
    bench.look(S.STANDS, "env")
    bench.tell(K.RESOLVED, detail={"how": "accept"})

    assert bench.look(S.IN_SYNC) is R.GOOD


@pytest.mark.parametrize(("ago", "result"), [(299.0, R.BAD), (300.0, R.GOOD)])
def test_an_old_token_is_quiet_when_nobody_used_it_for_the_quiet_time(ago, result):
    bench, old = rotated()
    retirement = bench.view.retirements[old.id]
    bench.world.store.stream(NAME).view.retirements[old.id] = type(retirement)(
        token_id=old.id, step=retirement.step, since=0, opened=0, policy=_quiet(retirement.policy)
    )
    old.used = bench.now - ago
    bench.world.judge.last_used = lambda tok: tok.used

    assert bench.look(S.QUIET, old.id) is result
    assert bench.driver.memory(NAME).used[old.id] == old.used


def _quiet(policy):
    return replace(policy, quiet=300.0, quiet_adopted=9999.0)


def test_a_token_that_is_dead_or_was_never_used_is_quiet():
    bench, old = rotated()
    old.status = "expired"

    assert bench.look(S.QUIET, old.id) is R.GOOD


def test_no_answer_is_not_quiet():
    bench, old = rotated()
    bench.fails("get", Unavailable("asking"))

    assert bench.look(S.QUIET, old.id) is R.UNSURE


def test_a_token_that_stands_nowhere_is_unpublished():
    bench, old = rotated()

    assert bench.look(S.UNPUBLISHED, old.id) is R.GOOD


@pytest.mark.parametrize(("used", "result"), [(-NEVER, R.GOOD), (0.0, R.BAD)])
def test_what_the_provider_said_of_an_unpublished_token_answers_whether_it_is_quiet(used, result):
    bench, old = rotated()
    retirement = bench.view.retirements[old.id]
    bench.world.store.stream(NAME).view.retirements[old.id] = replace(retirement, policy=_quiet(retirement.policy))
    bench.world.judge.last_used = lambda tok: bench.now + used
    bench.driver.memory(NAME).seen.clear()
    at = bench.now
    bench.look(S.UNPUBLISHED, old.id)
    bench.later(5)

    assert bench.driver.memory(NAME).seen[Look(S.QUIET, old.id)] == Seen(at, result), "as of the moment of the answer"


def test_a_token_of_which_nothing_was_heard_is_not_called_quiet():
    bench, old = rotated()
    bench.driver.memory(NAME).seen.clear()
    bench.fails("get", Unavailable("asking"))
    bench.look(S.UNPUBLISHED, old.id)

    assert Look(S.QUIET, old.id) not in bench.driver.memory(NAME).seen


def test_a_token_that_a_target_still_holds_is_not():
    bench, old = rotated()
    bench.put("env", old.value)

    seen = bench.seen(S.UNPUBLISHED, old.id)
    assert (seen.result, seen.subject) == (R.BAD, "env")


def test_a_token_that_is_dead_at_the_provider_needs_no_reading():
    bench, old = rotated()
    bench.put("env", old.value)
    old.status = "expired"

    assert bench.look(S.UNPUBLISHED, old.id) is R.DEAD


def test_no_answer_about_the_token_is_no_leave_to_destroy_it():
    bench, old = rotated()
    bench.fails("get", Unavailable("asking"))

    assert bench.look(S.UNPUBLISHED, old.id) is R.UNSURE


def test_a_required_target_that_cannot_be_read_may_hold_it():
    bench, old = rotated()
    bench.fails("read", Unavailable("reading"))

    assert bench.look(S.UNPUBLISHED, old.id) is R.BAD


def test_that_it_could_not_be_read_is_remembered_until_it_can_be():
    bench, old = rotated()
    bench.fails("read", Unavailable("reading"))
    seen = bench.seen(S.UNPUBLISHED, old.id)
    assert bench.driver.memory(NAME).troubles[seen.subject, "read"].message == "reading"

    bench.later(40)
    assert bench.look(S.UNPUBLISHED, old.id) is R.GOOD
    assert bench.driver.memory(NAME).troubles == {}


def test_a_target_that_left_longer_ago_than_grace_is_not_asked():
    bench, old = rotated()
    del bench.world.required["env"]
    bench.tell(K.TARGET_RELEASED, target="env")
    bench.put("env", old.value)

    assert bench.look(S.UNPUBLISHED, old.id) is R.BAD, "released a moment ago"
    bench.later(601)
    assert bench.look(S.UNPUBLISHED, old.id) is R.GOOD


def test_a_released_target_that_cannot_be_opened_and_was_last_seen_without_it_holds_nothing():
    bench, old = rotated()
    del bench.world.required["env"]
    bench.tell(K.TARGET_RELEASED, target="env")
    bench.fleet.targets["env"] = None

    assert bench.look(S.UNPUBLISHED, old.id) is R.GOOD


def test_a_released_target_that_cannot_be_opened_and_was_last_seen_with_it_may_hold_it():
    bench, old = rotated()
    del bench.world.required["env"]
    bench.tell(K.SEEN, target="env", token_id=old.id)
    bench.tell(K.TARGET_RELEASED, target="env")
    bench.fleet.targets["env"] = None

    assert bench.look(S.UNPUBLISHED, old.id) is R.BAD


def test_a_paused_writer_may_still_win_on_top_of_the_version_that_it_read():
    bench, old = rotated()
    view = bench.world.store.stream(NAME).view
    view.targets["env"] = replace(view.at("env"), open_writes={old.id: (str(bench.world.places["env"].version),)})

    assert bench.look(S.UNPUBLISHED, old.id) is R.BAD
    bench.world.places["env"].version += 1
    assert bench.look(S.UNPUBLISHED, old.id) is R.GOOD


def test_an_unknown_value_at_a_target_is_asked_whose_it_is():
    bench, old = rotated()
    bench.put("env", bench.token("team copy").value)
    assert bench.look(S.UNPUBLISHED, old.id) is R.GOOD

    bench.fails("verify", Unavailable("verifying"))
    seen = bench.seen(S.UNPUBLISHED, old.id)
    assert (seen.result, seen.subject) == (R.UNSURE, "env"), "nobody knows whose it is"


def test_an_unknown_value_that_is_refused_is_none_of_a_living_token_once_that_is_proven():
    bench, old = rotated()
    bench.put("env", "v999")
    assert bench.look(S.UNPUBLISHED, old.id) is R.UNSURE, "a living value is refused now and then"

    for _ in range(2):
        bench.later(60)
        found = bench.look(S.UNPUBLISHED, old.id)
    assert found is R.GOOD


def test_a_text_of_another_shape_is_none_of_the_token_and_is_sent_to_nobody():
    bench, old = rotated()
    bench.put("env", "no token at all")
    bench.fails("verify", AssertionError("it was sent to the provider"))

    assert bench.look(S.UNPUBLISHED, old.id) is R.GOOD


def test_an_unknown_value_of_the_old_token_itself_keeps_it_alive():
    bench, old = rotated()
    bench.put("env", bench.rolled(old.id).reveal())

    assert bench.look(S.UNPUBLISHED, old.id) is R.BAD


def test_a_target_that_let_go_only_now_starts_grace_anew():
    bench, old = rotated()
    bench.tell(K.SEEN, target="env", token_id=old.id)
    bench.later(5)

    assert bench.look(S.UNPUBLISHED, old.id) is R.BAD
    assert bench.view.let_go[old.id] == bench.now
    assert bench.look(S.UNPUBLISHED, old.id) is R.GOOD


def test_a_derived_key_that_is_unknown_does_not_hold_the_token():
    bench, old = rotated()
    bench.fleet.source = Derived(bench.door, NAME)
    bench.fleet.targets["env"] = Key({"S": "r2.secret_access_key"}, {})

    assert bench.look(S.UNPUBLISHED, old.id) is R.GOOD


def blind(**can):
    bench, old = rotated()
    bench.world.scenario = replace(bench.world.scenario, can=Can(**can))
    return bench, old


def test_where_no_use_is_seen_silence_is_a_matter_of_time_since_the_last_target_let_go():
    bench, old = blind(last_use=False)
    bench.world.store.stream(NAME).view = replace(
        bench.view,
        retirements={old.id: replace(bench.view.retirements[old.id], policy=Policy(quiet=300.0, quiet_adopted=300.0))},
    )

    assert bench.look(S.QUIET, old.id) is R.BAD
    bench.later(301)
    assert bench.look(S.QUIET, old.id) is R.GOOD


def test_where_nothing_can_be_listed_a_value_is_looked_at_by_itself():
    bench = published()
    bench.world.scenario = replace(bench.world.scenario, can=Can(list=False))
    bench.fails("list", AssertionError("it was listed"))

    assert bench.look(S.ALIVE, bench.view.fingerprint) is R.GOOD


def test_a_name_is_as_long_as_the_source_takes():
    bench = Bench()
    bench.world.scenario = replace(bench.world.scenario, can=Can(name_length=60))
    bench.fleet.changes["name"] = "a-very-long-name-" * 6
    bench.captured()

    (token,) = [t for t in bench.world.provider.tokens.values() if "~" in t.name and t.name.startswith("a-very")]
    assert len(token.name) == 60
    assert token.name in bench.view.attempts
