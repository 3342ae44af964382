"""From a token's policies back to grants: what a person would have written so that exactly these policies come of it.

Whatever is written is read again and compared (`differences`); what does not come back equal is not written at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic import ValidationError

from rotator import catalogue
from rotator.catalogue import Scope
from rotator.core.drift import summary
from rotator.core.errors import ConfigError, RotatorError
from rotator.sources.cloudflare import tokens
from rotator.sources.cloudflare.audit import Listed
from rotator.sources.cloudflare.differences import differences
from rotator.sources.cloudflare.grants import ACCOUNT, BUCKET, USER, ZONE, policies_of
from rotator.sources.cloudflare.management import WRITE
from rotator.sources.cloudflare.options import ALL, CredentialOptions
from rotator.sources.cloudflare.policies import ALLOW, DENY, atoms

Plain = dict[str, Any]
Key = tuple[frozenset[str], frozenset[str]]
"""Resources on which a permission is allowed, and on which it is denied."""

_SCOPES: Final[Mapping[str, Scope]] = {"zones": Scope.ZONE, "buckets": Scope.BUCKET}


class _Offline:
    """Names to ids where the ids are known already; nobody is asked."""

    def __init__(self, zones: Mapping[str, str], user: str | None) -> None:
        self._zones, self._user = {name: zone_id for zone_id, name in zones.items()}, user

    def zone_id(self, name: str, account_id: str | None) -> str:
        return self._zones[name]

    def account_named(self, name: str) -> str:
        raise KeyError(name)

    def user_id(self) -> str:
        return self._user or ""


def options_of(token: Listed, account_id: str | None, zones: Mapping[str, str]) -> Plain:
    """Return what a credential says to this source so that its tokens are like this one.

    Args:
        token: as listed.
        account_id: the connection's account.
        zones: zone id -> name; a zone whose name is not there, or not the only one of that name, is written by its id.

    Raises:
        ConfigError: no grants mean its policies, or no token can make one like it.
    """
    row, user = token.row, tokens.user_of(token.row)
    if tokens.groups_of(row) & frozenset(WRITE.values()):
        raise ConfigError(
            "it may create and change tokens, and no token can make one that does",
            "use it as the management token of a connection",
        )
    names = {zone: name for zone, name in zones.items() if list(zones.values()).count(name) == 1}
    plain: Plain = {"owner": token.owner, "grants": list(_grants(row, account_id, names))}
    limits = _request_ip(row.get("condition"))
    if limits:
        plain["request_ip"] = limits
    try:
        made = CredentialOptions(**plain)
        meant = policies_of(made, account_id, _Offline(names, user))
        sides = made.request_ip
        found = {"in": sides.in_ or (), "not_in": sides.not_in or ()} if sides else {}
        differs = summary(differences(meant, found, row))
    except (ValidationError, RotatorError, KeyError):
        differs = "they are of a shape that grants do not have"
    if differs:
        raise ConfigError(
            f"its policies cannot be written as grants: {differs}",
            "make a token with grants in its place, and delete it when nobody uses it any more",
        )
    return plain


def _grants(row: Mapping[str, Any], account_id: str | None, zones: Mapping[str, str]) -> Iterator[Plain]:
    shown = row.get("policies")
    held = atoms(shown if isinstance(shown, list) else [None])
    if held is None:
        raise ConfigError(
            "its policies are shown in a way that cannot be read", "look at it in the dashboard, and report it"
        )
    groups: dict[Key, list[str]] = {}
    for group in dict.fromkeys(_ordered(shown)):
        allowed = frozenset(place for effect, g, place in held if g == group and effect == ALLOW)
        denied = frozenset(place for effect, g, place in held if g == group and effect == DENY)
        groups.setdefault((allowed, denied), []).append(group)
    for (allowed, denied), ids in groups.items():
        for place in _places(allowed, denied, account_id, zones):
            yield {"permissions": [_permission(group, place, account_id) for group in ids], **place}


def _ordered(shown: Any) -> Iterator[str]:
    """Permission groups in the order in which the provider shows them."""
    for policy in shown:
        for group in policy["permission_groups"]:
            yield group["id"]


def _places(
    allowed: frozenset[str], denied: frozenset[str], account_id: str | None, zones: Mapping[str, str]
) -> Iterator[Plain]:
    """The resources of one or more grants; what fits none of them is lost here, and found by the comparison."""
    found = {place.removesuffix("=*") for place in allowed}
    without = [_zone(z.removesuffix("=*").removeprefix(f"{ZONE}."), zones) for z in sorted(denied)]
    except_: Plain = {"except_zones": without} if without else {}
    own, all_zones = f"{ACCOUNT}.{account_id}", f"{ZONE}.*"
    if found & {own} or any(place.startswith(f"{USER}.") for place in found):
        yield {}
    others = [p.removeprefix(f"{ACCOUNT}.") for p in sorted(found) if _is_account(p) and p != own]
    if "*" in others:
        yield {"accounts": ALL}
    if named := [account for account in others if account != "*"]:
        yield {"accounts": named}
    if f"{own}>{all_zones}" in found:
        yield {"zones": ALL, **except_}
    nested = [p.partition(">")[0].removeprefix(f"{ACCOUNT}.") for p in sorted(found) if p.endswith(f">{all_zones}")]
    if elsewhere := [account for account in nested if account != account_id]:
        yield {"zones": ALL, "accounts": elsewhere, **except_}
    if all_zones in found:
        yield {"zones": ALL, "accounts": ALL, **except_}
    single = [p.removeprefix(f"{ZONE}.") for p in sorted(found) if p.startswith(f"{ZONE}.") and p != all_zones]
    if single:
        yield {"zones": [_zone(zone, zones) for zone in single]}
    if f"{own}>{BUCKET}.*" in found:
        yield {"buckets": ALL}
    if buckets := [_bucket(p) for p in sorted(found) if p.startswith(f"{BUCKET}.{account_id}_")]:
        yield {"buckets": buckets}


def _is_account(place: str) -> bool:
    return place.startswith(f"{ACCOUNT}.") and ">" not in place and not place.startswith(f"{ZONE}.")


def _zone(zone_id: str, zones: Mapping[str, str]) -> str | Plain:
    return zones.get(zone_id) or {"id": zone_id}


def _bucket(place: str) -> str | Plain:
    jurisdiction, _, name = place.removeprefix(f"{BUCKET}.").partition("_")[2].partition("_")
    return name if jurisdiction == "default" else {"name": name, "jurisdiction": jurisdiction}


def _permission(group_id: str, place: Plain, account_id: str | None) -> str | Plain:
    """Its name where the catalogue reads that name as this group here, else its id."""
    known = catalogue.by_id(group_id)
    scope = next((of for key, of in _SCOPES.items() if key in place), None)
    scopes = [scope] if scope else [Scope.ACCOUNT, *([Scope.USER] if "accounts" not in place else [])]
    try:
        if known and catalogue.meaning(known.name, scopes).group.id == group_id:
            return known.name
    except ConfigError:
        pass
    return {"id": group_id}


def _request_ip(condition: object) -> Plain:
    shown = condition if isinstance(condition, Mapping) else {}
    limits = shown.get("request_ip", shown.get("request.ip"))
    return {side: list(blocks) for side, blocks in (limits or {}).items() if blocks}
