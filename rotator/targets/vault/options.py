"""What the configuration says of a Vault connection and of a Vault target. It opens nothing and imports no SDK."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit, urlunsplit

from pydantic import AfterValidator, Field, model_validator

from rotator.config.fields import ServiceUrl, Stanza, Text, wrong
from rotator.config.kinds import Complaint
from rotator.config.network import Reachable
from rotator.config.secret_ref import SecretRef

SERVICE_ACCOUNT_TOKEN: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")
API_WORDS: Final = frozenset({"data", "metadata"})
"""What stands between mount and path in the API of KV version 2, and in no command of `vault kv`."""

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


def _auth_mount(value: str) -> str:
    """The name that `vault auth list` shows; the API's paths, which people copy, have `auth/` before it."""
    return value.removeprefix("v1/").removeprefix("auth/") or value


VaultPath = Annotated[Text, AfterValidator(_path), Field(max_length=512)]
"""A path inside Vault, without slashes at its ends."""

AuthMount = Annotated[VaultPath, AfterValidator(_auth_mount)]
"""Where a method of login is mounted, below `auth/`."""


class AppRole(Stanza):
    """Login with a role id and a secret id; a wrapped one is unwrapped once, at the first login."""

    role_id: Text
    secret_id: SecretRef | None = None
    wrapped: bool = False
    mount: AuthMount = "approle"

    @model_validator(mode="after")
    def _something_to_unwrap(self) -> AppRole:
        if self.wrapped and self.secret_id is None:
            raise wrong("`wrapped` without `secret_id`", "expected a place to read it from", "add secret_id: {file: …}")
        return self


class Jwt(Stanza):
    """Login with a signed token (OIDC, SPIFFE, CI); it is read anew at every login."""

    role: Text
    token: SecretRef
    mount: AuthMount = "jwt"


class Kubernetes(Stanza):
    """Login with the pod's service account token."""

    role: Text
    token: SecretRef = Field(default_factory=lambda: SecretRef(file=SERVICE_ACCOUNT_TOKEN))
    mount: AuthMount = "kubernetes"


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


def _base(value: str) -> str:
    """Refuse the API's own `v1` and the page's `ui` at the end; a reverse proxy may have a prefix of its own."""
    parts = urlsplit(value)
    segments = parts.path.strip("/").split("/")
    cut = next((at for at, segment in enumerate(segments) if segment in ("v1", "ui")), None)
    if cut is not None:
        right = urlunsplit((parts.scheme, parts.netloc, "/".join(segments[:cut]), "", ""))
        raise wrong(
            f"the address goes on with /{'/'.join(segments[cut:])}", "expected the server alone", f"write {right}"
        )
    return value


class VaultConnectionOptions(Reachable):
    """A HashiCorp Vault or OpenBao server and how to log in to it."""

    address: Annotated[ServiceUrl, AfterValidator(_base)]
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

    def inside(self, mount: str) -> str:
        """How the same secret is written when `mount`, the beginning of ours, is the real one."""
        between = self.mount.removeprefix(f"{mount}/").split("/")
        if between[0] in API_WORDS:
            between = between[1:]
        return f"`mount: {mount}` and `path: {'/'.join([*between, self.path])}`"


def complaints(options: VaultTargetOptions, keys: Mapping[str, str]) -> Iterable[Complaint]:
    """Paths as the HTTP API writes them, with `v1/`, the mount or `data/` in them: another secret would be written."""
    mount, path = options.mount.split("/"), options.path.split("/")
    plain_mount = mount[1:] if mount[0] == "v1" and len(mount) > 1 else mount
    plain = path
    for beginning in (["v1"], plain_mount):
        if plain[: len(beginning)] == beginning and len(plain) > len(beginning):
            plain = plain[len(beginning) :]
    if plain[0] in API_WORDS and len(plain) > 1:
        plain = plain[1:]
    if plain != path:
        yield Complaint(
            at=("path",),
            wrong=f"the path begins with `{'/'.join(path[: len(path) - len(plain)])}`, which is no part of it",
            expected="expected the path below the mount, as `vault kv get -mount=MOUNT PATH` has it",
            instead=f"write `mount: {'/'.join(plain_mount)}` and `path: {'/'.join(plain)}`",
        )
    elif plain_mount != mount:
        yield Complaint(
            at=("mount",),
            wrong="the mount begins with `v1`, which is the API's and no part of it",
            expected="expected the mount's own path",
            instead=f"write `mount: {'/'.join(plain_mount)}`",
        )


def reach(name: str, options: VaultConnectionOptions) -> str:
    """The server behind a connection: two logins to one namespace of one server share its places."""
    parts = urlsplit(options.address.lower())
    port = parts.port or {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{parts.hostname}:{port}{urlsplit(options.address).path}/{options.namespace or ''}"
