"""The page of recipe W2, followed as a person would type it: CI reads from a real Vault and deploys with wrangler."""

import csv
import json
import urllib.error
from pathlib import Path

import pytest

from tests.recipe_page import ACCOUNT, recipe_page
from tests.servers import wrangler as tool

pytestmark = [pytest.mark.vault, pytest.mark.wrangler, pytest.mark.slow, pytest.mark.timeout(300)]

WORKER = {
    "name": "shop",
    "main": "index.js",
    "compatibility_date": "2025-01-01",
    "workers_dev": False,
    "routes": [{"pattern": "example.com/*", "zone_name": "example.com"}],
}


@pytest.fixture
def vault(own_vault):
    """A Vault without any other test's paths."""
    return own_vault()


@pytest.fixture
def page(tmp_path, vault):
    """The page followed to values in Vault."""
    with recipe_page("w2-account-tokens-for-ci", tmp_path) as page:
        token, policies, run, *page.later = page.typed()
        page.follow(token, page.place.sandbox.credentials["account-management"])
        page.follow(as_(vault, vault.root_token) + policies)
        page.put_recipe({"https://vault.internal:8200": vault.address})
        page.follow(run)
        yield page


def as_(vault, token: str) -> str:
    return f"export NO_PROXY=127.0.0.1 VAULT_ADDR={vault.address} VAULT_TOKEN={token}\n"


def ci(vault) -> str:
    """A login of a job."""
    return vault.call("POST", "auth/token/create", {"policies": ["ci-deploy"], "ttl": "5m"})["auth"]["client_token"]


def wrangler_on_path(page, wrangler: Path) -> str:
    """`npx wrangler` is the installed one, with the sandbox for Cloudflare."""
    npx = page.place.folder / "bin" / "npx"
    npx.write_text(f'#!/bin/sh\nshift\nexec {wrangler} "$@"\n')
    npx.chmod(0o755)
    quiet = tool.QUIET | {"CLOUDFLARE_API_BASE_URL": page.place.sandbox.url, "CLOUDFLARE_CF_FETCH_ENABLED": "false"}
    return "".join(f"export {name}={value}\n" for name, value in quiet.items())


def test_a_job_reads_its_value_from_vault_and_deploys(page, vault, wrangler):
    job, _ = page.later
    (page.folder / "wrangler.jsonc").write_text(json.dumps(WORKER))
    (page.folder / "index.js").write_text('export default { async fetch() { return new Response("hello"); } };')

    out = page.follow(as_(vault, ci(vault)) + wrangler_on_path(page, wrangler) + job)

    held = vault.call("GET", "secret/data/ci/cloudflare/deploy")["data"]["data"]
    sent = [row for row in page.place.sandbox.gateway.recorder.after(0) if row["operation"] == "deploy"]
    assert "Uploaded shop" in out
    assert "example.com/*" in out
    assert held["CLOUDFLARE_ACCOUNT_ID"] == ACCOUNT
    assert held["CLOUDFLARE_API_TOKEN"] not in out
    assert ("PUT", 200) in [(row["method"], row["status"]) for row in sent]


@pytest.mark.parametrize("path", ["ci/cloudflare/deploy-staging", "siem/cloudflare"])
def test_a_job_reads_no_other_path_and_writes_nothing(page, vault, path):
    job = ci(vault)
    assert vault.call("GET", "secret/data/ci/cloudflare/deploy", token=job)["data"]["data"]["CLOUDFLARE_API_TOKEN"]

    for method, where in (("GET", path), ("POST", "ci/cloudflare/deploy")):
        body = {"data": {}} if method == "POST" else None
        with pytest.raises(urllib.error.HTTPError) as refusal:
            vault.call(method, f"secret/data/{where}", body, token=job)
        with refusal.value as answer:
            assert answer.code == 403


def test_the_audit_lists_every_token_and_nothing_is_said_of_the_names_of_ours(page):
    _, audit = page.later

    page.follow(audit)

    rows = list(csv.DictReader((page.folder / "tokens.csv").read_text().splitlines()))
    ours = {row["managed_by"]: row["findings"] for row in rows if row["managed_by"]}
    assert set(ours) == {"deploy-prod-platform", "deploy-staging-platform", "logs-prod-security"}
    assert not any("name_convention" in found or "never_expires" in found for found in ours.values())
    assert any("never_expires" in row["findings"] for row in rows if not row["managed_by"])
