"""Who is calling, and what may they do.

Three steps, in this order: `present` reads the headers, `recognise` finds whose value it is, `admit` says whether
that caller may act now (state, propagation, client address). `permits` and `require` then weigh the policies: an
explicit deny beats an explicit allow, and nothing is allowed by default. Verify stops after `recognise`.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from rotator.sandbox import resources
from rotator.sandbox.catalogue import (
    ACCOUNT,
    ACCOUNT_API_TOKENS_READ,
    ACCOUNT_API_TOKENS_WRITE,
    API_TOKENS_READ,
    API_TOKENS_WRITE,
    USER,
    ZONE,
    groups,
)
from rotator.sandbox.errors import Refusal
from rotator.sandbox.resources import Thing
from rotator.sandbox.world import ACTIVE, Owner, Token, User, World

_BEARER: Final = re.compile(r"Bearer ([A-Za-z0-9_-]{40,80})", re.IGNORECASE)
_KEY: Final = re.compile(r"cfk_[A-Za-z0-9]{40}[a-f0-9]{8}|[0-9a-f]{37,45}")

TOKEN_READ: Final = {
    "user": (API_TOKENS_READ, API_TOKENS_WRITE),
    "account": (ACCOUNT_API_TOKENS_READ, ACCOUNT_API_TOKENS_WRITE),
}
TOKEN_WRITE: Final = {"user": (API_TOKENS_WRITE,), "account": (ACCOUNT_API_TOKENS_WRITE,)}


@dataclass(frozen=True, slots=True)
class Presented:
    """What the headers carry; at most one of `bearer` and `key` is set."""

    bearer: str | None = None
    email: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """A recognised caller: a token, or (with `token` None) a user by Global API Key."""

    token: Token | None
    user: User | None
    settled: bool = True  # False while the verify lag of the presented value lasts

    @property
    def purse(self) -> str:
        """Whose rate limit this request counts against: the user with all its tokens, or one account token."""
        if self.user is not None:
            return f"user:{self.user.id}"
        assert self.token is not None  # noqa: S101 - one of the two is always set
        return f"token:{self.token.id}"


def present(headers: Mapping[str, str]) -> Presented:
    """Read the credentials of a request; header names in lower case.

    A Global API Key beats a bearer when both are sent, as the official clients prefer it.

    Raises:
        Refusal: 400/6003 when a credential is not even well formed.
    """
    key = headers.get("x-auth-key")
    if key is not None:
        if not _KEY.fullmatch(key):
            raise Refusal("malformed_headers", chain="x-auth-key")
        return Presented(email=headers.get("x-auth-email", ""), key=key)
    authorization = headers.get("authorization")
    if authorization is None:
        return Presented()
    match = _BEARER.fullmatch(authorization)
    if match is None:
        raise Refusal("malformed_headers", chain="authorization")
    return Presented(bearer=match[1])


def recognise(world: World, presented: Presented, now: float) -> Caller | None:
    """Whose credential this is; None when none was sent or nobody's.

    Raises:
        Refusal: 403/9103 for a Global API Key that is not this user's.
    """
    if presented.key is not None:
        for user in world.users.values():
            if user.email == presented.email and user.key == presented.key:
                return Caller(None, user)
        raise Refusal("unknown_key")
    if presented.bearer is None:
        return None
    token = world.holder(presented.bearer, now)
    if token is None:
        return None
    settled = now >= token.accepted_from or not world.current(presented.bearer, token)
    return Caller(token, world.users.get(token.owner.id) if token.owner.type == "user" else None, settled)


def usable(caller: Caller, now: float) -> bool:
    """Whether the credential itself is good at `now`; its client address is not looked at."""
    token = caller.token
    if token is None:
        return True
    return caller.settled and token.standing(now) == ACTIVE and (token.not_before is None or now >= token.not_before)


def welcome(caller: Caller, ip: str) -> bool:
    """Whether the token's condition lets this client address in."""
    return caller.token is None or _address_allowed(caller.token.condition, ip)


def admit(caller: Caller | None, presented: Presented, now: float, ip: str) -> Caller:
    """The caller, if it may act at all.

    Raises:
        Refusal: nothing presented, unknown, not (yet or any more) valid, or from a forbidden address. A value that
            has not propagated answers 403/10000, as the real edge does.
    """
    if caller is None:
        raise Refusal("missing_credentials" if presented == Presented() else "invalid_access_token")
    if not caller.settled:
        raise Refusal("authentication_error")
    if not usable(caller, now):
        raise Refusal("invalid_access_token")
    if not welcome(caller, ip):
        raise Refusal("wrong_location", ip=ip)
    return caller


def _address_allowed(condition: Mapping[str, Any] | None, ip: str) -> bool:
    if condition is None:
        return True
    request_ip = condition.get("request_ip")
    if not request_ip:  # an empty condition locks everybody out (terraform-provider-cloudflare issue 897)
        return False
    address = ipaddress.ip_address(ip)
    if any(address in ipaddress.ip_network(block, strict=False) for block in request_ip.get("not_in", ())):
        return False
    wanted = request_ip.get("in")
    return wanted is None or any(address in ipaddress.ip_network(block, strict=False) for block in wanted)


def permits(token: Token, group_ids: Collection[str], thing: Thing) -> bool:
    """Whether the token's policies grant any of these groups on `thing`."""
    known = groups()
    granted = False
    for policy in token.policies:
        named = {group["id"] for group in policy["permission_groups"]}
        relevant = any(group in named and known[group].scope == thing.kind for group in group_ids)
        if relevant and any(resources.covers(each, thing) for each in resources.parse(policy["resources"])):
            if policy["effect"] == "deny":
                return False
            granted = True
    return granted


def may(world: World, caller: Caller, group_ids: Collection[str], thing: Thing) -> bool:
    """Whether the caller may do on `thing` what any of these groups grants.

    A user, and a user's token, never reach beyond the accounts of that user; an account's token never beyond its own.
    """
    if thing.kind in (ACCOUNT, ZONE) and thing.account_id not in reach(world, caller):
        return False
    if thing.kind == USER and (caller.user is None or caller.user.id != thing.id):
        return False
    return caller.token is None or permits(caller.token, group_ids, thing)


def reach(world: World, caller: Caller) -> Collection[str]:
    """Ids of the accounts that this caller could ever touch."""
    if caller.user is not None:
        return caller.user.account_ids
    return [caller.token.owner.id] if caller.token is not None else []


def account_thing(account_id: str) -> Thing:
    """An account as a thing to act on."""
    return Thing(ACCOUNT, account_id, account_id)


def require_tokens(world: World, caller: Caller, owner: Owner, wanted: Mapping[str, Collection[str]]) -> None:
    """Ask for the right to read (`TOKEN_READ`) or write (`TOKEN_WRITE`) the tokens of `owner`.

    Raises:
        Refusal: 403/9109 on user endpoints, 403/10000 on account endpoints.
    """
    thing = Thing(USER, owner.id) if owner.type == "user" else account_thing(owner.id)
    if not may(world, caller, wanted[owner.type], thing):
        raise Refusal("unauthorized" if owner.type == "user" else "authentication_error")
