"""A secret by its name and by its ARN is one place, so two credentials cannot both claim a key of it."""

from pathlib import Path

import pytest

from rotator.config.explain import ConfigErrors
from rotator.config.load import load
from rotator.registry import kinds

ARN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:"


def configuration(folder: Path, *secrets: str) -> Path:
    file = folder / "rotator.yaml"
    lines = [
        "version: 1",
        "connections:",
        f"  cf: {{type: cloudflare, account_id: {'0' * 32}, token: {{env: TOKEN}}}}",
        "  aws: {type: aws, region: eu-central-1}",
        "defaults: {connection: cf, lifetime: 90d}",
        "credentials:",
    ]
    for number, secret in enumerate(secrets):
        target = f"{{type: aws_secrets_manager, connection: aws, secret: '{secret}'}}"
        lines.append(
            f"  - {{name: c{number}, grants: [{{permissions: [Workers Scripts Write]}}], targets: [{target}]}}"
        )
    file.write_text("\n".join(lines) + "\n")
    return file


@pytest.mark.parametrize(
    "one, other",
    [("prod/app", f"{ARN}prod/app-AbCdEf"), (f"{ARN}prod/app-AbCdEf", "prod/app"), (f"{ARN}a-b-AbCdEf", "a-b")],
)
def test_a_secret_by_name_and_by_arn_is_claimed_once(tmp_path: Path, one: str, other: str) -> None:
    with pytest.raises(ConfigErrors, match="claimed by `c0` already"):
        load(configuration(tmp_path, one, other), kinds())


@pytest.mark.parametrize("other", ["prod/app-AbCdEf", f"{ARN}prod/other-AbCdEf", "prod/ap"])
def test_other_secrets_are_other_places(tmp_path: Path, other: str) -> None:
    assert len(load(configuration(tmp_path, "prod/app", other), kinds()).credentials) == 2
