"""Logins on a real Vault: each method with the least policy, renewal by us, and what happens when a login ends."""

import json
import re
import time
import urllib.error
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from rotator.config.secret_ref import SecretRef
from rotator.core.credential import NEVER
from rotator.core.errors import Refused, Unavailable
from rotator.core.findings import Level
from rotator.targets.vault import VaultConnectionOptions, VaultTargetOptions
from rotator.targets.vault.connection import VaultConnection
from rotator.targets.vault.login import Keeper
from rotator.targets.vault.options import AppRole, Jwt, Kubernetes, VaultAuth
from rotator.targets.vault.target import VaultTarget
from rotator.testing.target_contract import fresh_values, plain, publication
from tests.contract.targets.vault_place import KEYS, VaultPlace, policy
from tests.integration.vault.conftest import MovableClock
from tests.servers.vault import Vault

pytestmark = pytest.mark.vault


class Roles:
    """AppRoles and JWT roles of the shared Vault that may use one place, on auth mounts of their own."""

    def __init__(self, vault: Vault, place: VaultPlace, folder: Path) -> None:
        self.vault, self.place, self.folder = vault, place, folder
        self.name = f"test-{uuid.uuid4().hex}"
        self.policy = f"policy-{self.name}"
        rules = policy(place.path, "create", "read", "update")
        vault.call("PUT", f"sys/policies/acl/{self.policy}", {"policy": rules})

    def approle(self, **more: object) -> str:
        """Make the role; returns its role id."""
        self.vault.call("POST", f"sys/auth/{self.name}", {"type": "approle"})
        role = {"token_policies": [self.policy], "token_ttl": "1h", "token_max_ttl": "4h", **more}
        self.vault.call("POST", f"auth/{self.name}/role/ci", role)
        return str(self.vault.call("GET", f"auth/{self.name}/role/ci/role-id")["data"]["role_id"])

    def secret_id(self) -> str:
        return str(self.vault.call("POST", f"auth/{self.name}/role/ci/secret-id")["data"]["secret_id"])

    def file(self, content: str, name: str = "proof") -> SecretRef:
        path = self.folder / name
        path.write_text(content)
        path.chmod(0o600)
        return SecretRef(file=path)

    def approle_auth(self, **more: object) -> VaultAuth:
        role_id = self.approle(**more)
        proof = self.file(self.secret_id())
        return VaultAuth(approle=AppRole(role_id=role_id, secret_id=proof, mount=self.name))

    def jwt(self, key: ec.EllipticCurvePrivateKey) -> None:
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self.vault.call("POST", f"sys/auth/{self.name}", {"type": "jwt"})
        self.vault.call("POST", f"auth/{self.name}/config", {"jwt_validation_pubkeys": [public.decode()]})
        role = {"role_type": "jwt", "user_claim": "sub", "bound_audiences": ["vault"], "token_policies": [self.policy]}
        self.vault.call("POST", f"auth/{self.name}/role/ci", role)

    def wrap(self, path: str) -> str:
        """Ask Vault for a wrapped answer; the plain HTTP helper has no way to send the header."""
        import urllib.request

        request = urllib.request.Request(
            f"{self.vault.address}/v1/{path}",
            method="POST",
            headers={"X-Vault-Token": self.vault.root_token, "X-Vault-Wrap-TTL": "10m"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return str(json.loads(answer.read())["wrap_info"]["token"])


@pytest.fixture
def roles(vault_server: Vault, place: VaultPlace, tmp_path: Path) -> Roles:
    return Roles(vault_server, place, tmp_path)


def connect(place: VaultPlace, auth: VaultAuth, clock: Any = None) -> VaultConnection:
    return VaultConnection("vault", VaultConnectionOptions(address=place.gate.address, auth=auth), clock=clock)


def target(place: VaultPlace, connection: VaultConnection) -> VaultTarget:
    return VaultTarget(connection, VaultTargetOptions(path=place.path), KEYS)


def works(place: VaultPlace, connection: VaultConnection) -> bool:
    """Whether a publication goes through: preflight, write, read back."""
    on = target(place, connection)
    on.check()
    new = fresh_values(place)
    on.write(publication(new, on.read()))
    return plain(on.read()) == new == dict(place.look())


def asked(place: VaultPlace, part: str) -> int:
    return sum(part in path for _, path in place.gate.requests)


def until(true: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


# ------------------------------------------------------------------------------------------------------ methods
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


# ------------------------------------------------------------------------------------------------------ life of a login
def test_a_login_that_was_revoked_is_taken_anew_in_the_middle_of_the_work(place: VaultPlace, roles: Roles) -> None:
    connection = connect(place, roles.approle_auth())
    assert works(place, connection)
    roles.vault.call("POST", f"sys/leases/revoke-prefix/auth/{roles.name}/login")
    assert works(place, connection)
    assert asked(place, "/login") == 2


def test_a_login_that_expires_between_read_and_write_does_not_fail_the_write(place: VaultPlace, roles: Roles) -> None:
    connection = connect(place, roles.approle_auth(token_ttl="1s", token_max_ttl="1s"))
    on = target(place, connection)
    expected = on.read()
    token = next(h["X-Vault-Token"] for h in reversed(place.gate.headers) if "X-Vault-Token" in h)
    until(lambda: not valid(roles.vault, token))
    new = fresh_values(place)
    on.write(publication(new, expected))
    assert dict(place.look()) == new


def test_two_thirds_through_its_life_a_login_is_renewed(place: VaultPlace, roles: Roles, clock: MovableClock) -> None:
    connection = connect(place, roles.approle_auth(token_ttl="1h"), clock)
    connection.renew_login()
    first = connection.token_expires_at
    clock.now += 2399
    connection.renew_login()
    assert asked(place, "renew-self") == 0
    clock.now += 2
    connection.renew_login()
    assert (asked(place, "renew-self"), asked(place, "/login")) == (1, 1)
    assert (first, connection.token_expires_at) == (clock.utc() - 2401 + 3600, clock.utc() + 3600)


def test_a_login_that_may_not_be_renewed_is_taken_anew(place: VaultPlace, roles: Roles, clock: MovableClock) -> None:
    connection = connect(place, roles.approle_auth(token_type="batch"), clock)
    assert works(place, connection)
    clock.now += 2401
    assert works(place, connection)
    assert (asked(place, "renew-self"), asked(place, "/login")) == (0, 2)


def test_a_renewal_that_grants_little_makes_the_next_one_a_login(
    place: VaultPlace, roles: Roles, clock: MovableClock
) -> None:
    connection = connect(place, roles.approle_auth(), clock)
    connection.renew_login()
    grant = {"auth": {"client_token": "", "lease_duration": 600, "renewable": True}}
    place.gate.arm("replace", part="renew-self", status=200, body=json.dumps(grant))
    clock.now += 2401
    connection.renew_login()
    clock.now += 401
    connection.renew_login()
    assert (asked(place, "renew-self"), asked(place, "/login")) == (1, 2)


def test_a_vault_that_is_away_at_renewal_time_fails_nothing_while_the_login_lives(
    place: VaultPlace, roles: Roles, clock: MovableClock
) -> None:
    connection = connect(place, roles.approle_auth(), clock)
    connection.renew_login()
    clock.now += 2401
    place.gate.arm("answer", part="auth/", status=503, times=10, body='{"errors": ["away"]}')
    connection.renew_login()
    clock.now += 1200
    with pytest.raises(Unavailable):
        connection.renew_login()


def test_a_given_token_without_end_is_never_renewed(place: VaultPlace, roles: Roles, clock: MovableClock) -> None:
    auth = VaultAuth(token=roles.file(roles.vault.root_token))
    connection = connect(place, auth, clock)
    connection.renew_login()
    clock.now += 10**8
    connection.renew_login()
    assert (connection.token_expires_at, asked(place, "renew-self")) == (NEVER, 0)


def test_a_given_token_is_renewed_by_us_too(place: VaultPlace, roles: Roles, clock: MovableClock) -> None:
    connection = connect(place, VaultAuth(token=SecretRef(file=place.token_file)), clock)
    connection.renew_login()
    clock.now += 2401
    connection.renew_login()
    assert (asked(place, "renew-self"), asked(place, "lookup-self")) == (1, 1)


def test_a_token_file_that_was_replaced_is_picked_up_when_the_old_token_ends(place: VaultPlace, roles: Roles) -> None:
    connection = connect(place, VaultAuth(token=SecretRef(file=place.token_file)))
    assert works(place, connection)
    roles.vault.call("POST", "auth/token/revoke", {"token": place.token_file.read_text()})
    with pytest.raises(Unavailable):
        target(place, connection).read()
    made = roles.vault.call("POST", "auth/token/create", {"policies": [roles.policy], "ttl": "1h", "no_parent": True})
    place.token_file.write_text(made["auth"]["client_token"])
    assert works(place, connection)


def test_no_end_is_shown_before_the_first_login(place: VaultPlace, roles: Roles) -> None:
    assert connect(place, roles.approle_auth()).token_expires_at is None


def test_a_denied_path_does_not_cost_a_login_per_try(place: VaultPlace, roles: Roles) -> None:
    connection = connect(place, roles.approle_auth())
    elsewhere = VaultTarget(connection, VaultTargetOptions(path="somebody/elses"), KEYS)
    for _ in range(3):
        with pytest.raises(Unavailable, match="403"):
            elsewhere.read()
    assert asked(place, "/login") == 1


def test_a_role_that_got_another_policy_is_noticed_within_a_minute(
    place: VaultPlace, roles: Roles, clock: MovableClock
) -> None:
    auth = roles.approle_auth(token_policies=[])
    connection = connect(place, auth, clock)
    with pytest.raises(Unavailable, match="403"):
        target(place, connection).read()
    roles.vault.call("POST", f"auth/{roles.name}/role/ci", {"token_policies": [roles.policy]})
    clock.now += 61
    assert works(place, connection)


def test_closing_revokes_the_login_that_we_took_and_no_token_that_was_given(place: VaultPlace, roles: Roles) -> None:
    ours, given = connect(place, roles.approle_auth()), place.connect()
    assert works(place, ours)
    taken = next(h["X-Vault-Token"] for h in reversed(place.gate.headers) if "X-Vault-Token" in h)
    assert works(place, given)
    ours.close()
    given.close()
    given.close()
    assert (valid(roles.vault, taken), valid(roles.vault, place.token_file.read_text())) == (False, True)


def test_closing_does_not_fail_when_vault_is_away(place: VaultPlace, roles: Roles) -> None:
    connection = connect(place, roles.approle_auth())
    connection.renew_login()
    place.cut()
    connection.close()
    assert asked(place, "revoke-self") == 0


def valid(vault: Vault, token: str) -> bool:
    try:
        vault.call("GET", "auth/token/lookup-self", token=token)
    except urllib.error.HTTPError:
        return False
    return True


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


# ------------------------------------------------------------------------------------------------------ limited uses
@pytest.mark.parametrize("uses", [1, 2, 3, 5, 7, 10])
def test_a_role_whose_logins_are_good_for_few_requests_publishes_and_check_says_so(
    place: VaultPlace, roles: Roles, uses: int
) -> None:
    connection = connect(place, roles.approle_auth(token_num_uses=uses))
    assert works(place, connection)
    remarks = [remark.code for remark in target(place, connection).check()]
    assert remarks == ["login_uses"]


@pytest.mark.parametrize("uses", [1, 4])
def test_what_such_a_login_may_not_do_is_still_refused(place: VaultPlace, roles: Roles, uses: int) -> None:
    rules = policy(place.path, "read")
    roles.vault.call("PUT", f"sys/policies/acl/{roles.policy}", {"policy": rules})
    on = target(place, connect(place, roles.approle_auth(token_num_uses=uses)))
    if uses > 1:
        with pytest.raises(Refused, match="may not"):
            on.check()
    with pytest.raises(Refused, match="403"):
        on.write(publication(fresh_values(place), on.read()))


def test_a_token_of_the_operator_that_ends_by_use_is_a_remark(place: VaultPlace, roles: Roles) -> None:
    made = roles.vault.call("POST", "auth/token/create", {"policies": [roles.policy], "num_uses": 50})
    connection = connect(place, VaultAuth(token=roles.file(made["auth"]["client_token"])))
    assert [remark.code for remark in target(place, connection).check()] == ["login_uses"]


def test_a_login_that_is_used_up_is_replaced_before_a_request_is_denied(
    place: VaultPlace, roles: Roles, monkeypatch: pytest.MonkeyPatch
) -> None:
    denied: list[object] = []
    monkeypatch.setattr(Keeper, "denied", lambda keeper, token: denied.append(token))
    on = target(place, connect(place, roles.approle_auth(token_num_uses=2)))
    on.write(publication(fresh_values(place), on.read()))
    assert (denied, asked(place, "/login")) == ([], 3)
