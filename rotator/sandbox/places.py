"""What stands around the tokens: the user, memberships, accounts, zones, and the list of permission groups.

Enough for a daemon that resolves names, for `wrangler whoami`, and for a consumer that wants to use its token.
"""

from __future__ import annotations

import hashlib
from typing import Any

from rotator.sandbox import auth, paging, resources
from rotator.sandbox.auth import TOKEN_READ, Caller
from rotator.sandbox.call import Answer, Call
from rotator.sandbox.catalogue import (
    ACCOUNT,
    BUCKET,
    MEMBERSHIPS_READ,
    MEMBERSHIPS_WRITE,
    USER,
    USER_DETAILS_READ,
    USER_DETAILS_WRITE,
    ZONE,
    ZONE_READ,
    ZONE_WRITE,
    groups,
)
from rotator.sandbox.clock import rfc3339
from rotator.sandbox.errors import Refusal
from rotator.sandbox.resources import Thing
from rotator.sandbox.world import Account, World, Zone


def user(call: Call) -> Answer:
    """GET /user: needs User Details Read; an account token has no user (403/9109)."""
    person = call.admitted.user
    wanted = (USER_DETAILS_READ, USER_DETAILS_WRITE)
    if person is None or not auth.may(call.world, call.admitted, wanted, Thing(USER, person.id)):
        raise Refusal("unauthorized")
    return Answer(
        {
            "id": person.id,
            "email": person.email,
            "username": person.email.partition("@")[0],
            "first_name": None,
            "last_name": None,
            "telephone": None,
            "country": None,
            "zipcode": None,
            "two_factor_authentication_enabled": True,
            "two_factor_authentication_locked": False,
            "suspended": False,
            "created_on": rfc3339(1704067200),
            "modified_on": rfc3339(1704067200),
        }
    )


def memberships(call: Call) -> Answer:
    """GET /memberships: needs Memberships Read; an account token is told 9106, which wrangler knows how to take."""
    person = call.admitted.user
    if person is None:
        raise Refusal("memberships_need_user")
    wanted = (MEMBERSHIPS_READ, MEMBERSHIPS_WRITE)
    if not auth.may(call.world, call.admitted, wanted, Thing(USER, person.id)):
        raise Refusal("authentication_error")
    rows = [
        {
            "id": hashlib.md5(f"{person.id}:{each}".encode(), usedforsecurity=False).hexdigest(),
            "status": "accepted",
            "api_access_enabled": None,
            "account": _account(call.world.accounts[each]),
            "roles": ["Super Administrator - All Privileges"],
            "permissions": {"zones": {"read": True, "write": True}},
        }
        for each in person.account_ids
    ]
    return paging.page(call.query, rows)


def accounts(call: Call) -> Answer:
    """GET /accounts: those that the caller's policies touch at all; `name` filters."""
    name = call.query.get("name")
    rows = [
        _account(call.world.accounts[each])
        for each in _visible_accounts(call.world, call.admitted)
        if name in (None, call.world.accounts[each].name)
    ]
    if paging.descending(call.query, usual=False):
        rows.reverse()
    return paging.page(call.query, rows)


def account(call: Call) -> Answer:
    """GET /accounts/{id}."""
    account_id = call.params["account_id"]
    if account_id not in _visible_accounts(call.world, call.admitted):
        raise Refusal("unauthorized")
    return Answer(_account(call.world.accounts[account_id]))


def zones(call: Call) -> Answer:
    """GET /zones: those on which the caller holds Zone Read; filters `name`, `account.id`, `account.name`, `status`.

    A caller that holds it nowhere is refused rather than shown an empty list.
    """
    rows = [zone for zone in call.world.zones.values() if _may_read(call, zone)]
    if not rows and not _holds_zone_read(call.admitted):
        raise Refusal("unauthorized")
    shown = [_zone(call.world, zone) for zone in rows]
    for key, path in (("name", ("name",)), ("account.id", ("account", "id")), ("account.name", ("account", "name"))):
        if key in call.query:
            shown = [row for row in shown if _at(row, path) == call.query[key]]
    if call.query.get("status", "active") != "active":
        shown = []
    if paging.descending(call.query, usual=False):
        shown.reverse()
    return paging.page(call.query, shown)


