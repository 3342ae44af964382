"""The port to what mints tokens. One `Source` serves one credential: its owner scope, grants and conditions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from rotator.core.credential import NEVER, Can
from rotator.core.drift import Difference
from rotator.core.ids import TokenId
from rotator.core.plain import Json
from rotator.core.secret import Secret

ACTIVE = "active"


@dataclass(frozen=True, slots=True, kw_only=True)
class Minted:
    """The answer of a mint; the only moment at which the provider shows the value.

    Attributes:
        token_id: id at the provider.
        value: the secret value.
        name: the token's name at the provider.
        issued_at: provider time in unix seconds.
        expires_at: provider time, `NEVER` without expiry.
    """

    token_id: TokenId
    value: Secret
    name: str
    issued_at: float
    expires_at: float = NEVER


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenState:
    """What the provider says of a token; never its value.

    Attributes:
        id: id at the provider.
        name: name at the provider.
        status: an open enumeration; only `active` is alive (`disabled`, `expired`, `revoked (exposed)`, ...).
        issued_at: provider time in unix seconds.
        modified_at: provider time in unix seconds.
        expires_at: provider time, `NEVER` without expiry.
        last_used_at: provider time, None if never used (or not known, `Can.last_use`).
        exposed: whether the provider itself ended it because its value was found in public; believed at once.
        compared: whether grants and conditions could be compared; a list may not show them, `get` always does.
        equal: whether they are those of the credential's spec; True where they were not compared.
        differs: in words how they are not, for people; empty where they are equal.
        differences: the same, each by its part.
        shown: what the provider showed of grants and conditions, for `Source.compared`; opaque, and no value.
        final: whether the token is dead for good: it can never be made active again.
    """

    id: TokenId
    name: str
    status: str
    issued_at: float
    modified_at: float
    expires_at: float = NEVER
    last_used_at: float | None = None
    compared: bool = False
    equal: bool = True
    differs: str = ""
    differences: tuple[Difference, ...] = ()
    shown: Any = field(default=None, repr=False, compare=False)
    exposed: bool = False
    final: bool = False

    @property
    def active(self) -> bool:
        """Whether the provider says that the token is alive."""
        return self.status == ACTIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """One of the tokens with which a connection logs in at the provider, as it is now.

    Attributes:
        role: what the connection calls it (`management`, `standby`).
        accepted: whether the provider accepts it; None where no usable answer came.
        expires_at: provider time, `NEVER`, or None where that is not known.
        problem: what is wrong with it, naming connection and place; empty where nothing is.
        remedy: what to do, or empty.
    """

    role: str
    accepted: bool | None
    expires_at: float | None = None
    problem: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A token that was disabled by its id alone; `was` is its status before, `ended` whether it is dead now."""

    token_id: TokenId
    name: str
    was: str
    ended: bool


class Emergency(Protocol):
    """The end of tokens that are named by their id, by the logins of one connection. No credential is asked."""

    def member(self, role: str) -> TokenId:
        """Return the id of the connection's own token in that role; raises `ConfigError` where it has none."""

    def id_of(self, text: str) -> TokenId:
        """Return what a person typed as the id of a token; raises `ConfigError` where it cannot be one."""

    def end(self, token_id: TokenId) -> Ended:
        """Disable a token, never by itself; raises as `Source.disable`, and `Refused` where no such token is there."""

    def close(self) -> None:
        """Give the connections back."""


class Looks(StrEnum):
    """What kind of text stands at a managed key, told by its shape alone."""

    OWN = "own"
    """A value of this source, perhaps: only such a text may be verified, that is, sent to the provider."""
    PLACEHOLDER = "placeholder"
    """Text that somebody left for a value to be put in its place: nobody's secret."""
    REFERENCE = "reference"
    ENCRYPTED = "encrypted"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Shape:
    """What a text looks like.

    Attributes:
        looks: the kind.
        what: the kind in words (`a reference to 1Password (op://)`); never any part of the text.
        meant: whether somebody may mean the text as it is at a key that holds no secret (`test` for a stage).
    """

    looks: Looks
    what: str
    meant: bool = False


