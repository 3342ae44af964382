"""Who is calling, and what may they do: headers, verify, states of a token, addresses, policies, the global key."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.sandbox_calls import (
    ACCOUNT,
    ACCOUNT_SETTINGS_READ,
    MEMBERSHIPS_READ,
    SECOND_ACCOUNT,
    ZONE,
    ZONE_READ,
    Provider,
    all_of,
    allow,
    self_of,
    zone,
    zones_of,
)

UNKNOWN_VALUE = "cfut_" + "A" * 40 + "0" * 8


def after(seconds):
    return (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


# -- what the headers carry --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header",
    ["Bearer test", "Bearer", "Basic abc", 'Bearer "' + UNKNOWN_VALUE + '"', UNKNOWN_VALUE, "Bearer " + "a" * 39],
)
@pytest.mark.parametrize("path", ["/user/tokens/verify", "/zones", "/nowhere"])
def test_a_malformed_bearer_is_an_invalid_header_everywhere(provider, header, path):
    got = provider.api("GET", path, headers={"authorization": header})
    assert got.refusal == (400, 6003)
    assert got.json["errors"][0]["error_chain"] == [
        {"code": 6111, "message": "Invalid format for Authorization header"}
    ]


def test_a_malformed_global_key_is_an_invalid_header(provider):
    got = provider.api("GET", "/user", headers={"x-auth-email": "owner@example.com", "x-auth-key": "nonsense"})
    assert got.refusal == (400, 6003)
    assert got.json["errors"][0]["error_chain"][0]["code"] == 6103


def test_a_request_without_credentials_is_told_so(tokens):
    assert tokens.list(bearer=None).refusal == (400, 9106)
    assert tokens.verify(None).refusal == (400, 1001)


def test_an_unknown_value_is_refused(tokens):
    assert tokens.verify(UNKNOWN_VALUE).refusal == (401, 1000)
    assert tokens.list(bearer=UNKNOWN_VALUE).refusal == (401, 9109)
    assert tokens.list(bearer=UNKNOWN_VALUE).message == "Invalid access token"


def test_a_token_of_the_format_before_2026_is_accepted(provider):
    token = provider.owner("user").made()
    provider.world.replace_value(provider.world.tokens[token["id"]], "x" * 38 + "-_", 0.0)
    assert provider.owner("user").verify("x" * 38 + "-_").status == 200


# -- verify ------------------------------------------------------------------------------------------------------------


def test_verify_tells_a_good_token_who_it_is(tokens):
    token = tokens.made(expires_on=after(600), policies=[])
    got = tokens.verify(token["value"])
    assert got.result == {"id": token["id"], "status": "active", "expires_on": token["expires_on"]}
    assert got.json["messages"] == [{"code": 10000, "message": "This API Token is valid and active", "type": None}]


@pytest.mark.parametrize("state", ["disabled", "expired"])
def test_verify_tells_a_disabled_or_expired_token_its_state(tokens, state):
    token = tokens.made(expires_on=after(60))
    if state == "disabled":
        tokens.update(token["id"], status="disabled")
    else:
        tokens.provider.advance(60)
    got = tokens.verify(token["value"])
    assert got.result["status"] == state
    assert got.json["messages"] == []


def test_verify_on_the_endpoint_of_the_other_kind_of_owner_is_refused(provider):
    user, account = provider.owner("user"), provider.owner("account")
    assert user.verify(account.management).refusal == (401, 1000)
    assert account.verify(user.management).refusal == (401, 1000)


def test_verify_on_another_account_is_refused(provider):
    path = f"/accounts/{SECOND_ACCOUNT}/tokens/verify"
    assert provider.api("GET", path, bearer=provider.credentials["account-management"]).refusal == (401, 1000)


def test_verify_of_the_global_key_is_refused(provider):
    assert provider.api("GET", "/user/tokens/verify", headers=global_key(provider)).refusal == (401, 1000)


def test_a_token_from_the_future_is_known_but_not_yet_good(tokens):
    token = tokens.made(not_before=after(600), policies=[allow(ZONE_READ, on=zones_of())])
    got = tokens.verify(token["value"])
    assert got.result["not_before"] == token["not_before"]
    assert got.json["messages"] == []
    assert tokens.provider.api("GET", "/zones", bearer=token["value"]).refusal == (401, 9109)


# -- addresses ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["request_ip", "request.ip"])
@pytest.mark.parametrize(
    "sides,ip,welcome",
    [
        ({"in": ["10.0.0.0/8"]}, "10.1.2.3", True),
        ({"in": ["10.0.0.0/8"]}, "127.0.0.1", False),
        ({"in": ["127.0.0.1"]}, "127.0.0.1", True),
        ({"in": ["10.0.0.0/8"], "not_in": ["10.1.0.0/16"]}, "10.1.2.3", False),
        ({"not_in": ["10.1.0.0/16"]}, "10.2.0.1", True),
        ({"in": ["2001:db8::/32"]}, "2001:db8::7", True),
        ({"in": ["2001:db8::/32"]}, "10.1.2.3", False),
        ({"in": []}, "10.1.2.3", False),
        ({"not_in": []}, "10.1.2.3", True),
        ({}, "10.1.2.3", False),
    ],
)
def test_a_condition_decides_by_address_under_both_spellings_of_its_key(tokens, key, sides, ip, welcome):
    policies = [allow(ZONE_READ, on=zones_of())]
    token = tokens.made(policies=policies, condition={key: sides})
    assert token["condition"] == {"request_ip": sides}
    verified = tokens.verify(token["value"], ip=ip)
    listed = tokens.provider.api("GET", "/zones", bearer=token["value"], ip=ip)
    if welcome:
        assert (verified.status, listed.status) == (200, 200)
    else:
        assert (verified.refusal, listed.refusal) == ((403, 9109), (403, 9109))
        assert verified.message == f"Cannot use the access token from location: {ip}"


def test_an_empty_condition_locks_everybody_out(tokens):
    assert tokens.verify(tokens.made(condition={})["value"]).refusal == (403, 9109)


def test_a_condition_that_is_null_is_none(tokens):
    token = tokens.made(condition=None)
    assert "condition" not in token
    assert tokens.verify(token["value"]).status == 200


# -- policies ----------------------------------------------------------------------------------------------------------


def test_reading_tokens_needs_the_read_group_and_writing_the_write_group(tokens):
    reader = tokens.made(policies=[allow(tokens.read_group, on=tokens.own)])["value"]
    other = tokens.made()
    refused = (403, 9109) if tokens.kind == "user" else (403, 10000)
    for allowed in (
        tokens.list(bearer=reader),
        tokens.get(other["id"], bearer=reader),
        tokens.call("GET", "/permission_groups", bearer=reader),
    ):
        assert allowed.status == 200
    for denied in (
        tokens.create(bearer=reader),
        tokens.update(other["id"], bearer=reader),
        tokens.roll(other["id"], bearer=reader),
        tokens.delete(other["id"], bearer=reader),
    ):
        assert denied.refusal == refused


def test_a_token_without_token_groups_may_only_verify(tokens):
    value = tokens.made()["value"]
    refused = (403, 9109) if tokens.kind == "user" else (403, 10000)
    assert tokens.verify(value).status == 200
    assert tokens.list(bearer=value).refusal == refused
    assert tokens.get("0" * 32, bearer=value).refusal == refused
    assert tokens.call("GET", "/permission_groups", bearer=value).refusal == refused


def test_the_groups_for_user_tokens_and_for_account_tokens_are_separate(provider):
    user, account = provider.owner("user"), provider.owner("account")
    assert account.list(bearer=user.management).refusal == (403, 10000)
    assert user.list(bearer=account.management).refusal == (403, 9109)


def test_an_account_token_rules_its_own_account_only(provider):
    management = provider.credentials["account-management"]
    assert provider.api("GET", f"/accounts/{SECOND_ACCOUNT}/tokens", bearer=management).refusal == (403, 10000)


def names(got):
    return [row["name"] for row in got.result]


def test_a_deny_beats_an_allow(provider):
    deny = {**allow(ZONE_READ, on=zone()), "effect": "deny"}
    value = provider.owner("user").made(policies=[deny, allow(ZONE_READ, on=zones_of())])["value"]
    assert names(provider.api("GET", "/zones", bearer=value)) == ["example.net", "example.org"]
    assert provider.api("GET", f"/zones/{ZONE}", bearer=value).refusal == (403, 9109)


@pytest.mark.parametrize(
    "on,count",
    [
        ({"com.cloudflare.api.account.zone.*": "*"}, 3),
        ({"com.cloudflare.api.account.*": {"com.cloudflare.api.account.zone.*": "*"}}, 3),
        (zones_of(), 3),
        (zone(), 1),
        ({f"com.cloudflare.api.account.{ACCOUNT}": {f"com.cloudflare.api.account.zone.{ZONE}": "*"}}, 1),
        (zones_of(SECOND_ACCOUNT), 0),
        (all_of(), 0),
    ],
)
def test_a_zone_group_reaches_the_zones_that_its_resources_name(provider, on, count):
    value = provider.owner("user").made(policies=[allow(ZONE_READ, on=on)])["value"]
    got = provider.api("GET", "/zones", bearer=value)
    assert (len(got.json["result"] or []) if got.status == 200 else 0) == count


def test_a_group_applies_only_to_resources_of_its_own_scope(provider):
    policies = [allow(ACCOUNT_SETTINGS_READ, ZONE_READ, on=all_of())]
    value = provider.owner("user").made(policies=policies)["value"]
    assert provider.api("GET", f"/zones/{ZONE}", bearer=value).refusal == (403, 9109)


# -- account tokens at user endpoints ----------------------------------------------------------------------------------


def test_an_account_token_is_turned_away_from_what_belongs_to_a_user(provider):
    value = provider.credentials["account-management"]
    assert provider.api("GET", "/user", bearer=value).refusal == (403, 9109)
    assert provider.api("GET", "/memberships", bearer=value).refusal == (400, 9106)


def test_user_endpoints_need_their_groups(provider):
    value = provider.owner("user").made(policies=[allow(MEMBERSHIPS_READ, on=self_of())])["value"]
    assert provider.api("GET", "/user", bearer=value).refusal == (403, 9109)
    assert provider.api("GET", "/memberships", bearer=value).status == 200
    other = provider.owner("user").made(policies=[])["value"]
    assert provider.api("GET", "/memberships", bearer=other).refusal == (403, 10000)


# -- the global key ----------------------------------------------------------------------------------------------------


def global_key(provider: Provider, **change):
    return {"x-auth-email": "owner@example.com", "x-auth-key": provider.credentials["global-api-key"], **change}


def test_the_global_key_acts_as_the_user_everywhere(provider):
    headers = global_key(provider)
    for path in ("/user", "/user/tokens", f"/accounts/{SECOND_ACCOUNT}/tokens", "/zones", "/memberships"):
        assert provider.api("GET", path, headers=headers).status == 200


def test_the_global_key_may_make_a_token_that_makes_tokens(tokens):
    headers = global_key(tokens.provider)
    body = {"name": "minter", "policies": [allow(tokens.write_group, on=tokens.own)]}
    token = tokens.call("POST", "", body, bearer=None, headers=headers).result
    assert tokens.create(bearer=token["value"]).status == 200


@pytest.mark.parametrize(
    "change",
    [{"x-auth-email": "stranger@example.com"}, {"x-auth-key": "cfk_" + "A" * 40 + "0" * 8}, {"x-auth-key": "a" * 37}],
)
def test_a_wrong_global_key_or_email_is_unknown(provider, change):
    assert provider.api("GET", "/user", headers=global_key(provider, **change)).refusal == (403, 9103)


def test_no_answer_to_a_bad_credential_repeats_it(provider):
    got = provider.api("GET", "/user", bearer=UNKNOWN_VALUE)
    assert UNKNOWN_VALUE not in json.dumps(got.json)
