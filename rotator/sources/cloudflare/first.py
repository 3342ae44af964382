"""What a connection's management token must hold, and whose it must be: told by the credentials that it serves. Pure.

A token of an account hands on to single zones only what it holds there itself (1001), so it holds that too; tokens that
manage tokens are made by people, or with the Global API Key, never by a token.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from rotator.catalogue import Scope, meaning
from rotator.sources.cloudflare.grants import ACCOUNT, USER, ZONE
from rotator.sources.cloudflare.options import CredentialOptions
from rotator.sources.cloudflare.policies import TokenPolicy
from rotator.sources.cloudflare.wanted import wanted

OwnerKind: TypeAlias = Literal["user", "account"]

_ACCOUNTS: Final = ("Account API Tokens Write", "Account API Tokens Read", "Account Settings Read")
_SEES: Final = ("Account Settings Read",)
_USERS: Final = ("API Tokens Write", "API Tokens Read", "User Details Read", "Memberships Read")
_ZONES: Final = ("Zone Read",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What the management token of a connection is needed for.

    Attributes:
        owner: whose it must be: an account's serves that account alone, a user's everything that the user may.
        accounts: ids of the accounts whose tokens it manages; empty where there are none, or none is known.
        seen: ids of accounts that it must see without managing their tokens, so that `check` can tell them apart.
        on_zones: (name, id) of permissions that it must hold on zones to hand them on.
    """

    owner: OwnerKind
    accounts: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()
    on_zones: tuple[tuple[str, str], ...] = ()

    @property
    def rights(self) -> dict[Scope, tuple[tuple[str, str], ...]]:
        """What it holds, (name, id) by scope, in the order in which people are told."""
        found = {Scope.USER: _named(_USERS, Scope.USER)} if self.owner == "user" else {}
        if self.accounts:
            found[Scope.ACCOUNT] = _named(_ACCOUNTS, Scope.ACCOUNT)
        elif self.seen:
            found[Scope.ACCOUNT] = _named(_SEES, Scope.ACCOUNT)
        found[Scope.ZONE] = tuple(dict.fromkeys((*_named(_ZONES, Scope.ZONE), *self.on_zones)))
        return found

    def policies(self, user_id: str) -> tuple[TokenPolicy, ...]:
        """Return the policies of such a token; `user_id` is of its user, where a user owns it."""
        places = {
            Scope.USER: {f"{USER}.{user_id}": "*"},
            Scope.ACCOUNT: {f"{ACCOUNT}.{a}": "*" for a in self.accounts or self.seen},
            Scope.ZONE: {f"{ZONE}.*": "*"}
            if self.owner == "user"
            else {f"{ACCOUNT}.{a}": {f"{ZONE}.*": "*"} for a in self.accounts},
        }
        return tuple(
            TokenPolicy(groups=tuple(group for _, group in groups), resources=places[scope])
            for scope, groups in self.rights.items()
        )


def need(credentials: Sequence[CredentialOptions], account_id: str | None, owner: OwnerKind | None = None) -> Need:
    """Return what the management token of a connection must be able to do.

    Args:
        credentials: of all credentials on the connection.
        account_id: the connection's account.
        owner: whose it shall be, where somebody says so.
    """
    owners = {credential.owner for credential in credentials}
    accounts = [a for c in credentials if c.owner == "account" and (a := c.account_id or account_id)]
    if account_id and (not credentials or owner == "account"):
        accounts.append(account_id)
    found = tuple(dict.fromkeys(accounts))
    told: OwnerKind = owner or ("account" if "user" not in owners and len(found) == 1 else "user")
    seen = (account_id,) if account_id and account_id not in found else ()
    return Need(owner=told, accounts=found, seen=seen, on_zones=_handed_on(credentials) if told == "account" else ())


def _handed_on(credentials: Sequence[CredentialOptions]) -> tuple[tuple[str, str], ...]:
    """Permissions that are granted, or denied, on single zones."""
    found: dict[str, str] = {}
    for credential in credentials:
        for grant in credential.grants:
            if isinstance(grant.zones, tuple) or grant.except_zones:
                permissions, _ = wanted(grant)
                found |= {p.id: p.group.name if p.group else p.id for p in permissions if p.scope is Scope.ZONE}
    return tuple((name, group_id) for group_id, name in found.items())


def _named(names: Sequence[str], scope: Scope) -> tuple[tuple[str, str], ...]:
    return tuple((name, meaning(name, [scope]).group.id) for name in names)
