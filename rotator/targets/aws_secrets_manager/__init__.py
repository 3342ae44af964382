"""AWS Secrets Manager: keys of a JSON secret, or one string. What a configuration needs stands here."""

from rotator.config.kinds import TargetKind
from rotator.targets.aws_secrets_manager.options import (
    AwsConnectionOptions,
    AwsTargetOptions,
    complaints,
    default_keys,
    reach,
)

KIND = TargetKind(
    options=AwsTargetOptions,
    place=lambda options: str(options.place),
    identity=lambda options: str(options.name),
    connection_type="aws",
    reach=reach,
    whole=lambda options: bool(options.format == "string"),
    keys=default_keys,
    check=complaints,
)

__all__ = ["KIND", "AwsConnectionOptions", "AwsTargetOptions"]
