"""An order of the page as a fact: its flags read, whether it fits what is, and the same order twice journaled once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from pydantic_core import PydanticCustomError

from rotator.app import acts
from rotator.app.app import App
from rotator.config.fields import parse_duration
from rotator.core.choices import How
from rotator.core.credential import NEVER, Credential, Strategy
from rotator.core.errors import ConfigError
from rotator.core.facts import Paused, Requested, Resolved, Resumed, Revoked, What
from rotator.core.ids import NO_TOKEN, CredentialId, RequestId, TokenId
from rotator.core.protocol.revoke import to_revoke
from rotator.web.page.board import Conflict, Order, Unknown, Wrong

LONGEST_REASON: Final = 500
"""Characters of a reason, as on the command line."""


class Flags:
    """The flags of one order; each is taken once, and what is left over was not understood."""

    def __init__(self, given: Mapping[str, object]) -> None:
        """`given`: flags by their long names, `-` or `_` inside."""
        self._left = {key.replace("-", "_"): value for key, value in given.items()}

    def text(self, key: str) -> str:
        """Return a text, empty where it is not given."""
        found = self._left.pop(key, None)
        if found is not None and not isinstance(found, str):
            raise Wrong(f"`{key}` is not a text")
        return found or ""

    def truth(self, key: str) -> bool:
        """Return a flag."""
        found = self._left.pop(key, None)
        if found is not None and not isinstance(found, bool):
            raise Wrong(f"`{key}` is neither true nor false")
        return bool(found)

    def duration(self, key: str) -> float | None:
        """Return seconds, None where it is not given."""
        found = self.text(key)
        if not found:
            return None
        try:
            return parse_duration(found)
        except PydanticCustomError as error:
            raise Wrong(f"`{key}`: {error.message()}") from None

    def reason(self) -> str:
        """Return the reason: one printable line."""
        found = self.text("reason")
        if not found.isprintable() or len(found) > LONGEST_REASON:
            raise Wrong(f"`reason` is one line of at most {LONGEST_REASON} characters")
        return found

    def end(self) -> None:
        """Raise where something was given that the act does not know."""
        if self._left:
            raise Wrong(f"`{next(iter(self._left))[:40]}` is no flag of this act")


def act_on(app: App, order: Order) -> str:
    """Journal an order and return the id of its request.

    Raises:
        Unknown: no such credential.
        Wrong, ConfigError: a flag that is unknown or makes no sense.
        Conflict, RotatorError: it does not fit what is.
    """
    try:
        stream = app.queries.stream(order.name)
    except ConfigError:
        raise Unknown from None
    flags, credential = Flags(order.flags), _configured(app, order.name)
    what = MAKES[order.act](app, order, flags, stream, credential)
    flags.end()
    if what is None or _known(app, stream, order.request_id):
        return order.request_id
    connection = credential.connection if credential else _connection(app, stream)
    acts.note(app, order.name, connection, what, order.user)
    return order.request_id


def _configured(app: App, name: str) -> Credential | None:
    return next((one for one in app.queries.credentials if one.name == name), None)


def _connection(app: App, stream: CredentialId) -> str:
    return next(row.connection for row in app.queries.streams() if row.id == stream)


def _known(app: App, stream: CredentialId, request_id: str) -> bool:
    """Whether that order was journaled before."""
    facts = app.writable.facts(stream)
    return any(isinstance(f.what, Requested | Revoked) and f.what.request_id == request_id for f in facts)


def _rotate(app: App, order: Order, flags: Flags, stream: CredentialId, credential: Credential | None) -> What | None:
    strategy, budget = flags.text("strategy"), flags.duration("outage_budget") or 0.0
    if strategy not in ("", *Strategy):
        raise Wrong(f"`strategy` is one of {', '.join(Strategy)}")
    if credential is None:
        raise Conflict(f"{order.name} is not in the configuration any more; it is not rotated")
    if credential.watched:
        raise Conflict(f"{order.name} has no targets, so its token is only watched")
    way = Strategy(strategy) if strategy else None
    acts.budget_fits(credential, way, budget)
    request = RequestId(order.request_id)
    return Requested(request_id=request, strategy=way, outage_budget=budget, reason=flags.reason())


def _pause(app: App, order: Order, flags: Flags, stream: CredentialId, credential: Credential | None) -> What | None:
    length = flags.duration("for")
    if length is not None and length <= 0:
        raise Wrong("`for`: 0s would pause nothing")
    now = app.queries.now(credential.connection if credential else _connection(app, stream))
    return Paused(until=now + (NEVER if length is None else length), reason=flags.reason())


def _resume(app: App, order: Order, flags: Flags, stream: CredentialId, credential: Credential | None) -> What | None:
    reason = flags.reason()
    return Resumed(reason=reason) if app.writable.view(stream).pause is not None else None


def _resolve(app: App, order: Order, flags: Flags, stream: CredentialId, credential: Credential | None) -> What | None:
    wanted = [how for how in How if flags.truth(how.value)]
    if len(wanted) != 1:
        raise Wrong(f"give exactly one of {', '.join(How)}")
    status = next(one for one in app.queries.statuses() if one.name == order.name)
    acts.decision(status, wanted[0])
    return Resolved(how=wanted[0], reason=flags.reason())


def _revoke(app: App, order: Order, flags: Flags, stream: CredentialId, credential: Credential | None) -> What | None:
    view = app.writable.view(stream)
    tokens = to_revoke(view, TokenId(credential.adopt) if credential else NO_TOKEN)
    bare, reason = flags.truth("without_successor"), flags.reason()
    if not tokens:
        raise Conflict(f"revoking {order.name}: no token of it lives, as far as the journal knows")
    return acts.revoked(tokens, credential, view, RequestId(order.request_id), bare=bare, reason=reason)


Makes = Callable[[App, Order, Flags, CredentialId, Any], "What | None"]

MAKES: Final[Mapping[str, Makes]] = {
    "rotate": _rotate,
    "pause": _pause,
    "resume": _resume,
    "resolve": _resolve,
    "revoke": _revoke,
}
"""Act -> what makes the fact of it; None where there is nothing to write down."""
