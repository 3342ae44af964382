"""One named AWS connection: sessions, clients, and what an error of the SDK means for what was asked.

The SDK repeats requests by itself, so the last answer alone does not say whether an earlier try was applied: every try
is watched. It knows nothing of targets.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from rotator.core.errors import OutcomeUnknown, Refused, RotatorError, Unavailable
from rotator.core.secret import PLACEHOLDER, Secret
from rotator.targets.aws_secrets_manager.options import AwsConnectionOptions

if TYPE_CHECKING:
    from types_boto3_secretsmanager import SecretsManagerClient

CONNECT_TIMEOUT: Final = 3
ANSWER_TIMEOUT: Final = 10
ATTEMPTS: Final = 5
"""Tries in all, pinned with the mode: the SDK's defaults have changed before. Every request of ours may be repeated."""

_LOGIN: Final = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "NotAuthorized",
        "OptInRequired",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnauthorizedOperation",
        "UnrecognizedClientException",
    }
)
_BUSY: Final = frozenset(
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
_CODES: Final = {
    "DecryptionFailure": "kms",
    "EncryptionFailure": "kms",
    "InvalidRequestException": "state",
    "LimitExceededException": "limit",
    "ResourceExistsException": "exists",
    "ResourceNotFoundException": "not_found",
}
_REMEDIES: Final = {
    "permission": "grant the identity what docs/targets/aws_secrets_manager.md lists; `aws sts get-caller-identity`",
    "kms": "let the identity use the secret's KMS key, and look whether the key is enabled",
    "limit": "AWS keeps every version of the last 24 h, at most 100: rotate less often",
    "not_found": "look at the secret's name, the region and the account",
}
_LONGEST_TEXT: Final = 300


class Denied(Unavailable):
    """A read that the identity may not make."""


class Missing(Unavailable):
    """A read of something that is not there."""


class AwsConnection:
    """An identity in one region. Safe to share between threads; every client has connections of its own."""

    def __init__(
        self, name: str, options: AwsConnectionOptions, *, attempts: int = ATTEMPTS, session: Any = None
    ) -> None:
        """Nothing is read and nothing is sent.

        Args:
            name: the connection's name in the configuration; for messages.
            options: validated.
            attempts: tries of each request in all, at least 1.
            session: a `boto3.Session` to use as it is, instead of one made from `options` at the first use.
        """
        self.name = name
        self.options = options
        self._attempts = attempts
        self._lock = threading.Lock()
        self._session = session

    @contextmanager
    def open(self) -> Iterator[Client]:
        """A client over connections of its own, closed at the end.

        Raises:
            Unavailable: there is no region, no profile or no identity to work with.
        """
        from botocore.exceptions import BotoCoreError

        try:
            with self._lock:  # a session is not safe to share between threads, its clients are
                raw = self._make()
        except (BotoCoreError, ValueError) as error:
            raise Unavailable(
                f"opening AWS connection `{self.name}`: {_words(error)}", _REMEDIES["permission"]
            ) from None
        try:
            yield Client(raw)
        finally:
            raw.close()

    def close(self) -> None:
        """Forget the session; the connection is not used again."""
        with self._lock:
            self._session = None

    def _make(self) -> SecretsManagerClient:
        import boto3  # the SDK costs 0.2 s; `--help` and `status` must not pay it
        from botocore.config import Config

        options = self.options
        if self._session is None:
            session = boto3.Session(profile_name=options.profile, region_name=options.region)
            if options.role_arn is not None:
                _assume(session, options.role_arn, options.external_id)
            self._session = session
        config = Config(
            connect_timeout=CONNECT_TIMEOUT,
            read_timeout=ANSWER_TIMEOUT,
            retries={"mode": "standard", "total_max_attempts": self._attempts},
            user_agent_extra="rotator",
        )
        client: SecretsManagerClient = self._session.client(
            "secretsmanager", endpoint_url=options.endpoint_url, config=config
        )
        return client


class Client:
    """Secrets Manager's operations over one client; errors are ours."""

    def __init__(self, raw: SecretsManagerClient) -> None:
        self._raw: Any = raw
        self._doubt = False
        raw.meta.events.register("needs-retry.secrets-manager", self._watch)

    def ask(
        self, operation: str, *, doing: str, effect: bool = False, hidden: tuple[Secret, ...] = (), **parameters: object
    ) -> dict[str, Any]:
        """Make one request, repeated by the SDK where that helps.

        Args:
            operation: name of the SDK's method, e.g. `get_secret_value`.
            doing: the beginning of every error message.
            effect: whether it may change what consumers find.
            hidden: values that an error text may repeat.
            parameters: those of the operation.

        Raises:
            Denied, Missing: only without effect.
            Unavailable: without effect no usable answer; with one, certainly not applied.
            Refused: only with effect, a certain no.
            OutcomeUnknown: only with effect.
        """
        from botocore.exceptions import BotoCoreError, ClientError

        self._doubt = False
        try:
            answer: dict[str, Any] = getattr(self._raw, operation)(**parameters)
        except ClientError as error:
            raise self._refusal(error, doing, effect, hidden) from None
        except (BotoCoreError, ValueError) as error:
            words = _words(error, hidden)
            if effect and self._doubt:
                raise OutcomeUnknown(f"{doing}: {words}", "the target is read again before the next try") from None
            raise Unavailable(f"{doing}: {words}", "look at the network, the region and the identity") from None
        return answer

    def _refusal(self, error: Any, doing: str, effect: bool, hidden: tuple[Secret, ...]) -> RotatorError:
        said = error.response.get("Error", {})
        name = str(said.get("Code", ""))
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        text = f"{doing}: AWS answered {name}: {_cut(str(said.get('Message', '')), hidden)}"
        if name in _BUSY or status >= 500:
            if effect and (self._doubt or status >= 500):
                return OutcomeUnknown(text, "the target is read again before the next try")
            return Unavailable(text, "it is asked again automatically")
        code = "permission" if name in _LOGIN else _CODES.get(name, "bad_request")
        remedy = _REMEDIES.get(code, "look at the secret in the AWS console")
        if "Signature expired" in text or "not yet current" in text:
            remedy = "set this machine's clock: AWS accepts five minutes of difference"
        if effect:
            return Refused(text, remedy, code=code)
        return {"permission": Denied, "not_found": Missing}.get(code, Unavailable)(text, remedy)

    def _watch(self, response: Any = None, caught_exception: Any = None, **_: object) -> None:
        """After each try: could it have been applied without our knowing?"""
        from botocore.exceptions import (
            ConnectTimeoutError,
            EndpointConnectionError,
            ProxyConnectionError,
            SSLError,
        )

        if isinstance(
            caught_exception, ConnectTimeoutError | EndpointConnectionError | ProxyConnectionError | SSLError
        ):
            return
        if caught_exception is not None or (response is not None and response[0].status_code >= 500):
            self._doubt = True


def _assume(session: Any, role_arn: str, external_id: str | None) -> None:
    """Let `session` work as `role_arn`; its temporary keys are renewed by the SDK before they end.

    botocore builds this from a profile with `role_arn`, and has no public call for a role from elsewhere.
    """
    from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials
    from botocore.exceptions import NoCredentialsError

    core = session._session
    source = core.get_credentials()
    if source is None:
        raise NoCredentialsError
    more = {"RoleSessionName": "rotator"} | ({} if external_id is None else {"ExternalId": external_id})
    fetcher = AssumeRoleCredentialFetcher(
        client_creator=core.create_client,
        source_credentials=source,
        role_arn=role_arn,
        extra_args=more,
    )
    core._credentials = DeferredRefreshableCredentials(method="assume-role", refresh_using=fetcher.fetch_credentials)


def _words(error: Exception, hidden: tuple[Secret, ...] = ()) -> str:
    """An SDK exception in one line; those of parameters may quote a value, so only their kind is said."""
    from botocore.exceptions import ParamValidationError

    if isinstance(error, ParamValidationError):
        return "the SDK does not accept the parameters"
    return _cut(str(error), hidden) or error.__class__.__name__


def _cut(text: str, hidden: tuple[Secret, ...]) -> str:
    for secret in hidden:
        text = text.replace(secret.reveal(), PLACEHOLDER)
    return " ".join(text.split())[:_LONGEST_TEXT]
