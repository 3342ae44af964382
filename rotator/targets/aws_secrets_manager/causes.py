"""What a no of AWS means and what helps, by its cause. Pure: it looks at error codes and words of AWS, and asks nobody.

Codes: https://docs.aws.amazon.com/secretsmanager/latest/apireference/CommonErrors.html and the errors of each operation
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

DENIED: Final = frozenset({"AccessDenied", "AccessDeniedException", "NotAuthorized", "UnauthorizedOperation"})
"""The identity is known and may not do this."""

STALE: Final = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "SignatureDoesNotMatch",
        "TokenRefreshRequired",
        "UnauthorizedException",
        "UnrecognizedClientException",
    }
)
"""The keys are not accepted; others may lie in the files meanwhile."""

BUSY: Final = frozenset(
    {
        "BandwidthLimitExceeded",
        "RequestLimitExceeded",
        "RequestThrottled",
        "SlowDown",
        "Throttling",
        "ThrottledException",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)

_EXPIRED: Final = frozenset({"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"})
_CLOCK: Final = "set this machine's clock: AWS accepts five minutes of difference"

_CODES: Final = {
    "DecryptionFailure": "kms",
    "EncryptionFailure": "kms",
    "InvalidRequestException": "state",
    "KMSInvalidStateException": "kms",
    "LimitExceededException": "limit",
    "OptInRequired": "permission",
    "RequestExpired": "permission",
    "ResourceExistsException": "exists",
    "ResourceNotFoundException": "not_found",
}
_REMEDIES: Final = {
    "OptInRequired": "enable this region for the account, or name another `region`",
    "RequestExpired": _CLOCK,
    "LimitExceededException": "AWS keeps every version of the last 24 h, at most 100: rotate less often",
    "ResourceNotFoundException": "look at the secret's name, the region and the account",
    "InvalidRequestException": "look at the secret's state: aws secretsmanager describe-secret --secret-id SECRET",
}
_KEY_STATE: Final = "look whether the secret's KMS key is enabled and not scheduled for deletion: aws kms describe-key"

_KMS_ACTIONS: Final = {
    "put_secret_value": "kms:GenerateDataKey and kms:Decrypt",
    "get_secret_value": "kms:Decrypt",
}
_POLICIES: Final = {
    "service control policy": "a service control policy of the organization denies it: ask those who keep it",
    "resource control policy": "a resource control policy of the organization denies it: ask those who keep it",
    "resource-based policy": "look at the secret's resource policy: aws secretsmanager get-resource-policy",
    "permissions boundary": "the permissions boundary of the identity does not allow it: widen that",
    "session policy": "the session policy that came with these keys does not allow it: take them without one",
    "VPC endpoint policy": "the policy of the VPC endpoint does not allow it: widen that",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """What a remedy needs to know of an identity: the profile, the method that found its keys, a configured role."""

    profile: str = "default"
    method: str = "none"
    role: str | None = None


@dataclass(frozen=True, slots=True)
class Cause:
    """A code from the closed list of the target, and what helps."""

    code: str
    remedy: str


def cause_of(name: str, text: str, operation: str, login: Login) -> Cause:
    """Return what an error answer means.

    Args:
        name: AWS's error code.
        text: AWS's message.
        operation: name of the SDK's method, e.g. `get_secret_value`.
        login: who asked.
    """
    if "Signature expired" in text or "not yet current" in text:
        return Cause("permission", _CLOCK)
    if name in STALE:
        return Cause("login", _fresh_keys(name, login))
    if name in DENIED:
        return _denied(text, operation, login)
    code = _CODES.get(name, "bad_request")
    if code == "kms":
        return Cause(code, _KEY_STATE)
    return Cause(code, _REMEDIES.get(name, "look at the secret in the AWS console"))


def no_keys(login: Login) -> str:
    """Return what helps where the chain finds nothing, or what it finds cannot be used."""
    by_method = {
        "sso": f"aws sso login --profile {login.profile}",
        "login": f"aws login --profile {login.profile}",
        "custom-process": f"run the `credential_process` of profile `{login.profile}` by hand and see what it says",
        "iam-role": "look at the instance's role, and whether this host may ask the instance metadata",
        "container-role": "look at the role of the task or pod",
        "assume-role-with-web-identity": "look at the service account's annotation and at the role's trust policy",
    }
    return by_method.get(
        login.method,
        "name a `profile` in the connection, set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give this host a role",
    )


def _fresh_keys(name: str, login: Login) -> str:
    if login.method == "env":
        return "start it anew with fresh keys in AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN"
    if login.method in ("shared-credentials-file", "config-file", "assume-role", "none"):
        again = "" if login.method == "none" else "; they are read automatically"
        wrong = "" if name in _EXPIRED else " (the key was deleted, is inactive, or belongs to another partition)"
        return f"put fresh keys into profile `{login.profile}`{again}{wrong}"
    return no_keys(login)


def _denied(text: str, operation: str, login: Login) -> Cause:
    said = re.search(r"not authorized to perform: ([\w-]+:\w+)(?: on resource: (\S+))?", text)
    action, resource = (said[1], (said[2] or "").rstrip(".,")) if said else ("", "")
    if action.startswith("kms:") or (not action and re.search(r"\bKMS\b", text)):
        needed = action or _KMS_ACTIONS.get(operation, "kms:Decrypt")
        key = resource or "the secret's KMS key"
        return Cause("kms", f"allow the identity {needed} on {key}, in its policy and in the key's own")
    if action == "sts:AssumeRole" or operation == "assume_role":
        role = resource or login.role or "the role"
        return Cause(
            "permission", f"let the trust policy of {role} name this identity, and its own allow sts:AssumeRole"
        )
    for policy, remedy in _POLICIES.items():
        if re.search(rf"(deny in an?|no) {policy}", text):
            return Cause("permission", remedy)
    if action:
        where = f" on {resource}" if resource else ""
        return Cause("permission", f"allow the identity {action}{where}; docs/targets/aws_secrets_manager.md lists all")
    return Cause(
        "permission", "grant the identity what docs/targets/aws_secrets_manager.md lists; `aws sts get-caller-identity`"
    )
