"""The token operations: create, get, list, update, roll, delete, verify; the same for users and accounts.

Each takes a `Call` whose caller is admitted (verify excepted) and runs under the world's lock. A value leaves only
in the answers of create and roll. What no source says of the real API is marked `chosen`.
"""

from __future__ import annotations

from typing import Any

from rotator.sandbox import auth, grants, paging
from rotator.sandbox.auth import TOKEN_READ, TOKEN_WRITE, Caller
from rotator.sandbox.call import Answer, Call
from rotator.sandbox.catalogue import groups
from rotator.sandbox.clock import parse_rfc3339, rfc3339, rfc3339_or_none
from rotator.sandbox.errors import Refusal
from rotator.sandbox.world import (
    ACTIVE,
    DISABLED,
    EXPIRED,
    REVOKED,
    Owner,
    Token,
    World,
    new_id,
    new_value,
)

NAME_MOST = 120


def shown(token: Token, now: float) -> dict[str, Any]:
    """A token as the API shows it. Policies come in another order than sent, as the real API may return them."""
    view: dict[str, Any] = {
        "id": token.id,
        "name": token.name,
        "status": token.status(now),
        "issued_on": rfc3339(token.issued_on),
        "modified_on": rfc3339(token.modified_on),
        "last_used_on": rfc3339_or_none(token.last_used_on),
        "policies": [_shown_policy(policy) for policy in reversed(token.policies)],
    }
    if token.not_before is not None:
        view["not_before"] = rfc3339(token.not_before)
    if token.expires_on is not None:
        view["expires_on"] = rfc3339(token.expires_on)
    if token.condition is not None:
        view["condition"] = token.condition
    if token.owner.type == "account":
        view["creator_email_at_creation"] = token.creator_email
        view["provisioner_type"] = token.provisioner_type
        view["provisioner_id"] = token.provisioner_id
    return view


def _shown_policy(policy: dict[str, Any]) -> dict[str, Any]:
    known = groups()
    named = [{"id": group["id"], "name": known[group["id"]].name} for group in policy["permission_groups"]]
    return {**policy, "permission_groups": named}


def create(call: Call) -> Answer:
    """POST: make a token. The answer is the only one, besides a roll's, that carries a value."""
    owner, caller, body = call.owner(), call.admitted, call.json()
    auth.require_tokens(call.world, caller, owner, TOKEN_WRITE)
    name = _name(body)
    if "policies" not in body:
        raise Refusal("bad_field", why="policies is required")
    policies = grants.accept_policies(call.world, caller, owner, body["policies"])
    token = make(call.world, owner, name, policies, call.now)
    token.condition = grants.accept_condition(body.get("condition"))
    token.not_before, token.expires_on = _times(body, call.now, kept_expiry=None)
    _credit(call.world, token, caller)
    _check_quota(call.world, owner)
    token.accepted_from = call.now + call.world.settings.verify_lag
    token.listed_from = call.now + call.world.settings.list_lag
    call.world.add(token)
    return Answer({**shown(token, call.now), "value": token.value})


def make(world: World, owner: Owner, name: str, policies: list[dict[str, Any]], now: float) -> Token:
    """A new token with a new value, not yet part of the world."""
    return Token(
        id=new_id(),
        name=name,
        owner=owner,
        value=new_value(owner.type),
        policies=policies,
        condition=None,
        issued_on=now,
        modified_on=now,
        creator_email=next((user.email for user in world.users.values()), ""),
    )


def get(call: Call) -> Answer:
    """GET one token, without its value; expired and revoked ones too."""
    owner = call.owner()
    auth.require_tokens(call.world, call.admitted, owner, TOKEN_READ)
    return Answer(shown(_find(call, owner), call.now))


def list_(call: Call) -> Answer:
    """GET a page of tokens. Newest first unless asked otherwise (chosen); expired ones only when asked for."""
    owner = call.owner()
    auth.require_tokens(call.world, call.admitted, owner, TOKEN_READ)
    expired = paging.truth(call.query, "include_expired")
    rows = [
        token
        for token in call.world.owned(owner)
        if call.now >= token.listed_from and (expired or token.status(call.now) != EXPIRED)
    ]
    if paging.descending(call.query, usual=True):
        rows.reverse()
    answer = paging.page(call.query, rows)
    return Answer([shown(token, call.now) for token in answer.result], info=answer.info)


def update(call: Call) -> Answer:
    """PUT: replace name, policies, times and condition wholesale; an absent `status` stays. The value stays too.

    Clearing what is not sent is chosen: PUT replaces, and no source says that it keeps.
    """
    owner, body = call.owner(), call.json()
    auth.require_tokens(call.world, call.admitted, owner, TOKEN_WRITE)
    token = _find(call, owner)
    name = _name(body)
    if "policies" not in body:
        raise Refusal("bad_field", why="policies is required")
    held = frozenset(token.group_ids())
    policies = grants.accept_policies(call.world, call.admitted, owner, body["policies"], reuse_ids=True, held=held)
    condition = grants.accept_condition(body.get("condition"))
    not_before, expires_on = _times(body, call.now, kept_expiry=token.expires_on)
    disabled = _wanted_disabled(body, token, call.now)
    token.name, token.policies, token.condition = name, policies, condition
    token.not_before, token.expires_on, token.disabled = not_before, expires_on, disabled
    token.modified_on = call.now
    call.world.unsaved += 1
    return Answer(shown(token, call.now))


