"""Types of single configuration values, for the models here and for the options models of sources and targets.

Each accepts what people write, yields one plain form, and says in its error what is expected and what to write instead.
An error text never repeats the value: what stands in the wrong place may be a secret. These types know no stanza.
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StrictBool,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from rotator.core.durations import DAY, HOUR, MINUTE, NEVER
from rotator.core.errors import ConfigError
from rotator.host.home import expanded
from rotator.host.network.route import is_loopback_host

UNITS: Final = {"d": DAY, "h": HOUR, "m": MINUTE, "s": 1.0}
LONGEST: Final = 36500 * DAY
DURATION_PATTERN: Final = r"^(?=\d)(\d+(\.\d+)?d)?(\d+(\.\d+)?h)?(\d+(\.\d+)?m)?(\d+(\.\d+)?s)?$"
_DURATION: Final = re.compile(DURATION_PATTERN.replace("$", r"\Z"), re.ASCII)
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)([dhms])", re.ASCII)


class Stanza(BaseModel):
    """Base of every options model: immutable, no unknown keys, and errors that never show what was written."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        validate_default=False,
        defer_build=True,  # a model takes milliseconds to build, and a configuration uses few of them
    )


class WrittenInt(int):
    """An integer that remembers how it was written, so that an unquoted id or file mode keeps its digits."""

    text: str = ""


class WrittenFloat(float):
    """A number that remembers how it was written; an unquoted hexadecimal id such as `4e12…` is one for YAML."""

    text: str = ""


def wrong(what: str, expected: str, instead: str) -> PydanticCustomError:
    """Return the error of a field validator: `what` is wrong; what is `expected`; what to write `instead`."""
    parts = {"what": what, "expected": expected, "instead": instead}
    return PydanticCustomError("rotator", "{what}; {expected}; {instead}", parts)


# ------------------------------------------------------------------------------------------------------------ durations
def parse_duration(value: object) -> float:
    """Return seconds, 0 up to a hundred years, for `90d`, `36h`, `45s`, `1h30m`, `0.5s` or a number of seconds.

    Raises:
        PydanticCustomError: anything else, a text without units included: nobody knows what "90" means.
    """
    expected = "expected a duration of at most 100 years"
    instead = "write for example 90d, 36h, 45s or 1h30m, or a number of seconds"
    seconds = math.nan
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            seconds = float(value)
        except OverflowError:
            seconds = math.inf
    elif isinstance(value, str):
        if re.fullmatch(r"[0-9.]+", value):
            raise wrong(
                "the duration has no unit", "expected a number with d, h, m or s", "write for example 90d or 45s"
            )
        if _DURATION.match(value):
            seconds = math.fsum(float(number) * UNITS[unit] for number, unit in _PART.findall(value))
    if math.isnan(seconds) or seconds < 0:
        raise wrong("this is not a duration", expected, instead)
    if seconds > LONGEST:
        raise wrong("the duration is too long", expected, instead)
    return seconds


def format_duration(seconds: float) -> str:
    """Return the shortest text that `parse_duration` reads as `seconds`, e.g. `1h30m`; `never` for infinity."""
    if math.isinf(seconds):
        return "never"
    parts, rest = [], int(seconds)
    for unit in "dhm":
        count, rest = divmod(rest, int(UNITS[unit]))
        parts += [f"{count}{unit}"] if count else []
    last = rest + (seconds - int(seconds))
    if last or not parts:
        parts.append(f"{last:.6f}".rstrip("0").rstrip(".") + "s")
    return "".join(parts)


def _positive(seconds: float) -> float:
    if seconds <= 0:
        raise wrong("the duration is zero", "expected a duration above zero", "write for example 45s, 36h or 90d")
    return seconds


def _lifetime(value: object) -> float:
    return NEVER if value == "never" else _positive(parse_duration(value))


