"""Every token that a connection can see, whoever made it: the raw material of `discover` and `adopt`. Only reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from rotator import catalogue
from rotator.core.errors import Refused, RotatorError, Unavailable
from rotator.core.ports.runtime import Priority
from rotator.core.ports.source import TokenState
from rotator.sources.cloudflare.calls import Call
from rotator.sources.cloudflare.connection import CloudflareConnection
from rotator.sources.cloudflare.grants import ACCOUNT, BUCKET, USER, ZONE
from rotator.sources.cloudflare.inventory import list_rows, tokens_path
from rotator.sources.cloudflare.listing import read_all
from rotator.sources.cloudflare.management import look

Owner = tuple[str, str | None]
"""`user` or `account`, and the account's id."""

_SCOPES: Final = {ZONE: "zone", BUCKET: "bucket", USER: "user", ACCOUNT: "account"}
"""The longest beginning first: a zone's resource begins like an account's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One token as its owner's list shows it.

    Attributes:
        owner: `user` or `account`.
        account_id: the account that owns it; None for a user's.
        row: the token object; it holds no value.
        state: what that says.
        role: `management` or `standby` where it is the connection's own, else empty.
    """

    owner: str
    account_id: str | None
    row: Mapping[str, Any]
    state: TokenState
    role: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unseen:
    """The tokens of an owner that could not be listed, and why."""

    owner: str
    message: str
    remedy: str


def listed(connection: CloudflareConnection, used: Iterable[Owner] = ()) -> tuple[tuple[Listed, ...], list[Unseen]]:
    """Return every token of the owners that a connection serves, expired ones included, and whose could not be listed.

    Those are the user behind the management token, the connection's account, and whatever its credentials use. Costs
    two requests for each management token and one for each 50 tokens.

    Args:
        connection: asked with its management token.
        used: the owners of the tokens of its credentials.

    Raises:
        Refused: the management token is not accepted.
        Unavailable, RateLimited: nobody's tokens could be listed.
        ConfigError: the management token cannot be read.
    """
    me = look(connection)
    if not me.id:
        raise connection.unaccepted("listing tokens")
    roles = {me.id: "management", **_standby(connection)}
    owners: dict[Owner, None] = dict.fromkeys([("user", None)] if me.owner == "user" else [])
    owners |= dict.fromkeys([("account", connection.account_id)] if connection.account_id else [])
    owners |= dict.fromkeys(used)
    found: list[Listed] = []
    unseen: list[Unseen] = []
    failed: RotatorError | None = None
    for owner, account_id in owners:
        try:
            rows = list_rows(connection.calls, tokens_path(owner, account_id), Priority.WATCH, expired=True)
        except (Unavailable, Refused) as error:
            failed = failed or error
            unseen.append(Unseen(owner=owner, message=error.message, remedy=error.remedy))
            continue
        found += [
            Listed(owner=owner, account_id=account_id, row=row, state=state, role=roles.get(state.id, ""))
            for row, state in rows
        ]
    if failed is not None and len(unseen) == len(owners):
        raise failed
    return tuple(found), unseen


def _standby(connection: CloudflareConnection) -> dict[str, str]:
    if connection.standby_token is None:
        return {}
    try:
        second = look(connection, "standby")
    except RotatorError:
        return {}  # `check` says what is wrong with it
    return {second.id: "standby"} if second.id else {}


def zone_names(connection: CloudflareConnection, tokens: Iterable[Listed]) -> dict[str, str]:
    """Return zone id -> name where one of the tokens names a zone; nothing where zones cannot be listed.

    Costs one request for each 50 zones, and none where no token names one.
    """
    named = any(
        scope == "zone" and not place.endswith("*")
        for token in tokens
        for policy in token.row.get("policies") or ()
        for scope, place in _places(policy.get("resources") if isinstance(policy, Mapping) else None)
    )
    if not named:
        return {}
    call = Call(operation="zones", doing="listing zones", method="GET", path="/zones", query={"per_page": "50"})
    try:
        return {str(row["id"]): str(row.get("name")) for row in read_all(connection.calls, call)}
    except (Unavailable, Refused):
        return {}


def grants_of(row: Mapping[str, Any], zones: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return what a token's policies say, one entry for each permission on each resource.

    Args:
        row: the token object.
        zones: zone id -> name, as far as names are known.
    """
    found = []
    for policy in row.get("policies") or ():
        resources = policy.get("resources") if isinstance(policy, Mapping) else None
        places = [place for place in _places(resources)]
        for group in (policy.get("permission_groups") or ()) if isinstance(policy, Mapping) else ():
            group_id = str(group.get("id")) if isinstance(group, Mapping) else ""
            known = catalogue.by_id(group_id)
            name = known.name if known else str(group.get("name") or group_id)
            found += [
                {
                    "permission": name,
                    "scope": scope,
                    "resource": _told(scope, place, zones),
                    "id": group_id,
                    "effect": str(policy.get("effect")),
                }
                for scope, place in places
            ]
    return found


def _places(resources: object) -> Iterator[tuple[str, str]]:
    """(scope, what is left of the resource's name), nested ones as ACCOUNT>ID."""
    for key, value in resources.items() if isinstance(resources, Mapping) else ():
        if isinstance(value, Mapping):
            account = str(key).removeprefix(f"{ACCOUNT}.")
            for inner in value:
                scope, place = _split(str(inner))
                yield scope, f"{account}>{place}"
        else:
            yield _split(str(key))


def _split(resource: str) -> tuple[str, str]:
    for prefix, scope in _SCOPES.items():
        if resource.startswith(f"{prefix}."):
            return scope, resource.removeprefix(f"{prefix}.")
    return "account", resource


def _told(scope: str, place: str, zones: Mapping[str, str]) -> str:
    within, _, inner = place.rpartition(">")
    if inner == "*":
        return f"all {scope}s" + (f" of {within}" if within and within != "*" else "")
    return zones.get(inner, inner)
