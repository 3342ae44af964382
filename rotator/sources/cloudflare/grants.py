"""From grants to policies: names become ids, and every scope gets a policy of its own.

A permission group does nothing on a resource of another scope, so account, zone, bucket and user permissions never
share a policy. Source: https://developers.cloudflare.com/fundamentals/api/how-to/create-via-api/ (resources, effects).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from rotator import catalogue
from rotator.catalogue import Scope
from rotator.sources.cloudflare.check import group_of
from rotator.sources.cloudflare.options import ALL, ById, CredentialOptions, Grant
from rotator.sources.cloudflare.policies import DENY, Policy

ACCOUNT = "com.cloudflare.api.account"
ZONE = "com.cloudflare.api.account.zone"
USER = "com.cloudflare.api.user"
BUCKET = "com.cloudflare.edge.r2.bucket"

Resources = Mapping[str, str | Mapping[str, str]]


class Directory(Protocol):
    """Who turns names into ids at the provider; may ask it, and may raise what such a read raises."""

    def zone_id(self, name: str, account_id: str | None) -> str:
        """Return the id of the zone of that name, of that account if one is given."""

    def user_id(self) -> str:
        """Return the id of the user that owns the user tokens."""


def policies_of(options: CredentialOptions, account_id: str | None, directory: Directory) -> tuple[Policy, ...]:
    """Return the policies that the grants mean, in their order.

    Args:
        options: validated, and without fatal complaint of `check`.
        account_id: the account of the credential, or of its connection.
        directory: asked for zone names and for the user only where they are needed.

    Raises:
        ConfigError: a permission does not fit its grant; `check` says so earlier.
        Refused, Unavailable, RateLimited: from the directory.
    """
    return tuple(p for grant in options.grants for p in _of_grant(grant, account_id, directory))


def _of_grant(grant: Grant, account_id: str | None, directory: Directory) -> Iterator[Policy]:
    by_scope: dict[Scope, list[str]] = {}
    for permission in grant.permissions:
        scope, group_id = _scoped(permission, grant)
        by_scope.setdefault(scope, []).append(group_id)
    for scope, groups in by_scope.items():
        ids = tuple(dict.fromkeys(groups))
        yield Policy(groups=ids, resources=_resources(scope, grant, account_id, directory))
        if scope is Scope.ZONE and grant.except_zones:
            yield Policy(effect=DENY, groups=ids, resources=_zones(grant.except_zones, account_id, directory))


def _scoped(permission: str | ById, grant: Grant) -> tuple[Scope, str]:
    """An id is taken as it is: of the grant's scope, unless the catalogue knows that it is a user's."""
    if isinstance(permission, ById):
        known = catalogue.by_id(permission.id)
        of_user = known is not None and known.scope is Scope.USER and grant.scope is Scope.ACCOUNT
        return (Scope.USER if of_user else grant.scope), permission.id
    group = group_of(permission, grant)
    return group.scope, group.id


def _resources(scope: Scope, grant: Grant, account_id: str | None, directory: Directory) -> Resources:
    if scope is Scope.USER:
        return {f"{USER}.{directory.user_id()}": "*"}
    if scope is Scope.BUCKET:
        return _buckets(grant, account_id)
    accounts = (account_id or "",) if grant.accounts is None else grant.accounts
    if scope is Scope.ACCOUNT:
        return {f"{ACCOUNT}.{a}": "*" for a in ("*" if accounts == ALL else accounts)}
    if grant.zones is not None and grant.zones != ALL:
        return _zones(grant.zones, account_id, directory)
    if accounts == ALL:
        return {f"{ZONE}.*": "*"}
    # Nested under the account: the flat form means every account, and tokens owned by an account are refused it.
    return {f"{ACCOUNT}.{a}": {f"{ZONE}.*": "*"} for a in accounts}


def _zones(zones: tuple[str | ById, ...], account_id: str | None, directory: Directory) -> Resources:
    ids = (z.id if isinstance(z, ById) else directory.zone_id(z, account_id) for z in zones)
    return {f"{ZONE}.{zone_id}": "*" for zone_id in ids}


def _buckets(grant: Grant, account_id: str | None) -> Resources:
    if grant.buckets is None or grant.buckets == ALL:
        return {f"{ACCOUNT}.{account_id}": {f"{BUCKET}.*": "*"}}
    return {f"{BUCKET}.{account_id}_{b.jurisdiction}_{b.name}": "*" for b in grant.buckets}
