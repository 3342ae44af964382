"""What the configuration says of a Vault connection and of a Vault target. It opens nothing and imports no SDK."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, Field, model_validator

from rotator.config.fields import ServiceUrl, Stanza, Text, wrong
from rotator.config.network import Reachable
from rotator.config.secret_ref import SecretRef

SERVICE_ACCOUNT_TOKEN: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")
METHODS: Final = ("token", "approle", "jwt", "kubernetes")


def _path(value: str) -> str:
    """Empty, `.` and `..` segments are refused: the HTTP library folds them, and then another path would be written."""
    if any(segment in {"", ".", ".."} for segment in value.split("/")):
        raise wrong(
            "the path has an empty, `.` or `..` segment",
            "expected names with single slashes between them, none at the ends",
            "write for example ci/cloudflare/workers-deploy",
        )
    return value


VaultPath = Annotated[Text, AfterValidator(_path), Field(max_length=512)]
"""A path inside Vault, without slashes at its ends."""


class AppRole(Stanza):
    """Login with a role id and a secret id; a wrapped one is unwrapped once, at the first login."""

    role_id: Text
    secret_id: SecretRef | None = None
    wrapped: bool = False
    mount: VaultPath = "approle"

    @model_validator(mode="after")
    def _something_to_unwrap(self) -> AppRole:
        if self.wrapped and self.secret_id is None:
            raise wrong("`wrapped` without `secret_id`", "expected a place to read it from", "add secret_id: {file: …}")
        return self


class Jwt(Stanza):
    """Login with a signed token (OIDC, SPIFFE, CI); it is read anew at every login."""

    role: Text
    token: SecretRef
    mount: VaultPath = "jwt"


class Kubernetes(Stanza):
    """Login with the pod's service account token."""

    role: Text
    token: SecretRef = Field(default_factory=lambda: SecretRef(file=SERVICE_ACCOUNT_TOKEN))
    mount: VaultPath = "kubernetes"


class VaultAuth(Stanza):
    """Exactly one way to log in."""

    token: SecretRef | None = None
    approle: AppRole | None = None
    jwt: Jwt | None = None
    kubernetes: Kubernetes | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> VaultAuth:
        if sum(getattr(self, method) is not None for method in METHODS) != 1:
            raise wrong(
                "there must be exactly one way to log in",
                f"expected one of {', '.join(METHODS)}",
                "write for example auth: {approle: {role_id: …, secret_id: {file: …}}}",
            )
        return self

    @property
    def method(self) -> str:
        """The word of the chosen method."""
        return next(method for method in METHODS if getattr(self, method) is not None)


class VaultConnectionOptions(Reachable):
    """A HashiCorp Vault or OpenBao server and how to log in to it."""

    address: ServiceUrl
    auth: VaultAuth
    namespace: VaultPath | None = None


class VaultTargetOptions(Stanza):
    """One secret of a KV version 2 mount; the credential's keys stand beside whatever else it holds."""

    path: VaultPath
    mount: VaultPath = "secret"

    @property
    def place(self) -> str:
        """What the operator calls it: `vault kv get MOUNT/PATH`."""
        return f"{self.mount}/{self.path}"


def reach(name: str, options: VaultConnectionOptions) -> str:
    """The server behind a connection: two logins to one namespace of one server share its places."""
    return f"{options.address}/{options.namespace or ''}"
