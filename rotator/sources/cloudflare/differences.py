"""How a token differs from what was asked for, in words.

Cloudflare may leave a permission group out of a new token without a word; then its name is said here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from rotator import catalogue
from rotator.core.drift import Difference, Part
from rotator.sources.cloudflare.policies import ALLOW, DENY, Atom, TokenPolicy, atoms, narrower, same_condition

UNREADABLE: Final = Difference(
    part=Part.POLICIES, message="its policies are shown in a way that cannot be read", widens=True
)
ADDRESSES: Final = "its address restriction is another one"


def differences(
    wanted: Sequence[TokenPolicy], request_ip: Mapping[str, Sequence[str]], shown: Mapping[str, object]
) -> tuple[Difference, ...]:
    """Return what is missing, what is too much, and whether the address restriction differs; empty where all is equal.

    Each says whether putting it right gives the token more than it has: a permission that is missing, a denial that is
    too much, an address from which it could not be used before.

    Args:
        wanted: the policies that the grants mean.
        request_ip: the address restriction, `in` / `not_in` -> blocks.
        shown: the token object as the provider shows it.
    """
    policies = shown.get("policies")
    ours, theirs = atoms([p.to_json() for p in wanted]), atoms(policies if isinstance(policies, list) else [None])
    if ours is None or theirs is None:
        return (UNREADABLE,)
    names = _names(policies)
    found = [
        *_lines(ours - theirs, ours, names, "is missing", widening=ALLOW),
        *_lines(theirs - ours, theirs, names, "is too much", widening=DENY),
    ]
    condition = shown.get("condition")
    if not same_condition(request_ip, condition):
        found.append(Difference(part=Part.CONDITION, message=ADDRESSES, widens=not narrower(request_ip, condition)))
    return tuple(found)


def _lines(
    part: frozenset[Atom], whole: frozenset[Atom], names: Mapping[str, str], what: str, *, widening: str
) -> Iterator[Difference]:
    """One line for each permission group: with its resources where only some of them are meant."""
    for effect, group in sorted({(e, g) for e, g, _ in part}, key=lambda pair: (_name(pair[1], names), pair)):
        here = {r for e, g, r in part if (e, g) == (effect, group)}
        everywhere = {r for e, g, r in whole if (e, g) == (effect, group)}
        kind = "permission" if effect == ALLOW else "denial of"
        place = "" if here == everywhere else f" on {', '.join(sorted(_place(r) for r in here))}"
        message = f"the {kind} {_name(group, names)}{place} {what}"
        yield Difference(part=Part.POLICIES, message=message, widens=effect == widening)


def _place(resource: str) -> str:
    return resource.removesuffix("=*").removeprefix("com.cloudflare.")


def _name(group_id: str, names: Mapping[str, str]) -> str:
    known = catalogue.by_id(group_id)
    return known.name if known else names.get(group_id, group_id)


def _names(policies: object) -> dict[str, str]:
    """Group id -> the name that the provider shows beside it."""
    found = {}
    for policy in policies if isinstance(policies, Iterable) else ():
        groups = policy.get("permission_groups") if isinstance(policy, Mapping) else None
        for group in groups if isinstance(groups, list) else ():
            if isinstance(group, Mapping) and isinstance(group.get("name"), str):
                found[str(group.get("id"))] = group["name"]
    return found
