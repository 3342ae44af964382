"""What `check` says of a connection, of its accounts and of its credentials, before anything is minted."""

import json

import pytest

from rotator.core.errors import Barred, ConfigError, RateLimited, Refused
from rotator.core.findings import Level
from rotator.core.secret import Secret
from rotator.sources.cloudflare.management import look
from rotator.sources.cloudflare.options import QUOTA
from rotator.sources.cloudflare.source import CloudflareSource
from tests.contract.source.sandbox_world import SandboxWorld
from tests.integration.cloudflare.checking import HOUR, findings, options, said, the
from tests.sandbox_calls import ACCOUNT_API_TOKENS_WRITE

DAY = 24 * HOUR


def test_when_all_is_well_every_finding_is_ok(account: SandboxWorld):
    account.connection.standby_token = lambda: Secret(account.sandbox.credentials["account-standby"])

    assert said(account, options(owner="account")) == {
        ("connection", "management_token"): "ok",
        ("connection", "standby_token"): "ok",
        ("connection", "pair"): "ok",
        ("connection", "quota"): "ok",
        ("connection", "account"): "ok",
        ("connection", "permission"): "ok",
        ("credential c0", "grants"): "ok",
        ("credential c0", "request_ip"): "ok",
    }
    assert account.connection.principal == account.management_id
    assert account.requests("create") == account.requests("update") == 0


def test_a_management_token_that_is_not_accepted_is_the_one_finding(account: SandboxWorld):
    account.management = "cfat_" + "dead" * 12

    assert said(account, options()) == {("connection", "management_token"): "fail"}


@pytest.mark.parametrize("role", ["management", "standby"])
def test_a_global_api_key_in_place_of_a_token_is_named_and_sent_nowhere(account: SandboxWorld, role: str):
    key = account.sandbox.credentials["global-api-key"]
    if role == "management":
        account.management = key
    else:
        account.connection.standby_token = lambda: Secret(key)
    before = len(account.sandbox.gateway.recorder.after(0))

    finding = the(findings(account, options()), f"{role}_token")
    assert "a Global API Key" in finding.message
    assert "make an API token" in finding.remedy
    if role == "management":
        assert len(account.sandbox.gateway.recorder.after(0)) == before


def test_a_management_token_that_cannot_be_read_is_the_one_finding(account: SandboxWorld):
    def unreadable() -> Secret:
        raise ConfigError("reading a secret: file x cannot be opened", "create it")

    account.connection._token = unreadable
    assert said(account, options()) == {("connection", "management_token"): "fail"}


def test_a_management_token_that_ends_soon_is_a_warning_and_so_is_a_missing_standby(account: SandboxWorld):
    account.sandbox.world.tokens[account.management_id].expires_on = account.now() + 10 * DAY

    found = said(account, options())
    assert found["connection", "management_token"] == "warn"
    assert found["connection", "standby_missing"] == "warn"

    account.sandbox.world.tokens[account.management_id].expires_on = account.now() + 300 * DAY
    assert said(account, options())["connection", "management_token"] == "ok"
    assert look(account.connection).expires_at == pytest.approx(account.now() + 300 * DAY, abs=5)


@pytest.mark.parametrize("standby, level", [("account-management", "warn"), ("dead", "fail")])
def test_a_standby_token_must_be_another_living_one(account: SandboxWorld, standby: str, level: str):
    value = account.sandbox.credentials.get(standby, "cfat_" + "dead" * 12)
    account.connection.standby_token = lambda: Secret(value)

    assert said(account, options())["connection", "standby_token"] == level


def test_a_standby_token_that_cannot_be_read_is_a_finding(account: SandboxWorld):
    def unreadable() -> Secret:
        raise ConfigError("reading a secret: file x cannot be opened", "create it")

    account.connection.standby_token = unreadable
    assert said(account, options())["connection", "standby_token"] == "fail"
    account.connection.standby_token = None
    with pytest.raises(ValueError, match="no standby"):
        look(account.connection, "standby")


def test_a_management_token_that_may_only_read_is_a_failure(account: SandboxWorld):
    token = account.sandbox.world.tokens[account.management_id]
    for policy in token.policies:
        policy["permission_groups"] = [g for g in policy["permission_groups"] if g["id"] != ACCOUNT_API_TOKENS_WRITE]

    assert said(account, options())["connection", "permission"] == "fail"


def test_a_management_token_that_may_not_read_tokens_is_a_failure_and_its_end_is_unknown(account: SandboxWorld):
    token = account.sandbox.world.tokens[account.management_id]
    for policy in token.policies:
        policy["permission_groups"] = [{"id": "c8fed203ed3043cba015a93ad1616f1f"}]

    found = said(account, options())
    assert found["connection", "management_token"] == "warn"
    assert found["connection", "permission"] == "fail"
    assert look(account.connection).groups is None


@pytest.mark.parametrize(
    "request_ip, more, level",
    [
        ({"in": ["198.51.100.0/24"]}, {}, "fail"),
        ({"not_in": ["127.0.0.0/8"]}, {}, "fail"),
        ({"in": ["127.0.0.0/8"], "not_in": ["127.0.0.1"]}, {}, "fail"),
        ({"in": ["2001:db8::/32"]}, {}, "fail"),
        ({"in": ["198.51.100.0/24"]}, {"verify": "get"}, "ok"),
        ({"in": ["127.0.0.1", "::/0"]}, {}, "ok"),
        ({"not_in": ["198.51.100.0/24"]}, {}, "ok"),
    ],
)
def test_a_credential_that_this_host_could_not_verify_is_found_before_anything_is_minted(
    account: SandboxWorld, request_ip: dict[str, object], more: dict[str, object], level: str
):
    found = findings(account, options(request_ip=request_ip, **more))

    finding = the(found, "request_ip", Level(level))
    assert more or "127.0.0.1" in finding.message
    assert level != "fail" or "verify: get" in finding.remedy


