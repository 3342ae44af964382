"""A secret of a double of AWS as a place of the target contract, looked at with boto3 and without our code."""

import json
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import boto3

from rotator.targets.aws_secrets_manager import (
    AwsConnection,
    AwsConnectionOptions,
    AwsSecretsManagerTarget,
    AwsTargetOptions,
)
from rotator.testing.aws import SecretsManager
from tests.servers.gate import Gate

KEYS = {"CLOUDFLARE_API_TOKEN": "token.value", "CLOUDFLARE_ACCOUNT_ID": "account.id"}
ONE_KEY = {"CLOUDFLARE_API_TOKEN": "token.value"}
REGION = "eu-central-1"
DENIED = json.dumps({"__type": "AccessDeniedException", "Message": "not authorized to perform this action"})


class AwsPlace:
    """One secret that an operator created without a value. Subclasses say which double serves it."""

    url: str

    def __init__(self, url: str, format_: str = "json") -> None:
        self.url = url
        self.format = format_
        self.keys: Mapping[str, str] = ONE_KEY if format_ == "string" else KEYS
        self.secret = f"prod/cloudflare/{uuid.uuid4()}"
        self._connection: AwsConnection | None = None
        self.warnings: list[tuple[str, str]] = []
        self.foreign: Any = boto3.client("secretsmanager", region_name=REGION, endpoint_url=url)
        self.foreign.create_secret(Name=self.secret)

    def open(self, crash: Callable[[str], None], keys: Mapping[str, str] | None = None) -> AwsSecretsManagerTarget:
        if self._connection is None:  # one for all: loading the SDK's models anew each time would be most of the test
            options = AwsConnectionOptions(region=REGION, endpoint_url=self.target_url)
            self._connection = AwsConnection("aws", options, attempts=2)
        return AwsSecretsManagerTarget(
            self._connection,
            AwsTargetOptions(secret=self.secret, format=self.format),
            self.keys if keys is None else keys,
            crash=crash,
            warn=lambda code, message: self.warnings.append((code, message)),
        )

    @property
    def target_url(self) -> str:
        return self.url

    def text(self) -> str:
        try:
            return str(self.foreign.get_secret_value(SecretId=self.secret, VersionStage="AWSCURRENT")["SecretString"])
        except self.foreign.exceptions.ResourceNotFoundException:
            return ""

    def look(self) -> Mapping[str, str]:
        text = self.text()
        if not text:
            return {}
        return json.loads(text) if self.format == "json" else dict.fromkeys(self.keys, text)

    def overwrite(self, values: Mapping[str, object]) -> None:
        text = json.dumps(dict(values)) if self.format == "json" else str(next(iter(values.values())))
        self.foreign.put_secret_value(SecretId=self.secret, SecretString=text)

    def labels(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = self.foreign.describe_secret(SecretId=self.secret)["VersionIdsToStages"]
        return found

    def close(self) -> None:
        self.foreign.close()


class StrictPlace(AwsPlace):
    """On our strict double."""

    def __init__(self, format_: str = "json") -> None:
        self.aws = SecretsManager(REGION)
        super().__init__(self.aws.url, format_)

    def deny(self) -> None:
        self.aws.deny("PutSecretValue", "UpdateSecretVersionStage")

    def cut(self) -> None:
        self.aws.close()

    def close(self) -> None:
        super().close()
        self.aws.close()


class MotoPlace(AwsPlace):
    """On moto's server; a gate before it stands in for the permissions that moto does not check."""

    def __init__(self, url: str, format_: str = "json") -> None:
        self.gate = Gate(url)
        super().__init__(url, format_)

    @property
    def target_url(self) -> str:
        return self.gate.address

    def deny(self) -> None:
        for operation in ("PutSecretValue", "UpdateSecretVersionStage"):
            self.gate.arm("answer", part=operation, times=1000, status=400, body=DENIED)

    def cut(self) -> None:
        self.gate.close()

    def close(self) -> None:
        super().close()
        self.gate.close()
