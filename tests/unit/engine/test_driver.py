"""One pass over one credential, and how it ends."""

from collections import Counter

import pytest

from rotator.core.credential import NEVER, Strategy
from rotator.core.errors import Fenced, IllegalFact, JournalUnsafe, OperatorNeeded, Unavailable
from rotator.core.facts import Kind, TargetReleased
from rotator.core.notes import Note, Trouble, Waits
from rotator.core.protocol.rules import Operator, Result, Sight, Wait
from rotator.core.reasons import OperatorCode, Reason
from rotator.core.schedule.agenda import Step
from rotator.engine import driver as driving
from rotator.engine.driver import End, Pass, note_of
from rotator.testing.simulation.timings import GRACE
from tests.unit.engine.bench import NAME, Bench, Key, TargetRef, published

K = Kind


def test_a_first_creation_goes_all_the_way_in_passes():
    bench = Bench()
    bench.settle()

    assert {bench.at(place) for place in ("aws", "env", "vault")} == {bench.at("env")}
    assert bench.view.current
    assert bench.said("rotation_confirmed")


def test_a_rotation_asks_the_provider_nothing_twice_until_the_grace():
    bench = published()
    bench.tell(K.REQUEST, detail={"request_id": "q"})
    bench.driver.memory(NAME).seen.clear()
    asked = Counter()
    straight = bench.door.call

    def counted(stream, port, operation, effect, special=None):
        asked[operation] += port == "source"
        return straight(stream, port, operation, effect, special)

    bench.door.call = counted
    while not bench.view.retirements:
        bench.run()
        bench.later(1)
    ended = bench.run()

    assert ended.step.why[next(iter(bench.view.retirements))].why == "grace"
    assert asked["get"] == 2, "the new token before its publication, the old one before its retirement"
    assert asked["verify"] == 1 + 3, "before the publication, and what was read back from each of three targets"


def test_a_pass_ends_with_the_time_of_the_next_one():
    bench = published()
    ended = bench.run()

    assert ended.end is End.WAITING
    assert bench.now < ended.until <= bench.now + 300


def test_the_wait_is_noted_on_release():
    bench = published()
    ended = bench.run()

    assert bench.world.store.stream(NAME).next_at == ended.until


def test_somebody_elses_lease_is_left_alone():
    bench = Bench()
    bench.fails("claim", lambda effect: None)

    assert bench.run() == Pass(End.BUSY, 0.0)


def test_a_lease_that_was_lost_ends_the_pass():
    bench = Bench()
    bench.fails("configured", Fenced("somebody else's"))

    assert bench.run().end is End.BUSY


def test_a_journal_that_cannot_be_trusted_ends_the_pass_and_says_so():
    bench = Bench()
    bench.fails("claim", JournalUnsafe("the disk is full"))

    assert bench.run() == Pass(End.FAILED, 0.0)
    assert bench.said("journal_unsafe") == [{"reason": "the disk is full"}]


def test_a_credential_that_nobody_knows_any_more_is_not_asked_about_again():
    bench = Bench()
    bench.fleet.gone = True

    assert bench.run() == Pass(End.GONE, NEVER)
    assert bench.world.store.stream(NAME).next_at == NEVER


def test_a_stopping_process_begins_no_further_step():
    bench = Bench()
    bench.machine.ends = True
    ended = bench.run()

    assert ended.end is End.STOPPED
    assert ended.step is not None
    assert ended.step.actions
    assert not bench.facts(K.PLANNED)


def test_the_lease_is_renewed_during_a_long_pass():
    bench = Bench()
    renewed = []
    slow = [lambda effect: (bench.later(11), effect())[1]] * 3
    bench.fails("read", *slow)
    bench.journal.check = lambda lease: renewed.append(bench.now)
    bench.run()

    assert len(renewed) >= 3


def test_a_fact_that_somebody_else_was_faster_with_is_decided_anew():
    bench = Bench()
    bench.fails("planned", IllegalFact("rotation r0 is open already"))
    bench.settle()

    assert bench.view.current
    assert len(bench.facts(K.PLANNED)) == 1


def test_a_fact_that_is_refused_again_and_again_ends_the_pass():
    bench = Bench()
    bench.fails("planned", *[IllegalFact("no")] * 99)
    ended = bench.run()

    assert ended.end is End.FAILED
    assert ended.until == bench.now + 200


