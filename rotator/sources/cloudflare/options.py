"""What the configuration says to this source: the options of a connection, and the source's part of a credential.

Each model answers for itself only, by line and column; what needs two stanzas at once is `check`. Nothing here asks the
provider.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    Tag,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue

from rotator import catalogue
from rotator.config.fields import HexId, PositiveDuration, ServiceUrl, Stanza, Text, wrong
from rotator.config.models import RateBudget
from rotator.config.network import Reachable
from rotator.config.secret_ref import SecretRef
from rotator.sources.cloudflare.domains import plain_name

TYPE: Final = "cloudflare"
API_URL: Final = "https://api.cloudflare.com/client/v4"
CEILING: Final = (1200, 300.0)
"""Cloudflare's own limit, requests per seconds (docs reference/limits); a budget above it is refused."""

QUOTA: Final = {"user": 50, "account": 500}
"""Tokens that Cloudflare lets a user, an account have (docs reference/limits); more only by its support."""

ALL: Final = "all"
JURISDICTIONS: Final = ("default", "eu", "fedramp", "fedramp-high", "us")
"""Jurisdictions of R2 buckets that are known (docs r2/reference/data-location); others are taken with a warning."""


class ConnectionOptions(Reachable):
    """A login at Cloudflare: one management token, its account, its share of the rate limit.

    Attributes:
        account_id: the account whose tokens are managed, and the default of every credential here.
        user_id: the user that owns the user tokens; only needed where the management token cannot read itself.
        token: where the management token is read from, at each use.
        standby_token: a second management token; the two keep each other alive.
        keep: how: only their ends are moved, or they get new values, too.
        api_url: base of the API; plain http only for loopback (the sandbox).
        rate_budget: share of the provider's rate limit, over all processes on one journal.
    """

    account_id: HexId | None = None
    user_id: HexId | None = None
    token: SecretRef
    standby_token: SecretRef | None = None
    keep: Literal["extend", "roll"] = Field(
        "extend",
        description="How token and standby_token keep each other alive: extend moves their ends, which changes no"
        " value; roll gives them new values, too, where their files can be written.",
    )
    api_url: ServiceUrl = API_URL
    rate_budget: RateBudget = RateBudget()

    @model_validator(mode="after")
    def _keep_needs_two(self) -> Self:
        if "keep" in self.model_fields_set and self.standby_token is None:
            raise wrong(
                "`keep` says how two management tokens keep each other alive, and there is one",
                "expected standby_token beside it",
                "add standby_token, or remove keep",
            )
        return self


class ById(Stanza):
    """Something that is named by its id at Cloudflare and taken as it is."""

    id: HexId


HEX_ID: Final = re.compile(r"[0-9a-f]{32}")
"""An id at Cloudflare; no zone has such a name, for it has no dot."""


def _id_or_name(value: object) -> str:
    return "id" if isinstance(value, dict | ById) else "name"


def _plain_id(value: object) -> object:
    """An id that is written as it is, without `{id: ...}`."""
    plain = value.strip().lower() if isinstance(value, str) else ""
    return {"id": plain} if HEX_ID.fullmatch(plain) else value


def _zone_name(name: str) -> str:
    plain = plain_name(name)
    if "." not in plain or "*" in plain or "/" in plain:
        raise wrong("this is not the name of a zone", "expected a domain or an id", "write for example example.com")
    return plain


def _account_entry(value: str) -> str:
    plain = value.strip()
    return plain.lower() if HEX_ID.fullmatch(plain.lower()) else plain


_NAME_OR_ID: Final[JsonSchemaValue] = {
    "anyOf": [
        {"type": "string"},
        {
            "type": "object",
            "properties": {"id": {"type": "string", "pattern": "^[0-9a-fA-F]{32}$"}},
            "required": ["id"],
            "additionalProperties": False,
        },
    ]
}
Permission = Annotated[
    Annotated[Text, Tag("name")] | Annotated[ById, Tag("id")],
    Discriminator(_id_or_name),
    BeforeValidator(_plain_id),
    WithJsonSchema(_NAME_OR_ID),
]
Zone = Annotated[
    Annotated[Text, AfterValidator(_zone_name), Tag("name")] | Annotated[ById, Tag("id")],
    Discriminator(_id_or_name),
    BeforeValidator(_plain_id),
    WithJsonSchema(_NAME_OR_ID),
]
Account = Annotated[Text, AfterValidator(_account_entry)]


