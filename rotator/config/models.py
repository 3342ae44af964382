"""The stanzas of the configuration file, each as a model of its common keys, and the result: one immutable `Config`.

A connection, a credential and a target also have keys that only their kind knows; those are validated by the model that
`Kinds` names and stand in `options` or `source`. Checks across stanzas are made in `references`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, Field, PlainSerializer, WithJsonSchema

from rotator.config.audit import AuditStanza
from rotator.config.fields import (
    Count,
    Duration,
    Flag,
    LabelName,
    Lifetime,
    Listen,
    Name,
    PositiveDuration,
    Stanza,
    Text,
    as_written,
    wrong,
)
from rotator.config.hooks import HookStanza
from rotator.config.hours import NONE, Calendar, WindowStanza
from rotator.config.naming import Names
from rotator.config.notify import ChannelStanza
from rotator.config.page import Page
from rotator.config.secret_ref import SecretRef
from rotator.config.state import StatePlace
from rotator.core.durations import DAY
from rotator.core.findings import Subject


# ---------------------------------------------------------------------------------------------------- what stands alone
class State(Stanza):
    """Where the journal lies and the key that seals its values."""

    url: Text | None = Field(
        None,
        description="sqlite:////absolute/path, sqlite:///path/beside/this/file, or, for several machines, "
        "postgresql://user@host:5432/database?sslmode=verify-full",
    )
    password: SecretRef | None = Field(
        None, description="Of the user of a PostgreSQL url, which never holds it itself."
    )
    encryption_key: SecretRef | None = Field(
        None, description="Made by `rotator keygen`; keep it away from the database."
    )


class Node(Stanza):
    """What the machine of this process is called."""

    node: Name | None = Field(None, description="Default: the host's name; ROTATOR_NODE overrides it.")


class Http(Stanza):
    """The listener of metrics and health."""

    listen: Listen = Field("127.0.0.1:9853", description="HOST:PORT; ROTATOR_HTTP_LISTEN overrides it.")


class Log(Stanza):
    """What is logged to standard error, and how."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "json", "console"] = Field(
        "auto", description="auto: console on a terminal, else JSON lines"
    )


class Advanced(Stanza):
    """Pace and patience; the first four may only be shorter than here when every source is on loopback."""

    settle: PositiveDuration = Field(60.0, description="How long a request may be in flight after its answer was lost.")
    propagation: PositiveDuration = Field(150.0, description="How long a fresh token may not be accepted yet.")
    retry: PositiveDuration = Field(30.0, description="First back-off; doubles up to one hour.")
    pair_gap: PositiveDuration = Field(
        86400.0, description="How far apart the two management tokens of a connection get new values."
    )
    evaluate: PositiveDuration = Field(15.0, description="How often the daemon checks what is due.")
    watch: PositiveDuration = Field(300.0, description="How often the daemon looks at expiry, drift and targets.")
    sweep: PositiveDuration = Field(300.0, description="How often the daemon looks for orphans.")


class RateBudget(Stanza):
    """How many requests a connection may send in a window of time; shared by all processes."""

    requests: Count = 300
    window: PositiveDuration = 300.0


# ---------------------------------------------------------------------------------------------------------- credentials
class Adopt(Stanza):
    """An existing token to take over."""

    id: Text


class Rotation(Stanza):
    """When and how a credential is rotated; what is absent follows the lifetime."""

    strategy: Literal["recreate", "roll"] = Field("recreate", description="roll ends the old value at once")
    renew_before: PositiveDuration | None = Field(None, description="Before expiry; default: a third of the lifetime.")
    every: PositiveDuration | None = Field(None, description="Rotate that long after the last rotation.")
    grace: Duration | None = Field(
        None, description="The old value lives at least that long after the last target let it go; default 24h."
    )
    quiet: Duration | None = Field(
        None, description="The old token must be unused that long; default 24h, 8d for an adopted one."
    )
    soak: Duration | None = Field(None, description="A disabled token waits that long for its deletion; default 24h.")
    outage_budget: PositiveDuration | None = Field(
        None, description="roll only: the outage that you accept, at least settle and 30s."
    )
    windows: Annotated[tuple[WindowStanza, ...], Field(min_length=1)] | None = Field(
        None, description="Hours in which a rotation may begin; what is dead or about to expire does not wait."
    )


class CredentialCommon(Stanza):
    """The keys of a credential that do not depend on its source."""

    name: Name
    connection: Name = Field(description="Name of the connection that mints its tokens.")
    adopt: Adopt | None = Field(
        None, description="Take over an existing token; absent: the first rotation creates one."
    )
    renamed_from: Name | None = Field(None, description="The former name; keeps the history.")
    lifetime: Lifetime = 90 * DAY
    rotation: Rotation = Rotation()
    drift: Literal["report", "restore", "adopt"] = Field(
        "report",
        description="A token that somebody changed at the provider: only say so, put it right, or take it as it is.",
    )
    on_change: Literal["auto", "update", "rotate"] = Field(
        "auto",
        description="Other grants: update the living token (auto: where that only takes rights away), or rotate.",
    )
    group: Name | None = Field(None, description="One of `groups`: two of its credentials are never rotated at once.")
    labels: dict[LabelName, Text] = Field(
        default_factory=dict,
        json_schema_extra={"additionalProperties": False},
        description="Words of your own, like {team: web}: in `status`, where `--label` picks by them, and in metrics.",
    )


# -------------------------------------------------------------------------------------------------------------- targets
LITERAL: Final = "literal:"
_OUTPUT: Final = r"[a-z0-9_]+(\.[a-z0-9_]+)*"


