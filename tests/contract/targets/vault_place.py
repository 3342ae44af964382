"""A path of a real Vault as a place of the target contract, looked at without our code and without hvac."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.error import HTTPError

from rotator.config.secret_ref import SecretRef
from rotator.targets.vault import VaultConnectionOptions, VaultTargetOptions
from rotator.targets.vault.connection import VaultConnection
from rotator.targets.vault.options import VaultAuth
from rotator.targets.vault.target import VaultTarget
from tests.servers.gate import Gate
from tests.servers.vault import Vault

KEYS = {"CLOUDFLARE_API_TOKEN": "token.value", "CLOUDFLARE_ACCOUNT_ID": "account.id"}


def policy(path: str, *capabilities: str) -> str:
    """A policy that grants exactly these on the data and the metadata of one path below secret/."""
    rule = {"capabilities": list(capabilities)}
    return json.dumps({"path": {f"secret/data/{path}": rule, f"secret/metadata/{path}": rule}})


class VaultPlace:
    """One path below `secret/`; its targets have a token that may do there what the docs say is needed, and no more."""

    def __init__(self, vault: Vault, folder: Path, path: str) -> None:
        self.keys: Mapping[str, str] = KEYS
        self.vault = vault
        self.path = path
        self.gate = Gate(vault.address)
        self.token_file = folder / "vault-token"
        self._policy = path.replace("/", "-")
        vault.call("PUT", f"sys/policies/acl/{self._policy}", {"policy": policy(path, "create", "read", "update")})
        made = vault.call("POST", "auth/token/create", {"policies": [self._policy], "ttl": "1h", "no_parent": True})
        self.token_file.write_text(made["auth"]["client_token"])
        self.token_file.chmod(0o600)
        self.warnings: list[tuple[str, str]] = []

    def connect(self) -> VaultConnection:
        options = VaultConnectionOptions(
            address=self.gate.address, auth=VaultAuth(token=SecretRef(file=self.token_file))
        )
        return VaultConnection("vault", options)

    def open(self, crash: Callable[[str], None], keys: Mapping[str, str] | None = None) -> VaultTarget:
        return VaultTarget(
            self.connect(),
            VaultTargetOptions(mount="secret", path=self.path),
            self.keys if keys is None else keys,
            crash=crash,
            warn=lambda code, message: self.warnings.append((code, message)),
        )

    def look(self) -> Mapping[str, str]:
        try:
            found: dict[str, str] = self.vault.call("GET", f"secret/data/{self.path}")["data"]["data"]
        except HTTPError as error:
            if error.code != 404:
                raise
            return {}
        return found

    def metadata(self) -> dict[str, str]:
        found = self.vault.call("GET", f"secret/metadata/{self.path}")["data"]
        return dict(found["custom_metadata"] or {})

    def overwrite(self, values: Mapping[str, object]) -> None:
        self.vault.call("POST", f"secret/data/{self.path}", {"data": dict(values)})

    def deny(self) -> None:
        self.vault.call("PUT", f"sys/policies/acl/{self._policy}", {"policy": policy(self.path, "read")})

    def cut(self) -> None:
        self.gate.close()
