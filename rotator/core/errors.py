"""Every error that crosses a module border.

    RotatorError
      ConfigError         the configuration or a flag is wrong                       exit 2
        Absent            ... what was named does not exist                          exit 2, or 1 where a verb says so
      JournalUnsafe       the journal cannot be read, decrypted or made durable      exit 1
      Fenced              the lease belongs to somebody else now
      IllegalFact         the journal refuses a fact that the protocol does not allow
      OperatorNeeded      only a person can decide                                   exit 3
      Refused             a certain no: nothing was applied
        RateLimited       ... not before `retry_after` seconds
      Unavailable         a read failed, or a request was certainly not applied; ask again later
        Barred            ... the other side answered that it does not tell this host: waiting changes nothing
      OutcomeUnknown      a call with an effect was sent and its answer is not known
      Conflict            somebody else changed the place since it was read; nothing was written

Messages say what was being done and never hold a value. `remedy` says what to do next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from rotator.core.reasons import OperatorCode


class RotatorError(Exception):
    """Base of all errors of this program.

    Args:
        message: what was being done and what went wrong, one sentence, no value.
        remedy: what to do next, or empty.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


class ConfigError(RotatorError):
    """The configuration, a file that it names, or a flag is wrong."""

    exit_code = 2


class Absent(ConfigError):
    """What was named on the command line does not exist; verbs that answer questions about it answer no."""


class JournalUnsafe(RotatorError):
    """The journal cannot be read, decrypted or made durable: no mint, no revoke.

    After a commit that failed, the outcome is unknown; the store re-reads by the fact's own id before it raises this.
    """


class Fenced(RotatorError):
    """The lease is somebody else's; whatever was about to be written was not written."""


class IllegalFact(RotatorError):
    """The journal refuses a fact that the protocol does not allow after what it already holds."""


class OperatorNeeded(RotatorError):
    """Only a person can decide; `code` says what."""

    exit_code = 3

    def __init__(self, code: OperatorCode, message: str, remedy: str = "") -> None:
        super().__init__(message, remedy)
        self.code = code


class Refused(RotatorError):
    """A certain no: the other side answered, and nothing was applied.

    `code` is a short word from a closed list of the adapter (e.g. `permission`, `quota`, `bad_request`, `not_found`).
    """

    def __init__(self, message: str, remedy: str = "", *, code: str = "refused") -> None:
        super().__init__(message, remedy)
        self.code = code


class RateLimited(Refused):
    """The provider asks to wait; nothing was applied. `retry_after` in seconds, > 0."""

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(
            message, "it continues automatically when the provider allows requests again", code="rate_limited"
        )
        self.retry_after = retry_after


class Unavailable(RotatorError):
    """A read got no usable answer, or a request was certainly never applied; asking again later is right."""


class Barred(Unavailable):
    """The other side answered, and tells this host nothing (an address restriction); only a person changes that."""


class OutcomeUnknown(RotatorError):
    """A call with an effect was sent and its outcome is not known. Never treat it as failed."""


class Conflict(RotatorError):
    """Somebody else changed the place between our read and our write; nothing of ours was written."""
