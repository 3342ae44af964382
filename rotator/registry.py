"""Kinds of connections, sources and targets: kind -> options model, outputs, adapter.

A new source or target is one line here; a plugin adds its own entry to `SOURCES`, `CONNECTIONS` or `TARGETS`.
Adapters are imported when the first one is opened, so that `--help` and `status` stay light.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from pydantic import BaseModel

from rotator.config.kinds import Complaint, Kinds, TargetKind
from rotator.config.secret_ref import SecretRef
from rotator.core.findings import Finding
from rotator.core.ports.keeper import Keeper, Place
from rotator.core.ports.runtime import Budget
from rotator.core.ports.source import Emergency, Login, Source
from rotator.core.ports.target import Target
from rotator.core.secret import Secret
from rotator.sources.cloudflare import check as cloudflare_check
from rotator.sources.cloudflare import outputs as cloudflare_outputs
from rotator.sources.cloudflare.options import CEILING, QUOTA, ConnectionOptions, CredentialOptions
from rotator.targets import aws_secrets_manager, env_file, vault

Warn = Callable[[str, str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """What a source's connection gets from the outside.

    Attributes:
        budget: the rate budget, shared by all processes.
        on_date: takes the provider time of each answer.
        on_request: takes operation and status of each request.
        journaled: (role) -> the value of that token of the connection in the journal, or None.
    """

    budget: Budget
    on_date: Callable[[float], None]
    on_request: Callable[[str, str], None]
    journaled: Callable[[str], Secret | None] = lambda role: None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceEntry:
    """A kind of source, named by its connection's type.

    Attributes:
        connection: model of the connection's options.
        credential: model of what a credential says to the source.
        outputs: names that a target's `keys` may use.
        available: (connection's options, credential's options) -> those of them that such a credential has.
        open: (name, options, wire) -> the connection.
        source: (connection, credential's options, what its tokens are to be like instead, or None) -> the source of one
            credential.
        check: (connection's options, credential's options) -> what is wrong, before anybody is asked.
        ceiling: the provider's own rate limit, (requests, seconds).
        api: the connection's address, which decides what loopback may do.
        inspect: (connection) -> how each of its management tokens is.
        pair: (connection's options) -> role -> where that token is read from, of the tokens that keep each other alive.
        rolls: (connection's options) -> whether they get new values, too.
        named: (connection, role) -> that token in words.
        keeper: (connection, role -> its place) -> what asks and changes them.
        quota: owner -> how many tokens the provider lets it have.
        preflight: (connection, [(name, credential's options, id to adopt)], provider time) -> findings for `check`.
        emergency: (name, options, wire) -> what ends tokens by their id.
    """

    connection: type[BaseModel]
    credential: type[BaseModel]
    outputs: frozenset[str]
    available: Callable[[Any, Any], frozenset[str]]
    open: Callable[[str, Any, Wire], Any]
    source: Callable[[Any, Any, Any], Source]
    check: Callable[[Any, Any], Iterable[Complaint]]
    ceiling: tuple[int, float]
    api: Callable[[Any], str]
    inspect: Callable[[Any], Sequence[Login]]
    pair: Callable[[Any], Mapping[str, SecretRef]]
    rolls: Callable[[Any], bool]
    named: Callable[[Any, str], str]
    keeper: Callable[[Any, Mapping[str, Place]], Keeper]
    quota: Mapping[str, int]
    preflight: Callable[[Any, Sequence[tuple[str, Any, str]], float], Sequence[Finding]]
    emergency: Callable[[str, Any, Wire], Emergency]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionEntry:
    """A connection that targets use.

    Attributes:
        options: model of its options.
        open: (name, options) -> the connection.
        preflight: (connection) -> what `check` says of it instead of asking its targets, where a login would use up
            something that the daemon needs; empty where its targets may be asked.
        renew: (connection) -> nothing; renews its login where that is due, for one that is seldom used.
        login_ends: (connection) -> end of its present login in unix seconds, infinite for none, None where it has none.
    """

    options: type[BaseModel]
    open: Callable[[str, Any], Any]
    preflight: Callable[[Any], Sequence[Finding]] = lambda connection: ()
    renew: Callable[[Any], None] = lambda connection: None
    login_ends: Callable[[Any], float | None] = lambda connection: None


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetEntry:
    """A kind of target.

    Attributes:
        kind: what the configuration needs to know of it.
        open: (connection or None, options, keys, folder for locks, warn) -> the target.
    """

    kind: TargetKind
    open: Callable[[Any, Any, Mapping[str, str], Path, Warn], Target]


def _cloudflare(name: str, options: ConnectionOptions, wire: Wire) -> Any:
    from rotator.sources.cloudflare.calls import Observer
    from rotator.sources.cloudflare.connection import CloudflareConnection

    observer = Observer(on_date=wire.on_date, on_request=wire.on_request)
    return CloudflareConnection.open(name, options, budget=wire.budget, observer=observer, journaled=wire.journaled)


def _keeper(connection: Any, places: Mapping[str, Place]) -> Keeper:
    from rotator.sources.cloudflare.keeper import CloudflareKeeper

    return CloudflareKeeper(connection, places)


def _management(connection: Any) -> Sequence[Login]:
    from rotator.sources.cloudflare.management import logins

    return logins(connection)


def _cloudflare_source(connection: Any, options: CredentialOptions, like: Any) -> Source:
    from rotator.sources.cloudflare.source import CloudflareSource

    return CloudflareSource(connection, options, like if isinstance(like, dict) else None)


def _preflight(connection: Any, credentials: Sequence[tuple[str, Any, str]], now: float) -> Sequence[Finding]:
    from rotator.sources.cloudflare.grantable import Asked
    from rotator.sources.cloudflare.preflight import preflight

    return preflight(connection, [Asked(*credential) for credential in credentials], now)


def _emergency(name: str, options: ConnectionOptions, wire: Wire) -> Emergency:
    from rotator.sources.cloudflare.emergency import CloudflareEmergency

    return CloudflareEmergency(name, options, lambda found: _cloudflare(name, found, wire))


def _vault(name: str, options: vault.VaultConnectionOptions) -> Any:
    from rotator.targets.vault.connection import VaultConnection

    return VaultConnection(name, options)


def _aws(name: str, options: aws_secrets_manager.AwsConnectionOptions) -> Any:
    from rotator.targets.aws_secrets_manager.connection import AwsConnection

    return AwsConnection(name, options)


def _env_file_target(connection: None, options: Any, keys: Mapping[str, str], locks: Path, warn: Warn) -> Target:
    from rotator.targets.env_file.target import EnvFileTarget

    return EnvFileTarget(options, keys, locks, warn=warn)


def _vault_target(connection: Any, options: Any, keys: Mapping[str, str], locks: Path, warn: Warn) -> Target:
    from rotator.targets.vault.target import VaultTarget

    return VaultTarget(connection, options, keys, warn=warn)


def _aws_target(connection: Any, options: Any, keys: Mapping[str, str], locks: Path, warn: Warn) -> Target:
    from rotator.targets.aws_secrets_manager.target import AwsSecretsManagerTarget

    return AwsSecretsManagerTarget(connection, options, keys, warn=warn)


SOURCES: Final[dict[str, SourceEntry]] = {
    "cloudflare": SourceEntry(
        connection=ConnectionOptions,
        credential=CredentialOptions,
        outputs=cloudflare_outputs.NAMES,
        available=lambda connection, options: cloudflare_outputs.available(options.account_id or connection.account_id),
        open=_cloudflare,
        source=_cloudflare_source,
        check=cloudflare_check.check,
        ceiling=CEILING,
        api=lambda options: str(options.api_url),
        inspect=_management,
        pair=lambda options: {
            role: ref
            for role, ref in (("management", options.token), ("standby", options.standby_token))
            if ref is not None
        },
        rolls=lambda options: bool(options.keep == "roll"),
        named=lambda connection, role: str(connection.login(role)),
        keeper=_keeper,
        quota=MappingProxyType(QUOTA),
        preflight=_preflight,
        emergency=_emergency,
    ),
}

CONNECTIONS: Final[dict[str, ConnectionEntry]] = {
    "vault": ConnectionEntry(
        options=vault.VaultConnectionOptions,
        open=_vault,
        preflight=lambda connection: connection.preflight(),
        renew=lambda connection: connection.renew_login(),
        login_ends=lambda connection: connection.token_expires_at,
    ),
    "aws": ConnectionEntry(
        options=aws_secrets_manager.AwsConnectionOptions,
        open=_aws,
    ),
}

TARGETS: Final[dict[str, TargetEntry]] = {
    "env_file": TargetEntry(
        kind=TargetKind(
            options=env_file.EnvFileOptions,
            place=lambda options: str(options.place),
            check=env_file.complaints,
            local=True,
        ),
        open=_env_file_target,
    ),
    "vault": TargetEntry(kind=vault.KIND, open=_vault_target),
    "aws_secrets_manager": TargetEntry(kind=aws_secrets_manager.KIND, open=_aws_target),
}


def kinds() -> Kinds:
    """Return what the configuration may name, as registered now."""
    return Kinds(
        connections={name: s.connection for name, s in SOURCES.items()}
        | {n: c.options for n, c in CONNECTIONS.items()},
        sources={name: entry.credential for name, entry in SOURCES.items()},
        targets={name: entry.kind for name, entry in TARGETS.items()},
        outputs={name: entry.outputs for name, entry in SOURCES.items()},
        available=lambda kind, connection, options: SOURCES[kind].available(connection, options),
        check_source=lambda kind, connection, options: SOURCES[kind].check(connection, options),
        ceilings={name: entry.ceiling for name, entry in SOURCES.items()},
    )
