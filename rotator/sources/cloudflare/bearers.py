"""Who authenticates a request: an API token, or (for a bootstrap only) a user with e-mail and Global API Key.

The key belongs to one call of `rotator bootstrap`: nothing here, or anywhere, keeps or writes it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from rotator.core.secret import Secret

VALUE: Final = re.compile(r"[!-~]{1,512}")
"""What may stand in an Authorization header; a library would quote anything else in its exception."""


@dataclass(frozen=True, slots=True)
class GlobalKey:
    """A user who logs in with the Global API Key.

    Attributes:
        email: the address of the login at Cloudflare.
        key: the key, which may do everything that the user may.
    """

    email: str
    key: Secret


Bearer: TypeAlias = Secret | GlobalKey


def headers_of(bearer: Bearer | None) -> Mapping[str, str] | None:
    """Return the headers that authenticate a request, none for nobody; None where the bearer cannot stand in headers.

    Source: https://developers.cloudflare.com/fundamentals/api/get-started/keys/ (`X-Auth-Email`, `X-Auth-Key`).
    """
    if bearer is None:
        return {}
    if isinstance(bearer, GlobalKey):
        email, key = bearer.email, bearer.key.reveal()
        return {"X-Auth-Email": email, "X-Auth-Key": key} if VALUE.fullmatch(email) and VALUE.fullmatch(key) else None
    token = bearer.reveal()
    return {"Authorization": f"Bearer {token}"} if VALUE.fullmatch(token) else None
