"""Requests of one login: counted against the budget, sent exactly once, told to the observer, judged.

Every request of every credential on a connection goes through `Calls.call`. It turns what the wire did into one of the
errors of `core.errors`, or into a reply that is a success or carries a verdict. What a call is for is not its business.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from rotator.core.errors import ConfigError, RotatorError, Unavailable
from rotator.core.ports.runtime import Budget, Priority
from rotator.core.secret import Secret
from rotator.sources.cloudflare.answers import (
    LOCKED_WAIT,
    Answer,
    Envelope,
    date_of,
    rate_limit_of,
    read_envelope,
    seen_address,
)
from rotator.sources.cloudflare.bearers import Bearer, GlobalKey
from rotator.sources.cloudflare.errors import (
    NOT_FOUND,
    ROUTE,
    UNACCEPTED,
    CallKind,
    Meaning,
    error,
    judge,
    lost,
    not_sent,
)
from rotator.sources.cloudflare.pasted import refuse

if TYPE_CHECKING:
    from rotator.host.network.dial import Network
    from rotator.sources.cloudflare.http import Http


TRACE: Final = 5.0
"""Seconds for the question from which address this host is seen; nothing waits for it."""


def _nobody(*_: object) -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Observer:
    """Who is told what the wire says. Called from the thread of the request; must be quick and must not raise.

    Attributes:
        on_date: (provider time in unix seconds) of an answer's `Date`, at the moment its headers are there.
        on_request: (operation, HTTP status as text, or `unsent` / `lost`) after each request.
    """

    on_date: Callable[[float], None] = _nobody
    on_request: Callable[[str, str], None] = _nobody


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request before it is sent.

    Attributes:
        operation: `create`, `get`, `list`, `update`, `roll`, `delete`, `verify`, `permission_groups` or `zones`.
        doing: the same for a person: "creating a token".
        method: HTTP method.
        path: below the API's base.
        kind: what a failure means.
        priority: who waits first when the budget is low.
        query: query parameters.
        body: JSON, or None.
        secret: whether the answer holds a value: then nothing is reported before the caller has made it durable.
    """

    operation: str
    doing: str
    method: str
    path: str
    kind: CallKind = CallKind.READ
    priority: Priority = Priority.FINISH
    query: Mapping[str, str] | None = None
    body: object = None
    secret: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came back: either a success with its envelope, or a verdict on the failure."""

    envelope: Envelope | None
    date: float | None
    verdict: Meaning | None = None
    status: int | None = None

    def says(self, word: str) -> bool:
        """Whether it is a failure of that row of `errors.TABLE`."""
        return self.verdict is not None and self.verdict.row.word == word


class Calls:
    """The wire of one login; safe for threads. Nothing is sent, and no file is read, before the first call."""

    def __init__(
        self,
        *,
        token: Callable[[], Secret],
        budget: Budget,
        api_url: str,
        login: str = "the management token",
        network: Network | None = None,
        observer: Observer | None = None,
        key: GlobalKey | None = None,
        doubt: Callable[[Secret], None] = _nobody,
    ) -> None:
        """Remember where everything is; the arguments are those of `connection.Connection`.

        `doubt` is told of a token that was refused where it authenticated something.
        """
        self._token = token
        self._key = key
        self._doubt = doubt
        self._budget = budget
        self._api_url = api_url
        self._login = login
        self._network = network
        self._observer = observer or Observer()
        self._lock = threading.Lock()
        self._http: Http | None = None
        self._proven: set[str] = set()
        self._unreported: deque[tuple[str, str]] = deque()

    def _default(self) -> Bearer:
        """Who authenticates what names nobody: the management token, or the key of a bootstrap."""
        return self.token() if self._key is None else self._key

    def token(self) -> Secret:
        """Read the management token now.

        Raises:
            Unavailable: it cannot be read, or is certainly no token; nothing was sent.
        """
        trouble: RotatorError
        try:
            value = self._token()
            refuse(value, self._login)
            return value
        except ConfigError as unreadable:
            trouble = unreadable
        raise Unavailable(trouble.message, trouble.remedy)

    def call(self, call: Call, bearer: Bearer | None = None) -> Reply:
        """Send one request, exactly once.

        Args:
            call: what to send.
            bearer: who authenticates it; the management token if None, or the key of a connection that has one.

        Returns:
            The success, or the verdict on an answer that is none; whoever cannot use that raises `failure`.

        Raises:
            RateLimited: from the budget (nothing was sent) or the provider (nothing was applied).
            Unavailable: certainly nothing was sent, or a read got no answer.
            OutcomeUnknown: something with an effect was sent, and no complete answer came.
        """
        self.report()
        bearer = self._default() if bearer is None else bearer
        http = self._client()
        self._budget.take(call.priority)
        from rotator.sources.cloudflare.http import AnswerLost, NotSent

        trouble: RotatorError
        try:
            answer = http.send(
                call.method,
                call.path,
                bearer,
                query=call.query,
                body=call.body,
                effect=call.kind is CallKind.EFFECT,
                on_head=None if call.secret else self._head,
            )
        except NotSent as unsent:
            self._unreported.append((call.operation, "unsent"))
            trouble = not_sent(call.doing, str(unsent), unsent.remedy)
        except AnswerLost as gone:
            self._unreported.append((call.operation, "lost"))
            trouble = lost(call.doing, str(gone), call.kind)
        else:
            reply = self._reply(call, answer)
            refused = reply.says(UNACCEPTED)
            if refused and call.kind is not CallKind.VERIFY and isinstance(bearer, Secret):
                self._doubt(bearer)
            if not call.secret:
                self.report()
            return reply
        self.report()
        raise trouble

    def _reply(self, call: Call, answer: Answer) -> Reply:
        envelope = read_envelope(answer)
        self._unreported.append((call.operation, str(answer.status)))
        date = date_of(answer.headers)
        if envelope is not None and envelope.success and 200 <= answer.status < 300:
            self._proven.add(call.path.rsplit("/tokens", 1)[0])
            return Reply(envelope=envelope, date=date, status=answer.status)
        verdict = judge(answer, envelope)
        if verdict.wait:
            self._budget.stop(verdict.wait)
        if verdict.row.word == ROUTE and answer.status == 404 and call.path.rsplit("/tokens", 1)[0] in self._proven:
            # The same owner's path has worked before, so what could not be routed is the token's id: older API
            # versions answered 7003 where newer ones say 1003.
            verdict = Meaning(verdict.row.renamed(NOT_FOUND), verdict.said)
        return Reply(envelope=envelope, date=date, verdict=verdict, status=answer.status)

    def failure(self, call: Call, reply: Reply) -> RotatorError:
        """Return the error to raise for a reply that cannot be used."""
        return error(call.doing, reply.verdict or Meaning.unusable(), call.kind, self._login)

    def _head(self, headers: Mapping[str, str]) -> None:
        date = date_of(headers)
        if date is not None:
            self._observer.on_date(date)
        limit = rate_limit_of(headers)
        if limit is not None and limit[0] == 0 and limit[1] > 0:
            # Others use this limit too; the next request would be refused, and then all of them for five minutes.
            self._budget.stop(min(limit[1], LOCKED_WAIT))

    def report(self) -> None:
        """Tell the observer what was put off while a value was in hand, and everything else since."""
        while True:
            try:
                operation, status = self._unreported.popleft()
            except IndexError:
                return
            self._observer.on_request(operation, status)

    def address(self) -> str | None:
        """Return the address from which the provider's edge sees this host, None where it does not say.

        Sends no token. Source: `/cdn-cgi/trace`, which answers on every host name behind Cloudflare
        (https://developers.cloudflare.com/fundamentals/reference/cdn-cgi-endpoint/).
        """
        from rotator.sources.cloudflare.http import AnswerLost, Http, NotSent

        parts = urlsplit(self._api_url)
        http = Http(f"{parts.scheme}://{parts.netloc}", self._network, deadline=TRACE)
        try:
            answer = http.send("GET", "/cdn-cgi/trace", None)
        except (NotSent, AnswerLost):
            return None
        finally:
            http.close()
        return seen_address(answer)

    def _client(self) -> Http:
        with self._lock:
            if self._http is None:
                from rotator.sources.cloudflare.http import Http

                self._http = Http(self._api_url, self._network)
            return self._http

    def close(self) -> None:
        """Close all connections, and tell the observer what is left to tell."""
        self.report()
        with self._lock:
            if self._http is not None:
                self._http.close()
                self._http = None
