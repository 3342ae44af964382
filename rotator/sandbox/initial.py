"""How a world begins: the default accounts, zones and user, the management tokens, and the tokens folder."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Final

from rotator.sandbox import catalogue
from rotator.sandbox.catalogue import ACCOUNT, USER, ZONE
from rotator.sandbox.state import write_private
from rotator.sandbox.tokens import make
from rotator.sandbox.world import Account, Owner, User, World, Zone, new_id, new_value

GLOBAL_API_KEY: Final = "global-api-key"
ROLES: Final = {
    "user-management": "user",
    "user-standby": "user",
    "account-management": "account",
    "account-standby": "account",
    "account-narrow": "account",
}
"""Role -> owner; the narrow one may create tokens and holds nothing else, as Cloudflare advises for such a token."""


def _id(letter: str, number: int) -> str:
    return f"{letter}{number:031d}"


def default_world() -> World:
    """Two accounts, three zones in the first, one user who is a member of both."""
    accounts = [Account(_id("a", 1), "Example Account"), Account(_id("a", 2), "Second Account")]
    names = ("example.com", "example.net", "example.org")
    zones = [Zone(_id("b", number), name, accounts[0].id) for number, name in enumerate(names, start=1)]
    user = User(_id("c", 1), "owner@example.com", [account.id for account in accounts], new_value("key"))
    return build(accounts, zones, [user])


def build(accounts: list[Account], zones: list[Zone], users: list[User]) -> World:
    """A world of these, without tokens."""
    return World(
        accounts={account.id: account for account in accounts},
        zones={zone.id: zone for zone in zones},
        users={user.id: user for user in users},
    )


def management_policies(owner: Owner, *, narrow: bool = False) -> list[dict[str, Any]]:
    """What a management token holds: reading and writing tokens, and unless it is narrow some rights on zones.

    Those are Zone Read, DNS Write, Zone Settings Read and Workers Routes Write, which an account's token can hand on to
    single zones only because it holds them; a user's token reads its user's details besides.
    """
    if owner.type == "user":
        own = [
            catalogue.API_TOKENS_WRITE,
            catalogue.API_TOKENS_READ,
            catalogue.MEMBERSHIPS_READ,
            catalogue.USER_DETAILS_READ,
        ]
        places: dict[str, Any] = {f"{ZONE}.*": "*"}
        self_resource = f"{USER}.{owner.id}"
    else:
        own = [catalogue.ACCOUNT_API_TOKENS_WRITE, catalogue.ACCOUNT_API_TOKENS_READ]
        places = {f"{ACCOUNT}.{owner.id}": {f"{ZONE}.*": "*"}}
        self_resource = f"{ACCOUNT}.{owner.id}"
    manages = _allow(own, {self_resource: "*"})
    on_zones = [catalogue.ZONE_READ, catalogue.DNS_WRITE, catalogue.ZONE_SETTINGS_READ, catalogue.WORKERS_ROUTES_WRITE]
    return [manages] if narrow else [manages, _allow(on_zones, places)]


def _allow(group_ids: list[str], resources: dict[str, Any]) -> dict[str, Any]:
    named = [{"id": each} for each in group_ids]
    return {"id": new_id(), "effect": "allow", "permission_groups": named, "resources": resources}


def add_management_tokens(world: World) -> None:
    """Give the first user and the first account their management tokens, as if made in the dashboard."""
    owners = {
        "user": Owner("user", next(iter(world.users))),
        "account": Owner("account", next(iter(world.accounts))),
    }
    now = world.clock.now()
    for role, owner_type in ROLES.items():
        owner = owners[owner_type]
        policies = management_policies(owner, narrow=role.endswith("-narrow"))
        token = make(world, owner, f"sandbox {role}", policies, now)
        token.provisioner_id = next(iter(world.users))
        world.add(token)
        world.roles[role] = token.id


def credentials(world: World) -> dict[str, str]:
    """The values of the management tokens that still exist, and the first user's Global API Key, by file name."""
    found = {
        role: world.tokens[token_id].value
        for role, token_id in world.roles.items()
        if token_id in world.tokens and world.tokens[token_id].deleted_on is None
    }
    return {**found, GLOBAL_API_KEY: next(iter(world.users.values())).key}


def write_credentials(world: World, folder: Path) -> None:
    """Write one file of mode 0600 per credential, without a newline at its end; makes the folder with mode 0700.

    Raises:
        OSError: the folder or a file cannot be written.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, value in credentials(world).items():
        write_private(folder / name, value)


def stable_id(*words: str) -> str:
    """An identifier made of words, for things of a world file that name none: the same at every start."""
    return hashlib.md5("\n".join(words).encode(), usedforsecurity=False).hexdigest()
