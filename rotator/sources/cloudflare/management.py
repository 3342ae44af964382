"""A connection's management tokens as they are now: who they are, what they hold, how long they live. Only reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from rotator.core.errors import RotatorError
from rotator.core.ports.source import Login
from rotator.sources.cloudflare import tokens
from rotator.sources.cloudflare.addresses import Network, allowed_by
from rotator.sources.cloudflare.calls import Call
from rotator.sources.cloudflare.connection import CloudflareConnection
from rotator.sources.cloudflare.errors import PERMISSION
from rotator.sources.cloudflare.inventory import tokens_path
from rotator.sources.cloudflare.listing import read_all

WRITE: Final = {"user": "686d18d5ac6c441c867cbf6771e58a0a", "account": "5bc3f8b21c554832afc660159ab75fa4"}
"""Permission group that creates tokens of that owner: API Tokens Write, Account API Tokens Write."""
WRITE_NAME: Final = {"user": "API Tokens Write", "account": "Account API Tokens Write"}
ROLES: Final = ("management", "standby")


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagementToken:
    """One management token as it is now.

    Attributes:
        role: `management` or `standby`.
        id: its id; empty where the provider does not accept it.
        owner: `user` or `account`, or empty.
        expires_at: unix seconds, `NEVER`, or None where it may not read itself.
        shown: the token object without its value, None where it may not read itself.
    """

    role: str
    id: str = ""
    owner: str = ""
    expires_at: float | None = None
    shown: Mapping[str, Any] | None = None

    @property
    def groups(self) -> frozenset[str] | None:
        """Ids of the permission groups that it holds, None where it may not read itself."""
        return None if self.shown is None else tokens.groups_of(self.shown)

    @property
    def networks(self) -> tuple[Network, ...]:
        """To which its own use is restricted; it is accepted, so this host is in one of them. Empty for none."""
        return () if self.shown is None else allowed_by(self.shown.get("condition"))


def look(connection: CloudflareConnection, role: str = "management") -> ManagementToken:
    """Ask, anew, who a management token is, when it ends, and what it holds.

    Args:
        connection: whose.
        role: `management`, or `standby` where the connection has one.

    Raises:
        Unavailable, RateLimited: no usable answer, or the token cannot be read.
        ConfigError: the standby token cannot be read.
    """
    bearer = connection.own(role)
    who = connection.identity(bearer, acting=False, anew=True)
    connection.candidates.note(bearer, who is not None)
    if who is not None and role == "management":
        connection.acts(bearer, who)
    if who is None:
        return ManagementToken(role=role)
    path = f"{tokens_path(who.owner, connection.account_id)}/{who.id}"
    call = Call(operation="get", doing="reading a management token", method="GET", path=path)
    reply = connection.calls.call(call, bearer)
    if reply.verdict is not None and reply.verdict.row.word != PERMISSION:
        raise connection.calls.failure(call, reply)  # that it may not read itself is an answer, all else is none
    shown = reply.envelope.result if reply.envelope and reply.verdict is None else None
    state = tokens.state(shown)
    return ManagementToken(
        role=role,
        id=who.id,
        owner=who.owner,
        expires_at=state.expires_at if state else None,
        shown=shown if state and isinstance(shown, dict) else None,
    )


def logins(connection: CloudflareConnection) -> tuple[Login, ...]:
    """Return how every management token of a connection is, for status, metrics and alerts.

    Raises:
        RotatorError: the management token gave no usable answer; of a standby that is told in its `Login`.
    """
    found = []
    for role in ROLES if connection.standby_token else ROLES[:1]:
        try:
            token = look(connection, role)
        except RotatorError as error:
            if role == "management":
                raise
            found.append(Login(role=role, accepted=None, problem=error.message, remedy=error.remedy))
            continue
        refused = connection.unaccepted("verifying it", role)
        found.append(
            Login(role=role, accepted=True, expires_at=token.expires_at)
            if token.id
            else Login(role=role, accepted=False, problem=refused.message, remedy=refused.remedy)
        )
    return tuple(found)


def permission_groups(connection: CloudflareConnection, path: str) -> dict[str, Mapping[str, Any]]:
    """Return all permission groups that exist for tokens below `path`, by id.

    Raises:
        Unavailable, RateLimited: no usable answer.
    """
    return {row["id"]: row for row in group_rows(connection, path)}


def group_rows(connection: CloudflareConnection, path: str) -> tuple[Mapping[str, Any], ...]:
    """Return all permission groups that exist for tokens below `path`, as the API shows them.

    Raises:
        Unavailable, RateLimited: no usable answer.
    """
    call = Call(
        operation="permission_groups",
        doing="listing permission groups",
        method="GET",
        path=f"{path}/permission_groups",
    )
    return read_all(connection.calls, call)
