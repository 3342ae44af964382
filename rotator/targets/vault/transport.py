"""One request to Vault or OpenBao and what its answer means: done, refused, certainly not applied, or unknown.

It knows HTTP and Vault's status codes; it knows neither logins nor secrets engines. Texts of the server and of the HTTP
library may quote what was sent: only the server's `errors` are repeated, scrubbed, and of an exception only its kind.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final

from rotator.core.errors import OutcomeUnknown, Refused, Unavailable
from rotator.core.secret import PLACEHOLDER, Secret
from rotator.host.network.errors import NotConnected
from rotator.targets.vault.options import VaultConnectionOptions

CONNECT_TIMEOUT: Final = 3.0
ANSWER_TIMEOUT: Final = 10.0
"""Seconds. A Vault whose audit device is blocked accepts and never answers; a worker must not hang with it."""

_LONGEST_TEXT: Final = 300
_READ_AGAIN: Final = "the target is read again before the next try"

# https://developer.hashicorp.com/vault/api-docs#http-status-codes and sys/health: answers of a server that did nothing.
_NOT_APPLIED: Final = {
    429: "limits the rate of requests",
    472: "is a disaster recovery secondary",
    473: "is a performance standby",
    501: "is not initialised",
}


@dataclass(frozen=True, slots=True)
class VaultAnswer:
    """One HTTP answer, read to its end; `hidden` are the values that its text may repeat."""

    status: int
    text: str = field(repr=False)
    hidden: tuple[Secret, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the server says that it did what was asked."""
        return 200 <= self.status < 300

    def json(self) -> dict[str, Any]:
        """The body as an object; empty where it is none."""
        try:
            found = json.loads(self.text)
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    def data(self) -> dict[str, Any]:
        """The object below `data`, empty where there is none."""
        found = self.json().get("data")
        return found if isinstance(found, dict) else {}

    def errors(self) -> str:
        """The server's own words, on one line, cut, with everything hidden replaced; empty where it has none."""
        found = self.json().get("errors")
        words = "; ".join(str(one) for one in found) if isinstance(found, list) else ""
        for secret in self.hidden:
            words = words.replace(secret.reveal(), PLACEHOLDER)
        return " ".join(words.split())[:_LONGEST_TEXT]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request.

    Attributes:
        doing: the beginning of every error message, e.g. `writing vault:secret/ci/app`.
        method: HTTP method.
        path: below /v1/, quoted.
        body: JSON text, or None.
        effect: whether it may change something at the target.
        hidden: values that may stand in the server's words.
    """

    doing: str
    method: str = "GET"
    path: str = ""
    body: str | None = None
    effect: bool = False
    hidden: tuple[Secret, ...] = ()


class Forbidden(Unavailable):
    """A read that the policy of the login does not allow."""


class NotCaughtUp(Unavailable):
    """The server has not caught up with its own storage (HTTP 412); it will within a second."""


class Server:
    """The server of one connection: it makes hvac's clients and sends single requests. Safe for threads."""

    def __init__(self, options: VaultConnectionOptions) -> None:
        """Nothing is read and nothing is sent."""
        self.options = options
        self._network = options.network("Vault")

    @contextmanager
    def client(self, token: Secret | None) -> Iterator[Any]:
        """A new hvac client on a session and connections of its own, closed at the end.

        Nothing is taken from the environment or the home folder, no VAULT_*, no proxy, no ~/.netrc, no ~/.vault-token:
        a daemon that picks up somebody's personal token works until that person leaves. Redirects are not followed:
        they would carry the token to another host.
        """
        from hvac import Client  # the SDK costs 0.2 s; `--help` and `status` must not pay it
        from hvac.adapters import RawAdapter
        from requests import Session
        from requests.adapters import HTTPAdapter

        from rotator.host.network.pools import use

        with Session() as session:
            session.trust_env = False
            adapter = HTTPAdapter(max_retries=0)
            use(adapter.poolmanager, self._network, CONNECT_TIMEOUT)
            for scheme in ("http://", "https://"):
                session.mount(scheme, adapter)
            yield Client(
                url=self.options.address,
                token="" if token is None else token.reveal(),
                cert="",  # None would mean VAULT_CLIENT_CERT
                verify=True,  # the network verifies, whatever stands here
                timeout=(CONNECT_TIMEOUT, ANSWER_TIMEOUT),
                allow_redirects=False,
                session=session,
                adapter=RawAdapter,
                namespace=self.options.namespace,
                ignore_exceptions=True,
            )

    def send(self, token: Secret | None, request: Request) -> VaultAnswer:
        """Send `request` over a connection of its own; answers and errors are those of `exchange`."""
        data = None if request.body is None else request.body.encode()
        headers = None if data is None else {"Content-Type": "application/json"}
        known = request if token is None else replace(request, hidden=(token, *request.hidden))
        with self.client(token) as client:
            return exchange(
                lambda: client.adapter.request(request.method, f"/v1/{request.path}", headers=headers, data=data), known
            )