def roll(call: Call) -> Answer:
    """PUT value: same id, new value; the old one dies at once, or after the revoke lag. `result` is the bare value.

    A disabled token is rolled and stays disabled; an expired or revoked one is refused (chosen).
    """
    owner = call.owner()
    auth.require_tokens(call.world, call.admitted, owner, TOKEN_WRITE)
    if call.body:
        call.json()
    token = _find(call, owner)
    status = token.status(call.now)
    if status not in (ACTIVE, DISABLED):
        raise Refusal("not_rollable", status=status)
    call.world.replace_value(token, new_value(owner.type), call.now)
    return Answer(token.value)


def delete(call: Call) -> Answer:
    """DELETE: the token is gone at once from get and list; its value dies after the revoke lag."""
    owner = call.owner()
    auth.require_tokens(call.world, call.admitted, owner, TOKEN_WRITE)
    token = _find(call, owner)
    if token.managed:
        raise Refusal("managed")
    token.deleted_on = call.now
    token.accepted_until = call.now + call.world.settings.revoke_lag
    call.world.unsaved += 1
    return Answer({"id": token.id})


def verify(call: Call) -> Answer:
    """GET verify: a token asks about itself, on the endpoint of its own kind of owner; needs no permission.

    Expired and disabled tokens are told so with 200 (the documented enum); a dead value, a value that has not
    propagated and the wrong endpoint all answer 401/1000.
    """
    if call.presented.bearer is None and call.presented.key is None:
        raise Refusal("missing_token")
    caller = call.caller
    if caller is None or caller.token is None or not caller.settled:
        raise Refusal("invalid_token")
    token = caller.token
    account_id = call.params.get("account_id")
    if (token.owner.type == "user") != (account_id is None) or account_id not in (None, token.owner.id):
        raise Refusal("invalid_token")
    if not auth.welcome(caller, call.ip):
        raise Refusal("wrong_location", ip=call.ip)
    result = {"id": token.id, "status": token.standing(call.now)}
    if token.not_before is not None:
        result["not_before"] = rfc3339(token.not_before)
    if token.expires_on is not None:
        result["expires_on"] = rfc3339(token.expires_on)
    good = {"code": 10000, "message": "This API Token is valid and active", "type": None}
    return Answer(result, messages=[good] if auth.usable(caller, call.now) else [])


def _find(call: Call, owner: Owner) -> Token:
    token = call.world.tokens.get(call.params["token_id"])
    if token is None or token.owner != owner or token.deleted_on is not None:
        raise Refusal("token_not_found")
    return token


def _name(body: dict[str, Any]) -> str:
    name = body.get("name")
    if not isinstance(name, str) or not 1 <= len(name) <= NAME_MOST:
        raise Refusal("bad_name")
    return name


def _times(body: dict[str, Any], now: float, kept_expiry: float | None) -> tuple[float | None, float | None]:
    """`not_before` and `expires_on`; an expiry in the past is refused unless it is the one the token has already."""
    found: list[float | None] = []
    for key in ("not_before", "expires_on"):
        sent = body.get(key)
        try:
            found.append(None if sent is None else parse_rfc3339(sent))
        except ValueError:
            raise Refusal("bad_field", why=f"{key} must be an RFC 3339 time") from None
    not_before, expires_on = found
    if expires_on is not None and expires_on <= now and (kept_expiry is None or int(kept_expiry) != int(expires_on)):
        raise Refusal("bad_field", why="expires_on must be in the future")
    if not_before is not None and expires_on is not None and expires_on <= not_before:
        raise Refusal("bad_field", why="expires_on must be after not_before")
    return not_before, expires_on


def _wanted_disabled(body: dict[str, Any], token: Token, now: float) -> bool:
    wanted = body.get("status")
    status = token.status(now)
    if status == REVOKED and wanted not in (None, REVOKED):
        raise Refusal("revoked")
    if wanted is None or wanted == status:
        return token.disabled
    if wanted not in (ACTIVE, DISABLED):
        raise Refusal("bad_field", why="status must be active or disabled")
    return bool(wanted == DISABLED)


def _credit(world: World, token: Token, caller: Caller) -> None:
    """Account tokens say who made them."""
    if caller.token is not None:
        token.provisioner_type, token.provisioner_id = "token", caller.token.id
    elif caller.user is not None:
        token.provisioner_id, token.creator_email = caller.user.id, caller.user.email


def _check_quota(world: World, owner: Owner) -> None:
    """Every token that was not deleted counts, expired ones too (chosen: no source says)."""
    limit = world.settings.user_quota if owner.type == "user" else world.settings.account_quota
    if len(world.owned(owner)) >= limit:
        raise Refusal("quota", limit=limit)
