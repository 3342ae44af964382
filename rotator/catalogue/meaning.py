"""Which one group a written permission means in a grant, and what is said where it means none or several."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Final

from rotator.catalogue.groups import LEVELS, Group, Scope, all_groups
from rotator.catalogue.spelling import Spelling, bases, fits, former, spelling
from rotator.core.errors import ConfigError

BY_ID: Final = (
    "write {id: ...} with the id that GET /accounts/ACCOUNT_ID/tokens/permission_groups"
    " (for a user's token: /user/tokens/permission_groups) shows for it"
)
SEARCH: Final = "`rotator permissions` lists all names"

_ON: Final = {
    Scope.ACCOUNT: ("on an account", "put it into a grant of its own, without zones and buckets"),
    Scope.ZONE: ("on zones", "put it into a grant with zones: [...] or zones: all"),
    Scope.BUCKET: ("on buckets", "put it into a grant with buckets: [...]"),
    Scope.USER: ("on a user", "put it into a grant of its own, without zones, buckets and accounts"),
}


NEAR: Final = 0.78
"""How alike two names must be (1 is equal) for one to be suggested in place of the other."""


@dataclass(frozen=True, slots=True)
class Meant:
    """The group that a spelling means, and what is worth a word about the spelling itself (or an empty text)."""

    group: Group
    remark: str = ""


def meaning(text: str, scopes: Iterable[Scope]) -> Meant:
    """Return the one group that a written permission means.

    Args:
        text: as anybody writes it.
        scopes: those that the grant's resources allow.

    Raises:
        ConfigError: it fits none, or several of the scopes (all are listed), or groups of another scope (the remedy
            says where to put it), or one whose id nobody knows.
    """
    among = frozenset(scopes)
    found = fits(text, among)
    inside = tuple(group for group in found if group.scope in among)
    if not found:
        raise _unknown(text, among)
    if not inside:
        raise _of_other(text, found[0].scope)
    if len(inside) > 1:
        listed = ", ".join(_told(group, inside) for group in inside)
        raise ConfigError(f"{text!r} fits {len(inside)} permissions: {listed}", "write one of them in full")
    group = inside[0]
    if not group.id:
        raise ConfigError(f"the id of the permission {group.name!r} is not public", BY_ID)
    new = former(text)
    remark = f"{text!r} is called {new!r} today" if new == group.name else ""
    return Meant(group, remark or (f"{group.name!r}: {group.deprecated}" if group.deprecated else ""))


def suggest(text: str, scopes: Iterable[Scope] = tuple(Scope), limit: int = 3) -> tuple[str, ...]:
    """Return names that were probably meant, best first: never of another level, never one without an id.

    Args:
        text: what was written.
        scopes: of the groups to choose from.
        limit: at most so many, >= 1.
    """
    said, among = _with_level(spelling(text)), frozenset(scopes)
    wanted = {said.base, said.base[1:]} if said.base[:1] and said.base[0] in set(Scope) else {said.base}
    scored = []
    for group in all_groups():
        if not group.id or group.scope not in among or said.level not in ("", spelling(group.name).level):
            continue
        score = max(_alike(" ".join(one), " ".join(other)) for one in wanted for other in bases(group))
        if score >= NEAR:
            scored.append((-score, group.name))
    return tuple(dict.fromkeys(name for _, name in sorted(scored)))[:limit]


def _with_level(said: Spelling) -> Spelling:
    """A spelling whose last word is a level that is misspelt ("Wirte") has that level."""
    if said.level or len(said.base) < 2:
        return said
    near = difflib.get_close_matches(said.base[-1], LEVELS, n=1, cutoff=0.6)
    return Spelling(said.base[:-1], LEVELS[near[0]]) if near and said.base not in _all_bases() else said


@cache
def _all_bases() -> frozenset[tuple[str, ...]]:
    return frozenset(base for group in all_groups() for base in bases(group))


def _alike(one: str, other: str) -> float:
    """How alike two names are, 0 to 1; one slip of the finger in a short name ("DSN", "D2") is near enough."""
    ratio = difflib.SequenceMatcher(None, one, other, autojunk=False).ratio()
    return max(ratio, NEAR) if one != other and _one_slip(one, other) else ratio


def _one_slip(one: str, other: str) -> bool:
    """Whether one letter was left out, added or exchanged, or two neighbours were swapped."""
    if abs(len(one) - len(other)) > 1:
        return False
    start = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    rest, left = one[start:], other[start:]
    swapped = rest[:2] == left[:2][::-1] and rest[2:] == left[2:]
    return rest[1:] == left[1:] or rest[1:] == left or rest == left[1:] or swapped


def _unknown(text: str, among: frozenset[Scope]) -> ConfigError:
    said = spelling(text)
    if said.level:
        others = [g for g in all_groups() if g.id and g.scope in among and said.base in bases(g)]
        if others:
            known = ", ".join(repr(g.name) for g in others)
            return ConfigError(f"there is no permission {text!r}: that product has {known}", "write one of them")
    if said.base[:1] and said.base[0] in set(Scope):  # a scope in front that is not the permission's own
        elsewhere = fits(" ".join((*said.base[1:], said.level)), among)
        if elsewhere:
            return _of_other(text, elsewhere[0].scope)
    near = suggest(text, among) or suggest(text)
    meant = f" (did you mean {' or '.join(repr(name) for name in near)}?)" if near else ""
    return ConfigError(f"the catalogue knows no permission {text!r}{meant}", f"{SEARCH}, or {BY_ID}")


def _of_other(text: str, scope: Scope) -> ConfigError:
    where, remedy = _ON[scope]
    return ConfigError(f"{text!r} is a permission {where}", remedy)


def _told(group: Group, beside: tuple[Group, ...]) -> str:
    """A group by name; by its scope too where another one has the same name."""
    twins = [other for other in beside if other.name == group.name]
    return f"{group.name!r} ({group.scope})" if len(twins) > 1 else repr(group.name)