def test_a_pass_that_never_ends_goes_to_the_end_of_the_queue(monkeypatch):
    monkeypatch.setattr(driving, "STEPS", 3)
    bench = Bench()

    assert bench.run() == Pass(End.WAITING, bench.now)


def test_an_operators_need_is_said_and_noted():
    bench = Bench()
    bench.fails("mint", OperatorNeeded(OperatorCode.MANAGEMENT_TOKEN, "minting: it may not"))
    ended = bench.run()

    assert ended.end is End.FAILED
    assert bench.said("operator_needed")[0]["code"] == "management_token"
    assert ended.step.why["rotation"].code is OperatorCode.MANAGEMENT_TOKEN


def test_an_error_at_one_of_several_targets_does_not_stop_the_others():
    bench = Bench()
    bench.fails("put", Unavailable("vault is sealed"))
    bench.run()

    assert bench.at("aws")
    assert bench.at("env")
    assert not bench.at("vault")


def test_an_error_that_ends_the_pass_is_seen_after_all_targets_were_tried():
    bench = Bench()
    bench.fails("publish_intent", Fenced("somebody else's"))

    assert bench.run().end is End.BUSY
    assert sum(bool(bench.at(place)) for place in ("aws", "env", "vault")) == 2


# --- configuration


def test_the_stanza_is_journaled_when_it_changes():
    bench = Bench()
    bench.run()
    bench.run()
    assert len(bench.facts(K.CONFIGURED)) == 1

    del bench.world.required["env"]
    bench.run()
    assert len(bench.facts(K.CONFIGURED)) == 2


def test_a_target_that_left_is_released_with_the_stanza_that_it_had():
    bench = published()
    del bench.world.required["env"]
    bench.run()

    assert [f.what for f in bench.facts(K.TARGET_RELEASED)] == [TargetReleased(target="env", stanza={}, place="env")]


def moved(bench, name="env", place="elsewhere"):
    """The operator points a target to another place."""
    targets = [TargetRef(name=n, type="t", place=place if n == name else n) for n in ("aws", "env", "vault")]
    places = {t.name: t.place for t in targets}
    bench.fleet.targets[f"{name} at {name}"] = bench.fleet.bound(NAME, bench.view).targets[name]
    bench.fleet.targets[name] = Key({"A": "token.value"})
    bench.fleet.changes |= {"targets": tuple(targets), "spec": {"targets": dict.fromkeys(places), "places": places}}
    return bench.fleet.targets[name]


def test_a_target_that_points_to_another_place_is_looked_at_as_if_for_the_first_time():
    bench = published()
    target = moved(bench)
    target.values["A"] = "hunter2"
    bench.run()

    assert bench.view.occupied == {"env"}
    assert target.values == {"A": "hunter2"}


def test_a_place_that_a_target_left_holds_its_token_back_for_grace():
    bench = published()
    old = bench.view.current
    target = moved(bench)
    bench.run()
    assert target.values["A"] == bench.at("env")
    bench.tell(K.REQUEST, detail={"request_id": "q"})
    bench.run()
    assert bench.view.current != old
    assert bench.at("env") == bench.world.provider.tokens[old].value, "what was left there is not touched"

    assert bench.look(Sight.UNPUBLISHED, old) is Result.BAD
    bench.later(GRACE + 1)
    for _ in range(2):
        found = bench.look(Sight.UNPUBLISHED, old)
    assert found is Result.GOOD


# --- a roll over its budget


def test_a_roll_that_takes_longer_than_its_owner_accepts_is_said_once_and_goes_on():
    bench = published(strategy=Strategy.ROLL)
    bench.tell(K.REQUEST, detail={"request_id": "q"})
    bench.fails("put", *[Unavailable("vault is sealed")] * 9)
    for _ in range(8):
        bench.run()
        bench.later(60)
    bench.settle()

    assert len(bench.said("outage_over_budget")) == 1
    assert bench.said("outage_over_budget")[0]["budget"] == 90
    assert bench.at("vault") == bench.at("env")


