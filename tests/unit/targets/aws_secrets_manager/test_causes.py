"""What helps follows the cause of AWS's no, and not the class of its error."""

import pytest

from rotator.targets.aws_secrets_manager.causes import Login, cause_of, no_keys

FILE = Login(profile="ops", method="shared-credentials-file")
KEY = "arn:aws:kms:eu-central-1:123456789012:key/1234"
ME = "User: arn:aws:iam::123456789012:user/ci is not authorized to perform:"


@pytest.mark.parametrize(
    "name, text, operation, code, remedy",
    [
        ("AccessDeniedException", "Access to KMS is not allowed", "get_secret_value", "kms", "kms:Decrypt on"),
        ("AccessDeniedException", "Access to KMS is not allowed", "put_secret_value", "kms", "GenerateDataKey"),
        ("AccessDeniedException", f"{ME} kms:Decrypt on resource: {KEY} because no identity-based policy allows the "
         "kms:Decrypt action", "get_secret_value", "kms", f"kms:Decrypt on {KEY}"),
        ("DecryptionFailure", "can't decrypt", "get_secret_value", "kms", "enabled"),
        ("EncryptionFailure", "can't encrypt", "put_secret_value", "kms", "enabled"),
        ("AccessDeniedException", f"{ME} secretsmanager:PutSecretValue on resource: prod/x because no identity-based "
         "policy allows it", "put_secret_value", "permission", "secretsmanager:PutSecretValue on prod/x"),
        ("AccessDeniedException", f"{ME} secretsmanager:GetSecretValue on resource: prod/x with an explicit deny in a "
         "service control policy", "get_secret_value", "permission", "service control policy"),
        ("AccessDeniedException", f"{ME} secretsmanager:GetSecretValue on resource: prod/x with an explicit deny in a "
         "resource-based policy", "get_secret_value", "permission", "get-resource-policy"),
        ("AccessDeniedException", f"{ME} secretsmanager:GetSecretValue because no permissions boundary allows it",
         "get_secret_value", "permission", "permissions boundary"),
        ("AccessDeniedException", f"{ME} secretsmanager:GetSecretValue because no VPC endpoint policy allows it",
         "get_secret_value", "permission", "VPC endpoint"),
        ("AccessDenied", f"{ME} sts:AssumeRole on resource: arn:aws:iam::1:role/x", "assume_role", "permission",
         "trust policy of arn:aws:iam::1:role/x"),
        ("ExpiredTokenException", "The security token included in the request is expired", "get_secret_value", "login",
         "fresh keys into profile `ops`"),
        ("UnrecognizedClientException", "The security token included in the request is invalid", "get_secret_value",
         "login", "the key was deleted"),
        ("InvalidSignatureException", "Signature expired: 2026 is now earlier than 2026", "get_secret_value",
         "permission", "clock"),
        ("SignatureDoesNotMatch", "Signature not yet current", "get_secret_value", "permission", "clock"),
        ("RequestExpired", "Request has expired", "get_secret_value", "permission", "clock"),
        ("OptInRequired", "not subscribed", "get_secret_value", "permission", "region"),
        ("LimitExceededException", "too many versions", "put_secret_value", "limit", "rotate less often"),
        ("ResourceNotFoundException", "can't find", "get_secret_value", "not_found", "region"),
        ("SomethingNew", "?", "get_secret_value", "bad_request", "console"),
    ],
)  # fmt: skip
def test_a_no_of_aws_has_the_remedy_of_its_cause(name: str, text: str, operation: str, code: str, remedy: str) -> None:
    found = cause_of(name, text, operation, FILE)
    assert (found.code, remedy in found.remedy) == (code, True), found


@pytest.mark.parametrize(
    "method, remedy",
    [
        ("env", "AWS_SESSION_TOKEN"),
        ("shared-credentials-file", "profile `ops`"),
        ("config-file", "profile `ops`"),
        ("assume-role", "profile `ops`"),
        ("sso", "aws sso login --profile ops"),
        ("login", "aws login --profile ops"),
        ("custom-process", "credential_process"),
        ("iam-role", "instance's role"),
        ("container-role", "task or pod"),
        ("assume-role-with-web-identity", "trust policy"),
    ],
)
def test_fresh_keys_come_from_where_the_old_ones_came(method: str, remedy: str) -> None:
    found = cause_of("ExpiredToken", "expired", "get_secret_value", Login(profile="ops", method=method))
    assert (found.code, remedy in found.remedy) == ("login", True), found


def test_where_nothing_was_found_every_way_is_named() -> None:
    assert all(way in no_keys(Login()) for way in ("`profile`", "AWS_ACCESS_KEY_ID", "role"))
