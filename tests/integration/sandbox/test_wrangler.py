"""Cloudflare's own command line against the sandbox: who does wrangler think we are?"""

import json
import subprocess

import pytest

from rotator.sandbox import Sandbox, routes
from rotator.sandbox.catalogue import ACCOUNT as ON_ACCOUNTS
from rotator.sandbox.catalogue import ZONE as ON_ZONES
from rotator.sandbox.catalogue import groups
from tests.contract.sandbox.asked_by_wrangler import ASKED_BY_WRANGLER
from tests.sandbox_calls import ACCOUNT, API_TOKENS_WRITE, Provider, all_of, allow, zones_of
from tests.servers import wrangler as tool

pytestmark = [pytest.mark.wrangler, pytest.mark.slow]


@pytest.fixture
def sandbox():
    with Sandbox() as running:
        yield running


@pytest.fixture
def typed(wrangler, sandbox, tmp_path):
    """Run wrangler with a value and some words, in a folder of its own; its exit code and what it said."""

    def run(value, *words):
        environment = {
            **tool.environment(),
            "HOME": str(tmp_path),
            "XDG_CONFIG_HOME": str(tmp_path),
            "CLOUDFLARE_API_BASE_URL": sandbox.url,
            "CLOUDFLARE_API_TOKEN": value,
            "CLOUDFLARE_ACCOUNT_ID": ACCOUNT,
            "WRANGLER_SEND_METRICS": "false",
            "CI": "1",
        }
        done = subprocess.run(
            [str(wrangler), *words],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    return run


@pytest.fixture
def whoami(typed):
    return lambda value: typed(value, "whoami")


@pytest.fixture
def wide(sandbox):
    """The value of an account token with every permission that it can be given."""
    account = Provider(sandbox).owner("account")
    taken = {account.write_group, API_TOKENS_WRITE}
    of = {scope: [g.id for g in groups().values() if g.scope == scope and g.id not in taken] for scope in SCOPES}
    policies = [allow(*of[ON_ACCOUNTS], on=all_of()), allow(*of[ON_ZONES], on=zones_of())]
    return account.made(policies=policies)["value"]


SCOPES = (ON_ACCOUNTS, ON_ZONES)


def asked(sandbox):
    """The routes that were answered, each with its status."""
    rows = sandbox.gateway.recorder.after(0)
    found = [(row["method"], routes.find(row["method"], row["path"]).route, row["status"]) for row in rows]
    return {(method, route.template): status for method, route, status in found if route}


def operations(sandbox):
    return [row["operation"] for row in sandbox.gateway.recorder.after(0)]


def test_wrangler_knows_a_user_token_and_its_accounts(sandbox, whoami):
    code, said = whoami(sandbox.credentials["user-management"])
    assert code == 0, said
    assert "User API Token" in said
    assert "owner@example.com" in said
    assert "Example Account" in said
    assert "Second Account" in said
    assert {"verify", "user", "accounts"} <= set(operations(sandbox))


def test_wrangler_knows_an_account_token_by_the_code_of_the_wrong_verify(sandbox, whoami):
    code, said = whoami(sandbox.credentials["account-management"])
    assert code == 0, said
    assert "Account API Token" in said
    assert ACCOUNT in said
    assert "Second Account" not in said


def test_wrangler_fails_with_a_dead_token(sandbox, whoami):
    value = sandbox.credentials["user-standby"]
    token = sandbox.world.tokens[sandbox.world.roles["user-standby"]]
    sandbox.world.replace_value(token, "cfut_" + "A" * 40 + "0" * 8, 0.0)
    code, said = whoami(value)
    assert code != 0
    assert "Invalid access token" in said
    assert value not in said
    assert json.dumps(value) not in said


LISTINGS = {
    "kv namespace list": "storage/kv/namespaces",
    "d1 list": "d1/database",
    "r2 bucket list": "r2/buckets",
    "queues list": "queues",
    "pages project list": "pages/projects",
    "hyperdrive list": "hyperdrive/configs",
    "vectorize list": "vectorize/v2/indexes",
    "ai models": "ai/models/search",
}


@pytest.mark.timeout(300)
def test_wrangler_takes_every_list_of_a_product(sandbox, typed, wide):
    for words, path in LISTINGS.items():
        code, said = typed(wide, *words.split())
        assert code == 0, said
        assert asked(sandbox)["GET", f"/accounts/{{account_id}}/{path}"] == 200


def test_wrangler_deploys_and_asks_what_the_sdk_has_no_method_for(sandbox, typed, wide, tmp_path):
    worker = {"name": "shop", "main": "index.js", "compatibility_date": "2025-01-01", "workers_dev": False}
    route = {"pattern": "example.com/*", "zone_name": "example.com"}
    (tmp_path / "wrangler.json").write_text(json.dumps(worker | {"routes": [route]}))
    (tmp_path / "index.js").write_text('export default { async fetch() { return new Response("hello"); } };')

    code, said = typed(wide, "deploy")

    assert code == 0, said
    assert set(asked(sandbox)) >= ASKED_BY_WRANGLER
    assert "No route" not in said


def test_wrangler_deploys_a_worker_without_routes_to_workers_dev(sandbox, typed, wide, tmp_path):
    (tmp_path / "wrangler.json").write_text(
        json.dumps({"name": "shop", "main": "index.js", "compatibility_date": "2025-01-01"})
    )
    (tmp_path / "index.js").write_text('export default { async fetch() { return new Response("hello"); } };')

    code, said = typed(wide, "deploy")

    assert code == 0, said
    assert asked(sandbox)["GET", "/accounts/{account_id}/workers/subdomain"] == 200
