"""A secret of a double of AWS as a place of the target contract, looked at with boto3 and without our code."""

import json
import uuid
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import boto3

from rotator.targets.aws_secrets_manager import AwsConnectionOptions, AwsTargetOptions
from rotator.targets.aws_secrets_manager.connection import AwsConnection
from rotator.targets.aws_secrets_manager.target import AwsSecretsManagerTarget
from tests.servers.gate import Gate

KEYS = {"CLOUDFLARE_API_TOKEN": "token.value", "CLOUDFLARE_ACCOUNT_ID": "account.id"}
ONE_KEY = {"CLOUDFLARE_API_TOKEN": "token.value"}
REGION = "eu-central-1"
DENIED = json.dumps({"__type": "AccessDeniedException", "Message": "not authorized to perform this action"})


@lru_cache(maxsize=8)
def foreign(url: str) -> Any:
    """Another program's client. Loading the SDK's models costs more than most tests, so one serves all.

    It has a session of its own: the default one of the SDK keeps the profiles that the first test of a process had.
    """
    return boto3.session.Session().client("secretsmanager", region_name=REGION, endpoint_url=url)


class AwsPlace:
    """One secret that an operator created without a value, on whatever answers at `url`.

    Targets reach it through a gate, which also stands in for the permissions that moto does not check.
    """

    def __init__(self, url: str, format_: str = "json") -> None:
        self.gate = Gate(url)
        self.foreign = foreign(url)
        self.format = format_
        self.keys: Mapping[str, str] = ONE_KEY if format_ == "string" else KEYS
        self.secret = f"prod/cloudflare/{uuid.uuid4()}"
        self.warnings: list[tuple[str, str]] = []
        self.foreign.create_secret(Name=self.secret)

    def open(self, crash: Callable[[str], None], keys: Mapping[str, str] | None = None) -> AwsSecretsManagerTarget:
        options = AwsConnectionOptions(region=REGION, endpoint_url=self.gate.address)
        connection = AwsConnection("aws", options, attempts=2)
        return AwsSecretsManagerTarget(
            connection,
            AwsTargetOptions(secret=self.secret, format=self.format),
            self.keys if keys is None else keys,
            crash=crash,
            warn=lambda code, message: self.warnings.append((code, message)),
        )

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

    def deny(self) -> None:
        for operation in ("PutSecretValue", "UpdateSecretVersionStage"):
            self.gate.arm("answer", part=operation, times=1000, status=400, body=DENIED)

    def cut(self) -> None:
        self.gate.close()
