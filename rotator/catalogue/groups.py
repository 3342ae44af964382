"""Permission groups by name: which id a name of the configuration means, and what was meant where none matches.

The data lies beside this file and is read on first use. It is a snapshot: whether a group still exists at the
provider is asked at run time (`sources.cloudflare.management`), and `{id: ...}` always works for a group that
is missing here.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources

from rotator.core.errors import ConfigError

_NO_PUBLIC_ID = "-"


class Scope(StrEnum):
    """The kind of resource that a permission group applies to; a group of one scope does nothing on another."""

    ACCOUNT = "account"
    ZONE = "zone"
    USER = "user"
    BUCKET = "bucket"

    @property
    def api_name(self) -> str:
        """The scope as the API writes it (field `scopes` of a permission group)."""
        return _API_NAMES[self]


_API_NAMES = {
    Scope.ACCOUNT: "com.cloudflare.api.account",
    Scope.ZONE: "com.cloudflare.api.account.zone",
    Scope.USER: "com.cloudflare.api.user",
    Scope.BUCKET: "com.cloudflare.edge.r2.bucket",
}


@dataclass(frozen=True, slots=True)
class Group:
    """One permission group.

    Attributes:
        scope: what it applies to.
        id: 32 hex digits, or empty where Cloudflare documents the name but no public source knows the id.
        name: as the API writes it ("DNS Write"; the dashboard says "DNS Edit").
    """

    scope: Scope
    id: str
    name: str


@cache
def all_groups() -> tuple[Group, ...]:
    """Return every group of the catalogue, those without an id included."""
    text = resources.files(__package__).joinpath("permission_groups.txt").read_text(encoding="utf-8")
    found = []
    for line in text.splitlines():
        if line and not line.startswith("#"):
            scope, group_id, name = line.split(" ", 2)
            found.append(Group(Scope(scope), "" if group_id == _NO_PUBLIC_ID else group_id, name))
    return tuple(found)


@cache
def _by_name() -> dict[str, tuple[Group, ...]]:
    found: dict[str, tuple[Group, ...]] = {}
    for group in all_groups():
        found[group.name] = (*found.get(group.name, ()), group)
    return found


@cache
def _by_id() -> dict[str, Group]:
    return {g.id: g for g in all_groups() if g.id}


def named(name: str) -> tuple[Group, ...]:
    """Return every group of exactly that name: none, one, or one per scope."""
    return _by_name().get(name, ())


def by_id(group_id: str) -> Group | None:
    """Return the group of that id, None where the catalogue does not know it."""
    return _by_id().get(group_id)


def suggest(name: str, limit: int = 3, among: Iterable[str] | None = None) -> tuple[str, ...]:
    """Return names that were probably meant, best first; empty where nothing is near.

    The dashboard's "Edit" is the API's "Write", which is the most frequent slip.

    Args:
        name: what was written.
        limit: at most so many, >= 1.
        among: the names to choose from; all permission names if None.
    """
    folded = {n.casefold(): n for n in (_by_name() if among is None else among)}
    wanted = " ".join(name.split()).casefold()
    if wanted not in folded and wanted.count(":") == 2:  # the documentation's way of writing: "Zone:DNS:Edit"
        wanted = " ".join(part.strip() for part in wanted.split(":")[1:])
    for said, meant in ((" edit", " write"), (" view", " read")):
        if wanted.endswith(said):
            wanted = wanted.removesuffix(said) + meant
    near = difflib.get_close_matches(wanted, folded, n=limit, cutoff=0.6)
    return tuple(folded[n] for n in near)


def resolve(name: str, scope: Scope | None = None) -> Group:
    """Return the one group that `name` means.

    Args:
        name: exactly as the API writes it.
        scope: where the name exists in several scopes, which; None only accepts a name that is unique.

    Raises:
        ConfigError: no such name (with what was probably meant), the name has no public id, it exists in other scopes
            only, or it needs a scope to be unique.
    """
    groups = named(name)
    if not groups:
        near = suggest(name)
        meant = f"; did you mean {' or '.join(repr(n) for n in near)}?" if near else ""
        raise ConfigError(f"the catalogue knows no permission {name!r}{meant}", _BY_ID)
    fitting = [g for g in groups if scope in (None, g.scope)]
    if not fitting:
        scopes = " and ".join(g.scope for g in groups)
        raise ConfigError(
            f"the permission {name!r} exists for the scope {scopes}, not for {scope}",
            f"write it in a grant of the scope {scopes}",
        )
    if len(fitting) > 1:
        scopes = ", ".join(g.scope for g in fitting)
        raise ConfigError(f"the permission {name!r} exists in several scopes ({scopes})", "say which scope is meant")
    if not fitting[0].id:
        raise ConfigError(f"the id of the permission {name!r} is not public", _BY_ID)
    return fitting[0]


_BY_ID = (
    "write {id: ...} with the id that GET /accounts/ACCOUNT_ID/tokens/permission_groups"
    " (for a user's token: /user/tokens/permission_groups) shows for it"
)
