"""The kinds of this version, as the registry puts them together: for the example, the recipes and the schema."""

from __future__ import annotations

from rotator.config.kinds import Kinds, TargetKind
from rotator.sources.cloudflare import check, options, outputs
from rotator.targets.aws_secrets_manager import options as aws
from rotator.targets.env_file import options as env_file
from rotator.targets.vault import options as vault

KINDS = Kinds(
    connections={
        options.TYPE: options.ConnectionOptions,
        "vault": vault.VaultConnectionOptions,
        "aws": aws.AwsConnectionOptions,
    },
    sources={options.TYPE: options.CredentialOptions},
    targets={
        "vault": TargetKind(
            options=vault.VaultTargetOptions,
            place=lambda found: str(found.place),
            connection_type="vault",
            reach=vault.reach,
        ),
        "aws_secrets_manager": TargetKind(
            options=aws.AwsTargetOptions,
            place=lambda found: str(found.place),
            connection_type="aws",
            reach=aws.reach,
            whole=lambda found: bool(found.format == "string"),
            keys=aws.default_keys,
            check=aws.complaints,
        ),
        "env_file": TargetKind(
            options=env_file.EnvFileOptions, place=lambda found: str(found.place), check=env_file.complaints
        ),
    },
    outputs={options.TYPE: outputs.NAMES},
    check_source=lambda kind, connection, found: check.check(connection, found),
    ceilings={options.TYPE: options.CEILING},
)
