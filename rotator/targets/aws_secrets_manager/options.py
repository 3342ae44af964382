"""What the configuration says of an AWS connection and of a Secrets Manager target. It opens nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Final, Literal

from pydantic import Field, model_validator

from rotator.config.fields import ServiceUrl, Stanza, Text, wrong
from rotator.config.kinds import DEFAULT_KEYS, Complaint
from rotator.config.network import Reachable

_NAME: Final = r"^(arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:)?[A-Za-z0-9/_+=.@-]{1,512}$"
_ROLE: Final = r"^arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+$"
ONE_KEY: Final[Mapping[str, str]] = {"CLOUDFLARE_API_TOKEN": "token.value"}
"""Default `keys` of a secret that is one string; the key's name is not stored."""


class AwsConnectionOptions(Reachable):
    """Region and identity. What is absent comes from the SDK's own chain: environment, profile, container, instance."""

    region: Annotated[Text, Field(pattern=r"^[a-z0-9-]+$")] | None = None
    profile: Text | None = None
    role_arn: Annotated[Text, Field(pattern=_ROLE)] | None = None
    external_id: Text | None = None
    endpoint_url: ServiceUrl | None = None
    sts_endpoint_url: ServiceUrl | None = None

    @model_validator(mode="after")
    def _external_id_belongs_to_a_role(self) -> AwsConnectionOptions:
        if self.external_id is not None and self.role_arn is None:
            raise wrong("`external_id` without `role_arn`", "expected the role that asks for it", "add role_arn: …")
        return self


class AwsTargetOptions(Stanza):
    """One secret, which must exist: a JSON object of which some keys are ours, or one string that is ours."""

    secret: Annotated[Text, Field(pattern=_NAME)]
    format: Literal["json", "string"] = "json"

    @property
    def place(self) -> str:
        """Name or ARN, as it was written."""
        return self.secret

    @property
    def name(self) -> str:
        """The secret's name, also where its ARN was written: that is the name and a dash and six letters of AWS's own.

        Source: "What's in a secret", https://docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html
        """
        if not self.secret.startswith("arn:"):
            return self.secret
        return re.sub(r"-[A-Za-z0-9]{6}$", "", self.secret.split(":", 6)[6])


def reach(name: str, options: AwsConnectionOptions) -> str:
    """The place where a connection's secrets live: endpoint, region and, as far as the options tell, the account."""
    account = options.role_arn.split(":")[4] if options.role_arn else (options.profile or "")
    return f"{options.endpoint_url or 'aws'}/{options.region or ''}/{account}"


def default_keys(options: AwsTargetOptions) -> Mapping[str, str]:
    """`keys` of a target whose stanza has none."""
    return ONE_KEY if options.format == "string" else DEFAULT_KEYS


def complaints(options: AwsTargetOptions, keys: Mapping[str, str]) -> Iterable[Complaint]:
    """A secret that is one string holds exactly one output."""
    if options.format == "string" and len(keys) != 1:
        yield Complaint(
            at=("keys",),
            wrong=f"`format: string` with {len(keys)} keys",
            expected="expected exactly one key, whose value is the whole secret",
            instead="write for example keys: {CLOUDFLARE_API_TOKEN: token.value}, or format: json",
        )
