"""Secrets Manager's operations over one client, and what an error of the SDK means for what was asked.

The SDK repeats requests by itself, so the last answer alone does not say whether an earlier try was applied: every try
is watched.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from rotator.core.errors import OutcomeUnknown, Refused, RotatorError, Unavailable
from rotator.core.secret import PLACEHOLDER, Secret
from rotator.host.network.errors import NotConnected
from rotator.targets.aws_secrets_manager.causes import BUSY, STALE, Login, cause_of, no_keys

_LONGEST_TEXT: Final = 300
_READ_AGAIN: Final = "the target is read again before the next try"


class Denied(Unavailable):
    """A read that the identity may not make; `code` is that of `Refused`."""

    def __init__(self, message: str, remedy: str, *, code: str) -> None:
        super().__init__(message, remedy)
        self.code = code


class Missing(Unavailable):
    """A read of something that is not there."""


class Client:
    """Secrets Manager's operations; errors are ours. For one thread.

    `renew` is called where the keys are not accepted; it may give the client others (`take`) and then answers True.
    """

    def __init__(self, raw: Any, login: Login) -> None:
        self.renew: Callable[[], bool] = lambda: False
        self._doubt = False
        self._raw: Any = None
        self.take(raw, login)

    @property
    def region(self) -> str:
        """The region that is asked."""
        return str(self._raw.meta.region_name)

    def take(self, raw: Any, login: Login) -> None:
        """Go on with another client of the SDK."""
        self.close()
        self._raw, self._login = raw, login
        raw.meta.events.register("needs-retry.secrets-manager", self._watch)

    def close(self) -> None:
        """Close the SDK's client."""
        if self._raw is not None:
            self._raw.close()

    def ask(
        self, operation: str, *, doing: str, effect: bool = False, hidden: tuple[Secret, ...] = (), **parameters: object
    ) -> dict[str, Any]:
        """Make one request, repeated by the SDK where that helps, and once with other keys where these are refused.

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
        self._doubt = False
        answer, error = self._once(operation, parameters)
        if error is not None and _about_the_keys(error) and self.renew():
            answer, error = self._once(operation, parameters)
        if error is None:
            return answer
        raise self._failure(error, operation, doing, effect, hidden)

    def _once(self, operation: str, parameters: dict[str, object]) -> tuple[dict[str, Any], Exception | None]:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return getattr(self._raw, operation)(**parameters), None
        except (ClientError, BotoCoreError, NotConnected, ValueError) as error:
            return {}, error

    def _failure(
        self, error: Exception, operation: str, doing: str, effect: bool, hidden: tuple[Secret, ...]
    ) -> RotatorError:
        from botocore.exceptions import ClientError

        if isinstance(error, ClientError):
            return self._refusal(error, operation, doing, effect, hidden)
        words, remedy = explained(error, self._login, hidden)
        if effect and self._doubt:
            return OutcomeUnknown(f"{doing}: {words}", _READ_AGAIN)
        return Unavailable(f"{doing}: {words}", remedy)

    def _refusal(
        self, error: Any, operation: str, doing: str, effect: bool, hidden: tuple[Secret, ...]
    ) -> RotatorError:
        said = error.response.get("Error", {})
        name, words = str(said.get("Code", "")), str(said.get("Message", ""))
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        whose = "AWS" if _snake(error) == operation else f"AWS ({error.operation_name})"
        text = f"{doing}: {whose} answered {name}: {_cut(words, hidden)}"
        if name in BUSY or status >= 500:
            if effect and (self._doubt or status >= 500):
                return OutcomeUnknown(text, _READ_AGAIN)
            return Unavailable(text, "it is asked again automatically")
        cause = cause_of(name, words, _snake(error), self._login)
        if effect:
            return Refused(text, cause.remedy, code=cause.code)
        if cause.code == "not_found":
            return Missing(text, cause.remedy)
        if cause.code in ("permission", "login", "kms"):
            return Denied(text, cause.remedy, code=cause.code)
        return Unavailable(text, cause.remedy)

    def _watch(self, response: Any = None, caught_exception: Any = None, **_: object) -> None:
        """After each try: could it have been applied without our knowing?"""
        if caught_exception is not None:
            self._doubt = self._doubt or not _certainly_not_sent(caught_exception)
        elif response is not None and response[0].status_code >= 500:
            self._doubt = True


def _certainly_not_sent(error: Exception) -> bool:
    """Whether a request cannot have left: no connection, or the SDK found no keys to sign it with."""
    from botocore.exceptions import EndpointConnectionError

    return isinstance(error, NotConnected | EndpointConnectionError)


def _about_the_keys(error: Exception) -> bool:
    """Whether other keys might be accepted, or found."""
    from botocore.exceptions import (
        ClientError,
        CredentialRetrievalError,
        LoginError,
        NoCredentialsError,
        PartialCredentialsError,
        SSOError,
        TokenRetrievalError,
    )

    if isinstance(error, ClientError):
        return error.response.get("Error", {}).get("Code") in STALE
    return isinstance(
        error,
        CredentialRetrievalError
        | LoginError
        | NoCredentialsError
        | PartialCredentialsError
        | SSOError
        | TokenRetrievalError,
    )


def explained(error: Exception, login: Login, hidden: tuple[Secret, ...] = ()) -> tuple[str, str]:
    """Return (what went wrong, what helps) of an exception of the SDK that is no answer of AWS."""
    from botocore.exceptions import (
        ConnectionClosedError,
        HTTPClientError,
        LoginError,
        NoRegionError,
        ParamValidationError,
        ProfileNotFound,
        ReadTimeoutError,
        SSOError,
        TokenRetrievalError,
    )

    unsent = error if isinstance(error, NotConnected) else error.__cause__
    if isinstance(unsent, NotConnected):
        return unsent.message, unsent.remedy
    if isinstance(error, ParamValidationError):  # its text may quote a value
        return "the SDK does not accept the parameters", "report it"
    words = _cut(str(error), hidden) or error.__class__.__name__
    if isinstance(error, SSOError | TokenRetrievalError):
        return words, f"aws sso login --profile {login.profile}"
    if isinstance(error, LoginError):
        return words, f"aws login --profile {login.profile}"
    if isinstance(error, ProfileNotFound):
        return words, "correct `profile`, or add it to ~/.aws/config of the user that runs this"
    if isinstance(error, NoRegionError):
        return words, "write `region: …` into the connection"
    if isinstance(error, ReadTimeoutError | ConnectionClosedError | HTTPClientError):
        return words, "look at the network on the way to AWS; it is asked again automatically"
    if _about_the_keys(error):
        return words, no_keys(login)
    return words, "look at the connection's `region`, `profile` and `endpoint_url`"


def _snake(error: Any) -> str:
    from botocore import xform_name

    return str(xform_name(str(error.operation_name)))


def _cut(text: str, hidden: tuple[Secret, ...]) -> str:
    for secret in hidden:
        text = text.replace(secret.reveal(), PLACEHOLDER)
    return " ".join(text.split())[:_LONGEST_TEXT]