def test_no_token_is_sent_where_the_edge_is_asked_for_our_address(account: SandboxWorld):
    seen: list[dict[str, str]] = []
    handler = account.sandbox._answer

    def watched(request):
        if request.path == "/cdn-cgi/trace":
            seen.append(request.headers)
        return handler(request)

    account.sandbox._server._handler = watched
    assert account.connection.calls.address() == "127.0.0.1"
    assert seen
    assert "authorization" not in seen[0]


@pytest.mark.parametrize(
    "request_ip, mine, level",
    [
        ({"in": ["198.51.100.0/24"]}, ["127.0.0.0/8"], "fail"),
        ({"not_in": ["127.0.0.0/8"]}, ["127.0.0.1"], "fail"),
        ({"in": ["127.0.0.0/8", "::/0"]}, ["127.0.0.1/32"], "ok"),
        ({"in": ["127.0.0.1"]}, ["127.0.0.0/8"], "warn"),
        ({"in": ["127.0.0.1"]}, [], "warn"),
    ],
)
def test_where_the_edge_does_not_say_our_address_the_management_tokens_own_restriction_is_a_hint(
    account: SandboxWorld,
    request_ip: dict[str, object],
    mine: list[str],
    level: str,
    monkeypatch: pytest.MonkeyPatch,
):
    token = account.sandbox.world.tokens[account.management_id]
    token.condition = {"request_ip": {"in": mine}} if mine else None
    monkeypatch.setattr(account.connection.calls, "address", lambda: None)

    assert said(account, options(request_ip=request_ip))["credential c0", "request_ip"] == level


def test_without_a_restriction_nothing_is_said_of_addresses(account: SandboxWorld):
    assert ("credential c0", "request_ip") not in said(account, options(request_ip=None))


def test_a_value_that_this_host_may_not_use_is_barred_and_not_dead(account: SandboxWorld):
    source = CloudflareSource(account.connection, options(request_ip={"in": ["198.51.100.0/24"]}))
    minted = source.mint("one", account.now() + HOUR)

    with pytest.raises(Barred) as caught:
        source.verify(minted.value)
    assert "request_ip" in caught.value.remedy
    assert "verify: get" in caught.value.remedy


def test_a_management_token_that_this_host_may_not_use_is_told_as_such(account: SandboxWorld):
    account.sandbox.world.tokens[account.management_id].condition = {"request_ip": {"in": ["198.51.100.0/24"]}}

    (finding,) = findings(account, options())
    assert finding.level is Level.FAIL
    assert "management token" in finding.remedy
    assert "verify: get" not in finding.remedy


def test_a_roll_of_a_token_that_cannot_be_verified_from_here_is_a_certain_no(account: SandboxWorld):
    source = CloudflareSource(account.connection, options(verify="get"))
    minted = source.mint("one", account.now() + HOUR)

    with pytest.raises(Refused, match="verify: get"):
        source.roll(minted.token_id)
    assert account.requests("roll") == 0


def test_little_room_is_a_warning_and_none_a_failure(account: SandboxWorld):
    used, limit = len(account.connection.inventory("account")), QUOTA["account"]
    assert (used, limit) == (3, 500)

    account.sandbox.world.settings.account_quota = 1000
    account.add(limit - used - 1)
    assert said(account, options(), options())["connection", "quota"] == "warn"
    account.add(1)
    assert said(account, options())["connection", "quota"] == "fail"


def test_a_zone_that_is_not_there_and_a_group_that_is_gone_are_findings(account: SandboxWorld):
    no_zone = options(grants=[{"permissions": ["DNS Write"], "zones": ["example.dev"]}])
    no_group = options(grants=[{"permissions": [{"id": "f" * 32}]}])
    found = said(account, no_zone, no_group, options())

    assert found["credential c0", "grants"] == "fail"
    assert found["credential c1", "grants"] == "warn"
    assert found["credential c2", "grants"] == "ok"
    assert account.requests("permission_groups") == 1


@pytest.mark.parametrize(
    "meta, level", [({"eol_at": "2027-03-01"}, "warn"), ({"deprecated": "true"}, "warn"), ({}, "ok")]
)
def test_a_permission_of_which_cloudflare_announces_the_end_is_a_warning(
    account: SandboxWorld, meta: dict[str, str], level: str
):
    rows = [{"id": "4755a26eedb94da69e1066d98aa820be", "name": "DNS Write", "meta": {"deprecated": "false", **meta}}]
    body = json.dumps({"success": True, "errors": [], "messages": [], "result": rows})
    account.fault("permission_groups", "status", status=200, body=body)

    finding = the(findings(account, options()), "grants", Level(level))
    assert level == "ok" or "DNS Write" in finding.message
    assert meta.get("eol_at", "") in finding.message


def test_when_groups_cannot_be_listed_the_grants_are_not_called_wrong(account: SandboxWorld):
    account.fault("permission_groups", "break")
    found = said(account, options())

    assert found["connection", "grants"] == "fail"
    assert ("credential c0", "grants") not in found


def test_two_scopes_are_looked_at_once_each(user: SandboxWorld):
    found = said(user, options(owner="user"), options(owner="account"), options(owner="user"))

    assert found["connection", "permission"] == "fail"
    assert user.requests("permission_groups") == 2


def test_a_provider_that_asks_to_wait_is_a_finding_and_no_crash(account: SandboxWorld):
    account.budget.empty = True

    assert said(account, options()) == {("connection", "management_token"): "fail"}
    with pytest.raises(RateLimited):
        account.connection.control()
