"""What a token may be given: the rules on policies and conditions, each with the code that the real API answers."""

import pytest

from tests.sandbox_calls import (
    ACCOUNT,
    ACCOUNT_API_TOKENS_READ,
    ACCOUNT_API_TOKENS_WRITE,
    ACCOUNT_SETTINGS_READ,
    API_TOKENS_READ,
    API_TOKENS_WRITE,
    DNS_WRITE,
    MEMBERSHIPS_READ,
    SECOND_ACCOUNT,
    ZONE,
    ZONE_READ,
    all_of,
    allow,
    self_of,
    zone,
    zones_of,
)

DNS_READ = "82e64a83756745bbbb1c9c2701bf816b"
R2_ITEM_WRITE = "2efd5506f9c8494dacb1fa10a3e7d5b6"
BUCKET = {f"com.cloudflare.edge.r2.bucket.{ACCOUNT}_default_pictures": "*"}


def only(tokens, policy):
    return tokens.create(policies=[policy])


@pytest.mark.parametrize("group", [API_TOKENS_WRITE, ACCOUNT_API_TOKENS_WRITE])
def test_a_token_never_hands_on_the_making_of_tokens(provider, group):
    on = self_of() if group == API_TOKENS_WRITE else all_of()
    got = only(provider.owner("user"), allow(group, on=on))
    assert got.refusal == (400, 1001)
    assert "sub-token" in got.message


def test_an_account_token_never_hands_on_the_making_of_tokens(provider):
    got = only(provider.owner("account"), allow(ACCOUNT_API_TOKENS_WRITE, on=all_of()))
    assert got.refusal == (400, 1001)
    assert "sub-token" in got.message


def test_the_matching_read_groups_may_be_handed_on(provider):
    assert only(provider.owner("user"), allow(API_TOKENS_READ, on=self_of())).status == 200
    assert only(provider.owner("account"), allow(ACCOUNT_API_TOKENS_READ, on=all_of())).status == 200


def test_a_management_token_may_update_itself_and_keep_what_it_holds(tokens):
    policies = [allow(tokens.write_group, tokens.read_group, on=tokens.own)]
    assert tokens.update(tokens.management_id, policies=policies).status == 200
    assert tokens.create().status == 200


def test_an_update_cannot_add_the_making_of_tokens(tokens):
    token = tokens.made()
    got = tokens.update(token["id"], policies=[allow(tokens.write_group, on=tokens.own)])
    assert got.refusal == (400, 1001)


def test_an_account_token_gives_on_a_single_zone_only_what_it_holds_there(provider):
    account = provider.owner("account")
    assert only(account, allow(DNS_WRITE, on=zone())).status == 200
    got = only(account, allow(DNS_READ, on=zone()))
    assert got.refusal == (400, 1001)
    assert got.message == 'Failed common permission check against resources. (Permission group: "DNS Read")'
    nested = {f"com.cloudflare.api.account.{ACCOUNT}": zone()}
    assert only(account, allow(DNS_READ, on=nested)).refusal == (400, 1001)


def test_an_account_token_gives_any_group_on_all_zones_and_on_buckets(provider):
    account = provider.owner("account")
    assert only(account, allow(DNS_READ, on=zones_of())).status == 200
    assert only(account, allow(R2_ITEM_WRITE, on=BUCKET)).status == 200


def test_a_user_token_gives_any_group_on_a_single_zone(provider):
    assert only(provider.owner("user"), allow(DNS_READ, on=zone())).status == 200


def test_all_zones_of_an_account_token_must_be_nested_under_the_account(provider):
    flat = {"com.cloudflare.api.account.zone.*": "*"}
    got = only(provider.owner("account"), allow(DNS_WRITE, on=flat))
    assert got.refusal == (400, 1001)
    assert "nest zone under specific account resource" in got.message
    assert only(provider.owner("user"), allow(DNS_WRITE, on=flat)).status == 200


@pytest.mark.parametrize("group", ["0" * 32, "", "DNS Write"])
def test_an_unknown_permission_group_is_named(tokens, group):
    got = only(tokens, allow(group, on=zones_of()))
    assert got.refusal == (400, 1001)
    assert got.message == f'Permission group "{group}" (not found)'


