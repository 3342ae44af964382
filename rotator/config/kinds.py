"""What the adapters above tell this package about themselves.

Which connections, sources and targets there are, the models of their options, and which places their targets share.
Filled by `rotator.registry`; in tests by a few lines.

It names no provider except through values, and calls into an adapter only for pure functions of validated options.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import BaseModel

VALUE_OUTPUTS: Final = frozenset({"token.value", "r2.secret_access_key"})
"""Outputs that carry the value; a target without one of them could neither confirm nor be missed."""

DEFAULT_KEYS: Final[Mapping[str, str]] = {"CLOUDFLARE_API_TOKEN": "token.value", "CLOUDFLARE_ACCOUNT_ID": "account.id"}
"""What a target publishes when its stanza has no `keys`."""


def _connection_name(name: str, options: BaseModel) -> str:
    return name


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """One thing that an adapter finds wrong with validated options.

    Attributes:
        at: where, as keys and indexes from the stanza on, e.g. `("grants", 0, "permissions", 1)`.
        wrong: what is wrong.
        expected: what is expected.
        instead: what to write instead.
        fatal: whether the configuration is refused; otherwise it is a warning that `check` shows.
    """

    at: tuple[str | int, ...]
    wrong: str
    expected: str
    instead: str
    fatal: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetKind:
    """One type of target.

    Attributes:
        options: model of the keys that only this type has; the common ones (`type`, `name`, `connection`, `required`,
            `on_existing`, `keys`) belong to `rotator.config.models`.
        place: text of the place that validated options mean, e.g. the path; part of the default name.
        identity: the same for comparing, where one place has several spellings; by default `place`.
        connection_type: type of the connection that a target needs, None if it takes none.
        reach: text of the server behind a connection (its name, its validated options), so that two connections to one
            server are known to share places; by default the connection's name.
        whole: whether validated options claim the whole place, whatever the key (a secret that is one string).
        keys: default `keys` for validated options.
        check: what is wrong with validated options and the resolved keys (key -> output name, or `literal:TEXT`).
        local: whether a place lies on the machine of the process, so that no other machine reaches it.
    """

    options: type[BaseModel]
    place: Callable[[Any], str]
    identity: Callable[[Any], str] | None = None
    connection_type: str | None = None
    reach: Callable[[str, Any], str] = _connection_name
    whole: Callable[[Any], bool] = lambda options: False
    keys: Callable[[Any], Mapping[str, str]] = lambda options: DEFAULT_KEYS
    check: Callable[[Any, Mapping[str, str]], Iterable[Complaint]] = lambda options, keys: ()
    local: bool = False


def _no_complaint(kind: str, connection: Any, options: Any) -> Iterable[Complaint]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Kinds:
    """Everything that a configuration may name.

    Attributes:
        connections: type of connection -> model of its options (without `type`).
        sources: type of connection that is a source -> model of what a credential says to that source.
        targets: type of target -> its kind.
        outputs: type of source -> names of its outputs, which `keys` may name.
        available: (type of source, connection's options, credential's source options) -> the outputs that such a
            credential really has (one without an account has no `account.id`); default keys without one are left out.
        check_source: (type of source, connection's options, credential's source options) -> what is wrong with them,
            unknown permission names for instance; paths are relative to the credential's stanza.
        ceilings: type of source -> the provider's own rate limit as (requests, seconds).
    """

    connections: Mapping[str, type[BaseModel]]
    sources: Mapping[str, type[BaseModel]]
    targets: Mapping[str, TargetKind]
    outputs: Mapping[str, frozenset[str]]
    available: Callable[[str, Any, Any], frozenset[str]] | None = None
    check_source: Callable[[str, Any, Any], Iterable[Complaint]] = _no_complaint
    ceilings: Mapping[str, tuple[int, float]] = field(default_factory=lambda: {"cloudflare": (1200, 300.0)})

    def outputs_of(self, kind: str, connection: BaseModel | None, options: BaseModel | None) -> frozenset[str]:
        """Return the names of the outputs that such a credential has; all of its source's where that is not known."""
        if self.available is None or connection is None or options is None:
            return self.outputs.get(kind, frozenset())
        return self.available(kind, connection, options)
