"""The state of the simulated provider: accounts, zones, users, tokens, and what is true of them at a given time.

Pure data and rules of reading it; no sockets, no JSON, no clock of its own (`now` is always given). Everything that
changes it runs under `World.lock`. Values stand here in plain text, as they must somewhere in a provider; nothing in
this package logs them.
"""

from __future__ import annotations

import hashlib
import secrets
import string
import threading
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from rotator.sandbox.clock import ProviderClock

OwnerType = Literal["user", "account"]

ACTIVE: Final = "active"
DISABLED: Final = "disabled"
EXPIRED: Final = "expired"
REVOKED: Final = "revoked (exposed)"
DELETED: Final = "deleted"

_PREFIX: Final = {"user": "cfut_", "account": "cfat_", "key": "cfk_"}
_ALNUM: Final = string.ascii_letters + string.digits


def new_id() -> str:
    """A fresh identifier: 32 hexadecimal digits."""
    return secrets.token_hex(16)


def new_value(kind: Literal["user", "account", "key"]) -> str:
    """A fresh secret of the 2026 format: prefix, 40 letters and digits, 8 hexadecimal digits.

    The real tail is a checksum of an unpublished algorithm; here it is random.
    """
    return _PREFIX[kind] + "".join(secrets.choice(_ALNUM) for _ in range(40)) + secrets.token_hex(4)


def sha256(value: str) -> str:
    """Hexadecimal SHA-256 of `value`, by which values are looked up and shown to the control interface."""
    return hashlib.sha256(value.encode("utf-8", "surrogateescape")).hexdigest()


@dataclass(frozen=True, slots=True)
class Owner:
    """Who owns a token: a user or an account."""

    type: OwnerType
    id: str


@dataclass(frozen=True, slots=True)
class Account:
    """An account; `created` in seconds of provider time."""

    id: str
    name: str
    created: float = 1704067200.0


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone of an account."""

    id: str
    name: str
    account_id: str


@dataclass(slots=True)
class User:
    """A person with a Global API Key, member of `account_ids`."""

    id: str
    email: str
    account_ids: list[str]
    key: str


@dataclass(slots=True)
class Former:
    """A value that a roll replaced; accepted until `accepted_until` (the revoke lag)."""

    sha256: str
    accepted_until: float


@dataclass(slots=True)
class Token:
    """One token, deleted ones included. Times are seconds of provider time."""

    id: str
    name: str
    owner: Owner
    value: str
    policies: list[dict[str, Any]]
    condition: dict[str, Any] | None
    issued_on: float
    modified_on: float
    not_before: float | None = None
    expires_on: float | None = None
    last_used_on: float | None = None
    deleted_on: float | None = None
    disabled: bool = False
    exposed: bool = False
    managed: bool = False  # by Cloudflare itself: can never be deleted
    accepted_from: float = 0.0  # the verify lag: earlier, its value is not accepted yet
    listed_from: float = 0.0  # the list lag: earlier, a listing does not show it
    accepted_until: float = 0.0  # the revoke lag: once deleted, its value is accepted until then
    former: list[Former] = field(default_factory=list)
    creator_email: str = ""
    provisioner_type: str = "user"
    provisioner_id: str | None = None

    def status(self, now: float) -> str:
        """What the token is at `now`; `deleted` is shown to the control interface only."""
        return DELETED if self.deleted_on is not None else self.standing(now)

    def standing(self, now: float) -> str:
        """As `status`, but a deleted token still counts as what it was: its value may outlive it by the revoke lag."""
        if self.exposed:
            return REVOKED
        if self.expires_on is not None and now >= self.expires_on:
            return EXPIRED
        return DISABLED if self.disabled else ACTIVE

    def group_ids(self) -> set[str]:
        """Every permission group that any policy names, whatever its effect."""
        return {group["id"] for policy in self.policies for group in policy["permission_groups"]}


@dataclass(slots=True)
class Settings:
    """What `/__sandbox__/settings` tunes. Lags and latency in seconds; no rate limit until one is set."""

    verify_lag: float = 0.0
    list_lag: float = 0.0
    revoke_lag: float = 0.0
    latency: float = 0.0
    rate_limit: tuple[int, float] | None = None  # requests, window in seconds
    user_quota: int = 50
    account_quota: int = 500


@dataclass
class World:
    """Everything that exists. `unsaved` counts changes that a state file must hold before the answer leaves."""

    accounts: dict[str, Account]
    zones: dict[str, Zone]
    users: dict[str, User]
    clock: ProviderClock = field(default_factory=ProviderClock)
    settings: Settings = field(default_factory=Settings)
    tokens: dict[str, Token] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)  # file name in the tokens folder -> token id
    unsaved: int = 0
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False)
    _by_hash: dict[str, str] = field(default_factory=dict, repr=False)

    def add(self, token: Token) -> None:
        """Take in a token with the values it has, and remember the change."""
        self.tokens[token.id] = token
        self._by_hash[sha256(token.value)] = token.id
        for old in token.former:
            self._by_hash[old.sha256] = token.id
        self.unsaved += 1

    def replace_value(self, token: Token, value: str, now: float) -> None:
        """Roll: `value` is accepted after the verify lag, the old one until the revoke lag is over."""
        token.former.append(Former(sha256(token.value), now + self.settings.revoke_lag))
        token.value = value
        token.accepted_from = now + self.settings.verify_lag
        token.modified_on = now
        self._by_hash[sha256(value)] = token.id
        self.unsaved += 1

    def holder(self, value: str, now: float) -> Token | None:
        """The token whose value this is, if the provider still knows the value at `now`.

        An expired or disabled token is found (its value is known, but not good for much); a deleted, exposed or
        rolled-away value is not, once the revoke lag is over.
        """
        digest = sha256(value)
        token = self.tokens.get(self._by_hash.get(digest, ""))
        if token is None or token.exposed:
            return None
        if token.deleted_on is not None and now >= token.accepted_until:
            return None
        if digest == sha256(token.value):
            return token
        return token if any(old.sha256 == digest and now < old.accepted_until for old in token.former) else None

    def current(self, value: str, token: Token) -> bool:
        """Whether `value` is the newest of `token` (and so subject to the verify lag)."""
        return secrets.compare_digest(value.encode(), token.value.encode())

    def owned(self, owner: Owner) -> list[Token]:
        """The tokens of `owner` that were not deleted, oldest first."""
        return [token for token in self.tokens.values() if token.owner == owner and token.deleted_on is None]

    def zone_ids(self, account_id: str) -> set[str]:
        """Ids of the zones of one account."""
        return {zone.id for zone in self.zones.values() if zone.account_id == account_id}
