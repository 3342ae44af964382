"""The user, memberships, accounts, zones and permission groups."""

import pytest

from tests.sandbox_calls import (
    ACCOUNT,
    ACCOUNT_SETTINGS_READ,
    DNS_WRITE,
    MEMBERSHIPS_READ,
    SECOND_ACCOUNT,
    USER,
    ZONE,
    ZONE_READ,
    all_of,
    allow,
    self_of,
    zone,
    zones_of,
)


def ids(got):
    return [row["id"] for row in got.result]


def test_the_user_is_the_owner_of_the_management_token(provider):
    got = provider.api("GET", "/user", bearer=provider.credentials["user-management"])
    assert (got.result["id"], got.result["email"]) == (USER, "owner@example.com")


def test_memberships_name_the_users_accounts(provider):
    got = provider.api("GET", "/memberships", bearer=provider.credentials["user-management"])
    assert [row["account"]["id"] for row in got.result] == [ACCOUNT, SECOND_ACCOUNT]
    assert {row["status"] for row in got.result} == {"accepted"}
    assert got.json["result_info"]["total_count"] == 2


def test_an_account_token_sees_its_own_account_only(provider):
    value = provider.credentials["account-management"]
    assert ids(provider.api("GET", "/accounts?page=1", bearer=value)) == [ACCOUNT]
    assert provider.api("GET", f"/accounts/{ACCOUNT}", bearer=value).result["name"] == "Example Account"
    assert provider.api("GET", f"/accounts/{SECOND_ACCOUNT}", bearer=value).refusal == (403, 9109)


@pytest.mark.parametrize(
    "policies,seen",
    [
        ([], []),
        ([allow(MEMBERSHIPS_READ, on=self_of())], []),
        ([allow(ACCOUNT_SETTINGS_READ, on=all_of(SECOND_ACCOUNT))], [SECOND_ACCOUNT]),
        ([allow(ACCOUNT_SETTINGS_READ, on={"com.cloudflare.api.account.*": "*"})], [ACCOUNT, SECOND_ACCOUNT]),
        ([allow(DNS_WRITE, on=zone())], [ACCOUNT]),
        ([allow(DNS_WRITE, on=zones_of(SECOND_ACCOUNT))], [SECOND_ACCOUNT]),
        ([allow(DNS_WRITE, on={"com.cloudflare.api.account.zone.*": "*"})], [ACCOUNT, SECOND_ACCOUNT]),
        (
            [allow("2efd5506f9c8494dacb1fa10a3e7d5b6", on={f"com.cloudflare.edge.r2.bucket.{ACCOUNT}_eu_x": "*"})],
            [ACCOUNT],
        ),
        ([{**allow(ACCOUNT_SETTINGS_READ, on=all_of()), "effect": "deny"}], []),
    ],
)
def test_a_user_token_sees_the_accounts_that_its_policies_touch(provider, policies, seen):
    value = provider.owner("user").made(policies=policies)["value"]
    assert ids(provider.api("GET", "/accounts", bearer=value)) == seen


def test_accounts_are_filtered_by_name_and_turned_around(provider):
    value = provider.credentials["user-management"]
    assert ids(provider.api("GET", "/accounts?name=Second%20Account", bearer=value)) == [SECOND_ACCOUNT]
    assert ids(provider.api("GET", "/accounts?direction=desc", bearer=value)) == [SECOND_ACCOUNT, ACCOUNT]


def test_the_default_world_has_three_zones_in_its_first_account(provider):
    got = provider.api("GET", "/zones", bearer=provider.credentials["account-management"])
    assert [(row["id"], row["name"]) for row in got.result] == [
        ("b0000000000000000000000000000001", "example.com"),
        ("b0000000000000000000000000000002", "example.net"),
        ("b0000000000000000000000000000003", "example.org"),
    ]
    assert {row["account"]["id"] for row in got.result} == {ACCOUNT}


@pytest.mark.parametrize(
    "query,count",
    [
        ("?name=example.net", 1),
        ("?name=example", 0),
        (f"?account.id={ACCOUNT}", 3),
        (f"?account.id={SECOND_ACCOUNT}", 0),
        ("?account.name=Example%20Account", 3),
        ("?status=active", 3),
        ("?status=pending", 0),
        ("?per_page=5&page=2", 0),
        ("?direction=desc", 3),
    ],
)
def test_zones_are_filtered_and_paged(provider, query, count):
    got = provider.api("GET", f"/zones{query}", bearer=provider.credentials["user-management"])
    assert len(got.result) == count


def test_zones_need_zone_read(provider):
    user = provider.owner("user")
    without = user.made(policies=[allow(DNS_WRITE, on=zone())])["value"]
    assert provider.api("GET", "/zones", bearer=without).refusal == (403, 9109)
    reader = user.made(policies=[allow(ZONE_READ, on=zone())])["value"]
    assert ids(provider.api("GET", "/zones", bearer=reader)) == [ZONE]
    assert provider.api("GET", f"/zones/{ZONE}", bearer=reader).result["name"] == "example.com"


def test_an_unknown_zone_looks_like_one_that_may_not_be_read(provider):
    value = provider.credentials["user-management"]
    assert provider.api("GET", f"/zones/{'f' * 32}", bearer=value).refusal == (403, 9109)


def test_user_tokens_may_hold_all_groups_and_account_tokens_all_but_those_of_users(provider):
    user = provider.owner("user").call("GET", "/permission_groups").result
    account = provider.owner("account").call("GET", "/permission_groups").result
    scopes = {row["scopes"][0] for row in user}
    assert scopes - {row["scopes"][0] for row in account} == {"com.cloudflare.api.user"}
    assert len(user) - len(account) == 6
    assert all(row["is_selectable"] for row in account)
    assert not any("is_selectable" in row for row in user)


def test_permission_groups_are_filtered_by_name_and_scope(tokens):
    named = tokens.call("GET", "/permission_groups?name=Access%3A%20Apps%20and%20Policies%20Read").result
    assert len(named) == 2  # the same name at two scopes
    scoped = tokens.call("GET", "/permission_groups?scope=com.cloudflare.edge.r2.bucket").result
    assert len(scoped) == 2
    assert tokens.call("GET", "/permission_groups?per_page=1000").status == 200


@pytest.mark.parametrize(
    "method,path,refusal",
    [
        ("GET", "/nowhere", (404, 7000)),
        ("GET", "/user/tokens/x/y/z", (404, 7000)),
        ("PATCH", "/user/tokens", (405, 7001)),
        ("POST", "/user/tokens/verify", (405, 7001)),
        ("GET", "/accounts/short/tokens", (404, 7003)),
        ("GET", "/zones/short", (404, 7003)),
    ],
)
def test_a_wrong_path_verb_or_identifier_has_its_own_refusal(provider, method, path, refusal):
    assert provider.api(method, path, bearer=provider.credentials["user-management"]).refusal == refusal


def test_what_is_outside_the_api_has_no_route(provider):
    assert provider.call("GET", "/client/v5/user").refusal == (404, 7000)
