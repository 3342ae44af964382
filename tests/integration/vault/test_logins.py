"""Logins on a real Vault: each method with the least policy, renewal by us, and what happens when a login ends."""

import json
import re
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from rotator.config.secret_ref import SecretRef
from rotator.core.errors import Refused, Unavailable
from rotator.core.findings import Level
from rotator.targets.vault.options import AppRole, Jwt, Kubernetes, VaultAuth
from rotator.testing.target_contract import fresh_values, publication
from tests.contract.targets.vault_place import VaultPlace
from tests.integration.vault.logging_in import Roles, asked, connect, target, works

pytestmark = pytest.mark.vault


def test_an_approle_with_the_least_policy_publishes(place: VaultPlace, roles: Roles) -> None:
    assert works(place, connect(place, roles.approle_auth()))


def test_one_login_serves_many_requests(place: VaultPlace, roles: Roles) -> None:
    connection = connect(place, roles.approle_auth())
    assert works(place, connection)
    assert works(place, connection)
    assert asked(place, "/login") == 1


def test_a_wrapped_secret_id_is_opened_once_and_serves_later_logins(place: VaultPlace, roles: Roles) -> None:
    role_id = roles.approle()
    wrapped = roles.file(roles.wrap(f"auth/{roles.name}/role/ci/secret-id"))
    auth = VaultAuth(approle=AppRole(role_id=role_id, secret_id=wrapped, wrapped=True, mount=roles.name))
    connection = connect(place, auth)
    assert works(place, connection)
    roles.vault.call("POST", f"sys/leases/revoke-prefix/auth/{roles.name}/login")
    assert works(place, connection)
    assert (asked(place, "/login"), asked(place, "wrapping/unwrap")) == (2, 1)


def test_a_wrapped_secret_id_that_somebody_else_opened_is_refused_and_called_an_attack(
    place: VaultPlace, roles: Roles
) -> None:
    role_id = roles.approle()
    wrapping = roles.wrap(f"auth/{roles.name}/role/ci/secret-id")
    roles.vault.call("POST", "sys/wrapping/unwrap", token=wrapping)
    auth = VaultAuth(approle=AppRole(role_id=role_id, secret_id=roles.file(wrapping), wrapped=True, mount=roles.name))
    with pytest.raises(Unavailable, match="used already") as caught:
        target(place, connect(place, auth)).read()
    assert "revoke it" in caught.value.remedy
    assert wrapping not in str(caught.value)


def test_a_token_that_wraps_something_else_is_refused(place: VaultPlace, roles: Roles) -> None:
    role_id = roles.approle()
    wrapping = roles.wrap("sys/wrapping/wrap")
    auth = VaultAuth(approle=AppRole(role_id=role_id, secret_id=roles.file(wrapping), wrapped=True, mount=roles.name))
    with pytest.raises(Unavailable, match="does not wrap a secret id"):
        target(place, connect(place, auth)).read()
    assert asked(place, "wrapping/unwrap") == 0


def wrapped_auth(roles: Roles, role_id: str, wrapping: str) -> VaultAuth:
    secret_id = roles.file(wrapping)
    return VaultAuth(approle=AppRole(role_id=role_id, secret_id=secret_id, wrapped=True, mount=roles.name))


def test_the_preflight_of_a_wrapped_secret_id_says_until_when_and_leaves_it_closed(
    place: VaultPlace, roles: Roles
) -> None:
    role_id = roles.approle()
    connection = connect(place, wrapped_auth(roles, role_id, roles.wrap(f"auth/{roles.name}/role/ci/secret-id")))
    for _ in range(2):
        (finding,) = connection.preflight()
        assert finding.level is Level.OK
        assert re.search(r"until 2\d{3}-\d\d-\d\dT[\d:]{8}Z", finding.message)
    assert asked(place, "wrapping/unwrap") == 0
    assert works(place, connection)


def test_the_preflight_of_a_wrapped_secret_id_that_was_opened_fails(place: VaultPlace, roles: Roles) -> None:
    role_id = roles.approle()
    wrapping = roles.wrap(f"auth/{roles.name}/role/ci/secret-id")
    roles.vault.call("POST", "sys/wrapping/unwrap", token=wrapping)
    (finding,) = connect(place, wrapped_auth(roles, role_id, wrapping)).preflight()
    assert (finding.level, "used already" in finding.message) == (Level.FAIL, True)
    assert "revoke it" in finding.remedy
    assert wrapping not in finding.message


def test_the_preflight_of_something_else_in_a_wrapping_fails(place: VaultPlace, roles: Roles) -> None:
    (finding,) = connect(place, wrapped_auth(roles, "role", roles.wrap("sys/wrapping/wrap"))).preflight()
    assert (finding.level, "does not wrap" in finding.message) == (Level.FAIL, True)


