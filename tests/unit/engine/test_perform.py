"""Acts: one effect each, with the facts before and after it."""

from dataclasses import replace

import pytest

from rotator.core.credential import NEVER, Policy, Strategy
from rotator.core.errors import (
    JournalUnsafe,
    OperatorNeeded,
    OutcomeUnknown,
    RateLimited,
    Refused,
    Unavailable,
)
from rotator.core.facts import Kind
from rotator.core.protocol.names import parse
from rotator.core.protocol.rules import Act, Action
from rotator.core.reasons import OperatorCode
from rotator.engine.perform import perform
from tests.unit.engine.bench import NAME, NO, Bench, published

K = Kind


def last(bench):
    return bench.facts()[-1]


def test_a_plan_freezes_policy_targets_and_reason():
    bench = Bench()
    bench.planned()

    rotation = bench.view.opened
    assert rotation.terms.targets == {"aws", "env", "vault"}
    assert rotation.terms.why == "test"
    assert bench.said("rotation_planned") == [
        {
            "credential": NAME, "connection": "sim", "rotation": rotation.rid, "step": "planned", "attempt": 0,
            "strategy": "recreate", "reason": "test",
        }
    ]  # fmt: skip


def test_a_plan_serves_the_operators_request_with_his_outage_budget():
    bench = published()
    bench.tell(K.REQUEST, detail={"request_id": "q", "strategy": "roll", "outage_budget": 500.0})
    bench.planned(Strategy.ROLL)

    assert bench.view.opened.policy.outage_budget == 500
    assert bench.view.opened.request_id == "q"
    assert bench.view.opened.token_id == bench.view.current


def test_a_republish_keeps_token_and_value_and_leaves_the_request_open():
    bench = published()
    bench.tell(K.REQUEST, detail={"request_id": "q"})
    bench.planned(Strategy.REPUBLISH)

    assert bench.view.opened.fingerprint == bench.view.fingerprint
    assert bench.view.request is not None


def test_a_plan_without_a_reason_says_why_it_is_due():
    bench = Bench()
    bench.do(Act.PLAN, strategy=Strategy.RECREATE)

    assert bench.view.opened.terms.why == "first"


def test_a_mint_journals_its_intent_then_spools_then_captures():
    bench = Bench()
    order = []
    bench.planned()
    for operation in ("intent", "mint", "spool", "capture"):
        bench.fails(operation, lambda effect, operation=operation: (order.append(operation), effect())[1])
    bench.do(Act.MINT)

    assert order == ["intent", "mint", "spool", "capture"]
    assert bench.machine.points == ["before_create_send", "after_create_send"]
    assert bench.said("rotation_captured")


def test_an_attempt_name_is_of_this_journal_rotation_and_epoch_and_never_repeats():
    bench = Bench()
    bench.captured()
    found = parse(bench.view.opened.attempt_name)

    assert found is not None
    assert (found.base, found.instance, found.rid) == (NAME, bench.world.instance, bench.view.opened.rid)
    assert (found.epoch, found.attempt) == (1, 1)
    assert found.nonce


def test_a_token_without_expiry_is_minted_without_one():
    bench = Bench()
    bench.fleet.changes["policy"] = Policy(lifetime=NEVER)
    asked = []
    bench.planned()
    work = bench.work()
    source = work.source
    plain = source.mint
    source.mint = lambda name, expires: (asked.append(expires), replace(plain(name, expires), expires_at=NEVER))[1]
    perform(work, Action(Act.MINT))

    assert asked == [NEVER]
    assert bench.view.expires_at(bench.view.opened.token_id) == NEVER


@pytest.mark.parametrize("error", NO)
def test_a_certain_no_returns_to_the_step_before_and_counts_a_failure(error):
    bench = Bench()
    bench.planned()
    bench.fails("mint", error)
    bench.do(Act.MINT)

    assert bench.view.opened.step is K.PLANNED
    assert bench.view.opened.failures["mint", ""].count == 1
    assert bench.said("rate_limited" if isinstance(error, RateLimited) else "mint_refused")
    assert bench.world.store.spools == {}


def test_a_lost_answer_leaves_the_intent_and_says_so():
    bench = Bench()
    bench.planned()
    bench.fails("mint", OutcomeUnknown("minting: no answer"))
    bench.do(Act.MINT)

    assert bench.view.opened.step is K.INTENT
    assert last(bench).kind is K.INTENT
    assert bench.said("outcome_unknown")


def test_why_nobody_knows_what_a_mint_did_is_told_as_it_was():
    bench = Bench()
    bench.planned()
    bench.fails("mint", OutcomeUnknown("minting: HTTP 500"))
    bench.do(Act.MINT)
    bench.later(100)
    bench.record(K.ABANDONED, detail={"why": "the answer was lost"})

    assert bench.view.opened.failures["mint", ""].message == "minting: HTTP 500"


