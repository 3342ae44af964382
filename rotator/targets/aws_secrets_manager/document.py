"""The text of one AWS secret: where in it the managed keys stand. Pure; it knows neither AWS nor the network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from rotator.core.secret import Secret
from rotator.targets.json_text import JsonObject


class NotThisFormat(ValueError):
    """The text is not in the configured format; the message never quotes it."""


def values_in(text: str, keys: Mapping[str, str], format_: Literal["json", "string"]) -> dict[str, Secret]:
    """The managed keys that are present and not empty.

    Raises:
        NotThisFormat: `json`, and the text is not one JSON object; or `string`, and it is one with members.
    """
    if nothing(text):
        return {}
    if format_ == "string":
        if _is_object(text):
            raise NotThisFormat("a JSON object")
        return {key: Secret(text) for key in keys}
    found = _object(text)
    return {key: Secret(value) for key in keys if (value := found.string(key))}


def with_values(text: str, values: Mapping[str, Secret], format_: Literal["json", "string"]) -> str:
    """The text with `values` set and every other byte as it was.

    Raises:
        NotThisFormat: `json`, and the text is not one JSON object.
    """
    if format_ == "string":
        (only,) = values.values()
        return only.reveal()
    return _object(text).with_strings({key: value.reveal() for key, value in values.items()})


def nothing(text: str) -> bool:
    """Whether a whole secret holds nothing: what tools and consoles write where a secret must not be empty."""
    return text.strip() in ("", "{}", "null", '""') or (text.strip()[:1] == "{" and not text.strip("{} \t\r\n"))


def _is_object(text: str) -> bool:
    try:
        JsonObject(text)
    except ValueError:
        return False
    return True


def _object(text: str) -> JsonObject:
    try:
        return JsonObject(text if not nothing(text) or "{" in text else "{}")
    except ValueError:
        raise NotThisFormat("not a JSON object") from None