def test_a_permission_group_without_an_id_is_not_found(tokens):
    policy = {"effect": "allow", "permission_groups": [{"name": "DNS Write"}], "resources": zones_of()}
    assert only(tokens, policy).refusal == (400, 1001)


def test_an_account_token_cannot_hold_groups_of_a_user(provider):
    assert only(provider.owner("account"), allow(MEMBERSHIPS_READ, on=all_of())).refusal == (400, 1001)


def test_policy_ids_are_refused_on_create(tokens):
    read = tokens.made()["policies"]
    got = tokens.create(policies=read)
    assert got.refusal == (400, 1001)
    assert got.message == "Reusing existing policies is not supported"


@pytest.mark.parametrize(
    "policy",
    [
        "allow",
        {"permission_groups": [{"id": DNS_WRITE}], "resources": zones_of()},
        {"effect": "maybe", "permission_groups": [{"id": DNS_WRITE}], "resources": zones_of()},
        {"effect": "allow", "resources": zones_of()},
        {"effect": "allow", "permission_groups": [], "resources": zones_of()},
    ],
)
def test_a_policy_needs_an_effect_and_groups(tokens, policy):
    assert only(tokens, policy).refusal == (400, 400)


@pytest.mark.parametrize(
    "on",
    [
        None,
        {},
        "*",
        {"com.cloudflare.api.nothing.x": "*"},
        {"com.cloudflare.api.account.": "*"},
        {f"com.cloudflare.api.account.{ACCOUNT}": "read"},
        {f"com.cloudflare.api.account.{ACCOUNT}": {}},
        {f"com.cloudflare.api.account.{ACCOUNT}": {"com.cloudflare.api.account.zone.*": {"deeper": "*"}}},
        {f"com.cloudflare.api.account.zone.{ZONE}": {"com.cloudflare.api.account.zone.*": "*"}},
        {f"com.cloudflare.api.account.{'f' * 32}": "*"},
        {f"com.cloudflare.api.account.zone.{'f' * 32}": "*"},
        {f"com.cloudflare.api.user.{'f' * 32}": "*"},
        {f"com.cloudflare.edge.r2.bucket.{'f' * 32}_default_x": "*"},
    ],
)
def test_resources_that_do_not_exist_or_do_not_parse_are_refused(tokens, on):
    assert only(tokens, allow(ACCOUNT_SETTINGS_READ, on=on)).refusal == (400, 1001)


def test_an_account_token_cannot_reach_beyond_its_account(provider):
    account = provider.owner("account")
    for on in (all_of(SECOND_ACCOUNT), {"com.cloudflare.api.account.*": "*"}, self_of()):
        assert only(account, allow(ACCOUNT_SETTINGS_READ, on=on)).refusal == (400, 1001)


def test_a_user_token_may_reach_all_accounts_of_its_user(provider):
    user = provider.owner("user")
    for on in (all_of(), all_of(SECOND_ACCOUNT), {"com.cloudflare.api.account.*": "*"}):
        assert only(user, allow(ACCOUNT_SETTINGS_READ, on=on)).status == 200
    assert only(user, allow(ZONE_READ, on=zones_of(SECOND_ACCOUNT))).status == 200


@pytest.mark.parametrize(
    "condition",
    [
        [],
        "10.0.0.0/8",
        {"country": "DE"},
        {"request_ip": "10.0.0.0/8"},
        {"request_ip": {"only": []}},
        {"request_ip": {"in": "10.0.0.0/8"}},
        {"request_ip": {"in": ["10.0.0.0/33"]}},
        {"request_ip": {"in": ["example.com"]}},
        {"request_ip": {"not_in": [7]}},
    ],
)
def test_a_condition_of_another_shape_is_refused(tokens, condition):
    assert tokens.create(condition=condition).refusal == (400, 400)


def test_the_narrow_management_token_makes_tokens_and_gives_nothing_on_a_single_zone(provider):
    account, narrow = provider.owner("account"), provider.credentials["account-narrow"]

    assert account.create(policies=[allow(DNS_WRITE, on=zones_of())], bearer=narrow).status == 200
    assert account.create(policies=[allow(DNS_WRITE, on=zone())], bearer=narrow).refusal == (400, 1001)
    assert provider.api("GET", "/zones", bearer=narrow).refusal == (403, 9109)