def _key_source(value: object) -> str:
    if isinstance(value, str) and re.fullmatch(_OUTPUT, value):
        return value
    if isinstance(value, Mapping) and set(value) == {"literal"}:
        text = as_written(value["literal"])
        if isinstance(text, str) and text.isprintable() and len(text) <= 4096:
            return LITERAL + text
        raise wrong("the literal is not a line of text", "expected one printable line", "put a number in quotes")
    raise wrong(
        "a key cannot hold this",
        "expected the name of an output, or a literal",
        "write for example token.value, or {literal: prod}",
    )


def _written_key_source(value: str) -> object:
    return {"literal": value.removeprefix(LITERAL)} if value.startswith(LITERAL) else value


KeySource = Annotated[
    str,
    BeforeValidator(_key_source),
    PlainSerializer(_written_key_source, when_used="json"),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": f"^{_OUTPUT}$", "description": "Name of an output, e.g. token.value."},
                {
                    "type": "object",
                    "properties": {"literal": {"type": "string"}},
                    "required": ["literal"],
                    "additionalProperties": False,
                },
            ]
        }
    ),
]
"""What stands at a key: the name of an output of the source, or `literal:TEXT` (written `{literal: TEXT}`)."""


class TargetCommon(Stanza):
    """The keys of a target that do not depend on its type."""

    type: Text
    name: Text | None = Field(None, max_length=200, description="Default: TYPE:PLACE.")
    connection: Name | None = None
    required: Flag = Field(True, description="false: rotation and retirement do not wait for this target")
    on_existing: Literal["refuse", "replace"] = Field(
        "refuse", description="What to do with a foreign value that stands at a key at first sight."
    )
    pasted: Flag = Field(
        False,
        description="true: somebody pastes the value elsewhere; an old token lives until `rotator ack`, or until it "
        "was seen to be silent for `rotation.quiet`",
    )
    keys: Annotated[dict[Text, KeySource], Field(min_length=1)] | None = Field(
        None, description="Key at the target -> output of the source; other keys there are never touched."
    )
    after_publish: Annotated[tuple[HookStanza, ...], Field(min_length=1)] | None = Field(
        None, description="What is done on this machine after the target holds a new value; a failure is tried again."
    )
    node: Name | None = Field(
        None, description="The machine that the place is on, or where hooks run; no other one reads or writes it."
    )
    shared: Flag | None = Field(None, description="true: the file lies on a file system that every machine has")


# ----------------------------------------------------------------------------------------------------------- the result
@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionStanza:
    """A connection: its name, its type in the registry, and its options, validated by that type's model."""

    name: str
    type: str
    options: BaseModel


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetStanza:
    """A target.

    Attributes:
        common: what every target has.
        options: what its type has.
        name: the configured name or `TYPE:PLACE`.
        place: text of the place without the server, e.g. a path.
        keys: key -> output name or `literal:TEXT`, defaults filled in.
        lease: the place with type and server: equal for two targets that share the place.
    """

    common: TargetCommon
    options: BaseModel
    name: str
    place: str
    keys: Mapping[str, str]
    lease: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialStanza:
    """A credential: what every one has, what its source has, and its targets."""

    common: CredentialCommon
    source_type: str
    source: BaseModel
    targets: tuple[TargetStanza, ...]

    @property
    def name(self) -> str:
        """The configured name."""
        return self.common.name

    @property
    def owner(self) -> str:
        """Owner scope at the provider, `account` for a source that knows none."""
        return str(getattr(self.source, "owner", "account"))

    def spec(self) -> dict[str, Any]:
        """Return the whole stanza as plain JSON data: defaults merged, paths absolute, secrets never in it.

        `rotator.config.load.read_stanza` makes the same stanza of it again.
        """
        return {
            **_said(self.common, drift="report", on_change="auto", labels={}),
            **plain_data(self.source),
            "targets": [{**_said(one.common, pasted=False), **plain_data(one.options)} for one in self.targets],
        }


def _said(model: BaseModel, **usual: Any) -> dict[str, Any]:
    """A stanza as plain data without these keys at their defaults: earlier versions, which may read it, know none."""
    return {key: value for key, value in plain_data(model).items() if key not in usual or value != usual[key]}


def plain_data(model: BaseModel) -> dict[str, Any]:
    """Return a stanza as plain JSON data; keys that are not set are left out."""
    return model.model_dump(mode="json", exclude_none=True, by_alias=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned:
    """Something that works and is still worth a word; `check` shows it.

    Attributes:
        where: FILE:LINE:COLUMN.
        subject: what it is about.
        code: a short word from a closed list of this package.
        message: what is not good.
        remedy: what to do.
    """

    where: str
    subject: Subject
    code: str
    message: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """A configuration without errors.

    Attributes:
        path: the file, absolute.
        sha256: hex digest of the file's bytes, the inventory's included; another one means that there is something to
            reload.
        state: where the journal and its key are.
        http: the listener.
        log: level and format.
        connections: by name.
        credentials: in the order of the file.
        advanced: pace and patience.
        names: how tokens are to be called, None where nobody said.
        warnings: in the order of the file.
        inventory: the file of the fleet's inventory, where there is one.
        calendar: groups and freezes.
        page: the page for people, None where it is off.
        audit: where facts are exported to.
        notify: who is told what happens.
        node: what this machine is called.
    """

    path: Path
    sha256: str
    state: StatePlace
    http: Http
    log: Log
    connections: Mapping[str, ConnectionStanza]
    credentials: tuple[CredentialStanza, ...]
    advanced: Advanced
    names: Names | None = None
    warnings: tuple[Warned, ...] = ()
    inventory: Path | None = None
    calendar: Calendar = NONE
    page: Page | None = None
    audit: tuple[AuditStanza, ...] = ()
    notify: tuple[ChannelStanza, ...] = ()
    node: str = ""
