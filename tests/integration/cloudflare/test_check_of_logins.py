"""What check says of accounts, owners, mints, adoption and logins."""

import pytest

from rotator.core.errors import Refused, Unavailable
from rotator.core.findings import Level
from rotator.core.secret import Secret
from rotator.sandbox.tokens import make
from rotator.sandbox.world import Owner
from rotator.sources.cloudflare.connection import CloudflareConnection
from rotator.sources.cloudflare.management import logins
from rotator.sources.cloudflare.source import CloudflareSource
from tests.contract.source.sandbox_world import CountingBudget, SandboxWorld
from tests.integration.cloudflare.checking import HOUR, findings, options, said, the
from tests.sandbox_calls import ACCOUNT, ACCOUNT_API_TOKENS_WRITE, SECOND_ACCOUNT, USER, ZONE


def elsewhere(world: SandboxWorld, account_id: str | None) -> None:
    """Let the configuration say another account."""
    world.connection = CloudflareConnection(
        "prod",
        token=lambda: Secret(world.management),
        budget=CountingBudget(),
        api_url=world.sandbox.url,
        account_id=account_id,
        places={"management": "file /run/secrets/cf"},
    )


def test_the_id_of_a_zone_in_place_of_the_accounts_is_named_with_the_right_one(user: SandboxWorld):
    elsewhere(user, ZONE)
    finding = the(findings(user, options(owner="user")), "account")

    assert "the zone example.com" in finding.message
    assert ACCOUNT in finding.remedy


def test_the_id_of_the_user_in_place_of_the_accounts_is_named(user: SandboxWorld):
    elsewhere(user, USER)
    finding = the(findings(user, options(owner="user")), "account")

    assert "the id of the user" in finding.message
    assert f"{ACCOUNT} (Example Account)" in finding.remedy


def test_an_account_that_the_management_token_does_not_reach_is_named_with_those_that_it_does(user: SandboxWorld):
    elsewhere(user, "d" * 32)
    finding = the(findings(user, options(owner="user")), "account")

    assert "does not reach" in finding.message
    assert f"{ACCOUNT} (Example Account)" in finding.remedy


@pytest.mark.parametrize("wrong, said", [(ZONE, "the zone example.com"), (SECOND_ACCOUNT, "does not reach")])
def test_an_accounts_token_under_a_wrong_account_id_is_told_of_the_id_and_not_of_the_token_alone(
    account: SandboxWorld, wrong: str, said: str
):
    elsewhere(account, wrong)
    (finding,) = findings(account, options())

    assert (finding.level, finding.code) == (Level.FAIL, "management_token")
    assert said in finding.message
    assert ACCOUNT in finding.remedy


def test_a_credentials_own_account_is_looked_at_too_and_nothing_else_is_asked_of_a_wrong_one(account: SandboxWorld):
    found = findings(account, options(), options(account_id=SECOND_ACCOUNT))

    assert SECOND_ACCOUNT in the(found, "account").message
    assert [f for f in found if str(f.subject) == "credential c1"] == []


def test_where_nothing_tells_of_an_account_it_is_a_warning_and_all_else_is_asked(user: SandboxWorld):
    token = user.sandbox.world.tokens[user.management_id]
    token.policies = [p for p in token.policies if "zone" not in str(p["resources"])]  # sees no account any more
    for operation in ("accounts", "zones"):
        user.fault(operation, "refuse", times=100)
    found = findings(user, options(owner="user", grants=[{"permissions": ["D1 Write"]}]))

    assert "does not see the account" in the(found, "account", Level.WARN).message
    assert [f for f in found if str(f.subject) == "credential c0"]


def test_an_accounts_token_is_never_told_to_get_what_only_a_users_can_hold(account: SandboxWorld):
    found = findings(account, options(), options(owner="user"))
    finding = the(found, "permission")

    assert "owned by an account" in finding.message
    assert "a connection whose token a user owns" in finding.remedy
    assert "c1" in finding.message
    assert [f for f in found if str(f.subject) == "credential c1"] == []


PURGE = {"permissions": ["Cache Purge"], "zones": ["example.com"]}


def test_a_grant_on_one_zone_that_the_management_token_does_not_hold_is_found_in_words(account: SandboxWorld):
    finding = the(findings(account, options(grants=[PURGE])), "grants")

    assert "Cache Purge on the zone example.com" in finding.message
    assert "1001" in finding.message
    assert "zones: all" in finding.remedy
    source = CloudflareSource(account.connection, options(grants=[PURGE]))
    with pytest.raises(Refused) as refused:
        source.mint("one", account.now() + HOUR)
    assert "does not hold this permission itself" in refused.value.message
    assert "same permission on that zone" in refused.value.remedy


@pytest.mark.parametrize(
    "grant",
    [
        {"permissions": ["Cache Purge"], "zones": "all"},
        {"permissions": ["DNS Write"], "zones": ["example.com"]},
        {"permissions": ["Workers R2 Storage Bucket Item Read"], "buckets": ["b"]},
    ],
)
def test_what_can_be_handed_on_is_not_called_wrong(account: SandboxWorld, grant: dict[str, object]):
    found = findings(account, options(grants=[grant], request_ip=None))

    assert {f.level for f in found if str(f.subject) == "credential c0"} == {Level.OK}
    CloudflareSource(account.connection, options(grants=[grant])).mint("one", account.now() + HOUR)


