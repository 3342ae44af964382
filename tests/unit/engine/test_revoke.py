"""The end of a leaked token by the engine: what is done, in which order, and what is said of it."""

from __future__ import annotations

from itertools import pairwise

from rotator.core.errors import Refused, Unavailable
from rotator.core.facts import Draft, Kind, Revoked
from rotator.core.protocol.fold import fold
from rotator.core.protocol.revoke import to_revoke
from tests.unit.engine.bench import NAME, Bench, published

K = Kind


def revoke(bench: Bench) -> str:
    """An operator revokes; returns the current token."""
    token = bench.view.current
    what = Revoked(tokens=to_revoke(bench.view), policy=bench.world.credential(NAME).policy)
    stream = bench.world.store.stream(NAME)
    stream.view = fold(stream.view, Draft(what=what, at=bench.now, actor="ops"))
    return token


def status(bench: Bench, token: str) -> str:
    return bench.world.provider.tokens[token].status


def test_a_leaked_token_is_replaced_everywhere_before_it_is_disabled_and_deleted():
    bench = published()
    seen = len(bench.facts())
    leaked = revoke(bench)
    bench.settle()

    told = [draft.kind for draft in bench.facts()[seen:]]
    assert status(bench, leaked) == "deleted"
    assert told.index(K.DISABLED) > max(at for at, kind in enumerate(told) if kind is K.READ_BACK)
    assert {bench.at(place) for place in ("aws", "env", "vault")} == {
        bench.world.provider.tokens[bench.view.current].value
    }


def test_where_no_target_can_be_written_it_is_disabled_after_a_minute_and_the_value_is_said_to_be_dead():
    bench = published()
    leaked = revoke(bench)
    for place in bench.world.places.values():
        place.frozen = bench.now + 300
    began = bench.now
    while status(bench, leaked) == "active":
        bench.later(max(0.5, bench.run().until - bench.now))

    [ended] = bench.facts(K.DISABLED)
    assert ended.at - began == 61
    assert {fields["target"] for fields in bench.said("value_dead")} == {"aws", "env", "vault"}
    bench.settle()
    assert bench.view.current not in ("", leaked)


def test_at_full_quota_the_leaked_token_makes_room_for_its_successor():
    bench = published()
    leaked = revoke(bench)
    bench.fails("mint", Refused("as many tokens exist as may", code="quota"))
    began = bench.now
    bench.run()

    assert status(bench, leaked) == "deleted", "in the same pass"
    assert bench.now == began
    bench.settle()
    assert bench.view.current != leaked


def test_a_provider_that_says_nothing_is_asked_again_every_retry():
    bench = published()
    leaked = revoke(bench)
    bench.fails("disable", *[Unavailable("nobody answers")] * 5)
    bench.settle()

    assert status(bench, leaked) == "deleted"
    failed = [draft.at for draft in bench.facts(K.FAILED) if getattr(draft.what, "act", "") == "disable"]
    assert {round(after - before) for before, after in pairwise(failed)} == {30}


def test_what_the_provider_found_in_public_is_journaled_said_and_replaced():
    bench = published()
    leaked = bench.view.current
    bench.world.provider.tokens[leaked].status = "revoked (exposed)"
    bench.later(400)
    bench.settle()

    [fact] = bench.facts(K.REVOKED)
    assert (fact.what.tokens, fact.what.exposed, fact.actor) == ((leaked,), True, "daemon")
    assert [fields["token"] for fields in bench.said("token_exposed")] == [leaked]
    assert bench.view.current not in ("", leaked)


def test_in_an_incident_what_was_found_in_public_is_replaced_all_the_same():
    bench = published()
    leaked = bench.view.current
    bench.fleet.mass = True
    bench.world.provider.tokens[leaked].status = "revoked (exposed)"
    bench.later(400)
    bench.settle()

    assert bench.view.current not in ("", leaked)


def test_targets_that_hold_the_successor_are_not_said_to_be_dead_while_one_is_away():
    bench = published()
    revoke(bench)
    bench.world.places["vault"].frozen = bench.now + 5000
    bench.later(1)
    for _ in range(40):
        bench.later(max(0.5, min(bench.run().until - bench.now, 60)))

    late = [fields["target"] for fields in bench.said("value_dead")]
    assert set(late) == {"vault"}
