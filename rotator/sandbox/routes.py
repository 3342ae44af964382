"""The table of the API: method and path -> operation name and function.

The operation names are the words that faults and the request log use. Identifiers in a path are 32 hexadecimal
digits; anything else is 404/7003 as at the real router.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from rotator.sandbox import deploys, places, products, tokens
from rotator.sandbox.call import Answer, Call
from rotator.sandbox.errors import Refusal

PREFIX: Final = "/client/v4"
ANY: Final = "any"
UNKNOWN: Final = "unknown"


@dataclass(frozen=True, slots=True)
class Route:
    """One row. `open` operations judge the caller themselves."""

    method: str
    template: str
    operation: str
    perform: Callable[[Call], Answer]
    open: bool = False


def _token_routes(base: str) -> list[Route]:
    return [
        Route("GET", base, "list", tokens.list_),
        Route("POST", base, "create", tokens.create),
        Route("GET", f"{base}/verify", "verify", tokens.verify, open=True),
        Route("GET", f"{base}/permission_groups", "permission_groups", places.permission_groups),
        Route("GET", f"{base}/{{token_id}}", "get", tokens.get),
        Route("PUT", f"{base}/{{token_id}}", "update", tokens.update),
        Route("DELETE", f"{base}/{{token_id}}", "delete", tokens.delete),
        Route("PUT", f"{base}/{{token_id}}/value", "roll", tokens.roll),
    ]


ROUTES: Final = [
    *_token_routes("/user/tokens"),
    *_token_routes("/accounts/{account_id}/tokens"),
    Route("GET", "/user", "user", places.user),
    Route("GET", "/memberships", "memberships", places.memberships),
    Route("GET", "/accounts", "accounts", places.accounts),
    Route("GET", "/accounts/{account_id}", "accounts", places.account),
    Route("GET", "/zones", "zones", places.zones),
    Route("GET", "/zones/{zone_id}", "zones", places.zone),
    *(Route("GET", path, "product", products.reader(path, kind, names)) for path, kind, names in products.PRODUCTS),
    *(Route(method, path, "deploy", perform) for method, path, perform in deploys.OPERATIONS),
]

OPERATIONS: Final = frozenset(route.operation for route in ROUTES) | {ANY}

_IDENTIFIER: Final = re.compile(r"[0-9a-f]{32}")
_NAMES: Final = ("script_name",)
"""Parameters of a path that are names and not identifiers."""


@dataclass(frozen=True, slots=True)
class _Node:
    """One distinct path of the table with its methods."""

    parts: tuple[str, ...]
    methods: dict[str, Route]


def _compile() -> dict[int, list[_Node]]:
    by_template: dict[str, _Node] = {}
    for route in ROUTES:
        node = by_template.setdefault(route.template, _Node(tuple(route.template.strip("/").split("/")), {}))
        node.methods[route.method] = route
    by_length: dict[int, list[_Node]] = {}
    for node in by_template.values():
        by_length.setdefault(len(node.parts), []).append(node)
    return by_length


_NODES: Final = _compile()


@dataclass(frozen=True, slots=True)
class Match:
    """Where a request leads: a route with its path parameters, or a refusal to answer with."""

    operation: str
    route: Route | None = None
    params: dict[str, str] | None = None
    refusal: Refusal | None = None


def find(method: str, path: str) -> Match:
    """Look up a request; literal path segments beat identifiers because they stand first in the table."""
    if not path.startswith(PREFIX + "/"):
        return Match(UNKNOWN, refusal=Refusal("no_route"))
    local = path[len(PREFIX) :]
    parts = tuple(local.strip("/").split("/"))
    for node in _NODES.get(len(parts), ()):
        params = _bind(node.parts, parts)
        if params is None:
            continue
        route = node.methods.get(method)
        if route is None:
            return Match(UNKNOWN, refusal=Refusal("method_not_allowed", method=method))
        if all(_IDENTIFIER.fullmatch(value) for key, value in params.items() if key not in _NAMES):
            return Match(route.operation, route, params)
        return Match(route.operation, refusal=Refusal("bad_identifier", path=local))
    return Match(UNKNOWN, refusal=Refusal("no_route"))


def _bind(template: tuple[str, ...], parts: tuple[str, ...]) -> dict[str, str] | None:
    params = {}
    for wanted, given in zip(template, parts, strict=True):
        if wanted.startswith("{"):
            params[wanted[1:-1]] = given
        elif wanted != given:
            return None
    return params
