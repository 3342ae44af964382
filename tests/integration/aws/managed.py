"""What the tests of secrets_manager share."""

import json
from typing import Any

from rotator.targets.aws_secrets_manager import AwsConnectionOptions, AwsTargetOptions
from rotator.targets.aws_secrets_manager.connection import AwsConnection
from rotator.targets.aws_secrets_manager.target import AwsSecretsManagerTarget
from rotator.testing.aws import SecretsManager, StoredSecret
from tests.contract.targets.aws_place import KEYS, ONE_KEY, REGION, foreign

SECRET = "prod/cloudflare/app"


class Place:
    """The one secret of a strict double."""

    keys = KEYS

    def __init__(self, aws: SecretsManager) -> None:
        self.aws = aws
        self.warnings: list[tuple[str, str]] = []
        self.api = foreign(aws.url)
        self.api.create_secret(Name=SECRET)

    @property
    def stored(self) -> StoredSecret:
        return self.aws.secrets[SECRET]

    def open(self, *, attempts: int = 1, crash: Any = lambda point: None, **options: Any) -> AwsSecretsManagerTarget:
        connection = AwsConnection(
            "aws", AwsConnectionOptions(region=REGION, endpoint_url=self.aws.url), attempts=attempts
        )
        chosen = AwsTargetOptions(**{"secret": SECRET, **options})
        keys = ONE_KEY if chosen.format == "string" else KEYS
        return AwsSecretsManagerTarget(
            connection, chosen, keys, crash=crash, warn=lambda code, text: self.warnings.append((code, text))
        )

    def overwrite(self, values: dict[str, Any]) -> None:
        self.api.put_secret_value(SecretId=SECRET, SecretString=json.dumps(values))

    def text(self) -> str:
        return str(self.api.get_secret_value(SecretId=SECRET)["SecretString"])


def connection(**options: Any) -> AwsConnection:
    return AwsConnection("aws", AwsConnectionOptions(**options), attempts=1)