DURATION_SCHEMA: Final[dict[str, Any]] = {
    "anyOf": [{"type": "string", "pattern": DURATION_PATTERN}, {"type": "number", "minimum": 0}],
    "description": "A duration: 90d, 36h, 45s, 1h30m, or a number of seconds.",
}
LIFETIME_SCHEMA: Final[dict[str, Any]] = {
    "anyOf": [{"const": "never"}, *DURATION_SCHEMA["anyOf"]],
    "description": "A duration (90d, 36h, 1h30m, or a number of seconds), or `never`.",
}

Duration = Annotated[float, BeforeValidator(parse_duration), WithJsonSchema(DURATION_SCHEMA)]
PositiveDuration = Annotated[
    float, BeforeValidator(parse_duration), AfterValidator(_positive), WithJsonSchema(DURATION_SCHEMA)
]
Lifetime = Annotated[
    float,
    BeforeValidator(_lifetime),
    PlainSerializer(lambda life: "never" if life == NEVER else life, when_used="json"),
    WithJsonSchema(LIFETIME_SCHEMA),
]


# ---------------------------------------------------------------------------------------------------------------- texts
def as_written(value: object) -> object:
    """Return the text of a scalar that YAML took for a number (`0123…`, `4e12…`), anything else unchanged."""
    return value.text if isinstance(value, WrittenInt | WrittenFloat) else value


def _printable(value: str) -> str:
    if not value.isprintable():
        raise wrong("the text holds control characters", "expected one printable line", "write it without them")
    return value


Text = Annotated[str, BeforeValidator(as_written), AfterValidator(_printable), Field(min_length=1, max_length=4096)]
"""One printable line, 1 to 4,096 characters; an unquoted number is taken as it was written."""

Flag = StrictBool
"""`true` or `false` and nothing else: YAML 1.2 reads `yes` as a text, and a text is a mistake here."""

Count = Annotated[int, Field(strict=True, ge=1)]
"""A whole number from 1."""

HEX_ID_PATTERN: Final = r"^[0-9a-f]{32}$"


def _hex_id(value: object) -> str:
    text = as_written(value)
    if not isinstance(text, str) or not re.fullmatch(r"[0-9a-f]{32}", text):
        raise wrong("this is not an id", "expected 32 hexadecimal digits in lower case", "copy the id as it is shown")
    return text


HexId = Annotated[str, BeforeValidator(_hex_id), WithJsonSchema({"type": "string", "pattern": HEX_ID_PATTERN})]
"""32 lower-case hexadecimal digits, quoted or not."""


def _octal(value: object) -> int:
    text = as_written(value)
    if isinstance(text, str) and re.fullmatch(r"(0o)?0?[0-7]{3}", text):
        return int(text.removeprefix("0o"), 8)
    raise wrong("this is not a file mode", "expected three octal digits", 'write it in quotes, for example "0600"')


