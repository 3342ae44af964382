"""What an AWS stanza may say, and what it is told when it may not."""

from typing import Any

import pytest
from pydantic import ValidationError

from rotator.config.kinds import DEFAULT_KEYS
from rotator.targets.aws_secrets_manager import KIND, AwsConnectionOptions, AwsTargetOptions
from rotator.targets.aws_secrets_manager.options import reach

ROLE = "arn:aws:iam::123456789012:role/ci/rotator"
ARN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:prod/app-AbCdEf"


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"region": "eu-central-1", "profile": "ops"},
        {"role_arn": ROLE, "external_id": "word"},
        {"role_arn": "arn:aws-cn:iam::123456789012:role/x"},
        {"endpoint_url": "http://127.0.0.1:4566"},
    ],
)
def test_everything_of_a_connection_may_come_from_the_sdks_own_chain(options: dict[str, Any]) -> None:
    AwsConnectionOptions.model_validate(options)


@pytest.mark.parametrize(
    "options",
    [
        {"external_id": "word"},
        {"role_arn": "rotator"},
        {"region": "EU"},
        {"endpoint_url": "http://aws.internal"},
        {"access_key": "AKIA"},
    ],
)
def test_what_cannot_work_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        AwsConnectionOptions.model_validate(options)


@pytest.mark.parametrize("secret", ["prod/app", "a", ARN, "x" * 512])
def test_names_and_arns_are_accepted(secret: str) -> None:
    assert KIND.place(AwsTargetOptions(secret=secret)) == secret


@pytest.mark.parametrize("secret", ["", "with space", "arn:aws:s3:::bucket", "x" * 513, "a:b", "prod/…"])
def test_what_aws_would_not_take_for_a_name_is_refused(secret: str) -> None:
    with pytest.raises(ValidationError):
        AwsTargetOptions.model_validate({"secret": secret})


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(ValidationError):
        AwsTargetOptions.model_validate({"secret": "a", "format": "yaml"})


def test_a_string_is_whole_and_has_one_key_by_default() -> None:
    string, json_ = AwsTargetOptions(secret="a", format="string"), AwsTargetOptions(secret="a")
    assert (KIND.whole(string), dict(KIND.keys(string))) == (True, {"CLOUDFLARE_API_TOKEN": "token.value"})
    assert (KIND.whole(json_), KIND.keys(json_)) == (False, DEFAULT_KEYS)


def test_a_string_with_two_keys_is_a_complaint_about_keys() -> None:
    string, json_ = AwsTargetOptions(secret="a", format="string"), AwsTargetOptions(secret="a")
    (complaint,) = KIND.check(string, DEFAULT_KEYS)
    assert (complaint.at, complaint.fatal) == (("keys",), True)
    assert [*KIND.check(json_, DEFAULT_KEYS), *KIND.check(string, {"A": "token.value"})] == []


def test_regions_accounts_and_endpoints_hold_different_places() -> None:
    options = [
        AwsConnectionOptions(region="eu-central-1"),
        AwsConnectionOptions(region="us-east-1"),
        AwsConnectionOptions(region="eu-central-1", role_arn=ROLE),
        AwsConnectionOptions(region="eu-central-1", endpoint_url="http://127.0.0.1:1"),
    ]
    assert len({reach("aws", one) for one in options}) == 4
    assert reach("a", options[0]) == reach("b", AwsConnectionOptions(region="eu-central-1"))
