"""What is to be proven of a token: each permission on each resource, with the read that shows it where there is one.

From the grants of a credential, or from the policies of a token as its management token reads them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from rotator import catalogue
from rotator.catalogue import Group, Scope
from rotator.sources.cloudflare.grants import ACCOUNT, BUCKET, USER, ZONE
from rotator.sources.cloudflare.options import ALL, HEX_ID, ById, CredentialOptions, Grant
from rotator.sources.cloudflare.policies import ALLOW
from rotator.sources.cloudflare.wanted import wanted


@dataclass(frozen=True, slots=True)
class TrialPlace:
    """A resource: its kind, its id (empty for all of a kind where none is there to try), and its name for people."""

    scope: Scope
    id: str
    label: str
    account_id: str | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """One permission on one resource."""

    permission: str
    group_id: str
    group: Group | None
    place: TrialPlace

    @property
    def call(self) -> str | None:
        """The path of the read that shows it, None where there is none."""
        path = catalogue.probe_of(self.group) if self.group else None
        if path is None or not self.place.id:
            return None
        return path.replace("{account_id}", self.place.id).replace("{zone_id}", self.place.id)


class Directory(Protocol):
    """Who turns names into ids and finds one thing to try "all" on; may ask the provider."""

    def zone_id(self, name: str, account_id: str | None) -> str:
        """Return the id of the zone of that name."""

    def account_named(self, name: str) -> str:
        """Return the id of the account of that name."""

    def user_id(self) -> str:
        """Return the id of the user that owns the user tokens."""

    def some_zone(self, account_id: str | None) -> tuple[str, str] | None:
        """Return (id, name) of any zone of the account, or of any account; None where there is none."""


def of_grants(options: CredentialOptions, account_id: str | None, directory: Directory) -> list[Trial]:
    """Return what a credential's grants ask to be proven, in their order, each once."""
    found: dict[tuple[str, str, str], Trial] = {}
    for grant in options.grants:
        permissions, _ = wanted(grant)
        for permission in permissions:
            name = permission.group.name if permission.group else permission.id
            for place in _places(permission.scope, grant, account_id, directory):
                trial = Trial(name, permission.id, permission.group, place)
                found.setdefault((permission.id, place.id, place.label), trial)
    return list(found.values())


def of_policies(shown: Mapping[str, Any], account_id: str | None, directory: Directory) -> list[Trial]:
    """Return what the policies of a token allow, each permission on each resource once."""
    found: dict[tuple[str, str, str], Trial] = {}
    for policy in shown.get("policies") or ():
        if not isinstance(policy, dict) or policy.get("effect") != ALLOW:
            continue
        places = [
            p for resource in _resources(policy.get("resources")) for p in _place(*resource, account_id, directory)
        ]
        for entry in policy.get("permission_groups") or ():
            group_id = str(entry.get("id"))
            group = catalogue.by_id(group_id)
            name = group.name if group else str(entry.get("name") or group_id)
            for place in places:
                found.setdefault((group_id, place.id, place.label), Trial(name, group_id, group, place))
    return list(found.values())


def _places(scope: Scope, grant: Grant, account_id: str | None, directory: Directory) -> Iterator[TrialPlace]:
    if scope is Scope.USER:
        yield TrialPlace(scope, directory.user_id(), "the user")
    elif scope is Scope.BUCKET:
        names = ["all buckets"] if not isinstance(grant.buckets, tuple) else [b.name for b in grant.buckets]
        yield from (TrialPlace(scope, "", name, account_id) for name in names)
    elif scope is Scope.ACCOUNT:
        if grant.accounts == ALL:
            yield TrialPlace(scope, account_id or "", "all accounts", account_id)
        for each in (account_id or "",) if grant.accounts is None else grant.accounts if grant.accounts != ALL else ():
            found = each if HEX_ID.fullmatch(each) else directory.account_named(each)
            yield TrialPlace(scope, found, found if found == each else each, found)
    elif isinstance(grant.zones, tuple):
        for zone in grant.zones:
            zone_id = zone.id if isinstance(zone, ById) else directory.zone_id(zone, account_id)
            yield TrialPlace(scope, zone_id, zone_id if isinstance(zone, ById) else zone, account_id)
    else:
        yield _any_zone(account_id, directory)


def _any_zone(account_id: str | None, directory: Directory) -> TrialPlace:
    some = directory.some_zone(account_id)
    if some is None:
        return TrialPlace(Scope.ZONE, "", "all zones", account_id)
    return TrialPlace(Scope.ZONE, some[0], f"all zones, tried on {some[1]}", account_id)


def _resources(resources: object) -> Iterator[tuple[str, str | None]]:
    """(resource, account that it is nested in)."""
    for key, value in resources.items() if isinstance(resources, dict) else ():
        if isinstance(value, dict):
            yield from ((str(inner), str(key).removeprefix(f"{ACCOUNT}.")) for inner in value)
        else:
            yield str(key), None


def _place(resource: str, within: str | None, account_id: str | None, directory: Directory) -> Sequence[TrialPlace]:
    account = within if within not in (None, "*") else account_id
    if resource.startswith(f"{ZONE}."):
        zone_id = resource.removeprefix(f"{ZONE}.")
        return [_any_zone(account, directory) if zone_id == "*" else TrialPlace(Scope.ZONE, zone_id, zone_id, account)]
    if resource.startswith(f"{BUCKET}."):
        return [TrialPlace(Scope.BUCKET, "", resource.removeprefix(f"{BUCKET}."), account)]
    if resource.startswith(f"{USER}."):
        return [TrialPlace(Scope.USER, resource.removeprefix(f"{USER}."), "the user")]
    if resource.startswith(f"{ACCOUNT}."):
        found = resource.removeprefix(f"{ACCOUNT}.")
        every = found == "*"
        return [
            TrialPlace(Scope.ACCOUNT, (account_id or "") if every else found, "all accounts" if every else found, found)
        ]
    return []
