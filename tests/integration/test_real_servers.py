"""The real servers behave as the other tests expect: this tells a broken server from a broken program."""

import os
import subprocess
import urllib.error
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.servers import wrangler as wrangler_tool
from tests.servers.vault import Vault


def test_vault_keeps_versions_and_refuses_a_wrong_cas(vault_server: Vault) -> None:
    first = vault_server.call("POST", "secret/data/servers/cas", {"options": {"cas": 0}, "data": {"token": "one"}})
    assert first["data"]["version"] == 1

    with pytest.raises(urllib.error.HTTPError) as refusal:
        vault_server.call("POST", "secret/data/servers/cas", {"options": {"cas": 0}, "data": {"token": "two"}})

    with refusal.value as answer:
        assert answer.code == 400
        assert b"check-and-set" in answer.read()


def test_vault_has_approle_jwt_and_a_file_audit_device(vault_server: Vault, tmp_path: Path) -> None:
    vault_server.call("POST", "sys/auth/servers-approle", {"type": "approle"})
    vault_server.call("POST", "sys/auth/servers-jwt", {"type": "jwt"})
    audit = tmp_path / "audit.log"
    vault_server.call("PUT", "sys/audit/servers", {"type": "file", "options": {"file_path": str(audit)}})
    vault_server.call("GET", "sys/mounts")
    vault_server.call("DELETE", "sys/audit/servers")
    assert "sys/mounts" in audit.read_text()


def test_vault_keeps_its_data_and_address_over_a_restart(own_vault: Callable[[], Vault]) -> None:
    server = own_vault()
    address = server.address
    server.call("POST", "secret/data/kept", {"data": {"token": "one"}})

    server.restart()

    assert server.address == address
    assert server.call("GET", "secret/data/kept")["data"]["data"] == {"token": "one"}


def test_a_stopped_vault_refuses_connections(own_vault: Callable[[], Vault]) -> None:
    server = own_vault()
    server.stop()
    with pytest.raises(urllib.error.URLError):
        server.call("GET", "sys/seal-status")


def test_a_sealed_vault_answers_503_until_it_is_unsealed(own_vault: Callable[[], Vault]) -> None:
    server = own_vault()
    server.seal()
    with pytest.raises(urllib.error.HTTPError) as refusal:
        server.call("GET", "secret/config")
    with refusal.value as answer:
        assert answer.code == 503

    server.unseal()

    assert server.call("GET", "secret/config")["data"]["cas_required"] is False


def test_wrangler_runs_and_says_its_locked_version(wrangler: Path, tmp_path: Path) -> None:
    env = wrangler_tool.environment() | {"HOME": str(tmp_path)}
    answer = subprocess.run([wrangler, "--version"], env=env, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert answer.stdout.strip() == "4.86.0", answer.stderr


def test_promtool_tells_good_rules_from_bad_ones(promtool: Path, tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text("groups: [{name: one, rules: [{alert: Up, expr: up == 0}]}]")
    assert subprocess.run([promtool, "check", "rules", rules], capture_output=True).returncode == 0
    rules.write_text("groups: [{name: one, rules: [{alert: Up, expr: up ==}]}]")
    assert subprocess.run([promtool, "check", "rules", rules], capture_output=True).returncode != 0


def test_hadolint_tells_good_dockerfiles_from_bad_ones(hadolint: Path, tmp_path: Path) -> None:
    file = tmp_path / "Dockerfile"
    file.write_text("FROM debian:12.7-slim\nUSER 65532\n")
    assert subprocess.run([hadolint, file], capture_output=True).returncode == 0
    file.write_text("FROM debian\nRUN cd /tmp && sudo true\n")
    assert subprocess.run([hadolint, file], capture_output=True).returncode != 0


def test_no_private_setting_of_the_developer_reaches_a_test() -> None:
    assert not [name for name in os.environ if name.startswith(("VAULT_", "CLOUDFLARE_"))]
