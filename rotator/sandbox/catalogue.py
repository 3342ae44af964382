"""The permission groups that this local Cloudflare knows, from its own data file.

Read once, at first use. The daemon has a catalogue of its own: the sandbox must be able to contradict it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

ACCOUNT: Final = "com.cloudflare.api.account"
ZONE: Final = "com.cloudflare.api.account.zone"
USER: Final = "com.cloudflare.api.user"
BUCKET: Final = "com.cloudflare.edge.r2.bucket"

API_TOKENS_READ: Final = "0cc3a61731504c89b99ec1be78b77aa0"
API_TOKENS_WRITE: Final = "686d18d5ac6c441c867cbf6771e58a0a"
ACCOUNT_API_TOKENS_READ: Final = "eb56a6953c034b9d97dd838155666f06"
ACCOUNT_API_TOKENS_WRITE: Final = "5bc3f8b21c554832afc660159ab75fa4"
ZONE_READ: Final = "c8fed203ed3043cba015a93ad1616f1f"
ZONE_WRITE: Final = "e6d2666161e84845a636613608cee8d5"
ZONE_SETTINGS_READ: Final = "517b21aee92c4d89936c976ba6e4be55"
DNS_WRITE: Final = "4755a26eedb94da69e1066d98aa820be"
WORKERS_ROUTES_WRITE: Final = "28f4b596e7d643029c524985477ae49a"
MEMBERSHIPS_READ: Final = "3518d0f75557482e952c6762d3e64903"
MEMBERSHIPS_WRITE: Final = "9201bc6f42d440968aaab0c6f17ebb1d"
USER_DETAILS_READ: Final = "8acbe5bb0d54464ab867149d7f7cf8ac"
USER_DETAILS_WRITE: Final = "55a5e17cc99e4a3fa1f3432d262f2e55"
ACCOUNT_SETTINGS_READ: Final = "c1fde68c7bcc44588cbb6ddbc16d6480"

# A token that holds one of these may make tokens; no token may hand them on to another (code 1001).
TOKEN_MANAGERS: Final = frozenset({API_TOKENS_WRITE, ACCOUNT_API_TOKENS_WRITE})


@dataclass(frozen=True, slots=True)
class Group:
    """One permission group: what it is called and to which kind of resource it applies."""

    id: str
    name: str
    scope: str


@cache
def groups() -> dict[str, Group]:
    """All groups by id, in the order of the data file. Names are not unique; (name, scope) is."""
    text = files(__package__).joinpath("permission_groups.json").read_text(encoding="utf-8")
    return {row["id"]: Group(row["id"], row["name"], row["scope"]) for row in json.loads(text)}
