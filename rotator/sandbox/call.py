"""One API call as the operations see it, and what they answer. No sockets, no routing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rotator.sandbox.auth import Caller, Presented
from rotator.sandbox.errors import Refusal
from rotator.sandbox.world import Owner, World


@dataclass(frozen=True, slots=True)
class Call:
    """A routed request. `caller` is admitted, except for verify, which judges it itself."""

    world: World
    now: float
    ip: str
    presented: Presented
    caller: Caller | None
    params: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes

    @property
    def admitted(self) -> Caller:
        """The caller of an operation that needs one."""
        assert self.caller is not None  # noqa: S101 - the gateway admits before it calls
        return self.caller

    def owner(self) -> Owner:
        """Whose tokens the path names.

        Raises:
            Refusal: 403/9109 when a caller without a user asks for the user's own tokens.
        """
        account_id = self.params.get("account_id")
        if account_id is not None:
            return Owner("account", account_id)
        if self.admitted.user is None:
            raise Refusal("unauthorized")
        return Owner("user", self.admitted.user.id)

    def json(self) -> dict[str, Any]:
        """The body as a JSON object.

        Raises:
            Refusal: 400/6007 when it is none.
        """
        try:
            body = json.loads(self.body)
        except (ValueError, RecursionError):
            raise Refusal("bad_body") from None
        if not isinstance(body, dict):
            raise Refusal("bad_body")
        return body


@dataclass(frozen=True, slots=True)
class Answer:
    """What an operation found: the envelope's `result`, `messages` and, for lists, `result_info`."""

    result: Any
    messages: Sequence[Mapping[str, Any]] = ()
    info: Mapping[str, int] | None = None
