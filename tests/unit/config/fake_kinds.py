"""A small world for the loader: one source, one target with a server, one without, and one that claims whole places."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from rotator.config.fields import ConfigPath, Flag, HexId, OctalMode, ServiceUrl, Stanza, Text
from rotator.config.kinds import Complaint, Kinds, TargetKind
from rotator.config.models import RateBudget
from rotator.config.secret_ref import SecretRef

PERMISSIONS = ("DNS Write", "Zone Read")


class MintConnection(Stanza):
    account_id: HexId | None = None
    token: SecretRef
    standby_token: SecretRef | None = None
    api_url: str = "https://api.example.com"
    rate_budget: RateBudget = RateBudget()


class Grant(Stanza):
    permissions: tuple[Text, ...]
    zones: tuple[Text, ...] | Literal["all"] | None = None


class RequestIp(Stanza):
    in_: tuple[Text, ...] | None = Field(default=None, alias="in")


class MintOptions(Stanza):
    owner: Literal["user", "account"] = "account"
    grants: Annotated[tuple[Grant, ...], Field(min_length=1)]
    request_ip: RequestIp | None = None
    priority: Annotated[int, Field(ge=1, le=9)] = 5

    @model_validator(mode="after")
    def _users_have_few(self) -> MintOptions:
        if self.owner == "user" and len(self.grants) > 2:
            raise ValueError("a user has two grants")
        return self


class VaultConnection(Stanza):
    address: ServiceUrl
    token: SecretRef


class VaultOptions(Stanza):
    mount: Text = "secret"
    path: Text


class FileOptions(Stanza):
    path: ConfigPath
    mode: OctalMode | None = None
    create: Flag = True


class StoreConnection(Stanza):
    region: Text


class StoreOptions(Stanza):
    secret: Text
    format: Literal["json", "string"] = "json"


def _unknown_permissions(kind: str, connection: MintConnection, options: MintOptions) -> Iterable[Complaint]:
    for index, grant in enumerate(options.grants):
        for number, permission in enumerate(grant.permissions):
            if permission not in PERMISSIONS:
                yield Complaint(
                    at=("grants", index, "permissions", number),
                    wrong=f"there is no permission `{permission}`",
                    expected="expected a name as the API writes it",
                    instead="write `DNS Write`",
                )
    if options.priority == 9:
        yield Complaint(
            at=("priority",), wrong="nine is rude", expected="expected less", instead="write 5", fatal=False
        )


def _lower_keys(options: FileOptions, keys: Any) -> Iterable[Complaint]:
    for key in keys:
        if key != key.upper():
            yield Complaint(
                at=("keys", key), wrong="a key is in lower case", expected="expected A-Z", instead="write it upper"
            )


KINDS = Kinds(
    connections={"cloudflare": MintConnection, "vault": VaultConnection, "aws": StoreConnection},
    sources={"cloudflare": MintOptions},
    targets={
        "vault": TargetKind(
            options=VaultOptions,
            place=lambda options: f"{options.mount}/{options.path}",
            connection_type="vault",
            reach=lambda name, connection: str(connection.address),
        ),
        "env_file": TargetKind(
            options=FileOptions, place=lambda options: os.path.normpath(options.path), check=_lower_keys, local=True
        ),
        "aws_secrets_manager": TargetKind(
            options=StoreOptions,
            place=lambda options: str(options.secret),
            connection_type="aws",
            whole=lambda options: options.format == "string",
            keys=lambda options: {"value": "token.value"} if options.format == "string" else {"A": "token.value"},
        ),
    },
    outputs={
        "cloudflare": frozenset(
            {
                "token.value",
                "token.id",
                "token.expires_on",
                "token.owner",
                "account.id",
                "r2.access_key_id",
                "r2.secret_access_key",
            }
        )
    },
    check_source=_unknown_permissions,
)
