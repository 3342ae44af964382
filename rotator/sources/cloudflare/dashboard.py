"""Links into Cloudflare's dashboard that open the form of a new token with its permissions filled in.

Source: https://developers.cloudflare.com/fundamentals/api/how-to/account-owned-token-template/ ; the keys of
a user's permissions are not in its table and were seen in use.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from rotator.catalogue import Scope
from rotator.catalogue.spelling import spelling
from rotator.sources.cloudflare.first import Need

KEYS: Final[Mapping[Scope, Mapping[str, str]]] = {
    Scope.USER: {"API Tokens": "api_tokens", "Memberships": "memberships", "User Details": "user_details"},
    Scope.ACCOUNT: {"Account API Tokens": "account_api_tokens", "Account Settings": "account_settings"},
    Scope.ZONE: {
        "Zone": "zone",
        "DNS": "dns",
        "Zone Settings": "zone_settings",
        "Analytics": "analytics",
        "Firewall Services": "firewall_services",
        "Page Rules": "page_rules",
        "Cache": "cache",
        "SSL and Certificates": "ssl_and_certificates",
        "Workers Routes": "workers_routes",
    },
}
"""Product -> its key in such a link; what has none is told beside the link."""

_TYPES: Final = {"write": "edit", "read": "read", "revoke": "revoke", "run": "run", "purge": "purge"}


@dataclass(frozen=True, slots=True)
class Form:
    """A pre-filled form.

    Attributes:
        link: opens it.
        by_hand: names of permissions that the link cannot carry, to be added there.
    """

    link: str
    by_hand: tuple[str, ...]


def form(need: Need, name: str) -> Form:
    """Return the form of a management token.

    Args:
        need: what it must hold.
        name: that the token gets.
    """
    keys: dict[tuple[str, str], None] = {}
    by_hand = []
    for scope, groups in need.rights.items():
        for group, _ in groups:
            found = _key(scope, group)
            if found is None:
                by_hand.append(group)
            else:
                keys[found] = None
    # Edit includes Read: the form knows one level for each key.
    writes = {key for key, kind in keys if kind == "edit"}
    listed = [{"key": key, "type": kind} for key, kind in keys if not (kind == "read" and key in writes)]
    return Form(_link(need, quote(json.dumps(listed, separators=(",", ":"))), quote(name)), tuple(by_hand))


def _link(need: Need, keys: str, name: str) -> str:
    if need.owner == "account":
        return f"https://dash.cloudflare.com/?to=/:account/api-tokens&permissionGroupKeys={keys}&name={name}"
    account = quote(need.accounts[0] if len(need.accounts) == 1 else "*")
    return (
        f"https://dash.cloudflare.com/profile/api-tokens?permissionGroupKeys={keys}"
        f"&accountId={account}&zoneId=all&name={name}"
    )


def _key(scope: Scope, group: str) -> tuple[str, str] | None:
    level = _TYPES.get(spelling(group).level)
    key = KEYS[scope].get(group.rpartition(" ")[0])
    return (key, level) if key and level else None


def steps(need: Need, form_: Form, lifetime_days: int | None) -> Sequence[str]:
    """Return what a person does with the form, one line each."""
    found = ["open the link, look over what is filled in, `Continue to summary`, `Create Token`"]
    if need.owner == "account" and len(need.accounts) == 1:
        found.append(f"where it asks for an account, choose {need.accounts[0]}; zone resources: all of its zones")
    if form_.by_hand:
        found.append(f"the link cannot carry these, add them in the form: {', '.join(form_.by_hand)}")
    if lifetime_days is not None:
        found.append(f"set a TTL of about {lifetime_days} days, and client IP addresses if this host has fixed ones")
    return found