def zone(call: Call) -> Answer:
    """GET /zones/{id}; one that does not exist and one that may not be read look the same."""
    found = call.world.zones.get(call.params["zone_id"])
    if found is None or not _may_read(call, found):
        raise Refusal("unauthorized")
    return Answer(_zone(call.world, found))


def permission_groups(call: Call) -> Answer:
    """GET T/permission_groups: all that a token of this owner may hold; filters `name` and `scope`; not paged."""
    owner = call.owner()
    auth.require_tokens(call.world, call.admitted, owner, TOKEN_READ)
    name, scope = call.query.get("name"), call.query.get("scope")
    extra = {"is_selectable": True} if owner.type == "account" else {}
    rows = [
        {"id": group.id, "name": group.name, "scopes": [group.scope], **extra}
        for group in groups().values()
        if (owner.type == "user" or group.scope in (ACCOUNT, ZONE, BUCKET))
        and name in (None, group.name)
        and scope in (None, group.scope)
    ]
    info = {"page": 1, "per_page": len(rows), "count": len(rows), "total_count": len(rows), "total_pages": 1}
    return Answer(rows, info=info)


def _at(row: dict[str, Any], path: tuple[str, ...]) -> Any:
    value: Any = row
    for key in path:
        value = value[key]
    return value


def _may_read(call: Call, zone: Zone) -> bool:
    return auth.may(call.world, call.admitted, (ZONE_READ, ZONE_WRITE), Thing(ZONE, zone.id, zone.account_id))


def _holds_zone_read(caller: Caller) -> bool:
    return caller.token is None or bool({ZONE_READ, ZONE_WRITE} & caller.token.group_ids())


def _visible_accounts(world: World, caller: Caller) -> list[str]:
    mine = [each for each in auth.reach(world, caller) if each in world.accounts]
    if caller.token is None:
        return mine
    touched: set[str] = set()
    for policy in caller.token.policies:
        if policy["effect"] == "allow":
            for resource in resources.parse(policy["resources"]):
                touched |= _accounts_of(world, resource)
    return mine if "*" in touched else [each for each in mine if each in touched]


def _accounts_of(world: World, resource: resources.Resource) -> set[str]:
    if resource.within is not None:
        return {resource.within}
    if resource.kind == ACCOUNT:
        return {resource.id}
    if resource.kind == ZONE:
        return {"*"} if resource.id == "*" else {world.zones[resource.id].account_id}
    return {resource.id.partition("_")[0]} if resource.kind == BUCKET else set()


def _account(account: Account) -> dict[str, Any]:
    return {
        "id": account.id,
        "name": account.name,
        "type": "standard",
        "settings": {"enforce_twofactor": False},
        "created_on": rfc3339(account.created),
    }


def _zone(world: World, zone: Zone) -> dict[str, Any]:
    since = rfc3339(1704067200)
    return {
        "id": zone.id,
        "name": zone.name,
        "status": "active",
        "paused": False,
        "type": "full",
        "development_mode": 0,
        "name_servers": ["ada.ns.cloudflare.com", "bob.ns.cloudflare.com"],
        "original_name_servers": None,
        "original_registrar": None,
        "original_dnshost": None,
        "created_on": since,
        "modified_on": since,
        "activated_on": since,
        "meta": {"step": 4, "custom_certificate_quota": 0, "page_rule_quota": 3, "phishing_detected": False},
        "owner": {"id": None, "type": "user", "email": None},
        "plan": {
            "id": "0feeeeeeeeeeeeeeeeeeeeeeeeeeeeee",
            "name": "Free Website",
            "price": 0,
            "currency": "USD",
            "frequency": "",
            "is_subscribed": True,
            "can_subscribe": False,
            "legacy_id": "free",
            "legacy_discount": False,
            "externally_managed": False,
        },
        "account": {"id": zone.account_id, "name": world.accounts[zone.account_id].name},
        "permissions": ["#zone:read"],
    }
