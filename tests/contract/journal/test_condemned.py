"""A token that nothing owns is condemned under the lease, and only while nothing of it may stand anywhere.

It is the token of a creation whose answer was lost, and turns up while the credential is recreated or rolled.
"""

from __future__ import annotations

from typing import Any

import pytest

from rotator.core import encoding
from rotator.core.credential import Strategy
from rotator.core.errors import Fenced, IllegalFact
from rotator.core.facts import Draft, Kind
from rotator.core.ports.journal import Journal, Lease
from tests.contract.journal.benches import Bench
from tests.contract.journal.drafts import (
    VALUE,
    abandoned,
    captured,
    claimed,
    intent,
    mine,
    name,
    planned,
    publication,
)

ORPHAN = "token-lost"

both = pytest.mark.parametrize("strategy", [Strategy.RECREATE, Strategy.ROLL])


def of_orphan(kind: Kind, **more: Any) -> Draft:
    return encoding.draft(kind, at=200, token_id=ORPHAN, **more)


def found() -> Draft:
    """The sweep found the token of the first attempt."""
    told = {"born": 101.0, "expires_at": 9000.0, "attempt_name": name(1)}
    return of_orphan(Kind.RETIREMENT, token_name=name(1), detail=told)


def swept(journal: Journal, stream: str, strategy: Strategy) -> Lease:
    """The second attempt was published, the next rotation is under way, and the sweep opened a retirement."""
    lease = claimed(journal, stream)
    for fact in (planned(), intent(1), abandoned(1), intent(2)):
        journal.append(lease, fact)
    journal.capture(stream, mine(journal, captured(2), VALUE), VALUE)
    for fact in publication(fingerprint=journal.fingerprint(VALUE)):
        journal.append(lease, fact)
    journal.append(lease, planned("r2", strategy))
    journal.append(lease, found())
    return lease


@both
def test_an_orphan_is_condemned_while_a_rotation_is_under_way(bench: Bench, strategy: Strategy):
    journal, stream = bench.open(), bench.stream("a")
    view = journal.append(swept(journal, stream, strategy), of_orphan(Kind.CONDEMNED))

    assert view.marked == {ORPHAN: Kind.CONDEMNED}
    assert view.rotation is not None
    assert view.current == "token-1"


@both
def test_a_process_that_lost_its_lease_condemns_nothing(bench: Bench, strategy: Strategy):
    one, two, stream = bench.open(), bench.open(), bench.stream("a")
    lost = swept(one, stream, strategy)
    bench.advance(31)
    claimed(two, stream)

    with pytest.raises(Fenced):
        one.append(lost, of_orphan(Kind.CONDEMNED))
    assert not two.view(stream).marked


@both
def test_of_two_processes_that_condemn_it_only_the_one_with_the_lease_does(bench: Bench, strategy: Strategy):
    one, two, stream = bench.open(), bench.open(), bench.stream("a")
    lost = swept(one, stream, strategy)
    bench.advance(31)
    two.append(claimed(two, stream), of_orphan(Kind.CONDEMNED))

    with pytest.raises((Fenced, IllegalFact)):
        one.append(lost, of_orphan(Kind.DISABLED))
    assert one.view(stream).retirements[ORPHAN].step is Kind.CONDEMNED


@both
def test_what_was_seen_at_a_target_in_the_meantime_is_not_condemned(bench: Bench, strategy: Strategy):
    journal, stream = bench.open(), bench.stream("a")
    lease = swept(journal, stream, strategy)
    journal.append(lease, of_orphan(Kind.KNOWN, target="t", fingerprint="f-lost"))

    with pytest.raises(IllegalFact):
        journal.append(lease, of_orphan(Kind.CONDEMNED))
    assert not journal.view(stream).marked


@both
def test_nothing_condemns_the_token_that_is_published(bench: Bench, strategy: Strategy):
    journal, stream = bench.open(), bench.stream("a")
    lease = swept(journal, stream, strategy)

    for kind in (Kind.RETIREMENT, Kind.CONDEMNED):
        with pytest.raises(IllegalFact):
            journal.append(lease, encoding.draft(kind, at=200, token_id="token-1", token_name=name(2)))
    assert not journal.view(stream).marked


@both
def test_after_a_restore_an_older_token_is_not_condemned(bench: Bench, strategy: Strategy):
    journal, stream = bench.open(), bench.stream("a")
    lease = swept(journal, stream, strategy)
    journal.append(lease, encoding.draft(Kind.AHEAD, at=201, token_id="token-later", token_name="name-r9-1"))

    with pytest.raises(IllegalFact):
        journal.append(lease, of_orphan(Kind.CONDEMNED))
    assert not journal.view(stream).marked