def test_what_the_management_token_holds_on_that_very_zone_can_be_handed_on(account: SandboxWorld):
    token = account.sandbox.world.tokens[account.management_id]
    resources = {f"com.cloudflare.api.account.zone.{ZONE}": "*"}
    purge = {"id": "e17beae8b8cb423a99b1730f21238bed"}
    token.policies.append({"id": "1", "effect": "allow", "permission_groups": [purge], "resources": resources})

    assert not [f for f in findings(account, options(grants=[PURGE])) if f.level is Level.FAIL]

    token.policies.append({"id": "2", "effect": "deny", "permission_groups": [purge], "resources": resources})
    assert the(findings(account, options(grants=[PURGE])), "grants")


def test_a_token_of_a_user_hands_on_what_the_user_may(user: SandboxWorld):
    assert not [f for f in findings(user, options(owner="user", grants=[PURGE])) if f.level is Level.FAIL]


def test_a_permission_that_was_dropped_on_create_is_named_by_the_token_that_lacks_it(account: SandboxWorld):
    source = CloudflareSource(account.connection, options(grants=[{"permissions": ["D1 Write", "Queues Write"]}]))
    minted = source.mint("one", account.now() + HOUR)
    (policy,) = account.sandbox.world.tokens[minted.token_id].policies
    policy["permission_groups"].pop()

    state = source.get(minted.token_id)
    assert state is not None
    assert not state.equal
    assert state.differs == "the permission Queues Write is missing"


def test_a_full_quota_is_refused_in_words(account: SandboxWorld):
    account.sandbox.world.settings.account_quota = 3

    with pytest.raises(Refused) as refused:
        account.source.mint("one", account.now() + HOUR)
    assert refused.value.code == "quota"
    assert "the quota is reached" in refused.value.message
    assert "expired too" in refused.value.message
    assert "delete tokens that nobody uses" in refused.value.remedy
    assert "retirement" in refused.value.remedy


def test_a_token_to_take_over_that_does_not_exist_is_found(account: SandboxWorld):
    finding = the(findings(account, options(), adopt="f" * 32), "adopt")

    assert "f" * 32 in finding.message
    assert finding.remedy


@pytest.mark.parametrize(
    "change, level", [({}, Level.OK), ({"disabled": True}, Level.WARN), ({"expires_on": 1.0}, Level.WARN)]
)
def test_a_token_to_take_over_is_looked_at(account: SandboxWorld, change: dict[str, object], level: Level):
    world = account.sandbox.world
    token = make(world, Owner("account", ACCOUNT), "old one", [], account.now())
    for key, value in change.items():
        setattr(token, key, value)
    world.add(token)

    assert the(findings(account, options(), adopt=token.id), "adopt", level)


def test_the_management_token_is_never_taken_over(account: SandboxWorld):
    assert "never manages itself" in the(findings(account, options(), adopt=account.management_id), "adopt").message


def test_a_token_to_take_over_that_cannot_be_looked_at_is_a_finding(account: SandboxWorld):
    account.fault("get", "break", skip=1)

    assert "502" in the(findings(account, options(), adopt="f" * 32), "adopt").message


def test_a_management_token_that_was_revoked_is_seen_at_the_next_look_with_connection_and_place(account: SandboxWorld):
    elsewhere(account, ACCOUNT)
    (before,) = logins(account.connection)
    assert (before.accepted, before.problem) == (True, "")

    account.sandbox.world.tokens[account.management_id].deleted_on = account.now() - 1
    (after,) = logins(account.connection)
    assert after.accepted is False
    for named in ("connection prod", "file /run/secrets/cf", "management token"):
        assert named in after.problem
    assert after.remedy


def test_a_mint_with_a_revoked_management_token_names_connection_and_place(account: SandboxWorld):
    elsewhere(account, ACCOUNT)
    source = CloudflareSource(account.connection, options(grants=[{"permissions": ["D1 Write"]}]))
    account.sandbox.world.tokens[account.management_id].deleted_on = account.now() - 1

    with pytest.raises(Refused) as refused:
        source.mint("one", account.now() + HOUR)
    for named in ("connection prod", "file /run/secrets/cf"):
        assert named in refused.value.message


@pytest.mark.parametrize("operation", ["any", "verify", "get"])
def test_a_provider_that_answers_500_is_no_healthy_one(account: SandboxWorld, operation: str):
    logins(account.connection)
    account.fault(operation, "status", status=500, times=100)

    with pytest.raises(Unavailable, match="500"):
        logins(account.connection)


def test_trouble_with_the_standby_alone_is_told_of_the_standby(account: SandboxWorld):
    account.connection.standby_token = lambda: Secret("cfat_" + "dead" * 12)
    management, standby = logins(account.connection)

    assert (management.accepted, standby.accepted) == (True, False)
    assert "standby token of connection prod" in standby.problem


def test_a_standby_that_may_not_manage_tokens_cannot_keep_its_partner_alive(account: SandboxWorld):
    account.connection.standby_token = lambda: Secret(account.sandbox.credentials["account-standby"])
    token = account.sandbox.world.tokens[account.sandbox.world.roles["account-standby"]]
    for policy in token.policies:
        policy["permission_groups"] = [g for g in policy["permission_groups"] if g["id"] != ACCOUNT_API_TOKENS_WRITE]

    assert said(account, options())["connection", "pair_permission"] == "warn"


def test_two_management_tokens_of_different_owners_cannot_renew_each_other(account: SandboxWorld):
    account.connection.standby_token = lambda: Secret(account.sandbox.credentials["user-standby"])

    assert said(account, options())["connection", "pair_owner"] == "warn"