def exchange(call: Callable[[], Any], request: Request) -> VaultAnswer:
    """Make one call of hvac's raw adapter and classify its answer.

    Returns:
        Any 2xx, and any 4xx that is a certain no.

    Raises:
        Unavailable: no usable answer, and either nothing can have been changed or it was certainly not applied.
        OutcomeUnknown: the request has an effect and may have been applied.
    """
    from requests.exceptions import RequestException

    doing = request.doing
    try:
        response = call()
        answer = VaultAnswer(int(response.status_code), response.content.decode("utf-8"), request.hidden)
    except NotConnected as error:
        raise Unavailable(f"{doing}: {error.message}", error.remedy) from None
    except (RequestException, OSError, ValueError) as error:
        # `from None`: the library's exceptions hold the request, and with it the token.
        raise _no_answer(error, request) from None
    status, words = answer.status, answer.errors()
    said = f" ({words})" if words else ""
    if 300 <= status < 400:
        raise Unavailable(
            f"{doing}: Vault answered with a redirect, which is not followed",
            "set `address` to the active node, or to a load balancer that finds it by /v1/sys/health",
        )
    if status == 412:
        raise NotCaughtUp(
            f"{doing}: Vault has not caught up with its own storage{said}", "it is asked again automatically"
        )
    if status in _NOT_APPLIED:
        raise Unavailable(
            f"{doing}: Vault {_NOT_APPLIED[status]} (HTTP {status}){said}", "it is asked again automatically"
        )
    if status == 503 and "sealed" in words.lower():
        raise Unavailable(f"{doing}: Vault is sealed", "unseal it; the daemon goes on automatically")
    if status == 400 and "upgrading from non-versioned" in words.lower():
        raise Unavailable(f"{doing}: Vault is still preparing this KV mount", "it is asked again automatically")
    if answer.ok or (400 <= status < 500 and status != 408):  # 408: a proxy that waited in vain, so nobody knows
        return answer
    if request.effect:
        raise OutcomeUnknown(f"{doing}: Vault answered HTTP {status}{said}", _READ_AGAIN)
    raise Unavailable(f"{doing}: Vault answered HTTP {status}{said}", "look at Vault's own log and health")


def refuse(answer: VaultAnswer, request: Request, remedy: str = "") -> Refused:
    """The error for an answer that is a certain no (4xx)."""
    code = {403: "permission", 404: "not_found"}.get(answer.status, "bad_request")
    words = answer.errors()
    said = f": {words}" if words else ""
    return Refused(f"{request.doing}: Vault refused with HTTP {answer.status}{said}", remedy, code=code)


def _no_answer(error: Exception, request: Request) -> Unavailable | OutcomeUnknown:
    from requests.exceptions import InvalidHeader, InvalidURL, ReadTimeout

    doing = request.doing
    if isinstance(error, InvalidHeader):
        return Unavailable(
            f"{doing}: the login token holds a character that no HTTP header may hold", "look at its file"
        )
    if isinstance(error, InvalidURL):
        return Unavailable(f"{doing}: `address` is not a usable URL", "write it as https://host:8200")
    silent = isinstance(error, ReadTimeout)
    what = f"no answer within {ANSWER_TIMEOUT:.0f} s" if silent else _kind(tuple(_chain(error)))
    if request.effect:
        return OutcomeUnknown(f"{doing}: {what} after the request was sent", _READ_AGAIN)
    remedy = (
        "look whether its audit devices can write, or are blocked"
        if silent
        else "is Vault up, and reachable from here?"
    )
    return Unavailable(f"{doing}: {what}", remedy)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception and all that it wraps: urllib3 puts causes into `reason` and `args`, not only `__cause__`."""
    seen: list[BaseException] = []
    queue: list[object] = [error]
    while queue:
        link = queue.pop(0)
        if not isinstance(link, BaseException) or any(link is known for known in seen):
            continue
        seen.append(link)
        yield link
        queue += [link.__cause__, link.__context__, getattr(link, "reason", None), *link.args]


def _kind(chain: tuple[BaseException, ...]) -> str:
    for link in chain:
        if isinstance(link, OSError) and link.strerror:
            return link.strerror.lower()
    if any(isinstance(link, ConnectionError) for link in chain):
        return "the connection ended without an answer"
    return chain[0].__class__.__name__
