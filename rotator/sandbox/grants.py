"""What a token may be given: the rules on `policies` and `condition` when a token is created or updated.

Each rule answers with the refusal that the real API uses. Reading rights out of policies is `auth`, not here.
"""

from __future__ import annotations

import ipaddress
from typing import Any

from rotator.sandbox import auth, resources
from rotator.sandbox.auth import Caller
from rotator.sandbox.catalogue import ACCOUNT, BUCKET, TOKEN_MANAGERS, USER, ZONE, groups
from rotator.sandbox.errors import Refusal
from rotator.sandbox.resources import Resource, Thing
from rotator.sandbox.world import Owner, World, new_id


def accept_policies(
    world: World,
    caller: Caller | None,
    owner: Owner,
    sent: object,
    *,
    reuse_ids: bool = False,
    held: frozenset[str] = frozenset(),
) -> list[dict[str, Any]]:
    """Check the `policies` of a request and return them as stored, each with an id.

    Args:
        world: what exists.
        caller: who asks; None for the world file, which is not bound by the rules on callers.
        owner: whose token it is.
        sent: the value of `policies` in the body.
        reuse_ids: whether a policy may carry an id (update); on create that is refused.
        held: groups that the token holds already; an update may keep what a create could not give.

    Raises:
        Refusal: with the rule's own code.
    """
    if not isinstance(sent, list):
        raise Refusal("bad_field", why="policies must be a list")
    return [_accept(world, caller, owner, policy, reuse_ids, held) for policy in sent]


def _accept(
    world: World, caller: Caller | None, owner: Owner, policy: object, reuse_ids: bool, held: frozenset[str]
) -> dict[str, Any]:
    if not isinstance(policy, dict) or policy.get("effect") not in ("allow", "deny"):
        raise Refusal("bad_field", why='a policy needs an effect, "allow" or "deny"')
    if "id" in policy and not reuse_ids:
        raise Refusal("reused_policy")
    group_ids = _group_ids(owner, policy.get("permission_groups"))
    try:
        named = resources.parse(policy.get("resources"))
    except ValueError as error:
        raise Refusal("unknown_resource", resource=error) from None
    for resource in named:
        _check_place(world, owner, resource)
    if caller is not None and caller.token is not None:  # the Global API Key is not a sub-token's parent
        _check_handed_on(world, caller, named, group_ids, held)
    return {
        "id": new_id(),
        "effect": policy["effect"],
        "permission_groups": [{"id": each} for each in group_ids],
        "resources": policy["resources"],
    }


def _group_ids(owner: Owner, sent: object) -> list[str]:
    if not isinstance(sent, list) or not sent:
        raise Refusal("bad_field", why="a policy needs permission_groups")
    known = groups()
    found = []
    for reference in sent:
        group = known.get(str(reference.get("id"))) if isinstance(reference, dict) else None
        if group is None or (group.scope == USER and owner.type == "account"):
            named = reference.get("id") if isinstance(reference, dict) else reference
            raise Refusal("unknown_group", group=named)
        found.append(group.id)
    return found


def _check_place(world: World, owner: Owner, resource: Resource) -> None:
    """Refuse what does not exist, or does not belong to the owner."""
    if owner.type == "account" and resource.kind == ZONE and resource.id == "*" and resource.within is None:
        raise Refusal("flat_zones")
    mine = [owner.id] if owner.type == "account" else world.users[owner.id].account_ids
    accounts = {resource.within} if resource.within is not None else set()
    if resource.kind == ACCOUNT:
        accounts.add(resource.id)
    elif resource.kind == BUCKET and resource.id != "*":
        accounts.add(resource.id.partition("_")[0])
    elif resource.kind == ZONE and resource.id != "*":
        zone = world.zones.get(resource.id)
        accounts.add(zone.account_id if zone is not None else "")
    elif resource.kind == USER and (owner.type, owner.id) != ("user", resource.id):
        raise Refusal("unknown_resource", resource=f"{resource.kind}.{resource.id}")
    everywhere = {"*"} if owner.type == "user" else set()
    if not accounts <= {*mine, *everywhere}:
        raise Refusal("unknown_resource", resource=f"{resource.kind}.{resource.id}")


def _check_handed_on(
    world: World, caller: Caller, named: list[Resource], group_ids: list[str], held: frozenset[str]
) -> None:
    """A token never hands on the making of tokens; an account token hands on single zones only as it holds them."""
    if TOKEN_MANAGERS & set(group_ids) - held:
        raise Refusal("sub_token")
    if caller.token is None or caller.token.owner.type != "account":
        return
    for resource in named:
        if resource.kind == ZONE and resource.id != "*":
            zone = Thing(ZONE, resource.id, world.zones[resource.id].account_id)
            for group_id in group_ids:
                if not auth.permits(caller.token, [group_id], zone):
                    raise Refusal("common_check", group=groups()[group_id].name)


def accept_condition(sent: object) -> dict[str, Any] | None:
    """Check the `condition` of a request and return it as stored, under the key `request_ip`.

    Both spellings of the key are in use and accepted. An absent condition is none at all; one that is present and
    empty is kept, and then denies every address.

    Raises:
        Refusal: not the documented shape, or an address block that is none.
    """
    if sent is None:
        return None
    if not isinstance(sent, dict) or set(sent) - {"request_ip", "request.ip"}:
        raise Refusal("bad_field", why="condition may hold request_ip only")
    request_ip = sent.get("request_ip", sent.get("request.ip"))
    if request_ip is None:
        return {"request_ip": {}}
    if not isinstance(request_ip, dict) or set(request_ip) - {"in", "not_in"}:
        raise Refusal("bad_field", why="request_ip may hold in and not_in only")
    for blocks in request_ip.values():
        if not isinstance(blocks, list):
            raise Refusal("bad_field", why="request_ip.in and request_ip.not_in must be lists")
        for block in blocks:
            _check_block(block)
    return {"request_ip": {side: list(blocks) for side, blocks in request_ip.items()}}


def _check_block(block: object) -> None:
    try:
        ipaddress.ip_network(str(block), strict=False)
    except ValueError:
        raise Refusal("bad_field", why=f"not an address block: {block}") from None
