"""A connection: who its management token is, what `check` says of it, and how it is made from the configuration."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rotator.core.errors import Barred, ConfigError, RateLimited, Refused, Unavailable
from rotator.core.findings import Level
from rotator.core.secret import Secret
from rotator.sandbox.world import sha256
from rotator.sources.cloudflare.calls import Call, Calls
from rotator.sources.cloudflare.connection import CloudflareConnection
from rotator.sources.cloudflare.errors import Kind
from rotator.sources.cloudflare.management import look, preflight, quota
from rotator.sources.cloudflare.options import ConnectionOptions, CredentialOptions
from rotator.sources.cloudflare.source import CloudflareSource
from tests.contract.source.sandbox_world import OPTIONS, CountingBudget, SandboxWorld, sandbox_world
from tests.integration.cloudflare.raw_server import http, raw_server
from tests.sandbox_calls import ACCOUNT, ACCOUNT_API_TOKENS_WRITE, USER

HOUR = 3600.0
DAY = 24 * HOUR
USER_GRANT = {"owner": "user", "grants": [{"permissions": ["Memberships Read"]}]}


@pytest.fixture
def account() -> Iterator[SandboxWorld]:
    with sandbox_world("account") as world:
        yield world


@pytest.fixture
def user() -> Iterator[SandboxWorld]:
    with sandbox_world("user") as world:
        yield world


def options(**more: object) -> CredentialOptions:
    return CredentialOptions.model_validate({**OPTIONS, **more})


def rename(world: SandboxWorld, role: str, value: str) -> None:
    """Give a management token another value, as tokens made before April 2026 have one without a prefix."""
    there = world.sandbox.world
    with there.lock:
        token = there.tokens[there.roles[role]]
        there.replace_value(token, value, there.clock.now())
    assert sha256(token.value) == sha256(value)
    world.management = value


# ----------------------------------------------------------------------------------------------------------- making one
def test_a_connection_is_made_from_its_stanza_and_reads_its_token_at_each_use(account: SandboxWorld, tmp_path: Path):
    file = tmp_path / "token"
    file.write_text(account.management)
    file.chmod(0o600)
    stanza = ConnectionOptions.model_validate(
        {"token": {"file": str(file)}, "account_id": ACCOUNT, "api_url": account.sandbox.url}
    )
    connection = CloudflareConnection.open("prod", stanza, budget=CountingBudget())
    source = CloudflareSource(connection, options())
    assert source.control() is True

    file.write_text(account.sandbox.credentials["account-standby"] + "\n")
    assert source.control() is True
    assert source.principal == account.sandbox.world.roles["account-standby"]

    file.unlink()
    with pytest.raises(Unavailable, match="cannot be opened"):
        source.mint("one", account.now() + HOUR)
    assert account.requests("create") == 0
    connection.close()
    connection.close()


def test_certificates_that_cannot_be_read_are_said_before_anything_is_sent(tmp_path: Path):
    connection = CloudflareConnection(
        "prod",
        token=lambda: Secret("x" * 40),
        budget=CountingBudget(),
        api_url="https://127.0.0.1:1/client/v4",
        ca_file=tmp_path / "absent.pem",
    )
    with pytest.raises(Unavailable, match="ca_file"):
        connection.verify(Secret("y" * 40), "/user/tokens")


def test_what_has_an_effect_gets_a_connection_of_its_own_and_reads_share_one():
    def keep(connection: socket.socket) -> None:
        connection.sendall(http({"success": True, "result": {}}, kept=True))
        while connection.recv(65536):
            connection.sendall(http({"success": True, "result": {}}, kept=True))

    with raw_server(keep) as server:
        calls = Calls(token=lambda: Secret("x" * 40), budget=CountingBudget(), api_url=server.url)
        for kind in (Kind.READ, Kind.EFFECT, Kind.VERIFY, Kind.EFFECT, Kind.READ):
            calls.call(Call(operation="get", doing="asking", method="GET", path="/x", kind=kind))
        calls.close()
    assert server.connections == 3


def test_importing_the_source_loads_no_http_library():
    code = (
        "import sys, rotator.sources.cloudflare.source, rotator.sources.cloudflare.management;"
        "print([m for m in ('httpx', 'httpcore', 'ssl') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)

    assert run.stdout.strip() == "[]"


# ----------------------------------------------------------------------------------------------------------- who we are
def test_a_users_management_token_may_manage_an_accounts_tokens(account: SandboxWorld):
    account.management = account.sandbox.credentials["user-management"]

    assert account.source.control() is True
    assert account.source.principal == account.sandbox.world.roles["user-management"]
    assert account.requests("verify") == 1


@pytest.mark.parametrize("role", ["user-management", "account-management"])
def test_a_token_without_a_prefix_is_tried_at_both_endpoints(account: SandboxWorld, role: str):
    rename(account, role, "old-" + "X_y9" * 9)

    assert account.source.control() is True
    assert account.source.principal == account.sandbox.world.roles[role]
    assert account.requests("verify") == (1 if role.startswith("user") else 2)


def test_without_an_account_only_the_users_endpoint_is_asked(user: SandboxWorld):
    connection = CloudflareConnection(
        "p", token=lambda: Secret("x" * 40), budget=CountingBudget(), api_url=user.sandbox.url
    )

    assert connection.control() is False
    assert user.requests("verify") == 1
    connection.close()


@pytest.mark.parametrize("result", ['{"id":"a/b","status":"active"}', '{"id":"x"}', '"active"', "null"])
def test_a_verification_without_an_id_and_a_status_is_no_answer(account: SandboxWorld, result: str):
    body = '{"success":true,"errors":[],"messages":[],"result":' + result + "}"
    account.fault("verify", "status", status=200, body=body)

    with pytest.raises(Unavailable):
        account.source.control()


# ------------------------------------------------------------------------------------------------------ who the user is
def test_the_user_is_read_from_the_management_tokens_own_policies(user: SandboxWorld):
    source = CloudflareSource(user.connection, CredentialOptions.model_validate(USER_GRANT))
    token = source.mint("one", user.now() + HOUR)

    found = source.get(token.token_id)
    assert found is not None
    assert found.equal
    assert f"com.cloudflare.api.user.{USER}" in str(user.sandbox.world.tokens[token.token_id].policies)


def test_the_user_may_be_configured(user: SandboxWorld):
    connection = CloudflareConnection(
        "p",
        token=lambda: Secret(user.management),
        budget=CountingBudget(),
        api_url=user.sandbox.url,
        user_id=USER,
    )
    before = user.requests("get")
    CloudflareSource(connection, CredentialOptions.model_validate(USER_GRANT)).mint("one", user.now() + HOUR)

    assert user.requests("get") == before
    connection.close()


def test_a_user_that_cannot_be_found_is_a_certain_no_before_anything_is_minted(user: SandboxWorld):
    user.sandbox.world.tokens[user.management_id].policies = [
        p
        for p in user.sandbox.world.tokens[user.management_id].policies
        if "user" not in str(p["resources"]) or "account" in str(p["resources"])
    ]
    source = CloudflareSource(user.connection, CredentialOptions.model_validate(USER_GRANT))

    with pytest.raises((Refused, Unavailable)) as caught:
        source.mint("one", user.now() + HOUR)
    assert caught.value.remedy
    assert user.requests("create") == 0

    user.management = "cfut_" + "dead" * 12
    with pytest.raises(Refused) as refused:
        source.mint("one", user.now() + HOUR)
    assert refused.value.code == "management_token"


# ---------------------------------------------------------------------------------------------------- zones by name
@pytest.mark.parametrize(
    "written", ["xn--bcher-kva.example", "bücher.example", "BÜCHER.example.", "bu\u0308cher.example"]
)
def test_an_international_zone_is_found_by_either_spelling_of_its_name(account: SandboxWorld, written: str):
    there = account.sandbox.world
    zone_id = next(iter(there.zones))
    there.zones[zone_id] = replace(there.zones[zone_id], name="bücher.example")
    grants = [{"permissions": ["DNS Write"], "zones": [written]}]
    source = CloudflareSource(account.connection, options(grants=grants))

    minted = source.mint("one", account.now() + HOUR)

    assert zone_id in str(there.tokens[minted.token_id].policies)


# ------------------------------------------------------------------------------------------------------ what check says
def said(world: SandboxWorld, *credentials: CredentialOptions, now: float = 0.0) -> dict[tuple[str, str], str]:
    """Findings as {(subject, code): level}, the worst of each."""
    found: dict[tuple[str, str], str] = {}
    order = [Level.OK, Level.WARN, Level.FAIL]
    pairs = [(f"c{n}", c) for n, c in enumerate(credentials)]
    for f in preflight(world.connection, pairs, now or world.now()):
        key = (f.subject.removeprefix("connection prod").strip() or "connection", f.code)
        assert f.level is Level.OK or f.remedy, f
        assert world.management not in f"{f}"
        if key not in found or order.index(f.level) > order.index(Level(found[key])):
            found[key] = f.level
    return found


def test_when_all_is_well_every_finding_is_ok_that_can_be_known(account: SandboxWorld):
    account.connection.standby_token = lambda: Secret(account.sandbox.credentials["account-standby"])

    assert said(account, options(owner="account")) == {
        ("connection", "management_token"): "ok",
        ("connection", "standby_token"): "ok",
        ("connection", "quota"): "ok",
        ("connection", "permission"): "ok",
        ("credential c0", "grants"): "ok",
        ("credential c0", "request_ip"): "warn",
    }
    assert account.connection.principal == account.management_id
    assert account.requests("create") == account.requests("update") == 0


def test_a_management_token_that_is_not_accepted_is_the_one_finding(account: SandboxWorld):
    account.management = "cfat_" + "dead" * 12

    assert said(account, options()) == {("connection", "management_token"): "fail"}


def test_a_management_token_that_cannot_be_read_is_the_one_finding(account: SandboxWorld):
    def unreadable() -> Secret:
        raise ConfigError("reading a secret: file x cannot be opened", "create it")

    account.connection.calls._token = unreadable
    assert said(account, options()) == {("connection", "management_token"): "fail"}


def test_a_management_token_that_ends_soon_is_a_warning_and_so_is_a_missing_standby(account: SandboxWorld):
    account.sandbox.world.tokens[account.management_id].expires_on = account.now() + 10 * DAY

    found = said(account, options())
    assert found["connection", "management_token"] == "warn"
    assert found["connection", "standby_token"] == "warn"

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
    "request_ip, mine, more, level",
    [
        ({"in": ["198.51.100.0/24"]}, ["127.0.0.0/8"], {}, "fail"),
        ({"not_in": ["127.0.0.0/8"]}, ["127.0.0.1"], {}, "fail"),
        ({"in": ["198.51.100.0/24"]}, ["127.0.0.0/8"], {"verify": "get"}, "ok"),
        ({"in": ["127.0.0.0/8", "::/0"]}, ["127.0.0.1/32"], {}, "ok"),
        ({"in": ["127.0.0.1"]}, ["127.0.0.0/8"], {}, "warn"),
        ({"in": ["127.0.0.1"]}, [], {}, "warn"),
    ],
)
def test_a_credential_that_this_host_could_not_verify_is_found_before_anything_is_minted(
    account: SandboxWorld, request_ip: dict[str, object], mine: list[str], more: dict[str, object], level: str
):
    token = account.sandbox.world.tokens[account.management_id]
    token.condition = {"request_ip": {"in": mine}} if mine else None

    assert said(account, options(request_ip=request_ip, **more))["credential c0", "request_ip"] == level


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

    (finding,) = preflight(account.connection, [("c", options())], account.now())
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
    used, limit = quota(account.connection, "account")
    assert (used, limit) == (2, 500)

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
