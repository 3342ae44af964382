"""What the token of a credential will be: what the dashboard shows before "Create Token". Pure, from the configuration.

Names stand as the configuration has them; what is written by id is told by id. Nobody is asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from rotator.catalogue import Scope
from rotator.config.models import CredentialStanza
from rotator.core.credential import NEVER
from rotator.sources.cloudflare.options import ALL, ById, CredentialOptions, Grant, RequestIp
from rotator.sources.cloudflare.wanted import wanted

ALLOW, DENY = "allow", "deny"


def summary(stanza: CredentialStanza, account_id: str | None) -> dict[str, Any]:
    """Return name, owner, permissions by scope and resource, address limits and lifetime of the token to be made.

    Args:
        stanza: the credential.
        account_id: its connection's account.
    """
    options = stanza.source
    common = {
        "credential": stanza.name,
        "name": f"{stanza.name}~…",
        "owner": stanza.owner,
        "lifetime": None if stanza.common.lifetime == NEVER else stanza.common.lifetime,
    }
    if not isinstance(options, CredentialOptions):
        return common
    account = options.account_id or account_id
    return {
        **common,
        "account_id": account if options.owner == "account" else None,
        "not_before": options.not_before or None,
        "permissions": list(_permissions(options, account)),
        "request_ip": _limits(options.request_ip),
    }


def _permissions(options: CredentialOptions, account_id: str | None) -> Iterator[dict[str, Any]]:
    """One row for each permission and effect, with all of its resources."""
    found: dict[tuple[str, Scope, str], list[str]] = {}
    for grant in options.grants:
        for permission in wanted(grant)[0]:
            name = permission.group.name if permission.group else permission.id
            for effect, places in _places(permission.scope, grant, account_id):
                row = found.setdefault((effect, permission.scope, name), [])
                row += [place for place in places if place not in row]
    order = {scope: number for number, scope in enumerate(Scope)}
    for (effect, scope, name), places in sorted(found.items(), key=lambda item: (order[item[0][1]], item[0][0])):
        yield {"scope": scope.value, "permission": name, "effect": effect, "resources": places}


def _places(scope: Scope, grant: Grant, account_id: str | None) -> Iterator[tuple[str, list[str]]]:
    if scope is Scope.USER:
        yield ALLOW, ["the user"]
    elif scope is Scope.BUCKET:
        named = [f"{b.name} ({b.jurisdiction})" for b in grant.buckets] if isinstance(grant.buckets, tuple) else None
        yield ALLOW, named or [f"all buckets of the account {account_id}"]
    elif scope is Scope.ACCOUNT:
        yield ALLOW, _accounts(grant, account_id)
    elif isinstance(grant.zones, tuple):
        yield ALLOW, [_zone(zone) for zone in grant.zones]
    else:
        of = (
            ["all zones of all accounts"]
            if grant.accounts == ALL
            else [f"all zones of {account}" for account in _accounts(grant, account_id)]
        )
        yield ALLOW, of
        if grant.except_zones:
            yield DENY, [_zone(zone) for zone in grant.except_zones]


def _accounts(grant: Grant, account_id: str | None) -> list[str]:
    if grant.accounts == ALL:
        return ["all accounts"]
    return [f"the account {each}" for each in (grant.accounts if isinstance(grant.accounts, tuple) else (account_id,))]


def _zone(zone: str | ById) -> str:
    return f"the zone {zone.id}" if isinstance(zone, ById) else zone


def _limits(request_ip: RequestIp | None) -> dict[str, list[str]] | None:
    if request_ip is None:
        return None
    sides: Iterable[tuple[str, Any]] = (("in", request_ip.in_), ("not_in", request_ip.not_in))
    return {side: list(blocks) for side, blocks in sides if blocks}
