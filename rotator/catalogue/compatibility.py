"""What a token that an account owns cannot do: products that accept user tokens only, and everything of user scope.

Source: the compatibility matrix of https://developers.cloudflare.com/fundamentals/api/get-started/account-owned-tokens/
as of 2026-04-20. Cloudflare adds products from time to time, so a product of this list is a warning, never a refusal;
user scope is a refusal, because an account has no user's memberships or details.
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
        "Zero Trust Client Platform": ("Cloudflare One Connector: WARP ", "Access: Device Posture "),
    }
)
"""Product -> how the names of its permission groups begin."""


def account_token_warning(group: Group) -> str | None:
    """Return why a token owned by an account may not be able to use this permission, None where it can."""
    if group.scope is Scope.USER:
        return (
            f"{group.name!r} is a permission on a user, and an account-owned token has none; "
            "use `owner: user` for this credential or leave the permission out"
        )
    for product, beginnings in USER_TOKENS_ONLY.items():
        if group.name.startswith(beginnings):
            return (
                f"{group.name!r}: {product} did not accept account-owned tokens when this catalogue was made; "
                "use `owner: user` for this credential if its calls are refused"
            )
    return None