def test_history_says_for_each_target_how_long_the_roll_left_it_without_a_living_value():
    bench = published(strategy=Strategy.ROLL)
    bench.tell(K.REQUEST, detail={"request_id": "q"})
    bench.fails("put", Unavailable("vault is sealed"))
    bench.settle()
    sent = bench.facts(K.INTENT)[-1].at

    measured = {fact.what.target: (fact.what.outage, fact.at - sent) for fact in bench.facts(K.READ_BACK)[-3:]}
    assert measured.keys() == {"aws", "env", "vault"}
    assert {said == real for said, real in measured.values()} == {True}
    assert max(said for said, _ in measured.values()) >= 30, "one of them was refused once, and tried again later"
    assert {bench.view.at(name).outage for name in measured} == {said for said, _ in measured.values()}


# --- notes


def step(**why):
    return Step(actions=(), until=5.0, why=why)


def test_the_last_words_say_until_when_why_and_about_what():
    note = note_of(step(start=Wait(NEVER, Reason.FRESH), rotation=Wait(7.0, Reason.FAILED, "mint")), {}, 1.0, Note)

    assert note.waits == {
        "start": Waits(until=NEVER, why=Reason.FRESH),
        "rotation": Waits(until=7.0, why=Reason.FAILED, subject="mint"),
    }


def test_a_question_to_a_person_is_as_old_as_when_it_was_asked_first():
    asked = step(start=Operator(OperatorCode.MASS_DEATH, 7.0))
    first = note_of(asked, {}, 100.0, Note)
    again = note_of(asked, {}, 160.0, lambda: first)
    other = note_of(step(start=Operator(OperatorCode.REJECTED, 7.0)), {}, 160.0, lambda: first)

    assert [n.waits["start"].since for n in (first, again, other)] == [100.0, 100.0, 160.0]


def test_the_note_before_is_read_only_where_a_person_is_asked():
    note_of(step(start=Wait(NEVER, Reason.FRESH)), {}, 1.0, before=lambda: pytest.fail("it was read"))


def test_the_last_words_tell_which_targets_could_not_be_used():
    troubles = {("env", "check"): Trouble(act="check", message="read-only", remedy="mount it writable")}

    assert note_of(step(), troubles, 1.0, Note).troubles == troubles


# --- the whole way round


def test_a_rotation_retires_the_old_token_in_the_end():
    bench = published()
    old = bench.world.provider.tokens[bench.view.current]
    bench.tell(K.REQUEST, detail={"request_id": "q"})
    bench.later(10)
    bench.settle(20_000)

    assert old.status == "deleted"
    assert bench.view.retirements == {}
    assert [k for k in (f.kind for f in bench.facts()) if k in (K.SUPERSEDED, K.DISABLED, K.DELETED, K.RETIRED)] == [
        K.SUPERSEDED, K.DISABLED, K.DELETED, K.RETIRED,
    ]  # fmt: skip


def test_a_roll_keeps_the_token():
    bench = published(strategy=Strategy.ROLL)
    token, before = bench.view.current, bench.at("env")
    bench.tell(K.REQUEST, detail={"request_id": "q"})
    bench.settle()

    assert bench.view.current == token
    assert bench.at("env") not in (None, before)
    assert bench.view.rotation is None


@pytest.mark.parametrize("place", ["aws", "env", "vault"])
def test_drift_is_healed(place):
    bench = published()
    value = bench.at(place)
    bench.put(place, None)
    bench.later(300)
    bench.settle()
    bench.run()

    assert bench.at(place) == value
    assert bench.view.rotations == 0


def test_what_was_seen_of_a_token_is_forgotten_once_it_has_ended():
    bench = published()
    old, value = bench.view.current, bench.view.fingerprint
    bench.tell(K.REQUEST, detail={"request_id": "q"})
    while not bench.view.retirements:
        bench.run()
        bench.later(1)
    bench.run()
    memory = bench.driver.memory(NAME)
    assert {old, value} & {look.of for look in memory.seen}

    while bench.view.retirements:
        bench.later(GRACE)
        bench.run()
    bench.run()

    known = [memory.doubts, memory.verified, memory.used, memory.compared]
    assert not {old, value} & {look.of for look in memory.seen}.union(*known)
    assert bench.view.current in {look.of for look in memory.seen}
