"""Default timings, and the credentials that engine and journal get."""

from __future__ import annotations

import dataclasses

import pytest

from rotator.config.policy import digest_of, policy_of, to_credential
from rotator.core.credential import NEVER, Policy, Strategy, TargetRef
from rotator.core.durations import DAY
from tests.unit.config.conftest import HEAD, LOOPBACK, Load, credential
from tests.unit.config.fake_kinds import MintOptions

HOUR = 3600.0


def policy(loads: Load, extra: str = "", head: str = HEAD) -> Policy:
    config = loads(credential(extra, head=head))
    return policy_of(config.credentials[0], config.advanced)


def test_a_credential_that_says_nothing_gets_the_defaults_of_the_protocol(loads: Load) -> None:
    assert policy(loads) == Policy()


@pytest.mark.parametrize(
    "lifetime, renew_before, brief",
    [("365d", 365 * DAY / 3, DAY), ("10d", 10 * DAY / 3, DAY), ("1d", 8 * HOUR, 0.1 * DAY), ("1h", 1200, 360)],
)
def test_what_is_not_written_follows_the_lifetime(
    loads: Load, lifetime: str, renew_before: float, brief: float
) -> None:
    found = policy(loads, f"    lifetime: {lifetime}\n")

    assert found.renew_before == pytest.approx(renew_before)
    assert (found.grace, found.quiet, found.soak) == pytest.approx((brief, brief, brief))
    assert found.quiet_adopted == pytest.approx(8 * brief)


def test_a_lifetime_of_seconds_leaves_room_for_every_wait(loads: Load) -> None:
    found = policy(loads, "    lifetime: 20s\n", LOOPBACK)

    assert found.grace + found.quiet + found.soak < found.renew_before


def test_what_is_written_wins_and_an_explicit_quiet_holds_for_adopted_tokens(loads: Load) -> None:
    found = policy(loads, "    rotation: {renew_before: 5d, grace: 1h, quiet: 2h, soak: 0s, every: 30d}\n")

    assert (found.renew_before, found.grace, found.quiet, found.soak) == (5 * DAY, HOUR, 2 * HOUR, 0)
    assert (found.quiet_adopted, found.every) == (2 * HOUR, 30 * DAY)


def test_a_token_without_expiry_is_rotated_by_age_alone(loads: Load) -> None:
    found = policy(loads, "    lifetime: never\n    rotation: {every: 5d}\n")

    assert (found.lifetime, found.renew_before, found.every, found.grace) == (NEVER, 0, 5 * DAY, DAY / 2)


def test_roll_and_patience_go_into_the_policy(loads: Load) -> None:
    advanced = "advanced: {settle: 2m, propagation: 5m, retry: 1m}\n"

    found = policy(loads, "    rotation: {strategy: roll, outage_budget: 150s}\n" + advanced)

    assert (found.strategy, found.outage_budget) == (Strategy.ROLL, 150)
    assert (found.settle, found.propagation, found.retry) == (120, 300, 60)


def test_a_configured_credential_becomes_the_protocols(loads: Load) -> None:
    extra = "    owner: user\n    adopt: {id: abc}\n"
    config = loads(credential(extra, path="/srv/.env, name: app, on_existing: replace"))

    found = to_credential(config.credentials[0], config.advanced, "id-1")

    assert (found.id, found.name, found.connection, found.owner, found.adopt) == ("id-1", "a", "prod", "user", "abc")
    assert found.targets == (TargetRef(name="app", type="env_file", place="env_file:/srv/.env", replace=True),)
    assert found.managed
    assert found.spec["targets"] == [
        {
            "type": "env_file",
            "name": "app",
            "required": True,
            "on_existing": "replace",
            "path": "/srv/.env",
            "create": True,
        }
    ]


# -------------------------------------------------------------------------------------------------------------- digests
def digest(loads: Load, text: str) -> str:
    return digest_of(loads(text).credentials[0])


@pytest.mark.parametrize(
    "other",
    [
        credential(name="b"),
        credential("    lifetime: 30d\n"),
        credential("    rotation: {grace: 2h}\n"),
        credential(path="other.env"),
        credential("    owner: account\n    priority: 5\n"),
        credential().replace("prod", "main"),
    ],
    ids=["name", "lifetime", "rotation", "targets", "defaults written out", "name of the connection"],
)
def test_what_the_source_is_not_told_changes_no_digest(loads: Load, other: str) -> None:
    assert digest(loads, other) == digest(loads, credential())


@pytest.mark.parametrize(
    "other",
    [
        credential("    owner: user\n"),
        credential("    request_ip: {in: [203.0.113.0/24]}\n"),
        credential().replace("DNS Write", "Zone Read"),
    ],
    ids=["owner", "condition", "permission"],
)
def test_what_the_source_is_told_changes_the_digest(loads: Load, other: str) -> None:
    assert digest(loads, other) != digest(loads, credential())


def test_an_option_that_a_later_version_adds_changes_no_digest(loads: Load) -> None:
    class Later(MintOptions):
        added: bool = False

    stanza = loads(credential()).credentials[0]
    later = dataclasses.replace(stanza, source=Later.model_validate(stanza.source.model_dump(by_alias=True)))

    assert digest_of(later) == digest_of(stanza)
