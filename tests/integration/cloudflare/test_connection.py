"""A connection: who its management token is, what `check` says of it, and how it is made from the configuration."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rotator.core.errors import Refused, Unavailable
from rotator.core.secret import Secret
from rotator.host.network.dial import Network
from rotator.sandbox.world import sha256
from rotator.sources.cloudflare.calls import Call, Calls
from rotator.sources.cloudflare.connection import CloudflareConnection
from rotator.sources.cloudflare.errors import CallKind
from rotator.sources.cloudflare.options import ConnectionOptions, CredentialOptions
from rotator.sources.cloudflare.source import CloudflareSource
from tests.contract.source.sandbox_world import OPTIONS, CountingBudget, SandboxWorld, sandbox_world
from tests.integration.cloudflare.raw_server import http, raw_server
from tests.sandbox_calls import ACCOUNT, USER

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
    with socket.create_server(("127.0.0.1", 0)) as listener:
        connection = CloudflareConnection(
            "prod",
            token=lambda: Secret("x9" * 20),
            budget=CountingBudget(),
            api_url=f"https://127.0.0.1:{listener.getsockname()[1]}/client/v4",
            network=Network(ca_file=tmp_path / "absent.pem"),
        )
        with pytest.raises(Unavailable, match="ca_file"):
            connection.verify(Secret("y" * 40), "/user/tokens")


def test_what_has_an_effect_gets_a_connection_of_its_own_and_reads_share_one():
    def keep(connection: socket.socket) -> None:
        connection.sendall(http({"success": True, "result": {}}, kept=True))
        while connection.recv(65536):
            connection.sendall(http({"success": True, "result": {}}, kept=True))

    with raw_server(keep) as server:
        calls = Calls(token=lambda: Secret("x9" * 20), budget=CountingBudget(), api_url=server.url)
        for kind in (CallKind.READ, CallKind.EFFECT, CallKind.VERIFY, CallKind.EFFECT, CallKind.READ):
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
        "p", token=lambda: Secret("x9" * 20), budget=CountingBudget(), api_url=user.sandbox.url
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
