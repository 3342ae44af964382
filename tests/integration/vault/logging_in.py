"""What the tests of logins share."""

import json
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from rotator.config.secret_ref import SecretRef
from rotator.targets.vault import VaultConnectionOptions, VaultTargetOptions
from rotator.targets.vault.connection import VaultConnection
from rotator.targets.vault.options import AppRole, VaultAuth
from rotator.targets.vault.target import VaultTarget
from rotator.testing.target_contract import fresh_values, plain, publication
from tests.contract.targets.vault_place import KEYS, VaultPlace, policy
from tests.servers.vault import Vault


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
