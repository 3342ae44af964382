"""Faults of the provider: how to wait, what is told, and what is equal."""

import pytest

from rotator.core.errors import RateLimited, Unavailable
from rotator.core.ports.source import Minted
from tests.contract.source.contract import EFFECTS, HOUR, READS, act
from tests.contract.source.sandbox_world import SandboxWorld
from tests.integration.cloudflare.faulty import status


@pytest.mark.parametrize(
    "said, wait", [(None, 300), (42, 42), (0, 300), (10**9, 3600), ("soon", 300), (-5, 300), ("", 300)]
)
def test_a_429_stops_the_connection_for_as_long_as_it_says(
    world: SandboxWorld, token: Minted, said: object, wait: float
):
    world.fault("create", **status(429, retry_after=said))

    with pytest.raises(RateLimited) as caught:
        world.source.mint("later", world.now() + HOUR)
    assert caught.value.retry_after == wait
    assert world.budget.stopped == [wait]


def test_a_429_may_name_a_date(world: SandboxWorld, token: Minted):
    from email.utils import formatdate

    world.fault("get", **status(429, retry_after=formatdate(world.now() + 90, usegmt=True)))

    with pytest.raises(RateLimited) as caught:
        world.source.get(token.token_id)
    assert 85 <= caught.value.retry_after <= 90


def test_a_lockout_stops_the_connection_for_ten_minutes(world: SandboxWorld, token: Minted):
    world.fault("verify", **status(403, code=9109, message="Max auth failures reached"))

    with pytest.raises(RateLimited):
        world.source.verify(token.value)
    assert world.budget.stopped == [600.0]


def test_the_last_request_of_the_providers_own_count_stops_the_connection(world: SandboxWorld, token: Minted):
    world.sandbox.world.settings.rate_limit = (2, 300.0)
    world.source.get(token.token_id)
    assert world.budget.stopped == []

    world.source.get(token.token_id)
    assert len(world.budget.stopped) == 1
    assert 0 < world.budget.stopped[0] <= 300


def test_a_spent_budget_sends_nothing(world: SandboxWorld, token: Minted):
    world.budget.empty = True
    for operation in (*EFFECTS, *READS):
        before = world.requests(operation)
        with pytest.raises(RateLimited):
            act(world, operation, token)
        assert world.requests(operation) == before


def test_every_request_says_how_long_it_can_wait(world: SandboxWorld, token: Minted):
    from rotator.core.ports.runtime import Priority

    def asked(operation: str) -> list[Priority]:
        before = len(world.budget.taken)
        act(world, operation, token)
        return world.budget.taken[before:]

    assert asked("create") == [Priority.START]
    assert asked("list") == [Priority.WATCH]
    assert asked("get") == asked("verify") == [Priority.FINISH]
    assert asked("update") == asked("roll") == [Priority.FINISH, Priority.FINISH]
    assert asked("delete") == [Priority.FINISH]
    before = len(world.budget.taken)
    world.connection.inventory("account")
    assert world.budget.taken[before:] == [Priority.SWEEP]


def test_the_observer_hears_of_every_request_and_of_the_providers_time(world: SandboxWorld, token: Minted):
    world.source.get(token.token_id)
    world.told.clear()
    world.source.get(token.token_id)
    world.fault("get", "lose_answer")
    with pytest.raises(Unavailable):
        world.source.get(token.token_id)
    world.source.delete(token.token_id)
    world.source.get(token.token_id)

    assert world.told == [("get", "200"), ("get", "lost"), ("delete", "200"), ("get", "404")]
    assert abs(world.dates[-1] - world.now()) <= 2


def test_nothing_is_told_between_a_minted_value_and_its_caller(world: SandboxWorld, token: Minted):
    world.source.get(token.token_id)
    world.told.clear()
    dates = len(world.dates)

    world.source.mint("two", world.now() + HOUR)
    assert world.told == []
    assert len(world.dates) == dates

    world.source.get(token.token_id)
    assert world.told == [("create", "200"), ("get", "200")]


@pytest.mark.parametrize("change", ["policy", "more", "condition", "no condition", "empty"])
def test_a_token_that_somebody_changed_is_not_equal(world: SandboxWorld, token: Minted, change: str):
    there = world.sandbox.world.tokens[token.token_id]
    if change == "policy":
        there.policies[0]["effect"] = "deny"
    elif change == "more":
        there.policies[0]["permission_groups"].append({"id": "c1fde68c7bcc44588cbb6ddbc16d6480"})
    elif change == "condition":
        there.condition = {"request_ip": {"in": ["198.51.100.0/24"]}}
    elif change == "no condition":
        there.condition = None
    else:
        there.policies.clear()

    found = world.source.get(token.token_id)
    assert found is not None
    assert found.active
    assert not found.equal


def test_a_change_of_the_expiry_or_the_name_is_no_change_of_grants(world: SandboxWorld, token: Minted):
    there = world.sandbox.world.tokens[token.token_id]
    there.name, there.expires_on = "renamed", world.now() + 9 * HOUR

    found = world.source.get(token.token_id)
    assert found is not None
    assert found.equal


def test_extending_keeps_the_changes_that_somebody_else_made(world: SandboxWorld, token: Minted):
    there = world.sandbox.world.tokens[token.token_id]
    there.name, there.not_before = "renamed", world.now() - 100
    there.condition = {"request_ip": {"in": ["127.0.0.0/8"]}}
    world.source.extend(token.token_id, world.now() + 5 * HOUR)

    assert there.name == "renamed"
    assert there.condition == {"request_ip": {"in": ["127.0.0.0/8"]}}
    assert there.not_before is not None
    assert int(there.not_before) == int(world.now() - 100) or abs(there.not_before - world.now() + 100) < 5
