"""The connection that is to get its first management token: what the token must hold, and where it goes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from rotator.app.read_only import ReadOnlyBudget
from rotator.catalogue.shapes import told
from rotator.config.load import load
from rotator.config.models import Config
from rotator.config.secret_ref import SecretRef, one_line
from rotator.core.errors import Absent, ConfigError, Refused
from rotator.core.ports.runtime import Budget
from rotator.core.ports.source import Looks
from rotator.core.secret import Secret
from rotator.registry import SOURCES, kinds
from rotator.sources.cloudflare.connection import CloudflareConnection
from rotator.sources.cloudflare.first import Need, OwnerKind, need
from rotator.sources.cloudflare.management import ManagementToken, look
from rotator.sources.cloudflare.options import ConnectionOptions, CredentialOptions
from rotator.sources.cloudflare.pasted import refuse
from rotator.targets.env_file.secret_file import SecretFile

TYPE: Final = "cloudflare"
ROLES: Final = {"management": "token", "standby": "standby_token"}
"""Role -> the key of the connection that says where its token is read from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The place of one of the two tokens.

    Attributes:
        role: `management` or `standby`.
        ref: as the configuration has it.
        file: what writes it.
        before: what stood there when it was looked at.
        value: the value that stands there, None where the place is free.
    """

    role: str
    ref: SecretRef
    file: SecretFile
    before: bytes
    value: Secret | None

    @property
    def path(self) -> Path:
        """The file."""
        return self.file.path


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A connection and what it needs.

    Attributes:
        config: the whole configuration.
        name: of the connection.
        options: of the connection.
        need: what its management token must hold.
        credentials: of the credentials on it.
    """

    config: Config
    name: str
    options: ConnectionOptions
    need: Need
    credentials: tuple[CredentialOptions, ...]

    def budget(self) -> Budget:
        """Return who counts the requests of this one call."""
        limits = self.options.rate_budget
        return ReadOnlyBudget(None, limits.requests, limits.window)

    def connection(self, value: Secret) -> CloudflareConnection:
        """Return the connection as it would be with that value as its management token; the caller closes it."""
        return CloudflareConnection(
            self.name,
            token=lambda: value,
            budget=self.budget(),
            api_url=self.options.api_url,
            account_id=self.options.account_id,
            user_id=self.options.user_id,
            network=self.options.network(),
        )

    def look(self, value: Secret) -> ManagementToken:
        """Return what a value is as a management token, asked anew; its id is empty where it is not accepted.

        Raises:
            Unavailable, RateLimited: no usable answer.
        """
        connection = self.connection(value)
        try:
            return look(connection)
        finally:
            connection.close()

    def places(self) -> list[Place]:
        """Return the places of the tokens that the connection names, looked at now.

        Raises:
            ConfigError: one is no file, or holds what is certainly no token.
            Refused, Unavailable: one cannot be read.
        """
        found = []
        for role, key in ROLES.items():
            ref: SecretRef | None = getattr(self.options, key)
            if ref is None:
                continue
            if ref.file is None:
                raise ConfigError(
                    f"connection {self.name} reads its {key} from the {ref.describe()}, which nobody can write for you",
                    f"write `{key}: {{file: PATH}}`, or put the token there by hand",
                )
            file = SecretFile(ref.file, self.config.state.folder / "locks")
            before = file.content()
            found.append(Place(role=role, ref=ref, file=file, before=before, value=_value(before, ref, key)))
        if len(found) == 2 and found[0].path == found[1].path:
            raise ConfigError(
                f"connection {self.name} names one file for token and standby_token",
                "name two files: they are two tokens",
            )
        return found


def _value(content: bytes, ref: SecretRef, key: str) -> Secret | None:
    """The value that stands in a place; None for nothing and for a placeholder."""
    text = content.decode(errors="replace").strip()
    shape = told(text) if text else None
    if not text or (shape is not None and shape.looks is Looks.PLACEHOLDER):
        return None
    what = f"the {key} in {ref.describe()}"
    try:
        value = one_line(content, what)
        refuse(value, what)
    except ConfigError as error:
        raise Refused(f"{error.message}; nothing is written over it", f"move it away, or {error.remedy}") from None
    return value


def setting(path: Path, name: str, owner: OwnerKind | None) -> Setting:
    """Read the configuration for one connection.

    Args:
        path: the configuration file.
        name: of the connection.
        owner: whose the management token shall be, where somebody says so.

    Raises:
        ConfigError: the configuration is wrong, or has no such connection to Cloudflare.
    """
    config = load(path, kinds())
    return _of(config, name, owner)


def without_account(path: Path, name: str) -> Setting | None:
    """Return the setting of a connection whose configuration lacks nothing but the account id; None for any other."""
    strict = kinds()
    lenient = replace(
        strict,
        check_source=lambda kind, connection, options: (),
        available=lambda kind, connection, options: SOURCES[kind].outputs,
    )
    try:
        found = _of(load(path, lenient), name, None)
    except ConfigError:
        return None
    return found if found.options.account_id is None else None


def _of(config: Config, name: str, owner: OwnerKind | None) -> Setting:
    names = [n for n, stanza in config.connections.items() if stanza.type == TYPE]
    if name not in names:
        known = ", ".join(names) or "none"
        raise Absent(f"there is no Cloudflare connection {name}", f"name one of {known}, or add it")
    options = config.connections[name].options
    mine = [c.source for c in config.credentials if c.common.connection == name]
    if not isinstance(options, ConnectionOptions) or not all(isinstance(c, CredentialOptions) for c in mine):
        raise ConfigError(f"{name} is no connection to Cloudflare", "name another one")
    credentials = tuple(c for c in mine if isinstance(c, CredentialOptions))
    wanted = need(credentials, options.account_id, owner)
    if wanted.owner == "account" and len(wanted.accounts) != 1:
        raise ConfigError(
            "a token that an account owns serves one account, and the configuration names "
            + (", ".join(wanted.accounts) or "none"),
            "--owner user, or add account_id to the connection",
        )
    if wanted.owner == "account" and any(c.owner == "user" for c in credentials):
        raise ConfigError(
            "a token that an account owns can never manage tokens of a user, and there are such credentials",
            "leave --owner account out",
        )
    return Setting(config=config, name=name, options=options, need=wanted, credentials=credentials)
