"""What a Vault stanza may say, and what it is told when it may not."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from rotator.targets.vault import KIND, VaultConnectionOptions, VaultTargetOptions
from rotator.targets.vault.options import reach

TOKEN = {"token": {"file": "/run/secrets/vault"}}


def connection(**more: Any) -> VaultConnectionOptions:
    return VaultConnectionOptions.model_validate({"address": "https://vault.internal:8200", "auth": TOKEN, **more})


@pytest.mark.parametrize(
    "auth, method",
    [
        (TOKEN, "token"),
        ({"approle": {"role_id": "r", "secret_id": {"env": "SECRET_ID"}, "wrapped": True}}, "approle"),
        ({"approle": {"role_id": "r"}}, "approle"),
        ({"jwt": {"role": "ci", "token": {"file": "/jwt"}, "mount": "auth/gitlab"}}, "jwt"),
        ({"kubernetes": {"role": "ci"}}, "kubernetes"),
    ],
)
def test_each_way_to_log_in_is_accepted(auth: dict[str, Any], method: str) -> None:
    assert connection(auth=auth).auth.method == method


@pytest.mark.parametrize(
    "auth, said",
    [
        ({}, "exactly one way"),
        ({**TOKEN, "kubernetes": {"role": "ci"}}, "exactly one way"),
        ({"token": "hvs.CANARY"}, "clear text"),
        ({"approle": {"role_id": "r", "wrapped": True}}, "`wrapped` without `secret_id`"),
        ({"approle": {"role_id": "r", "secret_id": "CANARY"}}, "clear text"),
        ({"kubernetes": {"role": "ci", "path": "x"}}, "Extra inputs"),
    ],
)
def test_what_is_no_way_to_log_in_is_refused_without_repeating_it(auth: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        connection(auth=auth)
    assert (said in str(caught.value), "CANARY" in str(caught.value)) == (True, False)


@pytest.mark.parametrize("address", ["http://vault.internal:8200", "vault:8200", "https://u:p@vault", "https://v/?a=1"])
def test_only_https_or_loopback_addresses_are_accepted(address: str) -> None:
    with pytest.raises(ValidationError):
        connection(address=address)


@pytest.mark.parametrize("path", ["", "/ci", "ci/", "ci//app", "ci/../prod", "..", "./ci", "ci/.", "a\nb"])
@pytest.mark.parametrize("field", ["path", "mount"])
def test_paths_that_a_client_would_fold_are_refused(field: str, path: str) -> None:
    with pytest.raises(ValidationError):
        VaultTargetOptions.model_validate({"path": "ci/app", field: path})


def test_a_pod_reads_its_token_where_kubernetes_mounts_it() -> None:
    found = connection(auth={"kubernetes": {"role": "ci"}}).auth.kubernetes
    assert found is not None
    assert found.token.file == Path("/var/run/secrets/kubernetes.io/serviceaccount/token")


def test_the_place_is_what_the_operator_types() -> None:
    assert KIND.place(VaultTargetOptions(path="ci/app")) == "secret/ci/app"


def test_two_logins_to_one_namespace_of_one_server_share_its_places() -> None:
    one, two = connection(), connection(auth={"kubernetes": {"role": "ci"}})
    other = connection(namespace="team")
    assert (reach("a", one) == reach("b", two), reach("a", one) == reach("a", other)) == (True, False)