def test_why_nobody_knows_what_a_roll_did_is_told_as_it_was():
    bench = published()
    bench.planned(Strategy.ROLL)
    bench.fails("roll", OutcomeUnknown("rolling: HTTP 500"))
    bench.do(Act.MINT)
    bench.later(100)
    bench.do(Act.MINT)

    (intent,) = bench.facts(K.INTENT)[-1:]
    assert intent.what.why == "rolling: HTTP 500"


def test_a_mint_that_only_a_person_can_allow_is_refused_and_asks_for_him():
    bench = Bench()
    bench.planned()
    bench.fails("mint", OperatorNeeded(OperatorCode.MANAGEMENT_TOKEN, "minting: it may not"))

    with pytest.raises(OperatorNeeded):
        bench.do(Act.MINT)
    assert bench.view.opened.step is K.PLANNED
    assert bench.view.opened.failures["mint", ""].code == "management_token"


def no_answer():
    raise Unavailable("asking: no answer")


@pytest.mark.parametrize(
    ("control", "code"), [(lambda: False, "management_token"), (lambda: True, None), (no_answer, None)]
)
def test_a_mint_refused_twice_asks_for_a_person_only_when_the_management_token_is_refused_too(control, code):
    bench = Bench()
    bench.planned()
    work = bench.work()
    work.source.control = control
    bench.fails("mint", Refused("minting: no"), Refused("minting: no"))
    perform(work, Action(Act.MINT))
    assert bench.view.opened.failures["mint", ""].code is None
    perform(work, Action(Act.MINT))
    assert bench.view.opened.failures["mint", ""].code == code


def test_a_capture_is_tried_for_as_long_as_it_takes():
    bench = Bench()
    bench.planned()
    bench.fails("spool", JournalUnsafe("full"), JournalUnsafe("full"))
    bench.fails("capture", *[JournalUnsafe("full")] * 3)
    began = bench.now
    bench.do(Act.MINT)

    assert bench.view.opened.step is K.CAPTURED
    assert bench.now == began + 3
    assert [fields["spooled"] for fields in bench.said("journal_unsafe")] == [False, False, False, False, True]


def test_a_spool_that_refuses_does_not_keep_a_value_from_the_journal():
    bench = Bench()
    bench.planned()
    bench.fails("spool", *[JournalUnsafe("disk I/O error")] * 9)
    began = bench.now
    bench.do(Act.MINT)

    assert bench.view.opened.step is K.CAPTURED
    assert bench.now == began
    assert bench.said("journal_unsafe")


def test_a_stopping_process_waits_until_the_value_is_at_least_spooled():
    bench = Bench()
    bench.planned()
    bench.machine.ends = True
    bench.fails("spool", JournalUnsafe("full"))
    bench.fails("capture", JournalUnsafe("full"), JournalUnsafe("full"))

    with pytest.raises(JournalUnsafe):
        bench.do(Act.MINT)
    assert bench.world.store.spools, "the next process imports it"


def test_a_roll_rolls_the_token_that_it_keeps():
    bench = published(strategy=Strategy.ROLL)
    before = bench.at("env")
    bench.planned(Strategy.ROLL)
    bench.do(Act.MINT)

    assert bench.view.opened.token_id == bench.view.current
    assert bench.view.opened.fingerprint not in ("", "f" + before)
    assert bench.machine.points[-2:] == ["before_roll_send", "after_roll_send"]


def extending():
    bench = published(strategy=Strategy.ROLL)
    bench.later(100)
    bench.planned(Strategy.ROLL)
    return bench


def test_an_extension_is_proven_by_get():
    bench = extending()
    bench.do(Act.EXTEND)

    assert bench.view.opened.extended == bench.view.expires_at(bench.view.current) == int(bench.now) + 6000


def test_an_extension_that_get_does_not_show_failed():
    bench = extending()
    bench.fails("extend", lambda effect: None)
    bench.do(Act.EXTEND)

    assert not bench.view.opened.extended
    assert bench.view.opened.failures["extend", ""].message == "the provider did not move the expiry"


@pytest.mark.parametrize("error", [*NO, OutcomeUnknown("m")])
def test_an_extension_without_a_good_answer_is_tried_again(error):
    bench = extending()
    bench.fails("extend", error)
    bench.do(Act.EXTEND)

    assert bench.view.opened.failures["extend", ""].count == 1


def test_a_token_without_expiry_is_extended_to_none():
    bench = published(strategy=Strategy.ROLL)
    bench.fleet.changes["policy"] = Policy(strategy=Strategy.ROLL, lifetime=NEVER)
    bench.planned(Strategy.ROLL)
    bench.do(Act.EXTEND)

    assert bench.view.opened.extended == NEVER