class Bucket(Stanza):
    """An R2 bucket outside the default jurisdiction."""

    name: Annotated[Text, Field(max_length=64, pattern=r"^[a-z0-9][a-z0-9-]*$")]
    jurisdiction: Annotated[Text, Field(max_length=64, pattern=r"^[a-z0-9][a-z0-9-]*$")] = "default"


def _as_bucket(value: object) -> object:
    return {"name": value} if isinstance(value, str) else value


def _only_all(value: object) -> object:
    if isinstance(value, str) and value != ALL:
        raise wrong("this is one name, not a list", "expected `all` or a list", "put it in brackets: [ … ]")
    return value


def _all_or_list(value: object) -> str:
    return "list" if isinstance(value, list | tuple) else "all"


def _some(values: tuple[Any, ...]) -> tuple[Any, ...]:
    if not values:
        raise wrong("the list is empty", "expected at least one entry", "name one, or leave the key out")
    return values


_All = Annotated[Literal["all"], BeforeValidator(_only_all), Tag("all")]
Zones = Annotated[
    _All | Annotated[tuple[Zone, ...], AfterValidator(_some), Tag("list")],
    Discriminator(_all_or_list),
]
Accounts = Annotated[
    _All | Annotated[tuple[Account, ...], AfterValidator(_some), Tag("list")],
    Discriminator(_all_or_list),
]
Buckets = Annotated[
    _All
    | Annotated[
        tuple[Annotated[Bucket, BeforeValidator(_as_bucket)], ...],
        AfterValidator(_some),
        Tag("list"),
        WithJsonSchema(
            {
                "type": "array",
                "minItems": 1,
                "items": {
                    "anyOf": [
                        {"type": "string"},
                        {
                            "type": "object",
                            "properties": {
                                "name": {"type": "string"},
                                "jurisdiction": {"type": "string", "examples": list(JURISDICTIONS)},
                            },
                            "required": ["name"],
                            "additionalProperties": False,
                        },
                    ]
                },
            }
        ),
    ],
    Discriminator(_all_or_list),
]


class Grant(Stanza):
    """What the token may do, on what: permissions of one scope with the resources of that scope.

    Without `zones` and `buckets` the permissions are of account scope (or of user scope). A permission of another scope
    than the grant's is an error: a zone would not narrow it.

    Attributes:
        permissions: names as anybody writes them, or `{id: ...}` taken as it is.
        template: instead of or beside permissions, those of a template of the dashboard, e.g. `edit_zone_dns`.
        zones: zone names or ids, or `all` zones of the account (with `accounts: all`: of every account).
        except_zones: with `zones: all`, the zones on which the permissions are denied.
        buckets: R2 buckets, or `all` of the account.
        accounts: names or ids of accounts in place of the connection's, or `all` that the user can reach.
    """

    permissions: Annotated[tuple[Permission, ...], AfterValidator(_some)] | None = None
    template: Text | None = None
    zones: Zones | None = None
    except_zones: Annotated[tuple[Zone, ...], AfterValidator(_some)] | None = None
    buckets: Buckets | None = None
    accounts: Accounts | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.permissions is None and self.template is None:
            raise wrong("the grant has no permissions", "expected permissions or template", "add permissions: [...]")
        if self.zones is not None and self.buckets is not None:
            raise wrong("zones and buckets stand in one grant", "expected one of them", "write two grants")
        if self.except_zones is not None and self.zones != ALL:
            raise wrong("except_zones needs zones: all", "expected zones: all beside it", "add zones: all")
        if self.accounts is not None and self.buckets is not None:
            raise wrong(
                "accounts and buckets stand in one grant",
                "expected buckets of one account",
                "set account_id of the credential instead",
            )
        if self.accounts is not None and self.zones not in (None, ALL):
            raise wrong(
                "accounts has no effect beside named zones", "expected zones: all or no zones", "remove accounts"
            )
        return self

    @property
    def scope(self) -> catalogue.Scope:
        """The scope that this grant's resources are of; user scope hides among the account's."""
        if self.zones is not None:
            return catalogue.Scope.ZONE
        return catalogue.Scope.BUCKET if self.buckets is not None else catalogue.Scope.ACCOUNT


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError:
        raise wrong(
            "this is not an address or block", "expected IPv4 or IPv6", "write for example 203.0.113.0/24"
        ) from None


