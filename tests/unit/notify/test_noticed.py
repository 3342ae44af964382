"""What of states and facts is worth telling."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from rotator.config.notify import Topic
from rotator.core.credential import State
from rotator.core.drifted import TokenDrift
from rotator.core.facts import Confirmed, Fact, Paused, Revoked
from rotator.core.ids import CredentialId, FactId, TokenId
from rotator.core.reasons import OperatorCode, Reason
from rotator.core.status import CredentialStatus, NeedsOperator, OpenRetirement
from rotator.notify.noticed import happened, lasting

NOW = 1_790_000_000.0
FINE = CredentialStatus(
    name="dns",
    connection="prod",
    owner="account",
    strategy="recreate",
    state=State.IDLE,
    ready=True,
    generation=3,
    token_id=TokenId("t1"),
    token_name="dns~1",
    expires_on=NOW + 2000,
    next_rotation=NOW + 500,
    rotation_deadline=NOW + 1000,
    last_success=NOW - 1000,
    next_attempt=None,
    failing_since=None,
    rotation=None,
    retirements=(),
    paused=None,
    needs_operator=None,
    message="",
    targets=(),
    labels={"team": "web"},
)
CODE = OperatorCode.TARGET_OVERRIDDEN


def fact(what: Any, actor: str = "anna") -> Fact:
    place = {"stream": CredentialId("c1"), "position": 7, "epoch": 1, "writer": "w", "fact_id": FactId("f7")}
    return Fact(what=what, at=NOW, actor=actor, **place)


def retirement(blocked: Reason | None) -> OpenRetirement:
    return OpenRetirement(
        token_id=TokenId("t0"), step="open", until=None, blocked=blocked, last_used_on=None, subject="file:pasted"
    )


def revoked(**more: Any) -> Revoked:
    return Revoked(tokens=(TokenId("t1"),), **more)


def test_of_a_credential_that_is_fine_nothing_is_told() -> None:
    assert lasting([FINE, replace(FINE, state=State.ROTATING), replace(FINE, state=State.PAUSED)], NOW) == []
    assert lasting([replace(FINE, retirements=(retirement(Reason.GRACE),))], NOW) == []


def test_a_question_is_told_with_its_code_and_what_to_do() -> None:
    needs = NeedsOperator(code=CODE, message="somebody", remedy=CODE.remedy, since=NOW - 60)
    [found] = lasting([replace(FINE, state=State.NEEDS_OPERATOR, needs_operator=needs)], NOW)
    assert (found.topic, found.code, found.since) == (Topic.OPERATOR_NEEDED, "target_overridden", NOW - 60)
    assert (found.remedy, found.labels) == (CODE.remedy, {"team": "web"})


def test_another_question_is_another_trouble() -> None:
    asked = [NeedsOperator(code=code, message="", remedy="", since=NOW) for code in (CODE, OperatorCode.REJECTED)]
    assert len({one.key for need in asked for one in lasting([replace(FINE, needs_operator=need)], NOW)}) == 2


def test_a_credential_that_fails_is_told_since_when() -> None:
    failing = replace(FINE, state=State.FAILING, failing_since=NOW - 30, reason=Reason.JOURNAL_UNSAFE, message="full")
    [found] = lasting([failing], NOW)
    assert (found.topic, found.since, found.text) == (Topic.FAILING, NOW - 30, "full")
    assert found.remedy == Reason.JOURNAL_UNSAFE.remedy


@pytest.mark.parametrize(("state", "told"), [(State.IDLE, True), (State.ROTATING, True), (State.UNMANAGED, False)])
def test_past_its_deadline_a_credential_expires_unless_it_is_nobodys(state: State, told: bool) -> None:
    found = lasting([replace(FINE, state=state)], NOW + 1000)
    assert [one.topic for one in found] == [Topic.EXPIRING] * told


def test_drift_is_told_since_it_was_seen() -> None:
    drift = TokenDrift(token_id=TokenId("t1"), since=NOW - 5, differences=(), reconfigured=False, fix=None)  # type: ignore[arg-type]
    [found] = lasting([replace(FINE, drift=drift)], NOW)
    assert (found.topic, found.since) == (Topic.DRIFT, NOW - 5)


def test_whoever_must_say_that_a_pasted_value_is_used_is_told_where() -> None:
    [found] = lasting([replace(FINE, retirements=(retirement(Reason.UNACKNOWLEDGED),))], NOW)
    assert (found.topic, "file:pasted" in found.text) == (Topic.ACK_DUE, True)
    assert "rotator ack" in found.remedy


def test_a_fresh_value_is_told_and_a_token_that_was_taken_over_is_none() -> None:
    found = happened("dns", fact(Confirmed(token_id=TokenId("t1"), generation=4)), {"team": "web"})
    assert found is not None
    assert (found.topic, found.credential, found.labels) == (Topic.ROTATED, "dns", {"team": "web"})
    assert "generation 4" in found.text
    assert happened("dns", fact(Confirmed(token_id=TokenId("t1"), adopt=TokenId("t1"))), {}) is None


def test_a_leak_is_told_by_whom_it_was_said() -> None:
    said, found = happened("dns", fact(revoked()), {}), happened("dns", fact(revoked(exposed=True), "daemon"), {})
    assert said is not None
    assert found is not None
    assert (said.topic, "anna" in said.text) == (Topic.REVOKED, True)
    assert (found.topic, "the provider found" in found.text) == (Topic.REVOKED, True)


def test_what_nobody_asked_for_is_not_told() -> None:
    assert happened("dns", fact(Paused(reason="lunch", until=NOW)), {}) is None


def test_the_same_fact_is_the_same_thing_and_another_one_is_not() -> None:
    one = happened("dns", fact(revoked()), {})
    again = happened("renamed", fact(revoked()), {})
    other = happened("dns", replace(fact(revoked()), fact_id=FactId("f8")), {})
    assert one is not None
    assert again is not None
    assert other is not None
    assert one.key == again.key != other.key
