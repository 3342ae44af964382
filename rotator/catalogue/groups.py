"""Permission groups as Cloudflare knows them: scope, id and name, and where this knowledge comes from.

The data lies beside this file and is read on first use. It is a snapshot: whether a group still exists at the provider
is asked at run time, and `{id: ...}` always works for a group that is missing here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Final

_NO_PUBLIC_ID: Final = "-"
_DASHBOARD: Final = {"Write": "Edit"}


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

LEVELS: Final[Mapping[str, str]] = {
    "read": "read",
    "write": "write",
    "edit": "write",
    "revoke": "revoke",
    "run": "run",
    "purge": "purge",
    "report": "report",
    "admin": "admin",
    "send": "send",
    "bind": "bind",
}
"""Last word of a permission's name -> its level; the dashboard says "Edit" for the API's "Write"."""


@dataclass(frozen=True, slots=True)
class Group:
    """One permission group.

    Attributes:
        scope: what it applies to.
        id: 32 hex digits, or empty where Cloudflare documents the name but no public source knows the id.
        name: as the API writes it ("DNS Write").
        deprecated: why it should not be used any more, or empty.
    """

    scope: Scope
    id: str
    name: str
    deprecated: str = ""

    @property
    def dashboard_name(self) -> str:
        """The name as the dashboard writes it: `DNS (Edit)`; without a level the name alone."""
        base, _, last = self.name.rpartition(" ")
        if not base or last.casefold() not in LEVELS:
            return self.name
        return f"{base} ({_DASHBOARD.get(last, last)})" if last != "Purge" else f"{self.name} (Purge)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """The data file, read.

    Attributes:
        origin: where the data comes from, in words.
        date: when it was collected, `YYYY-MM-DD`.
        groups: all groups, those without an id included.
        renamed: former name -> name.
    """

    origin: str = ""
    date: str = ""
    groups: tuple[Group, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)


@cache
def catalogue() -> Catalogue:
    """Return the catalogue that ships with the program."""
    text = resources.files(__package__).joinpath("permission_groups.txt").read_text(encoding="utf-8")
    return parse(text)


def parse(text: str) -> Catalogue:
    """Read the format of the data file.

    Raises:
        ValueError: a line is none of its kinds.
    """
    about: dict[str, str] = {}
    renamed: dict[str, str] = {}
    ending: dict[str, str] = {}
    rows: list[tuple[Scope, str, str]] = []
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        word, _, rest = line.partition(" ")
        if word in ("origin", "date"):
            about[word] = rest
        elif word == "renamed":
            old, _, new = rest.partition(" = ")
            renamed[old] = new
        elif word == "deprecated":
            group_id, _, why = rest.partition(" ")
            ending[group_id] = why
        else:
            group_id, _, name = rest.partition(" ")
            rows.append((Scope(word), "" if group_id == _NO_PUBLIC_ID else group_id, name))
    groups = tuple(Group(scope, group_id, name, ending.get(group_id, "")) for scope, group_id, name in rows)
    return Catalogue(origin=about["origin"], date=about["date"], groups=groups, renamed=renamed)


def all_groups() -> tuple[Group, ...]:
    """Return every group of the catalogue, those without an id included."""
    return catalogue().groups


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
    """Return every group of exactly that API name: none, one, or one per scope."""
    return _by_name().get(name, ())


def by_id(group_id: str) -> Group | None:
    """Return the group of that id, None where the catalogue does not know it."""
    return _by_id().get(group_id)
