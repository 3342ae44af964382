"""What a target's `keys` may name, and what it is for one token. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

from rotator.core.ids import TokenId
from rotator.core.instants import rfc3339
from rotator.core.secret import Secret

NAMES: Final = frozenset(
    {
        "token.value",
        "token.id",
        "token.expires_on",
        "token.owner",
        "account.id",
        "r2.access_key_id",
        "r2.secret_access_key",
    }
)
"""Names of all outputs, for the configuration."""


VALUES: Final = ("token.value", "r2.secret_access_key")
"""Outputs by which a value can be told: the value itself, and what is derived from it alone."""


def constants(owner: str, account_id: str | None) -> Mapping[str, Secret]:
    """Return the outputs that are the same for every token of a credential."""
    found = {"token.owner": Secret(owner)}
    return {**found, "account.id": Secret(account_id)} if account_id else found


def available(account_id: str | None) -> frozenset[str]:
    """Return the names of the outputs that exist with, or without, an account id."""
    return NAMES if account_id else NAMES - {"account.id"}


NEVER_EXPIRES: Final = "never"


def outputs(
    *, token_id: TokenId, value: Secret, expires_at: float, owner: str, account_id: str | None
) -> Mapping[str, Secret]:
    """Return every output of one token.

    The R2 pair follows Cloudflare's rule: the access key id is the token's id, the secret key the SHA-256 of its value
    in hexadecimal. Source: https://developers.cloudflare.com/r2/api/tokens/

    Args:
        token_id: id at the provider.
        value: its value.
        expires_at: unix seconds, `NEVER` without expiry (told as `never`).
        owner: `user` or `account`.
        account_id: absent from the outputs if None.
    """
    return {
        **constants(owner, account_id),
        "token.value": value,
        "token.id": Secret(token_id),
        "token.expires_on": Secret(rfc3339(expires_at) or NEVER_EXPIRES),
        "r2.access_key_id": Secret(token_id),
        "r2.secret_access_key": Secret(hashlib.sha256(value.reveal().encode()).hexdigest()),
    }
