"""The shape of a world file (`worldfile` says what it means). Imported only when there is one: it needs pydantic."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator


def _quoted(value: object) -> object:
    """An identifier made of digits only is a number to YAML, and loses its leading zeros."""
    if value is not None and not isinstance(value, str):
        raise ValueError("expected 32 hexadecimal digits; put them in quotes")
    return value


Identifier = Annotated[str, BeforeValidator(_quoted), Field(pattern=r"^[0-9a-f]{32}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class AccountModel(_Strict):
    """An account."""

    id: Identifier | None = None
    name: str = Field(min_length=1, max_length=100)


class UserModel(_Strict):
    """A user and the accounts it is a member of (by name or id; None: all)."""

    id: Identifier | None = None
    email: str = Field(min_length=3, pattern="@")
    accounts: list[str] | None = None


def _as_kept(name: str) -> str:
    """Return a zone's name as Cloudflare keeps it: in lower case, and in Unicode where somebody wrote `xn--`."""
    labels = name.lower().rstrip(".").split(".")
    try:
        return ".".join(x[4:].encode().decode("punycode") if x.startswith("xn--") else x for x in labels)
    except UnicodeError:
        raise ValueError("this is no name in its xn-- form") from None


class ZoneModel(_Strict):
    """A zone of an account (by name or id)."""

    id: Identifier | None = None
    name: Annotated[str, Field(min_length=1), AfterValidator(_as_kept)]
    account: str


class OwnerModel(_Strict):
    """Exactly one of the two."""

    account: str | None = None
    user: str | None = None

    @model_validator(mode="after")
    def _one(self) -> OwnerModel:
        if (self.account is None) == (self.user is None):
            raise ValueError("expected either account or user")
        return self


class TokenModel(_Strict):
    """A token that exists from the start."""

    id: Identifier | None = None
    name: str = Field(min_length=1, max_length=120)
    owner: OwnerModel
    policies: list[dict[str, Any]]
    condition: dict[str, Any] | None = None
    value: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_-]{40,80}$")
    not_before: str | None = None
    expires_on: str | None = None
    status: Literal["active", "disabled"] = "active"
    managed: bool = False

    @field_validator("not_before", "expires_on", mode="before")
    @classmethod
    def _yaml_time(cls, value: object) -> object:
        """YAML reads an unquoted time by itself, and drops its `Z`."""
        if isinstance(value, datetime):
            return value.isoformat() + ("" if value.tzinfo is not None else "Z")
        return value


class WorldModel(_Strict):
    """The whole file."""

    accounts: list[AccountModel] = Field(min_length=1)
    users: list[UserModel] = Field(min_length=1)
    zones: list[ZoneModel] = []
    tokens: list[TokenModel] = []
    settings: dict[str, Any] = {}
