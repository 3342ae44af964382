"""Acts at targets: write, read back; destroy and record."""

from dataclasses import replace

import pytest

from rotator.core.credential import Strategy
from rotator.core.errors import (
    Conflict,
    Fenced,
    IllegalFact,
    JournalUnsafe,
    OutcomeUnknown,
    Unavailable,
)
from rotator.core.facts import Kind
from rotator.core.protocol.rules import Act, Action, Look, Result, Seen, Sight
from rotator.engine.failing import LEFT_ALONE, left_alone
from rotator.engine.perform import perform
from tests.unit.engine.bench import NAME, NO, Bench, Derived, Key, published

K = Kind


def kinds(bench, after):
    return [draft.kind for draft in bench.facts()[after:]]


def test_a_write_journals_its_intent_with_the_version_that_it_read():
    bench = Bench()
    bench.publishing()
    version = str(bench.world.places["env"].version)
    after = len(bench.facts())
    bench.do(Act.WRITE, "env")

    assert kinds(bench, after) == [K.PUBLISH_INTENT, K.WRITTEN]
    assert bench.facts(K.PUBLISH_INTENT)[0].what.version == version
    assert bench.journal.fingerprint(bench.journal.reveal(NAME, bench.view.opened.fingerprint)) == "f" + bench.at("env")
    assert bench.said("target_written")[0]["generation"] == 1
    assert bench.machine.points[-2:] == ["before_target_write", "after_target_write"]


def test_a_write_that_was_done_already_is_not_repeated():
    bench = Bench()
    bench.publishing()
    bench.fails("written", JournalUnsafe("unknown"))
    with pytest.raises(JournalUnsafe):
        bench.do(Act.WRITE, "env")
    version = bench.world.places["env"].version
    bench.do(Act.WRITE, "env")

    assert bench.world.places["env"].version == version
    assert bench.view.opened.written == {"env"}


@pytest.mark.parametrize("error", [*NO, OutcomeUnknown("m"), Conflict("m")])
def test_a_write_that_failed_or_may_have_failed_is_tried_again(error):
    bench = Bench()
    bench.publishing()
    bench.fails("put", error)
    bench.do(Act.WRITE, "vault")

    assert bench.view.opened.failures["write", "vault"].count == 1
    unknown = isinstance(error, OutcomeUnknown)
    assert bool(bench.view.open_writes) is unknown, "only a write whose answer is not known may still arrive"
    assert bench.said("outcome_unknown" if isinstance(error, OutcomeUnknown) else "target_failed")


def test_a_place_that_changed_between_reading_and_writing_is_a_conflict():
    bench = Bench()
    bench.publishing()

    def somebody_is_faster(effect):
        bench.put("vault", None)
        return effect()

    bench.fails("put", somebody_is_faster)
    bench.do(Act.WRITE, "vault")

    assert bench.view.opened.failures["write", "vault"].message == "vault: the version moved"
    assert bench.at("vault") is None


def test_a_foreign_value_is_never_overwritten():
    bench = Bench()
    bench.publishing()
    bench.put("env", bench.token("team copy").value)
    theirs = bench.at("env")
    bench.do(Act.WRITE, "env")

    assert bench.at("env") == theirs
    failure = bench.view.opened.failures["write", "env"]
    assert failure.message == "writing env: a value that is not ours stands there, so nothing was written"
    assert f"`rotator resolve {NAME} --retry`" in failure.remedy


@pytest.mark.parametrize("result", list(LEFT_ALONE))
def test_what_is_left_alone_is_told_in_words_with_what_to_do(result):
    told = left_alone(Bench().work(), "env", result)

    assert told.message.startswith("writing env: ")
    assert told.message.endswith("so nothing was written")
    assert not {str(result), "{credential}"} & set(told.message.split())
    assert told.remedy
    assert "{" not in told.remedy


def test_an_accepted_value_says_what_ends_that():
    told = left_alone(Bench().work(), "env", Result.HEEDED)

    assert f"`rotator resolve {NAME} --undo`" in told.remedy


def test_a_value_that_turns_out_to_be_a_newer_one_of_ours_ends_the_write():
    bench = Bench()
    bench.publishing()
    bench.later(50)
    bench.put("env", bench.token(f"{NAME}~i9.r9.7.1", expires=1e6).value)
    after = len(bench.facts())
    bench.do(Act.WRITE, "env")

    assert K.ADOPTED in kinds(bench, after)
    assert K.PUBLISH_INTENT not in kinds(bench, after)
    assert bench.view.rotation is None


