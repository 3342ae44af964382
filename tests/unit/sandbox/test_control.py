"""The control interface: its shapes, its refusals, and that only this machine may use it."""

import json

import pytest

from tests.sandbox_calls import ACCOUNT, USER, Provider


def test_tokens_shows_every_token_ever_with_everything_but_its_value(tokens):
    token = tokens.made()
    tokens.delete(token["id"])
    seen = tokens.provider.seen(token["id"])
    assert set(seen) >= {
        "id",
        "name",
        "owner",
        "status",
        "issued_on",
        "modified_on",
        "expires_on",
        "last_used_on",
        "deleted_on",
        "value_sha256",
        "former_values_sha256",
        "policies",
        "condition",
    }
    assert seen["owner"] == {"type": tokens.kind, "id": USER if tokens.kind == "user" else ACCOUNT}
    assert seen["status"] == "deleted"
    assert seen["deleted_on"] is not None


def test_requests_are_numbered_and_read_from_a_number_on(provider):
    user = provider.owner("user")
    user.verify(user.management)
    first = provider.control("GET", "requests").json["requests"]
    assert [(row["seq"], row["operation"], row["status"]) for row in first] == [(1, "verify", 200)]
    user.list()
    user.verify("x" * 40)
    later = provider.control("GET", "requests?after=1").json["requests"]
    assert [(row["seq"], row["operation"], row["status"]) for row in later] == [(2, "list", 200), (3, "verify", 401)]
    assert later[0]["actor_token_id"] == user.management_id
    assert later[1]["actor_token_id"] is None
    assert set(later[0]) >= {"seq", "time", "method", "path", "status", "operation", "actor_token_id", "fault"}
    assert provider.control("GET", "requests?after=3").json["requests"] == []


def test_a_value_that_strays_into_a_path_is_not_recorded(provider):
    value = provider.credentials["user-management"]
    provider.api("GET", f"/user/tokens/{value}?also={value}", bearer=value)
    assert value not in json.dumps(provider.control("GET", "requests").json)


@pytest.mark.parametrize("after", ["x", "-1", "1.5"])
def test_a_number_that_is_none_is_refused(provider, after):
    assert provider.control("GET", f"requests?after={after}").status == 400


def test_the_clock_moves_provider_time(provider):
    before = provider.control("GET", "clock").json["now"]
    moved = provider.control("POST", "clock", {"advance": 3600}).json
    assert moved["advanced"] == 3600
    assert moved["now"] > before
    got = provider.owner("user").made()
    assert got["issued_on"] >= moved["now"]


def test_answers_carry_provider_time(provider):
    before = provider.owner("user").list().headers["Date"]
    provider.advance(86400)
    assert provider.owner("user").list().headers["Date"][:16] != before[:16]
    assert provider.owner("user").list().headers["cf-ray"].endswith("-SBX")


@pytest.mark.parametrize(
    "body", [{}, {"advance": "1h"}, {"advance": 1, "more": 2}, {"advance": None}, {"advance": True}]
)
def test_a_clock_wish_of_another_shape_is_refused(provider, body):
    assert provider.control("POST", "clock", body).status == 400


def test_settings_are_changed_one_by_one_and_read_back(provider):
    provider.settings(verify_lag=3, user_quota=7)
    provider.settings(rate_limit={"requests": 10, "window": 2})
    assert provider.control("GET", "settings").json == {
        "verify_lag": 3.0,
        "list_lag": 0.0,
        "revoke_lag": 0.0,
        "latency": 0.0,
        "rate_limit": {"requests": 10, "window": 2.0},
        "user_quota": 7,
        "account_quota": 500,
    }
    provider.settings(rate_limit=None)
    assert provider.control("GET", "settings").json["rate_limit"] is None


@pytest.mark.parametrize(
    "body",
    [
        {"lag": 1},
        {"verify_lag": -1},
        {"latency": "1s"},
        {"user_quota": 1.5},
        {"account_quota": True},
        {"rate_limit": 100},
        {"rate_limit": {"requests": 0, "window": 1}},
        {"rate_limit": {"requests": 1, "window": 0}},
        {"rate_limit": {"requests": 1}},
        {"verify_lag": 5, "list_lag": "x"},
    ],
)
def test_a_wrong_setting_is_refused_and_nothing_is_changed(provider, body):
    before = provider.control("GET", "settings").json
    got = provider.control("POST", "settings", body)
    assert got.status == 400
    assert got.json["error"]
    assert provider.control("GET", "settings").json == before


def test_only_a_living_token_can_be_exposed(tokens):
    token = tokens.made()
    exposed = tokens.provider.control("POST", f"tokens/{token['id']}/expose")
    assert exposed.json["token"]["status"] == "revoked (exposed)"
    tokens.delete(token["id"])
    assert tokens.provider.control("POST", f"tokens/{token['id']}/expose").status == 404
    assert tokens.provider.control("POST", f"tokens/{'0' * 32}/expose").status == 404


@pytest.mark.parametrize(
    "method,path", [("GET", "nothing"), ("POST", "tokens"), ("GET", ""), ("GET", "tokens/x/expose")]
)
def test_an_unknown_control_names_those_that_there_are(provider, method, path):
    got = provider.control(method, path)
    assert got.status == 404
    assert "POST faults" in got.json["error"]


@pytest.mark.parametrize("raw", [b"", b"nonsense", b"[]"])
@pytest.mark.parametrize("path", ["faults", "clock", "settings"])
def test_a_control_body_that_is_no_json_object_is_refused(provider, path, raw):
    assert provider.control("POST", path, raw=raw).status == 400


@pytest.mark.parametrize(
    "host,status",
    [
        ("127.0.0.1:8980", 200),
        ("127.0.0.1", 200),
        ("127.9.9.9:1", 200),
        ("localhost:8980", 200),
        ("[::1]:8980", 200),
        ("sandbox.example.com", 403),
        ("10.0.0.1:8980", 403),
        ("", 403),
        ("[::1", 403),
        ("localhost.example.com", 403),
    ],
)
def test_only_a_loopback_host_may_control(provider, host, status):
    assert provider.control("GET", "tokens", headers={"host": host}).status == status


def test_a_web_page_may_not_control(provider: Provider):
    assert provider.control("POST", "clock", {"advance": 1}, headers={"origin": "https://evil.example"}).status == 403
    assert provider.control("POST", "clock", {"advance": 1}, headers={"origin": "http://localhost:3000"}).status == 200


def test_the_api_itself_asks_for_no_host(provider):
    assert provider.api("GET", "/zones", headers={"host": "api.cloudflare.com"}).refusal == (400, 9106)
