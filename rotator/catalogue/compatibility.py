"""What a token that an account owns cannot hold: permissions on a user, and products that accept user tokens only.

Source: the compatibility matrix of https://developers.cloudflare.com/fundamentals/api/get-started/account-owned-tokens/
as of 2026-04-20. Cloudflare adds products from time to time: a permission that is refused here by name can be written
as `{id: ...}`, which is only warned about.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from rotator.catalogue.groups import Group, Scope

USER_TOKENS_ONLY: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "Intel Data Platform": ("Intel ",),
        "Page Rules": ("Page Rules ",),
        "Registrar": ("Registrar ",),
        "Super Bot Fight Mode": ("Bot Management ",),
        "Turnstile": ("Turnstile ",),
    }
)
"""Product -> how the names of its permission groups begin."""

PERHAPS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"Zero Trust Client Platform": ("Cloudflare One Connector: WARP ", "Access: Device Posture ")}
)
"""The same where nobody says which permission groups belong to the product."""


def account_token_refusal(group: Group) -> str:
    """Return why a token owned by an account cannot hold this permission, or an empty text."""
    if group.scope is Scope.USER:
        return "it is a permission on a user, and an account has none"
    product = _product(group, USER_TOKENS_ONLY)
    return f"{product} accepts tokens of users only" if product else ""


def account_token_warning(group: Group) -> str:
    """Return why a token owned by an account may not be able to use this permission, or an empty text."""
    product = _product(group, PERHAPS)
    return f"{product} accepted tokens of users only when this catalogue was made" if product else ""


def _product(group: Group, table: Mapping[str, tuple[str, ...]]) -> str:
    return next((product for product, begins in table.items() if group.name.startswith(begins)), "")