@pytest.mark.parametrize("act", [Act.WRITE, Act.READ_BACK])
def test_a_target_that_is_not_configured_any_more_says_so(act):
    bench = Bench()
    bench.publishing()
    bench.fleet.targets["env"] = None
    bench.do(act, "env")

    assert bench.view.opened.failures[act.value, "env"].message.endswith("it is not configured")
    assert f"`rotator resolve {NAME} --abandon`" in bench.view.opened.failures[act.value, "env"].remedy


def test_a_place_that_somebody_else_writes_to_is_waited_for():
    bench = Bench()
    bench.publishing()
    bench.world.locks["env"] = (*bench.world.processes[1].me, "c1")
    bench.do(Act.WRITE, "env")

    assert bench.view.opened.failures["write", "env"].message == "env is being written"


def test_a_writer_that_lost_its_lease_writes_nothing():
    bench = Bench()
    bench.publishing()
    bench.fails("check", Fenced("somebody else's"))

    with pytest.raises(Fenced):
        bench.do(Act.WRITE, "vault")
    assert bench.at("vault") is None


def written():
    bench = Bench()
    bench.publishing()
    bench.do(Act.WRITE, "env")
    return bench


def test_what_is_read_back_is_verified():
    bench = written()
    bench.do(Act.READ_BACK, "env")

    assert bench.view.opened.read_back == {"env"}


def test_a_value_that_was_accepted_as_it_was_read_back_lives():
    bench = written()
    at, fingerprint = bench.now, bench.view.opened.fingerprint
    work = bench.do(Act.READ_BACK, "env")

    assert work.memory.seen[Look(Sight.ALIVE, fingerprint)] == Seen(at, Result.GOOD)
    assert bench.fleet.deaths == [False]


def test_a_value_that_was_refused_as_it_was_read_back_is_not_called_alive():
    bench = written()
    bench.fails("verify", lambda effect: None)
    work = bench.do(Act.READ_BACK, "env")

    assert Look(Sight.ALIVE, bench.view.opened.fingerprint) not in work.memory.seen


def test_the_value_of_a_roll_is_looked_at_on_its_own():
    bench = published(strategy=Strategy.ROLL)
    bench.planned(Strategy.ROLL)
    bench.do(Act.MINT)
    bench.record(K.VERIFIED)
    bench.record(K.PUBLISHING)
    bench.do(Act.WRITE, "env")
    work = bench.do(Act.READ_BACK, "env")

    assert bench.view.opened.read_back == {"env"}
    assert Look(Sight.ALIVE, bench.view.opened.fingerprint) not in work.memory.seen, "it may be rolled once more"


def test_a_target_that_lost_the_value_is_written_again():
    bench = written()
    bench.put("env", None)
    bench.do(Act.READ_BACK, "env")

    assert bench.view.opened.written == frozenset()
    assert bench.said("target_failed") == []


def test_a_value_read_back_that_is_refused_is_not_confirmed():
    bench = written()
    bench.fails("verify", lambda effect: None)
    bench.do(Act.READ_BACK, "env")

    assert bench.view.opened.read_back == frozenset()
    assert "refused" in bench.view.opened.failures["read_back", "env"].message


@pytest.mark.parametrize("operation", ["read", "verify"])
def test_a_read_back_without_an_answer_is_tried_again(operation):
    bench = written()
    bench.fails(operation, Unavailable("asking"))
    bench.do(Act.READ_BACK, "env")

    assert bench.view.opened.failures["read_back", "env"].count == 1


def test_a_derived_secret_is_verified_by_the_value_that_it_was_made_from():
    bench = Bench()
    bench.fleet.targets["env"] = Key({"S": "r2.secret_access_key", "L": "literal:prod"})
    bench.publishing()
    for act in (Act.WRITE, Act.READ_BACK):
        work = bench.work()
        work.bound = replace(work.bound, source=Derived(bench.door, NAME))
        perform(work, Action(act, target="env"))

    value = bench.journal.reveal(NAME, bench.view.opened.fingerprint).reveal()
    assert bench.fleet.targets["env"].values == {"S": "hash-of-" + value, "L": "prod"}
    assert bench.view.opened.read_back == {"env"}


def marked():
    bench = published()
    old = bench.world.provider.tokens[bench.view.current]
    bench.planned()
    bench.do(Act.MINT)
    for kind in (K.VERIFIED, K.PUBLISHING):
        bench.record(kind)
    for target in ("aws", "env", "vault"):
        bench.do(Act.WRITE, target)
        bench.do(Act.READ_BACK, target)
    bench.record(K.CONFIRMED)
    bench.record(K.SUPERSEDED, token_id=old.id)
    bench.later(10_000)
    return bench, old


