"""A request and a reply as the parts between socket and operation pass them on. No behaviour but JSON and dates."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Request:
    """What came in; header names in lower case, `path` without the query, `ip` the peer's address."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    ip: str


@dataclass(frozen=True, slots=True)
class Response:
    """What goes out. With `half`, only the first half of the body is sent and the connection closed."""

    status: int
    body: bytes
    headers: list[tuple[str, str]] = field(default_factory=list)
    content_type: str = "application/json"
    half: bool = False


def json_response(status: int, document: Any, headers: list[tuple[str, str]] | None = None) -> Response:
    """A response that carries `document` as JSON."""
    return Response(status, json.dumps(document).encode(), headers or [])
