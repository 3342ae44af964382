"""From grants to policies: names become ids, and every scope gets a policy of its own.

A permission group does nothing on a resource of another scope, so account, zone, bucket and user permissions never
share a policy. Source: https://developers.cloudflare.com/fundamentals/api/how-to/create-via-api/ (resources, effects).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Literal, Protocol

from rotator.catalogue import Scope
from rotator.core.errors import ConfigError
from rotator.sources.cloudflare.options import ALL, HEX_ID, ById, CredentialOptions, Grant
from rotator.sources.cloudflare.policies import DENY, TokenPolicy
from rotator.sources.cloudflare.wanted import wanted

ACCOUNT = "com.cloudflare.api.account"
ZONE = "com.cloudflare.api.account.zone"
USER = "com.cloudflare.api.user"
BUCKET = "com.cloudflare.edge.r2.bucket"

Resources = Mapping[str, str | Mapping[str, str]]


class Directory(Protocol):
    """Who turns names into ids at the provider; may ask it, and may raise what such a read raises."""

    def zone_id(self, name: str, account_id: str | None) -> str:
        """Return the id of the zone of that name, of that account if one is given."""

    def account_named(self, name: str) -> str:
        """Return the id of the account of that name."""

    def user_id(self) -> str:
        """Return the id of the user that owns the user tokens."""


def policies_of(options: CredentialOptions, account_id: str | None, directory: Directory) -> tuple[TokenPolicy, ...]:
    """Return the policies that the grants mean, in their order, one for each effect and set of resources.

    Args:
        options: validated, and without fatal complaint of `check`.
        account_id: the account of the credential, or of its connection.
        directory: asked for zone names and for the user only where they are needed.

    Raises:
        ConfigError: a permission does not fit its grant; `check` says so earlier.
        Refused, Unavailable, RateLimited: from the directory.
    """
    return tuple(_merged(p for grant in options.grants for p in _of_grant(grant, account_id, directory)))


def _merged(policies: Iterable[TokenPolicy]) -> Iterator[TokenPolicy]:
    """One policy for the groups that are granted, or denied, on the same resources."""
    found: dict[str, TokenPolicy] = {}
    for policy in policies:
        key = json.dumps([policy.effect, policy.to_json()["resources"]], sort_keys=True)
        before = found.get(key)
        groups = (*before.groups, *policy.groups) if before else policy.groups
        found[key] = replace(policy, groups=tuple(dict.fromkeys(groups)))
    yield from found.values()


def _of_grant(grant: Grant, account_id: str | None, directory: Directory) -> Iterator[TokenPolicy]:
    found, wrong = wanted(grant)
    for complaint in wrong:
        if complaint.fatal:
            raise ConfigError(complaint.wrong, complaint.instead)
    by_scope: dict[Scope, list[str]] = {}
    for permission in found:
        by_scope.setdefault(permission.scope, []).append(permission.id)
    for scope, groups in by_scope.items():
        ids = tuple(dict.fromkeys(groups))
        yield TokenPolicy(groups=ids, resources=_resources(scope, grant, account_id, directory))
        if scope is Scope.ZONE and grant.except_zones:
            yield TokenPolicy(effect=DENY, groups=ids, resources=_zones(grant.except_zones, account_id, directory))


def _resources(scope: Scope, grant: Grant, account_id: str | None, directory: Directory) -> Resources:
    if scope is Scope.USER:
        return {f"{USER}.{directory.user_id()}": "*"}
    if scope is Scope.BUCKET:
        return _buckets(grant, account_id)
    accounts = _accounts(grant, account_id, directory)
    if scope is Scope.ACCOUNT:
        return {f"{ACCOUNT}.{a}": "*" for a in ("*" if accounts == ALL else accounts)}
    if grant.zones is not None and grant.zones != ALL:
        return _zones(grant.zones, account_id, directory)
    if accounts == ALL:
        return {f"{ZONE}.*": "*"}
    # Nested under the account: the flat form means every account, and tokens owned by an account are refused it.
    return {f"{ACCOUNT}.{a}": {f"{ZONE}.*": "*"} for a in accounts}


def _accounts(grant: Grant, account_id: str | None, directory: Directory) -> tuple[str, ...] | Literal["all"]:
    if grant.accounts is None:
        return (account_id or "",)
    if grant.accounts == ALL:
        return ALL
    return tuple(a if HEX_ID.fullmatch(a) else directory.account_named(a) for a in grant.accounts)


def _zones(zones: tuple[str | ById, ...], account_id: str | None, directory: Directory) -> Resources:
    ids = (z.id if isinstance(z, ById) else directory.zone_id(z, account_id) for z in zones)
    return {f"{ZONE}.{zone_id}": "*" for zone_id in ids}


def _buckets(grant: Grant, account_id: str | None) -> Resources:
    if grant.buckets is None or grant.buckets == ALL:
        return {f"{ACCOUNT}.{account_id}": {f"{BUCKET}.*": "*"}}
    return {f"{BUCKET}.{account_id}_{b.jurisdiction}_{b.name}": "*" for b in grant.buckets}
