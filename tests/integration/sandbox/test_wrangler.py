"""Cloudflare's own command line against the sandbox: who does wrangler think we are?"""

import json
import subprocess

import pytest

from rotator.sandbox import Sandbox
from tests.sandbox_calls import ACCOUNT
from tests.servers import wrangler as tool

pytestmark = [pytest.mark.wrangler, pytest.mark.slow]


@pytest.fixture
def sandbox():
    with Sandbox() as running:
        yield running


@pytest.fixture
def whoami(wrangler, sandbox, tmp_path):
    """Run `wrangler whoami` in an empty folder and return its exit code and what it said."""

    def run(value):
        home = tmp_path / "home"
        home.mkdir()
        environment = {
            **tool.environment(),
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home),
            "CLOUDFLARE_API_BASE_URL": sandbox.url,
            "CLOUDFLARE_API_TOKEN": value,
            "WRANGLER_SEND_METRICS": "false",
            "CI": "1",
        }
        done = subprocess.run(
            [str(wrangler), "whoami"],
            env=environment,
            cwd=home,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    return run


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
