"""What `docs/ci.md` tells a CI system to run, run as it stands there against a real Vault."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from tests.pages import block
from tests.servers.vault import Vault

VALUE = "cfat_canary0123456789abcdefghijklmnopqrstuvwxyz"
PLACE = "ci/cloudflare/workers-deploy"

pytestmark = pytest.mark.vault


@pytest.fixture
def place(vault_server: Vault) -> str:
    """A secret of the test's own, readable with a token that may no more than the page says; returns its path."""
    path = f"{uuid.uuid4()}/{PLACE}"
    vault_server.call("POST", f"secret/data/{path}", {"data": {"CLOUDFLARE_API_TOKEN": VALUE}})
    return path


def reader(vault: Vault, path: str) -> str:
    """A token with the page's policy."""
    name = f"reader-{uuid.uuid4()}"
    policy = block("docs/ci.md", "capabilities").text.replace(PLACE, path)
    vault.call("PUT", f"sys/policies/acl/{name}", {"policy": policy})
    made = vault.call("POST", "auth/token/create", {"policies": [name], "ttl": "5m"})
    return str(made["auth"]["client_token"])


def run(command: list[str], vault: Vault, path: str) -> str:
    token = reader(vault, path)
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "NO_PROXY": "127.0.0.1",
        "VAULT_ADDR": vault.address,
        "VAULT_TOKEN": token,
    }
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_curl_reads_the_value(vault_server: Vault, place: str) -> None:
    script = block("docs/ci.md", "needs: VAULT_ADDR, VAULT_TOKEN").text.replace(PLACE, place)

    assert run(["sh", "-ec", script + 'printf %s "$CLOUDFLARE_API_TOKEN"'], vault_server, place) == VALUE


def test_hvac_reads_the_value(vault_server: Vault, place: str) -> None:
    program = block("docs/ci.md", "import hvac").text.replace(PLACE, place)

    assert run([sys.executable, "-c", program + "print(token, end='')"], vault_server, place) == VALUE