def test_a_marked_token_is_disabled_then_deleted():
    bench, old = marked()
    bench.do(Act.DISABLE, token_id=old.id)
    assert old.status == "disabled"
    bench.later(1000)
    bench.do(Act.DELETE, token_id=old.id)
    assert old.status == "deleted"

    assert bench.view.retirements[old.id].step is K.DELETED
    assert bench.machine.points[-4:] == [
        "before_disable_send", "after_disable_send", "before_delete_send", "after_delete_send",
    ]  # fmt: skip
    assert bench.said("token_disabled")
    assert bench.said("token_deleted")


@pytest.mark.parametrize("error", [*NO, OutcomeUnknown("m")])
def test_a_disable_without_a_good_answer_is_tried_again(error):
    bench, old = marked()
    bench.fails("disable", error)
    bench.do(Act.DISABLE, token_id=old.id)

    assert bench.view.retirements[old.id].failures["disable", ""].count == 1
    assert bench.said("retirement_failed")


def test_nothing_is_destroyed_by_a_process_that_lost_its_lease():
    bench, old = marked()
    bench.fails("check", Fenced("somebody else's"))

    with pytest.raises(Fenced):
        bench.do(Act.DISABLE, token_id=old.id)
    assert old.status == "active"


def test_the_values_of_a_retired_token_are_destroyed():
    bench, old = marked()
    for kind in (K.DISABLED, K.DELETED):
        bench.tell(kind, token_id=old.id)
    destroyed = []
    bench.journal.destroy = lambda stream, token: destroyed.append((stream, token))
    bench.record(K.RETIRED, token_id=old.id)

    assert destroyed == [(NAME, old.id)]


def test_a_crash_before_the_key_is_destroyed_leaves_a_retirement_that_is_not_done():
    bench, old = marked()
    for kind in (K.DISABLED, K.DELETED):
        bench.tell(kind, token_id=old.id)

    def killed(stream, token):
        raise KeyboardInterrupt

    bench.journal.destroy = killed
    with pytest.raises(KeyboardInterrupt):
        bench.record(K.RETIRED, token_id=old.id)

    assert old.id in bench.journal.view(NAME).retirements


def test_a_confirmation_says_which_old_token_is_to_be_taken_out_of_service():
    bench, old = marked()

    assert [said["token"] for said in bench.said("retirement_opened")] == [old.id]


def test_confirmed_says_how_long_it_took():
    bench, _ = marked()

    said = bench.said("rotation_confirmed")[-1]
    assert said["duration"] >= 0
    assert said["strategy"] == "recreate"
    assert bench.view.generation == 2


def test_a_released_target_takes_its_stanza_along():
    bench = published()
    bench.tell(K.CONFIGURED, detail={"targets": {"env": {"path": "/x"}}, "places": {"env": "/x"}})
    bench.record(K.TARGET_RELEASED, target="env")
    bench.record(K.TARGET_ADDED, target="env")
    bench.tell(K.CONFIGURED, detail={})
    bench.record(K.TARGET_RELEASED, target="env")

    assert [(f.what.stanza, f.what.place) for f in bench.facts(K.TARGET_RELEASED)] == [
        ({"path": "/x"}, "/x"),
        (None, ""),
    ]


def test_an_oracles_value_is_verified_by_its_fingerprint():
    bench = published(strategy=Strategy.ROLL)
    bench.planned(Strategy.ROLL)
    bench.tell(K.INTENT, token_name="n", attempt=1, token_id=bench.view.current)
    bench.record(K.VERIFIED, fingerprint="fx")

    assert bench.view.opened.fingerprint == "fx"


def test_a_record_without_a_fact_is_a_mistake_of_ours():
    with pytest.raises(RuntimeError, match="the fact to record is missing"):
        Bench().do(Act.RECORD)


def test_a_look_at_nothing_is_a_mistake_of_ours():
    with pytest.raises(RuntimeError, match="what to look at is missing"):
        Bench().do(Act.LOOK)


def test_an_act_of_a_rotation_that_was_closed_meanwhile_is_decided_anew():
    with pytest.raises(IllegalFact, match="no rotation is open"):
        Bench().do(Act.MINT)


def test_a_look_is_remembered_with_its_age():
    bench = Bench()
    work = bench.do(Act.LOOK, look=Look(Sight.ROOM))

    assert work.memory.seen[Look(Sight.ROOM)].at == bench.now
