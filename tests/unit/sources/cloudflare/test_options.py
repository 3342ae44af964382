"""What may be written about a connection and a credential, what is wrong with it, and where."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from rotator.config.kinds import Complaint
from rotator.sources.cloudflare.check import check
from rotator.sources.cloudflare.options import ConnectionOptions, CredentialOptions
from rotator.sources.cloudflare.outputs import available

ACCOUNT = "a0000000000000000000000000000001"
OTHER = "a0000000000000000000000000000002"
ZONE_ID = "b0000000000000000000000000000001"
DNS = {"permissions": ["DNS Write"], "zones": ["example.com"]}


def credential(*grants: object, **more: object) -> CredentialOptions:
    return CredentialOptions.model_validate({"grants": list(grants) or [DNS], **more})


def connection(**more: object) -> ConnectionOptions:
    return ConnectionOptions.model_validate({"token": {"file": "/run/secrets/cf"}, "account_id": ACCOUNT, **more})


def wrong(options: Any) -> tuple[tuple[Any, ...], str]:
    """Where the one error is, and what it says."""
    with pytest.raises(ValidationError) as caught:
        CredentialOptions.model_validate(options)
    (error,) = caught.value.errors()
    return error["loc"], error["msg"]


def complaints(options: CredentialOptions, **login: object) -> list[Complaint]:
    return check(connection(**login), options)


# ---------------------------------------------------------------------------------------------------------- connections
def test_a_connection_needs_a_token_and_has_defaults_for_the_rest():
    found = ConnectionOptions.model_validate({"token": {"env": "CF"}})

    assert found.api_url == "https://api.cloudflare.com/client/v4"
    assert (found.rate_budget.requests, found.rate_budget.window) == (300, 300.0)
    assert found.account_id is found.user_id is found.standby_token is None


@pytest.mark.parametrize(
    "more",
    [
        {"token": "cfut_inline"},
        {"api_url": "http://api.example.com/client/v4"},
        {"account_id": "short"},
        {"acount_id": ACCOUNT},
    ],
)
def test_a_connection_is_refused_with_a_token_in_clear_or_plain_http_or_an_odd_id(more: dict[str, object]):
    with pytest.raises(ValidationError) as caught:
        connection(**more)

    assert "inline" not in str(caught.value)


def test_plain_http_is_for_loopback():
    assert connection(api_url="http://127.0.0.1:8980/client/v4/").api_url == "http://127.0.0.1:8980/client/v4"


# ---------------------------------------------------------------------------------------------------------- credentials
def test_names_and_ids_of_permissions_and_zones_are_taken():
    grant = {"permissions": ["DNS Write", {"id": ZONE_ID}], "zones": ["Example.COM.", {"id": ZONE_ID}]}
    found = credential(grant, owner="user", request_ip={"in": ["203.0.113.7", "2001:db8::1/32"]}).grants[0]

    assert found.permissions[0] == "DNS Write"
    assert found.zones is not None
    assert found.zones[0] == "example.com"


@pytest.mark.parametrize(
    "options, at, said",
    [
        ({"grants": []}, ("grants",), "empty"),
        ({"grants": DNS}, ("grants",), "not a list"),
        ({"grants": [{"permissions": []}]}, ("grants", 0, "permissions"), "empty"),
        ({"grants": [{**DNS, "zones": []}]}, ("grants", 0, "zones"), "empty"),
        ({"grants": [{**DNS, "zones": ["example"]}]}, ("grants", 0, "zones"), "not the name of a zone"),
        ({"grants": [{**DNS, "zones": ["*.example.com"]}]}, ("grants", 0, "zones"), "not the name of a zone"),
        ({"grants": [{**DNS, "zones": "every"}]}, ("grants", 0, "zones"), "`all` or a list"),
        ({"grants": [{**DNS, "buckets": ["b"]}]}, ("grants", 0), "one grant"),
        ({"grants": [{**DNS, "except_zones": ["a.example"]}]}, ("grants", 0), "zones: all"),
        ({"grants": [{**DNS, "accounts": "all"}]}, ("grants", 0), "named zones"),
        ({"grants": [{"permissions": ["D1 Write"], "buckets": "all", "accounts": "all"}]}, ("grants", 0), "buckets"),
        ({"grants": [{**DNS, "zone": "x"}]}, ("grants", 0, "zone"), "Extra"),
        ({"grants": [DNS], "request_ip": {}}, ("request_ip",), "restricts nothing"),
        ({"grants": [DNS], "request_ip": {"in": []}}, ("request_ip", "in"), "empty"),
        ({"grants": [DNS], "request_ip": {"in": ["here"]}}, ("request_ip", "in", 0), "not an address"),
        ({"grants": [DNS], "owner": "zone"}, ("owner",), "'user' or 'account'"),
    ],
)
def test_what_is_wrong_says_where_and_what(options: object, at: tuple[object, ...], said: str):
    where, message = wrong(options)

    assert where[: len(at)] == at
    assert said in message


def test_addresses_are_written_as_blocks():
    found = credential(request_ip={"in": ["203.0.113.7", "203.0.113.9/24"], "not_in": ["2001:DB8::/32"]}).request_ip

    assert found is not None
    assert found.in_ == ("203.0.113.7/32", "203.0.113.0/24")
    assert found.not_in == ("2001:db8::/32",)


def test_options_survive_being_written_down_and_read_again():
    options = credential(
        DNS,
        {"permissions": ["Zone Read", {"id": ZONE_ID}], "zones": "all", "except_zones": ["a.example"]},
        {"permissions": ["Workers R2 Storage Bucket Item Read"], "buckets": ["b", {"name": "c", "jurisdiction": "eu"}]},
        request_ip={"in": ["203.0.113.7"]},
    )
    written = options.model_dump(mode="json", exclude_none=True, by_alias=True)

    assert CredentialOptions.model_validate(written) == options


def test_the_schema_for_editors_can_be_made():
    schema = TypeAdapter(CredentialOptions).json_schema(by_alias=True)

    assert "grants" in schema["properties"]
    assert TypeAdapter(ConnectionOptions).json_schema()["required"] == ["token"]


def test_a_zone_is_the_same_in_either_of_its_spellings():
    spellings = ["xn--bcher-kva.example", "XN--BCHER-KVA.example.", "bücher.example", "Bu\u0308cher。example"]
    found = {credential({**DNS, "zones": [name]}).grants[0].zones for name in spellings}

    assert found == {("bücher.example",)}
    assert credential({**DNS, "zones": ["xn--i-7iq.example"]}).grants[0].zones == ("i❤.example",)  # no IDNA 2008 name


def test_a_jurisdiction_that_is_not_known_is_taken_with_a_warning():
    def of(jurisdiction: str) -> CredentialOptions:
        buckets = [{"name": "logs", "jurisdiction": jurisdiction}]
        return credential({"permissions": ["Workers R2 Storage Bucket Item Read"], "buckets": buckets})

    assert complaints(of("us")) == complaints(of("fedramp-high")) == []
    (found,) = complaints(of("moon"))
    assert not found.fatal
    assert found.at == ("grants", 0, "buckets", 0, "jurisdiction")
    assert "'moon'" in found.wrong


# ------------------------------------------------------------------------------------------------- both stanzas at once
def test_ordinary_credentials_have_no_complaint():
    assert complaints(credential(DNS, {"permissions": ["D1 Write", "Workers Scripts Write"]})) == []
    everything = [
        {"permissions": ["Memberships Read", "Account Settings Read"]},
        {"permissions": ["Zone Read"], "zones": "all", "except_zones": ["a.example"]},
        {"permissions": ["Zone Read"], "zones": "all", "accounts": "all"},
        {"permissions": ["D1 Read"], "accounts": [ACCOUNT, OTHER]},
        {"permissions": ["Workers R2 Storage Bucket Item Read"], "buckets": "all"},
    ]
    assert complaints(credential(*everything, owner="user")) == []


@pytest.mark.parametrize(
    "grant, said, instead",
    [
        ({"permissions": ["DNS Write"]}, "a permission on zones", "zones: all"),
        ({"permissions": ["D1 Write"], "zones": "all"}, "a permission on an account", "grant of its own"),
        ({"permissions": ["D1 Write"], "buckets": "all"}, "a permission on an account", "grant of its own"),
        ({"permissions": ["Memberships Read"], "zones": "all"}, "a permission on a user", "grant of its own"),
        ({"permissions": ["D1 Write", "DNS Read", "Worker Scripts Run"][2:]}, "that product has", "one of them"),
        ({"permissions": ["Workers R2 Storage Bucket Item Read"]}, "a permission on buckets", "buckets:"),
        ({"permissions": ["Containers Write"]}, "not public", "{id: ...}"),
    ],
)
def test_a_permission_of_another_scope_says_how_to_write_it(grant: object, said: str, instead: str):
    (found,) = complaints(credential(grant))

    assert found.at == ("grants", 0, "permissions", 0)
    assert found.fatal
    assert said in found.wrong
    assert instead in found.instead


def test_a_name_of_two_scopes_means_the_grants_own():
    assert complaints(credential({"permissions": ["Logs Read"]}, {"permissions": ["Logs Read"], "zones": "all"})) == []


@pytest.mark.parametrize("name", ["API Tokens Write", "Account API Tokens Write"])
def test_a_token_that_manages_tokens_cannot_be_granted(name: str):
    (found,) = complaints(credential({"permissions": [name]}, owner="user"))

    assert found.fatal
    assert "manage tokens" in found.wrong


def test_a_permission_on_a_user_is_refused_for_a_token_of_an_account_and_taken_for_one_of_a_user():
    grant = {"permissions": ["Memberships Read"]}

    (found,) = complaints(credential(grant))
    assert found.fatal
    assert "owner: user" in found.instead
    assert complaints(credential(grant, owner="user")) == []
    assert complaints(credential({**grant, "accounts": "all"}, owner="user"))[0].fatal


def test_a_product_that_takes_no_account_tokens_is_refused_by_name_and_warned_about_by_id():
    (found,) = complaints(credential({"permissions": ["Page Rules (Edit)"], "zones": "all"}))

    assert found.fatal
    assert "Page Rules Write" in found.wrong
    assert "owner: user" in found.instead


def test_a_product_that_perhaps_takes_no_account_tokens_is_a_warning():
    (found,) = complaints(credential({"permissions": ["Access: Device Posture Read"]}))

    assert not found.fatal
    assert "Zero Trust Client Platform" in found.wrong


def test_all_errors_of_a_grant_are_told_in_one_go_each_at_its_place():
    permissions = [
        "D1 Edit",
        "Workers Routes Write",
        "Wrokers Scripts Edit",
        "R2",
        "Page Rules Edit",
        "Memberships Read",
    ]
    found = complaints(credential({"permissions": permissions}))

    assert [(c.at[-1], c.fatal) for c in found] == [(n, True) for n in (1, 2, 3, 4, 5)]
    assert "on zones" in found[0].wrong
    assert "did you mean 'Workers Scripts Write'" in found[1].wrong
    assert "'Workers R2 Storage Read', 'Workers R2 Storage Write'" in found[2].wrong


def test_a_former_name_is_taken_with_a_warning():
    (found,) = complaints(credential({"permissions": ["Teams Read"]}))

    assert not found.fatal
    assert "'Zero Trust Read'" in found.wrong


def test_a_template_of_the_dashboard_is_taken_by_name():
    for name in ("edit_zone_dns", "Edit zone DNS", "EDIT-ZONE-DNS"):
        assert complaints(credential({"template": name, "zones": ["example.com"]})) == []
    assert complaints(credential({"template": "read_all_resources"}, owner="user")) == []


@pytest.mark.parametrize(
    "grant, said, instead",
    [
        ({"template": "edit_zone"}, "did you mean 'edit_zone_dns'", "read_billing_info"),
        ({"template": "edit_zone_dns"}, "nothing says on which", "zones: all"),
        ({"template": "read_billing_info", "zones": "all"}, "no permission on zones", "remove zones"),
        ({"template": "read_billing_info", "buckets": "all"}, "no permission on buckets", "of their own"),
        ({"template": "create_additional_tokens"}, "manage tokens", "dashboard"),
    ],
)
def test_a_template_that_does_not_fit_says_why(grant: object, said: str, instead: str):
    (found,) = [c for c in complaints(credential(grant, owner="user")) if c.fatal]

    assert found.at == ("grants", 0, "template")
    assert said in found.wrong
    assert instead in found.instead


def test_a_template_that_an_account_cannot_hold_is_refused_with_the_names_and_the_rest_to_be_written():
    (found,) = complaints(credential({"template": "edit_cloudflare_workers", "zones": "all"}))

    assert found.fatal
    assert "not User Details Read, Memberships Read" in found.wrong
    assert "owner: user" in found.instead
    assert "{permissions: [Workers Scripts Write, " in found.instead
    assert "{permissions: [Workers Routes Write], zones: …}" in found.instead
    assert "Memberships" not in found.instead


def test_a_grant_needs_permissions_or_a_template():
    where, said = wrong({"grants": [{"zones": "all"}]})

    assert where == ("grants", 0)
    assert "no permissions" in said


def test_a_known_id_is_judged_like_its_name_and_an_unknown_one_is_taken():
    page_rules = "ed07f6c337da4195b4e72a1fb2c6bcae"
    (found,) = complaints(credential({"permissions": [{"id": page_rules}], "zones": "all"}))

    assert not found.fatal
    assert complaints(credential({"permissions": [{"id": "f" * 32}]})) == []


def test_an_account_is_needed_where_something_is_meant_to_be_of_one():
    def at(options: CredentialOptions) -> list[tuple[str | int, ...]]:
        return [c.at for c in complaints(options, account_id=None) if c.fatal]

    assert at(credential(DNS)) == [("owner",)]
    assert at(credential(DNS, account_id=ACCOUNT)) == []
    assert at(credential(DNS, owner="user")) == []
    assert at(credential({"permissions": ["D1 Read"]}, owner="user")) == [("grants", 0)]
    assert at(credential({"permissions": ["D1 Read"], "accounts": "all"}, owner="user")) == []
    assert at(credential({"permissions": ["Zone Read"], "zones": "all"}, owner="user")) == [("grants", 0)]
    assert at(credential({"permissions": ["Memberships Read"]}, owner="user")) == []
    assert at(credential({"permissions": [{"id": "3518d0f75557482e952c6762d3e64903"}]}, owner="user")) == []


def test_without_an_account_a_user_token_is_fine_and_has_no_account_id_to_publish():
    assert not complaints(credential(DNS, owner="user"), account_id=None)
    assert "account.id" not in available(None)


def test_a_token_of_an_account_acts_on_that_account_only():
    (found,) = complaints(credential({"permissions": ["D1 Read"], "accounts": [OTHER]}))

    assert found.at == ("grants", 0, "accounts")
    assert complaints(credential({"permissions": ["D1 Read"], "accounts": [ACCOUNT]})) == []
