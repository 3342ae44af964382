"""Mounts, paths and addresses as people copy them from the API: refused with the right spelling."""

from typing import Any

import pytest
from pydantic import ValidationError

from rotator.targets.vault import VaultConnectionOptions, VaultTargetOptions
from rotator.targets.vault.options import AppRole, Kubernetes, complaints, reach

TOKEN = {"token": {"env": "X"}}


@pytest.mark.parametrize(
    "written, right",
    [
        ({"path": "data/ci/app"}, "`mount: secret` and `path: ci/app`"),
        ({"path": "metadata/ci/app"}, "`mount: secret` and `path: ci/app`"),
        ({"path": "secret/ci/app"}, "`mount: secret` and `path: ci/app`"),
        ({"path": "secret/data/ci/app"}, "`mount: secret` and `path: ci/app`"),
        ({"path": "v1/secret/data/ci/app"}, "`mount: secret` and `path: ci/app`"),
        ({"mount": "team/kv", "path": "team/kv/ci/app"}, "`mount: team/kv` and `path: ci/app`"),
        ({"mount": "v1/kv", "path": "ci/app"}, "`mount: kv`"),
        ({"mount": "v1/kv", "path": "kv/data/ci"}, "`mount: kv` and `path: ci`"),
    ],
)
def test_a_path_of_the_api_is_refused_with_the_right_spelling(written: dict[str, str], right: str) -> None:
    (found,) = complaints(VaultTargetOptions(**written), {})
    assert (found.fatal, right in found.instead) == (True, True), found


@pytest.mark.parametrize(
    "written",
    [
        {"path": "ci/app"},
        {"path": "data"},
        {"path": "secret"},
        {"path": "database/ci"},
        {"path": "secrets/ci"},
        {"mount": "team/kv", "path": "kv/ci"},
        {"path": "ci/data/app"},
    ],
)
def test_a_path_that_only_resembles_one_is_taken(written: dict[str, str]) -> None:
    assert list(complaints(VaultTargetOptions(**written), {})) == []


@pytest.mark.parametrize(
    "address, right",
    [
        ("https://vault:8200/v1", "https://vault:8200"),
        ("https://vault:8200/v1/", "https://vault:8200"),
        ("https://vault:8200/v1/secret/data", "https://vault:8200"),
        ("https://vault:8200/ui/vault", "https://vault:8200"),
        ("https://gateway/vault/v1", "https://gateway/vault"),
    ],
)
def test_an_address_of_the_api_is_refused_with_the_right_spelling(address: str, right: str) -> None:
    with pytest.raises(ValidationError) as caught:
        VaultConnectionOptions.model_validate({"address": address, "auth": TOKEN})
    assert f"write {right} " in f"{caught.value.errors()[0]['msg']} "


def test_a_prefix_of_a_reverse_proxy_is_taken() -> None:
    options = VaultConnectionOptions.model_validate({"address": "https://gateway/vault/", "auth": TOKEN})
    assert options.address == "https://gateway/vault"


@pytest.mark.parametrize("model, more", [(AppRole, {"role_id": "x"}), (Kubernetes, {"role": "x"})])
def test_the_mount_of_a_login_may_be_written_with_auth_before_it(model: Any, more: dict[str, str]) -> None:
    assert model.model_validate({"mount": "auth/ci", **more}).mount == "ci"


@pytest.mark.parametrize("other", ["https://VAULT.example/", "https://vault.example:443"])
def test_one_server_in_two_spellings_is_one_place(other: str) -> None:
    def server(address: str) -> str:
        return reach("x", VaultConnectionOptions.model_validate({"address": address, "auth": TOKEN}))

    assert server("https://vault.example") == server(other)
    assert server("https://vault.example") != server("https://vault.example:8200")
