"""The templates that Cloudflare's dashboard offers when a token is created, by name, as permission names per scope.

Source: https://developers.cloudflare.com/fundamentals/api/reference/template/
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from functools import cache

from rotator.catalogue.groups import Scope, all_groups
from rotator.core.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """One template.

    Attributes:
        name: as the dashboard writes it.
        account: permission names of account scope.
        zone: permission names of zone scope.
        user: permission names of user scope; such a template needs a token owned by a user.
        every_account: the dashboard presets all accounts, not one.
        every_zone: the dashboard presets all zones, not a named one.
    """

    name: str
    account: tuple[str, ...] = ()
    zone: tuple[str, ...] = ()
    user: tuple[str, ...] = ()
    every_account: bool = False
    every_zone: bool = False


_FIXED = (
    Template(name="Edit zone DNS", zone=("DNS Write",)),
    Template(name="Read billing info", account=("Billing Read",), every_account=True),
    Template(name="Read analytics and logs", zone=("Analytics Read", "Logs Read")),
    Template(
        name="Edit Cloudflare Workers",
        account=(
            "Workers Scripts Write",
            "Workers KV Storage Write",
            "Workers Tail Read",
            "Workers R2 Storage Write",
            "Account Settings Read",
        ),
        zone=("Workers Routes Write",),
        user=("User Details Read", "Memberships Read"),
    ),
    Template(
        name="Edit load balancing configuration",
        account=("Load Balancing: Monitors and Pools Write",),
        zone=("Load Balancers Write",),
    ),
    Template(
        name="WordPress",
        account=("Account Settings Read",),
        zone=("Analytics Read", "Zone Read", "Zone Settings Write", "DNS Read", "Cache Purge"),
        every_account=True,
        every_zone=True,
    ),
    Template(name="Create Additional Tokens", user=("API Tokens Write",)),
)


@cache
def _read_all() -> Template:
    def reads(scope: Scope) -> tuple[str, ...]:
        return tuple(g.name for g in all_groups() if g.scope is scope and g.id and g.name.casefold().endswith(" read"))

    return Template(
        name="Read all resources",
        account=reads(Scope.ACCOUNT),
        zone=reads(Scope.ZONE),
        user=reads(Scope.USER),
        every_account=True,
        every_zone=True,
    )


TEMPLATES: tuple[str, ...] = (*(t.name for t in _FIXED), "Read all resources")
"""The names of all templates, in the dashboard's order."""

KEYS: tuple[str, ...] = tuple(name.casefold().replace(" ", "_") for name in TEMPLATES)
"""The same as they are written in the configuration: `edit_zone_dns`."""


def template(name: str) -> Template:
    """Return the template of that name: as a key of the configuration or as the dashboard writes it, in any case.

    Raises:
        ConfigError: there is none; the remedy lists all.
    """
    wanted = "_".join(name.casefold().replace("-", " ").replace("_", " ").split())
    if wanted == KEYS[-1]:
        return _read_all()
    for key, known in zip(KEYS, _FIXED, strict=False):
        if key == wanted:
            return known
    near = difflib.get_close_matches(wanted, KEYS, n=1, cutoff=0.6)
    meant = f" (did you mean {near[0]!r}?)" if near else ""
    raise ConfigError(f"there is no template {name!r}{meant}", f"the templates are: {', '.join(KEYS)}")