Network = Annotated[Text, AfterValidator(_network)]


class RequestIp(Stanza):
    """From which addresses the token may be used; a side that is not given does not restrict."""

    in_: Annotated[tuple[Network, ...], AfterValidator(_some)] | None = Field(default=None, alias="in")
    not_in: Annotated[tuple[Network, ...], AfterValidator(_some)] | None = None

    @model_validator(mode="after")
    def _restricts(self) -> Self:
        if self.in_ is None and self.not_in is None:
            raise wrong("request_ip restricts nothing", "expected in or not_in", "add a list, or remove request_ip")
        return self


ELSEWHERE: Final = (
    "add this host's address to the credential's request_ip, "
    "or write `verify: get` if only other hosts may use the token"
)
"""What to do where an address restriction keeps this host from using the token that it has to prove."""


LATEST_START: Final = 45 * 60.0
"""Seconds; a token that is not accepted for an hour is taken for a bad one."""


class CredentialOptions(Stanza):
    """The source's part of a credential: whose token it is, what it may do, from where.

    Attributes:
        owner: `account` (survives the people who made it) or `user`.
        account_id: instead of the connection's.
        grants: at least one.
        request_ip: address restriction.
        probes: whether what the grants say is tried before a new value is published.
        not_before: seconds after its making at which a token begins to be valid.
        verify: how a new value is proven before it is published: `value` uses it once from this host, `get` only asks
            the management token, for tokens that this host may not use.
    """

    owner: Literal["user", "account"] = "account"
    account_id: HexId | None = None
    grants: Annotated[tuple[Grant, ...], AfterValidator(_some)]
    request_ip: RequestIp | None = None
    verify: Literal["value", "get"] = Field(
        "value",
        description="How a new value is proven: by using it once, or (tokens for other hosts only) by the "
        "management token's word.",
    )

    probes: Literal["auto", "none"] | None = Field(
        None,
        description="auto: before a new value is published, what its grants say is proven by reads, as "
        "`rotator token test` does; none by default.",
    )
    not_before: PositiveDuration | None = Field(
        None, description="How long after it was made a token begins to be valid; published only then."
    )

    @model_validator(mode="after")
    def _provable(self) -> Self:
        if self.not_before is not None and not self.verifies:
            raise wrong(
                "not_before and verify: get exclude each other",
                "expected a value that can be proven, else it would be published before it is valid",
                "remove one of them",
            )
        if self.not_before is not None and self.not_before > LATEST_START:
            raise wrong(
                "not_before is too long",
                f"expected at most {LATEST_START / 60:.0f} minutes: a new value is proven before it is published",
                "write for example 5m",
            )
        if self.probes == "auto" and not self.verifies:
            raise wrong(
                "probes: auto needs a token that this host may use", "expected verify: value", "remove one of them"
            )
        return self

    @property
    def proves(self) -> bool:
        """Whether what the grants say is tried before a new value is published."""
        return self.probes == "auto"

    @property
    def verifies(self) -> bool:
        """Whether a new value is proven by using it."""
        return self.verify == "value"

    @field_validator("grants", mode="before")
    @classmethod
    def _a_list(cls, value: object) -> object:
        if isinstance(value, dict):
            raise wrong("grants is not a list", "expected a list of grants", "write `- permissions: [...]`")
        return value
