"""Policies and conditions as plain values: what is sent, and whether what the provider shows means the same.

The provider may return policies in another order, with ids and names added, grouped differently, with `request.ip`
instead of `request_ip`, or with empty conditions. So both sides are reduced to *atoms* (effect, permission group,
resource) and compared as sets: a policy grants every one of its groups on every one of its resources.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from rotator.core.plain import Json

Atom: TypeAlias = tuple[str, str, str]
Sides: TypeAlias = frozenset[tuple[str, frozenset[str]]]

ALLOW = "allow"
DENY = "deny"


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPolicy:
    """One access policy as it is sent.

    Attributes:
        effect: `allow` or `deny`; a denial wins.
        groups: ids of permission groups, all of one scope.
        resources: resource -> `*`, or account -> (nested resource -> `*`).
    """

    effect: str = ALLOW
    groups: tuple[str, ...]
    resources: Mapping[str, str | Mapping[str, str]]

    def to_json(self) -> dict[str, Json]:
        """Return the policy as the API takes it, without an id: a policy's id cannot be reused."""
        resources: dict[str, Json] = {
            key: value if isinstance(value, str) else dict(value) for key, value in self.resources.items()
        }
        return {
            "effect": self.effect,
            "permission_groups": [{"id": group} for group in self.groups],
            "resources": resources,
        }


def same_condition(wanted: Mapping[str, Sequence[str]], shown: object) -> bool:
    """Whether a `condition` restricts the same addresses as `wanted` (`in` / `not_in` -> blocks); absent is empty."""
    return _sides({"request_ip": wanted}) == _sides(shown)


def narrower(wanted: Mapping[str, Sequence[str]], shown: object) -> bool:
    """Whether `wanted` lets in no address that a `condition` keeps out; False where that is not certain."""
    theirs = _sides(shown)
    if theirs is None:
        return False
    ours = dict(_sides({"request_ip": wanted}) or ())
    before = dict(theirs)
    if not _within(before.get("not_in", frozenset()), ours.get("not_in", frozenset())):
        return False
    return "in" not in before or ("in" in ours and _within(ours["in"], before["in"]))


def _within(inner: frozenset[str], outer: frozenset[str]) -> bool:
    """Whether each block lies in one of the others."""
    try:
        blocks = [ipaddress.ip_network(text) for text in outer]
        return all(
            any(block.version == one.version and one.subnet_of(block) for block in blocks)  # type: ignore[arg-type]
            for one in map(ipaddress.ip_network, inner)
        )
    except ValueError:
        return False


def of_shown(shown: Mapping[str, object]) -> tuple[TokenPolicy, ...] | None:
    """Return the policies of a token object as they would be sent; None where one cannot be read."""
    listed = shown.get("policies")
    if not isinstance(listed, list) or atoms(listed) is None:
        return None
    return tuple(
        TokenPolicy(
            effect=str(policy["effect"]),
            groups=tuple(str(group["id"]) for group in policy["permission_groups"]),
            resources=policy["resources"],
        )
        for policy in listed
    )


def limits_of(condition: object) -> dict[str, tuple[str, ...]]:
    """Return the address restriction of a `condition`, `in` / `not_in` -> blocks; sides without one are left out."""
    return {side: tuple(sorted(blocks)) for side, blocks in _sides(condition) or () if blocks}


def atoms(policies: Iterable[object]) -> frozenset[Atom] | None:
    """Return every (effect, group, resource) that policies hold; None where one cannot be read: it equals nothing."""
    found: set[Atom] = set()
    for policy in policies:
        if not isinstance(policy, Mapping):
            return None
        effect, groups = policy.get("effect"), policy.get("permission_groups")
        places = _places(policy.get("resources"))
        if not isinstance(effect, str) or not isinstance(groups, list) or places is None:
            return None
        for group in groups:
            if not isinstance(group, Mapping) or not isinstance(group.get("id"), str):
                return None
            found.update((effect, group["id"], place) for place in places)
    return frozenset(found)


def _places(resources: object) -> list[str] | None:
    if not isinstance(resources, Mapping):
        return None
    found: list[str] = []
    for key, value in resources.items():
        if isinstance(value, Mapping):
            found += [f"{key}>{inner}={reach}" for inner, reach in value.items()]
        else:
            found.append(f"{key}={value}")
    return found


def _sides(condition: object) -> Sides | None:
    if condition is None:
        return frozenset()
    if not isinstance(condition, Mapping):
        return None
    request_ip = condition.get("request_ip", condition.get("request.ip"))
    if set(condition) - {"request_ip", "request.ip"} or not isinstance(request_ip, Mapping | None):
        return None
    found = set()
    for side, blocks in (request_ip or {}).items():
        if blocks is None:
            continue
        if isinstance(blocks, str) or not isinstance(blocks, Sequence):
            return None
        if blocks:
            found.add((side, frozenset(_block(b) for b in blocks)))
    return frozenset(found)


def _block(text: object) -> str:
    try:
        return str(ipaddress.ip_network(str(text), strict=False))
    except ValueError:
        return str(text)