class Source(Protocol):
    """What mints, inspects and retires the tokens of one credential.

    MUST NOT be asked to verify what `looks_like` does not call its own: text of others is sent to nobody.

    MUST, for every call with an effect (`mint`, `roll`, `extend`, `update`, `disable`, `delete`): send exactly one wire
    request, no retry, no redirect; raise `Refused` (or `RateLimited`) only where the answer says no; raise
    `Unavailable` only where the request was certainly never sent; raise `OutcomeUnknown` in every other case.
    MUST, for every read: raise `Unavailable` or `RateLimited` where no usable answer came.
    MUST NOT authenticate a request that disables, deletes or rolls a token by that token: raise `OperatorNeeded`.
    MUST NOT log, keep or copy a value.
    """

    @property
    def principal(self) -> TokenId:
        """Id of the management token that authenticates the calls, or empty while it is not known."""

    @property
    def can(self) -> Can:
        """What it can do. A method that it says it cannot do raises `Refused` (code `unsupported`), nothing sent."""

    @property
    def verifies(self) -> bool:
        """Whether values can be verified from this host; where the operator said no, `get` alone proves a value."""

    @property
    def values(self) -> tuple[str, ...]:
        """Outputs by which a value can be told: first the one that authenticates, then those derived from it."""

    def mint(self, name: str, expires_at: float) -> Minted:
        """Create a token of that name; `expires_at` in provider time (whole seconds are kept), `NEVER` for none."""

    def roll(self, token_id: TokenId) -> Minted:
        """Give the token a new value; the old one dies at once."""

    def extend(self, token_id: TokenId, expires_at: float) -> None:
        """Move the token's expiry, everything else unchanged."""

    def disable(self, token_id: TokenId) -> None:
        """Disable the token; a token that is gone or dead already is a success."""

    def delete(self, token_id: TokenId) -> None:
        """Delete the token; a token that is gone already is a success."""

    def get(self, token_id: TokenId) -> TokenState | None:
        """Return the token's state with `equal` filled in, or None where the provider says that it does not exist."""

    def compared(self, state: TokenState) -> TokenState:
        """Return a listed state compared with what the credential asks for, where its row shows enough; else as it is.

        Raises as a read does: names may have to be looked up.
        """

    def update(self, token_id: TokenId, name: str) -> None:
        """Make grants, conditions and name of a living token what the credential asks for; everything else stays.

        Sends no status: one that arrives late must not wake a token that was disabled meanwhile.
        """

    def like(self, state: TokenState) -> Json:
        """Return what a token is, so that `Source` can be made anew to mint such tokens; no I/O."""

    def verify(self, value: Secret) -> TokenId | None:
        """Return the id of the token if the provider accepts the value, None if it says no.

        Authenticates with `value` itself, so it counts as a use of that token. Raises `Barred` where the provider
        answers that this host may not use the token.
        """

    def looks_like(self, text: Secret, key: str, *, adopted: bool) -> Shape:
        """Return what a text at the managed key `key` looks like, without any I/O.

        Args:
            text: what stands there.
            key: name of the managed key, which may say whose value it is.
            adopted: whether the credential names a token to be taken over, whose value may be of an old format.
        """

    def control(self) -> bool:
        """Whether the management token itself is accepted now: tells a dead value from a provider that refuses all."""

    def tokens(self) -> tuple[TokenState, ...]:
        """Return every token of the owner scope, complete or `Unavailable`; expired ones may be absent."""

    def outputs(self, token_id: TokenId, value: Secret, expires_at: float) -> Mapping[str, Secret]:
        """Return everything that a target's `keys` may name (`token.value`, `token.id`, ...), without any I/O."""

    def constants(self) -> Mapping[str, Secret]:
        """Return those of `outputs` that are the same for every token of the credential, without any I/O."""