OctalMode = Annotated[
    int,
    BeforeValidator(_octal),
    PlainSerializer(lambda mode: f"{mode:04o}", return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": "^(0o)?0?[0-7]{3}$"}),
]
"""A file mode such as "0600", as an integer; set-id and sticky bits are not accepted."""


# ---------------------------------------------------------------------------------------------------------------- paths
def resolve(value: str | Path, info: ValidationInfo | None = None) -> Path:
    """Return `value` with `~` expanded and, where the context names a `folder`, relative to that folder.

    Raises:
        PydanticCustomError: the text is empty, holds control characters, or `~` cannot be expanded.
    """
    text = str(value)
    if not text or not text.isprintable():
        raise wrong("this is not a path", "expected the path of a file or folder", "write for example /srv/app/.env")
    try:
        path = expanded(text)
    except ConfigError:
        raise wrong("~ has no home folder here", "expected a path", "write the whole path") from None
    folder = (info.context or {}).get("folder") if info is not None else None
    return Path(folder, path) if folder is not None else path


def _config_path(value: object, info: ValidationInfo) -> Path:
    text = as_written(value)
    if not isinstance(text, str | Path):
        raise wrong("this is not a path", "expected the path of a file or folder", "write for example /srv/app/.env")
    return resolve(text, info)


ConfigPath = Annotated[Path, BeforeValidator(_config_path), WithJsonSchema({"type": "string", "minLength": 1})]
"""A path; a relative one is relative to the folder of the configuration file, `~` is expanded."""


# ------------------------------------------------------------------------------------------------------------ addresses
def is_loopback(url: str) -> bool:
    """Whether the host of `url` is this machine's loopback: `localhost`, 127.0.0.0/8 or ::1; False for no URL."""
    try:
        return is_loopback_host(urlsplit(url).hostname or "")
    except ValueError:
        return False


def _service_url(value: str) -> str:
    instead = "write for example https://vault.internal:8200"
    not_an_address = wrong("this is not the address of a service", "expected an https URL", instead)
    try:
        parts = urlsplit(value)
        valid = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise not_an_address from None
    if not valid or re.search(r"\s", value):
        raise not_an_address
    if parts.username is not None or parts.password is not None:
        raise wrong("the address holds a login", "expected a URL without one", "write the secret as {file: …} instead")
    if parts.query or parts.fragment:
        raise wrong("the address holds a query", "expected a plain URL", instead)
    if parts.scheme == "http" and not is_loopback(value):
        raise wrong(
            "plain http would send secrets in clear", "expected https", "write https://… (http only to loopback)"
        )
    return value.rstrip("/")


ServiceUrl = Annotated[str, AfterValidator(_service_url), WithJsonSchema({"type": "string", "format": "uri"})]
"""An https URL without login, query or trailing slash; plain http only for a loopback host."""


def _listen(value: str) -> str:
    found = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):([0-9]{1,5})", value)
    if found is None or int(found[2]) > 65535:
        raise wrong("this is not an address to listen on", "expected HOST:PORT", "write for example 127.0.0.1:9853")
    return value


Listen = Annotated[str, AfterValidator(_listen)]
"""`HOST:PORT` of a listener; an address of IPv6 stands in brackets."""


# ---------------------------------------------------------------------------------------------------------------- names
NAME_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"


def _name(value: object) -> str:
    text = as_written(value)
    if isinstance(text, str) and re.fullmatch(NAME_PATTERN[1:-1], text):
        return text
    raise wrong(
        "this is not a name",
        "expected 1 to 63 letters, digits, dots, dashes and underscores, the first a letter or digit",
        "write for example workers-deploy",
    )


Name = Annotated[str, BeforeValidator(_name), WithJsonSchema({"type": "string", "pattern": NAME_PATTERN})]
"""The name of a credential or a connection: it stands in metrics, in tokens' names and in targets' metadata."""


MAIL_PATTERN: Final = r"^[^\s@<>()\[\],;:\\\"]{1,64}@[A-Za-z0-9.-]{1,255}$"


def _mail(value: object) -> str:
    text = as_written(value)
    if isinstance(text, str) and text.isascii() and re.fullmatch(MAIL_PATTERN[1:-1], text):
        return text
    raise wrong(
        "this is not one mail address",
        "expected name, `@` and domain in ASCII",
        "write for example ops@example.com",
    )


MailAddress = Annotated[str, BeforeValidator(_mail), WithJsonSchema({"type": "string", "pattern": MAIL_PATTERN})]
"""An address of mail, without a name beside it."""


LABEL_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}$"


def _label(value: object) -> str:
    text = as_written(value)
    if isinstance(text, str) and re.fullmatch(LABEL_PATTERN[1:-1], text):
        return text
    raise wrong(
        "this is not the name of a label",
        "expected 1 to 63 letters, digits, dots, dashes, underscores and slashes, the first a letter or digit",
        "write for example team",
    )


LabelName = Annotated[str, BeforeValidator(_label), WithJsonSchema({"type": "string", "pattern": LABEL_PATTERN})]
"""The name of a label of a credential."""