def test_the_preflight_of_a_wrapping_needs_an_answer_that_names_its_time(place: VaultPlace, roles: Roles) -> None:
    body = json.dumps({"data": {"creation_path": f"auth/{roles.name}/role/ci/secret-id"}})
    place.gate.arm("answer", part="wrapping/lookup", status=200, body=body)
    (finding,) = connect(place, wrapped_auth(roles, "role", "hvs.wrapping")).preflight()
    assert (finding.level, "names no time" in finding.message) == (Level.FAIL, True)


def test_a_login_that_can_be_taken_again_has_no_preflight_of_its_own(place: VaultPlace, roles: Roles) -> None:
    assert connect(place, roles.approle_auth()).preflight() == ()
    assert asked(place, "wrapping/lookup") == 0


def test_a_signed_token_logs_in_and_is_read_anew_at_every_login(place: VaultPlace, roles: Roles) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    roles.jwt(key)
    proof = roles.file(signed(key, subject="first"))
    connection = connect(place, VaultAuth(jwt=Jwt(role="ci", token=proof, mount=roles.name)))
    assert works(place, connection)
    roles.file(signed(ec.generate_private_key(ec.SECP256R1()), subject="forged"))
    roles.vault.call("POST", f"sys/leases/revoke-prefix/auth/{roles.name}/login")
    with pytest.raises(Unavailable, match="with jwt"):
        target(place, connection).read()
    roles.file(signed(key, subject="second"))
    assert works(place, connection)


def test_a_pods_service_account_logs_in(place: VaultPlace, roles: Roles) -> None:
    """No cluster is at hand: the login's answer is played back, all that follows is real."""
    token = place.token_file.read_text()
    grant = {"auth": {"client_token": token, "lease_duration": 3600, "renewable": True}}
    place.gate.arm("answer", part="auth/kubernetes/login", status=200, body=json.dumps(grant))
    auth = VaultAuth(kubernetes=Kubernetes(role="ci", token=roles.file("pod-token")))
    assert works(place, connect(place, auth))


def test_another_secret_id_is_refused_with_what_to_look_at(place: VaultPlace, roles: Roles) -> None:
    auth = VaultAuth(approle=AppRole(role_id=roles.approle(), secret_id=roles.file("CANARY-id"), mount=roles.name))
    on = target(place, connect(place, auth))
    with pytest.raises(Unavailable, match="with approle") as caught:
        on.read()
    assert "auth.approle" in caught.value.remedy
    assert "CANARY" not in str(caught.value)


def test_a_login_that_fails_before_a_write_means_that_nothing_was_sent(place: VaultPlace, roles: Roles) -> None:
    expected = target(place, place.connect()).read()
    auth = VaultAuth(approle=AppRole(role_id=roles.approle(), secret_id=roles.file("CANARY-id"), mount=roles.name))
    with pytest.raises((Unavailable, Refused)):
        target(place, connect(place, auth)).write(publication(fresh_values(place), expected))
    assert dict(place.look()) == {}


def test_a_missing_token_file_is_an_answer_and_no_crash(place: VaultPlace, tmp_path: Path) -> None:
    connection = connect(place, VaultAuth(token=SecretRef(file=tmp_path / "absent")))
    with pytest.raises(Unavailable, match="cannot be opened"):
        target(place, connection).read()
    with pytest.raises(Refused, match="cannot be opened"):
        connection.renew_login()


def test_nothing_is_taken_from_the_environment_or_the_home_folder(
    place: VaultPlace, roles: Roles, monkeypatch: pytest.MonkeyPatch
) -> None:
    (roles.folder / ".vault-token").write_text(roles.vault.root_token)
    monkeypatch.setenv("HOME", str(roles.folder))
    monkeypatch.setenv("VAULT_TOKEN", roles.vault.root_token)
    monkeypatch.setenv("VAULT_ADDR", "http://127.0.0.1:9")
    monkeypatch.setenv("VAULT_NAMESPACE", "elsewhere")
    assert works(place, connect(place, roles.approle_auth()))
    sent = {value for headers in place.gate.headers for name, value in headers.items() if name == "X-Vault-Token"}
    assert (roles.vault.root_token in sent, len(sent)) == (False, 1)
    assert not any("X-Vault-Namespace" in headers for headers in place.gate.headers)


def signed(key: ec.EllipticCurvePrivateKey, *, subject: str) -> str:
    """A JSON Web Token, ES256 (RFC 7518 section 3.4)."""
    from base64 import urlsafe_b64encode

    def encoded(part: bytes) -> str:
        return urlsafe_b64encode(part).rstrip(b"=").decode()

    claims = {"sub": subject, "aud": "vault", "iat": int(time.time()), "exp": int(time.time()) + 600}
    head = json.dumps({"alg": "ES256"}).encode()
    text = f"{encoded(head)}.{encoded(json.dumps(claims).encode())}"
    r, s = decode_dss_signature(key.sign(text.encode(), ec.ECDSA(SHA256())))
    return f"{text}.{encoded(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"
